//! What the node answers to good and bad requests.

use crate::network::{Folder, Running, example, hotpot};
use serde_json::{Value, json};

/// One order, signed with the keys of the folder, without sending it.
fn signed(folder: &Folder, order: &str, price: &str) -> Value {
    let file = folder.path().join("one.csv");
    let text =
        format!("order,outlet,code,dish,note,pieces,price\n{order},1,tea,Tea,,2,\"{price}\"\n");
    std::fs::write(&file, text).unwrap();
    let output = hotpot()
        .arg("import")
        .arg(&file)
        .args([
            "--map",
            &example("georgia.toml"),
            "--dry-run",
            "--print-signed",
            "--data-dir",
        ])
        .arg(folder.path())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

fn with(sale: &Value, pointer: &str, value: Value) -> String {
    let mut changed = sale.clone();
    *changed.pointer_mut(pointer).unwrap() = value;
    changed.to_string()
}

fn sales(network: &Running<'_>) -> Value {
    network.get("/api/v1/supply")["sales"].clone()
}

#[test]
fn a_sale_is_taken_once_and_every_bad_one_is_refused_by_name() {
    let folder = Folder::new();
    let mut network = folder.start(&crate::network::example_orders());
    let count = network.node(0);
    network.wait_for("60 sales", || {
        let supply: Value = reqwest::blocking::get(format!("{count}/api/v1/supply"))
            .unwrap()
            .json()
            .unwrap();
        supply["sales"] == 60
    });

    let sale = signed(&folder, "NEW-1", "3,00");
    let (status, _, first) = network.post("/api/v1/sales", sale.to_string());
    assert_eq!(
        (status, &first["status"], &first["issued"]),
        (201, &json!("final"), &json!(100))
    );
    let (status, _, again) = network.post("/api/v1/sales", sale.to_string());
    assert_eq!((status, &again["height"]), (200, &first["height"]));
    let other = signed(&folder, "NEW-1", "4,00");
    let (status, media, problem) = network.post("/api/v1/sales", other.to_string());
    assert_eq!((status, media.as_str()), (409, "application/problem+json"));
    assert_eq!(problem["errors"][0]["pointer"], "/sale_id");

    let fresh = signed(&folder, "NEW-2", "3,00");
    let truncated = fresh.to_string()[..100].to_owned();
    let stranger = "0x00000000000000000000000000000000000000aa";
    let cases: [(&str, String, u16, &str); 11] = [
        (
            "wrong signature",
            with(
                &fresh,
                "/signature",
                json!(format!("0x{}", "11".repeat(65))),
            ),
            422,
            "/signature",
        ),
        (
            "other terminal",
            with(&fresh, "/terminal", json!(stranger)),
            422,
            "/signature",
        ),
        (
            "other outlet",
            with(&fresh, "/outlet", json!(2)),
            422,
            "/signature",
        ),
        (
            "lines that do not add up",
            with(&fresh, "/total", json!(7)),
            422,
            "/total",
        ),
        ("no lines", with(&fresh, "/lines", json!([])), 422, "/lines"),
        (
            "quantity 0",
            with(&fresh, "/lines/0/quantity", json!(0)),
            422,
            "/lines",
        ),
        (
            "a text for a number",
            with(&fresh, "/lines/0/quantity", json!("two")),
            422,
            "/lines/0/quantity",
        ),
        (
            "a small currency",
            with(&fresh, "/currency", json!("gel")),
            422,
            "/currency",
        ),
        (
            "no time",
            with(&fresh, "/occurred_at", json!("yesterday")),
            422,
            "/occurred_at",
        ),
        (
            "a short id",
            with(&fresh, "/sale_id", json!("ab")),
            422,
            "/sale_id",
        ),
        ("truncated JSON", truncated, 400, ""),
    ];
    for (what, body, expected, pointer) in cases {
        let (status, media, problem) = network.post("/api/v1/sales", body);
        assert_eq!(
            (status, media.as_str()),
            (expected, "application/problem+json"),
            "{what}: {problem}"
        );
        let found = problem
            .pointer("/errors/0/pointer")
            .and_then(Value::as_str)
            .unwrap_or("");
        assert_eq!(found, pointer, "{what}: {problem}");
        assert!(problem["request_id"].is_string(), "{what}");
    }
    let (status, ..) = network.post("/api/v1/sales", vec![b'a'; 10_000_000]);
    assert_eq!(status, 413, "10 MB");
    assert_eq!(sales(&network), 61, "nothing of this changed the ledger");

    a_batch_is_answered_sale_by_sale(&network, &folder, &sale, &other);
    assert_eq!(sales(&network), 62, "of the batch one sale was new");

    exported_blocks_hold_every_sale(&network);
    network.stop();
}

/// A reader that held the ledger twice would stop the node as soon as a commit waited in between.
#[test]
fn readers_in_a_hurry_do_not_stop_a_node() {
    const READERS: usize = 4;
    const READS: usize = 1_500;
    let folder = Folder::new();
    let arguments = [
        crate::network::example_orders(),
        vec!["--rate".into(), "5/s".into()],
    ]
    .concat();
    let mut network = folder.start(&arguments);
    let node = network.node(0);
    let sale = || -> Option<String> {
        let block = |height: u64| -> Value { get(&format!("{node}/api/v1/blocks/{height}")) };
        let mut blocks = (1..=get(&format!("{node}/readyz"))["height"].as_u64()?).map(block);
        let recorded = blocks.find_map(|block| {
            block["transactions"]
                .as_array()?
                .iter()
                .find(|transaction| transaction["type"] == "sale")
                .cloned()
        })?;
        let path = format!(
            "/api/v1/sales/{}/{}/proof",
            recorded["outlet"],
            recorded["sale_id"].as_str()?
        );
        (get(&format!("{node}{path}"))["sale"].is_object()).then_some(path)
    };
    let mut proof = None;
    network.wait_for("the proof of a sale", || {
        proof = sale();
        proof.is_some()
    });
    let proof = proof.unwrap();
    std::thread::scope(|scope| {
        for _ in 0..READERS {
            scope.spawn(|| {
                let client = reqwest::blocking::Client::new();
                for path in [proof.as_str(), "/readyz", "/api/v1/outlets"]
                    .iter()
                    .cycle()
                    .take(READS)
                {
                    assert!(
                        client
                            .get(format!("{node}{path}"))
                            .send()
                            .unwrap()
                            .status()
                            .is_success(),
                        "{path}"
                    );
                }
            });
        }
    });
    let before = get(&format!("{node}/readyz"))["height"].as_u64().unwrap();
    network.wait_for("another block", || {
        get(&format!("{node}/readyz"))["height"].as_u64() > Some(before)
    });
    network.stop();
}

fn get(url: &str) -> Value {
    reqwest::blocking::get(url)
        .and_then(|answer| answer.json())
        .unwrap_or_default()
}

fn exported_blocks_hold_every_sale(network: &Running<'_>) {
    let output = hotpot()
        .args(["export", "blocks", "--node", &network.node(2)])
        .output()
        .unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines[0]["type"], "genesis");
    let transactions = lines
        .iter()
        .filter_map(|line| line.pointer("/block/transactions")?.as_array());
    let recorded = transactions
        .flatten()
        .filter(|transaction| transaction["type"] == "sale")
        .count();
    assert_eq!(recorded, 62);
}

/// `stands` is final already; `conflicts` has its id and other content.
fn a_batch_is_answered_sale_by_sale(
    network: &Running<'_>,
    folder: &Folder,
    stands: &Value,
    conflicts: &Value,
) {
    let new = signed(folder, "NEW-3", "3,00");
    let mut forged = signed(folder, "NEW-4", "3,00");
    forged["signature"] = json!(format!("0x{}", "11".repeat(65)));
    let batch = json!([new, stands, conflicts, forged]);
    let (status, _, answers) = network.post("/api/v1/sales/batch", batch.to_string());
    assert_eq!(status, 200, "{answers}");
    let statuses: Vec<_> = answers
        .as_array()
        .unwrap()
        .iter()
        .map(|answer| answer["status"].clone())
        .collect();
    assert_eq!(statuses, [201, 200, 409, 422], "{answers}");
    for (place, sent) in [(0, &new), (1, stands)] {
        let sale = &answers[place]["sale"];
        assert_eq!(
            (&sale["status"], &sale["sale_id"]),
            (&json!("final"), &sent["sale_id"]),
            "{answers}"
        );
        assert!(
            sale["height"].is_u64() && answers[place].get("problem").is_none(),
            "{answers}"
        );
    }
    for (place, pointer) in [(2, "/sale_id"), (3, "/signature")] {
        assert_eq!(
            answers[place]["problem"]["errors"][0]["pointer"], pointer,
            "{answers}"
        );
        assert!(answers[place].get("sale").is_none(), "{answers}");
    }

    let bad = with(&new, "/lines/0/quantity", json!("two"));
    for (what, body, expected, pointer) in [
        ("no sale", "[]".to_owned(), 422, ""),
        (
            "more than a body holds",
            json!(vec![stands; 1_000]).to_string(),
            413,
            "",
        ),
        (
            "one sale too many",
            json!(vec![stands; 501]).to_string(),
            422,
            "",
        ),
        (
            "one that is not understood",
            format!("[{stands},{bad}]"),
            422,
            "/1/lines/0/quantity",
        ),
        ("no array", stands.to_string(), 422, ""),
    ] {
        let (status, media, problem) = network.post("/api/v1/sales/batch", body);
        assert_eq!(
            (status, media.as_str()),
            (expected, "application/problem+json"),
            "{what}: {problem}"
        );
        let found = problem
            .pointer("/errors/0/pointer")
            .and_then(Value::as_str)
            .unwrap_or("");
        assert_eq!(found, pointer, "{what}: {problem}");
    }
}
