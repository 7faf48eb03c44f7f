//! The public door: pages of sales, stages, events that can be resumed, nodes that go away.

use crate::described::Description;
use crate::network::{Folder, Running, example_orders};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::Command;
use std::time::{Duration, Instant};

fn gateway(network: &Running<'_>) -> String {
    network.network()["gateway"]["http"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// Status and body of a GET.
fn get(url: &str) -> (u16, Value) {
    let answer = reqwest::blocking::get(url).unwrap();
    (
        answer.status().as_u16(),
        answer.json().unwrap_or(Value::Null),
    )
}

fn started() -> (Folder, Vec<String>) {
    let arguments = [example_orders(), vec!["--epoch-blocks".into(), "8".into()]].concat();
    (Folder::new(), arguments)
}

fn wait_for_sales(network: &mut Running<'_>, url: &str, count: u64) {
    let url = format!("{url}/api/v1/supply");
    network.wait_for("all sales in the mirror", || {
        get(&url).1["sales"].as_u64() == Some(count)
    });
}

#[test]
fn what_it_says_agrees_with_the_ledger_and_every_sale_reaches_the_last_stage() {
    let (folder, arguments) = started();
    let mut network = folder.start(&arguments);
    let url = gateway(&network);
    network.wait_for("the gateway", || {
        get_quietly(&format!("{url}/readyz")) == Some(200)
    });
    wait_for_sales(&mut network, &url, 60);
    let supply_url = format!("{url}/api/v1/supply");
    network.wait_for("everything minted for good", || {
        let supply = get(&supply_url).1;
        supply["minted_final"] == supply["released"] && supply["pending"] == 0
    });

    // The mirror's figures are the ledger's.
    let (mirror, ledger) = (get(&supply_url).1, network.get("/api/v1/supply"));
    for figure in [
        "issued",
        "reversed",
        "released",
        "pending",
        "unclaimed",
        "pool",
        "debt",
        "sales",
    ] {
        assert_eq!(mirror[figure], ledger[figure], "{figure}");
    }
    let facts = get(&format!("{url}/api/v1/network")).1;
    assert_eq!(
        (&facts["disagreements"], &facts["sidechain"]["ready"]),
        (&json!(0), &json!(true)),
        "{facts}"
    );

    every_way_is_in_step(&mut network, &url);

    // Pages hold each sale once, newest first, also when their size changes.
    let mut seen = BTreeSet::new();
    let mut cursor = String::new();
    for limit in (1..).map(|round| 3 + round % 5) {
        let page = get(&format!("{url}/api/v1/sales?limit={limit}{cursor}")).1;
        for sale in page["data"].as_array().unwrap() {
            assert!(
                seen.insert((
                    sale["outlet"].as_u64(),
                    sale["sale_id"].as_str().unwrap().to_owned()
                )),
                "{sale}"
            );
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 60);

    // Every sale has gone all the way, and its shares are where the ledger says.
    for (outlet, id) in &seen {
        let sale = get(&format!("{url}/api/v1/sales/{}/{id}", outlet.unwrap())).1;
        assert_eq!(sale["stage"], "indexed", "{sale}");
        let shares = sale["stages"][4]["shares"].as_array().unwrap();
        let states: BTreeSet<_> = shares
            .iter()
            .map(|share| share["state"].as_str().unwrap())
            .collect();
        assert!(
            states
                .iter()
                .all(|state| ["minted", "unclaimed", "pool"].contains(state)),
            "{states:?}"
        );
        assert_eq!(
            shares
                .iter()
                .map(|share| share["units"].as_u64().unwrap())
                .sum::<u64>(),
            100
        );
    }
    refusals(&url);
    every_answer_is_as_described(&url, seen.first().unwrap());
    network.stop();
}

/// Each way has an age of its own, and nobody is away.
fn every_way_is_in_step(network: &mut Running<'_>, url: &str) {
    let url = format!("{url}/api/v1/network");
    network.wait_for("every way in step", || {
        let facts = get(&url).1;
        let arrows = facts["arrows"].as_array().unwrap();
        let in_step = arrows.iter().filter(|arrow| arrow["state"] == "in_step");
        in_step.count() == 5 && facts["away"] == json!([])
    });

    let facts = get(&url).1;
    for arrow in facts["arrows"].as_array().unwrap() {
        assert!(
            arrow["age_s"].as_u64().is_some_and(|age| age < 120),
            "{arrow}"
        );
    }
}

/// Of this network, which has no cameras: `video.rs` asks for theirs.
fn every_answer_is_as_described(url: &str, (outlet, sale_id): &(Option<u64>, String)) {
    let sale = get(&format!("{url}/api/v1/sales/{}/{sale_id}", outlet.unwrap())).1;
    let owner = &sale["stages"][4]["shares"][0]["address"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let known = [
        ("outlet", outlet.unwrap().to_string()),
        ("sale_id", sale_id.clone()),
        ("id", text(&sale["transaction_id"])),
        ("height", sale["height"].to_string()),
        ("epoch", "latest".to_owned()),
        ("account", text(owner)),
        ("address", text(owner)),
        (
            "cid",
            "bafkreiheit3zw2t6q226lf2m3j6kzmpejt2bj73xthooheqekq2bwybkm4".to_owned(),
        ),
    ];

    let successes = Description::read().check_reads(url, &known);

    let not_here = |path: &&String| {
        path.contains("camera") || path.contains("/recordings/") || path.contains("consents")
    };
    let expected = Description::read().paths();
    let missing: Vec<&String> = expected
        .difference(&successes)
        .filter(|path| !not_here(path))
        .collect();
    // Posted to, streamed, or of the latest epoch, which need not have paid this account.
    let excused = ["/batch", "/transactions", "/events", "/{account}"];
    assert!(
        missing
            .iter()
            .all(|path| excused.iter().any(|end| path.ends_with(end))),
        "these were not answered: {missing:?}"
    );

    let (status, document) = get(&format!("{url}/api/openapi.json"));
    assert_eq!((status, &document["openapi"]), (200, &json!("3.1.0")));
}

fn get_quietly(url: &str) -> Option<u16> {
    reqwest::blocking::get(url)
        .ok()
        .map(|answer| answer.status().as_u16())
}

fn refusals(url: &str) {
    let nobody = "0x00000000000000000000000000000000000000aa";
    let cases = [
        ("/api/v1/sales?limit=0", 422, "/limit"),
        ("/api/v1/sales?limit=x", 422, "/limit"),
        ("/api/v1/sales?cursor=1", 422, "/cursor"),
        ("/api/v1/sales?outlet=-1", 422, "/outlet"),
        (
            "/api/v1/sales/x/00000000000000000000000000000000",
            422,
            "/outlet",
        ),
        ("/api/v1/sales/1/zz", 422, "/sale_id"),
        ("/api/v1/accounts/0x1", 422, "/address"),
        ("/api/v1/recordings?limit=101", 422, "/limit"),
        ("/api/v1/recordings?camera=x", 422, "/camera"),
        ("/api/v1/recordings/Qm12", 422, "/cid"),
        ("/api/v1/consents?cursor=x", 422, "/cursor"),
        ("/api/v1/consents?in_force=maybe", 422, "/in_force"),
        ("/api/v1/consents/0x12", 422, "/id"),
        ("/api/v1/outlets/1/consents", 422, "/camera"),
        ("/api/v1/events?last_event_id=x", 422, "/last_event_id"),
    ];
    for (path, status, pointer) in cases {
        let (found, problem) = get(&format!("{url}{path}"));
        assert_eq!(
            (found, &problem["errors"][0]["pointer"]),
            (status, &json!(pointer)),
            "{path}: {problem}"
        );
        assert!(problem["request_id"].is_string(), "{problem}");
    }
    for path in [
        "/nothing",
        "/assets/nothing.js",
        "/api/v1/nothing",
        "/api/v1/sales/1/00000000000000000000000000000000",
    ] {
        assert_eq!(get(&format!("{url}{path}")).0, 404, "{path}");
    }
    assert_eq!(get(&format!("{url}/api/v1/accounts/{nobody}")).0, 404);
    for list in [
        "consents",
        "consents?in_force=true",
        "recordings?outlet=1&camera=3",
    ] {
        let page = get(&format!("{url}/api/v1/{list}")).1;
        assert_eq!(
            (&page["data"], &page["has_more"]),
            (&json!([]), &json!(false)),
            "{list}: {page}"
        );
    }
    let metrics = reqwest::blocking::get(format!("{url}/metrics"))
        .unwrap()
        .text()
        .unwrap();
    assert!(
        metrics.contains("http_requests_total{")
            && metrics.contains("/api/v1/sales/{outlet}/{sale_id}")
    );
}

#[derive(Clone, Debug, PartialEq)]
struct Message {
    id: u64,
    event: String,
    data: Value,
}

/// Reads events after an id until `enough`.
fn events(url: &str, after: u64, mut enough: impl FnMut(&[Message]) -> bool) -> Vec<Message> {
    let client = reqwest::blocking::Client::builder()
        .timeout(Duration::from_secs(60))
        .build()
        .unwrap();
    let answer = client
        .get(format!("{url}/api/v1/events"))
        .header("last-event-id", after.to_string())
        .send()
        .unwrap();
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let (mut messages, mut fields) = (Vec::new(), std::collections::BTreeMap::new());
    for line in BufReader::new(answer).lines() {
        let line = line.unwrap();
        match line.split_once(": ") {
            Some((name, value)) if !name.is_empty() => {
                drop(fields.insert(name.to_owned(), value.to_owned()))
            }
            _ if line.is_empty() && fields.contains_key("id") => {
                let data = serde_json::from_str(&fields["data"]).unwrap();
                messages.push(Message {
                    id: fields["id"].parse().unwrap(),
                    event: fields["event"].clone(),
                    data,
                });
                fields.clear();
                if enough(&messages) {
                    break;
                }
            }
            _ => {}
        }
    }
    messages
}

/// Sidechain blocks that messages cover, each once and in order.
fn covered(messages: &[Message]) -> (u64, u64) {
    let mut range: Option<(u64, u64)> = None;
    for message in messages.iter().filter(|message| message.event == "blocks") {
        let (from, to) = (
            message.data["from"].as_u64().unwrap(),
            message.data["to"].as_u64().unwrap(),
        );
        range = Some(match range {
            None => (from, to),
            Some((first, last)) => {
                assert_eq!(from, last + 1, "a gap or a repetition");
                (first, to)
            }
        });
    }
    range.unwrap()
}

#[test]
fn events_resume_without_a_gap_and_tell_of_blocks_that_went_away() {
    let (folder, arguments) = started();
    let arguments = [arguments, vec!["--rate".into(), "10/s".into()]].concat();
    let mut network = folder.start(&arguments);
    let url = gateway(&network);
    network.wait_for("the gateway", || {
        get_quietly(&format!("{url}/readyz")) == Some(200)
    });

    // A reader that is cut off again and again reads the same as one that never was.
    let mut pieces = Vec::new();
    for round in 1..=6 {
        let after = pieces.last().map_or(0, |message: &Message| message.id);
        pieces.extend(events(&url, after, |messages| messages.len() >= 3 * round));
    }
    let last = pieces.last().unwrap().id;
    let whole = events(&url, 0, |messages| messages.last().unwrap().id >= last);
    let told = |messages: &[Message]| -> Vec<(u64, String, Value, Value)> {
        let same = |m: &Message| {
            (
                m.id,
                m.event.clone(),
                m.data["from"].clone(),
                m.data["to"].clone(),
            )
        };
        messages.iter().map(same).collect()
    };
    assert_eq!(told(&pieces), told(&whole));
    assert_eq!(covered(&whole).0, 1, "from the first block on");

    // Sales in the messages are all sales.
    wait_for_sales(&mut network, &url, 60);
    let all = events(&url, 0, |messages| {
        let sales = |m: &Message| m.data["sales"].as_u64().unwrap_or(0);
        messages.iter().map(sales).sum::<u64>() >= 60
    });
    let latest: BTreeSet<String> = all
        .iter()
        .flat_map(|m| m.data["latest"].as_array().cloned().unwrap_or_default())
        .map(|sale| sale["sale_id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(latest.len(), 60);

    // A reorganisation is told from the first to the last block that the mirror had.
    network.pause_evm();
    let mirrored = || get(&format!("{url}/api/v1/network")).1["as_of"]["evm_block"].as_u64();
    let (before, head) = (all.last().unwrap().id, network.evm_head());
    network.wait_for("the mirror at the head", || mirrored() == Some(head));
    network.reorganise(3);
    let after = events(&url, before, |messages| {
        messages.iter().any(|m| m.event == "reverted")
    });
    let reverted = &after.last().unwrap().data;
    assert_eq!(
        (reverted["from"].as_u64(), reverted["to"].as_u64()),
        (Some(head - 2), Some(head))
    );

    // An id that this database never gave.
    let reset = events(&url, 1_000_000, |messages| !messages.is_empty());
    assert_eq!(reset[0].event, "reset");
    network.stop();
}

fn signal(network: &Running<'_>, name: &str, nodes: std::ops::Range<usize>) {
    for node in nodes {
        signal_one(network, name, &format!("/nodes/{node}/pid"));
    }
}

fn signal_one(network: &Running<'_>, name: &str, pointer: &str) {
    let pid = network.pid(pointer).to_string();
    let sent = Command::new("kill").args([name, &pid]).status();
    assert!(sent.unwrap().success());
}

#[test]
#[ignore = "slow: scripts/test --slow"]
fn an_evm_node_and_an_indexer_that_stand_still_are_named_within_fifteen_seconds() {
    let (folder, arguments) = started();
    let mut network = folder.start(&arguments);
    let url = gateway(&network);
    wait_for_sales(&mut network, &url, 60);
    every_way_is_in_step(&mut network, &url);
    let indexer = network.network()["indexer"]["http"].clone();
    let indexer = format!("{}/readyz", indexer.as_str().unwrap());

    for (pointer, part, ready) in [
        ("/anvil/pid", "evm_node", 200),
        ("/indexer/pid", "indexer", 503),
    ] {
        signal_one(&network, "-STOP", pointer);
        let stopped = Instant::now();
        network.wait_for(part, || {
            get(&format!("{url}/api/v1/network")).1["away"] == json!([part])
        });
        assert!(stopped.elapsed() < Duration::from_secs(15), "{part}");

        network.wait_for("the gateway's readiness", || {
            get_quietly(&format!("{url}/readyz")) == Some(ready)
        });
        if part == "evm_node" {
            let reason = get(&indexer).1["reason"].to_string();
            assert!(reason.contains("EVM node"), "{reason}");
        }
        signal_one(&network, "-CONT", pointer);
        every_way_is_in_step(&mut network, &url);
    }
    network.stop();
}

#[test]
fn while_nodes_stop_the_others_answer_and_without_any_the_mirror_still_does() {
    let (folder, arguments) = started();
    let mut network = folder.start(&arguments);
    let url = gateway(&network);
    network.wait_for("the gateway", || {
        get_quietly(&format!("{url}/readyz")) == Some(200)
    });
    wait_for_sales(&mut network, &url, 60);
    // A killed node refuses connections until it is back: nobody outside notices.
    signal(&network, "-9", 0..1);
    for _ in 0..20 {
        let (status, block) = get(&format!("{url}/api/v1/blocks/latest"));
        assert_eq!(status, 200, "{block}");
    }
    // One that stands still takes connections and answers nothing: only the first who meet it wait, and not for long.
    signal(&network, "-STOP", 1..2);
    let times = (0..100).map(|_| {
        let started = Instant::now();
        let (status, block) = get(&format!("{url}/api/v1/blocks/latest"));
        assert_eq!(status, 200, "{block}");
        started.elapsed()
    });
    let slow = times.filter(|time| *time > Duration::from_secs(1)).count();
    assert!(slow <= 1, "{slow} of 100 reads took over a second");
    signal(&network, "-CONT", 1..2);
    let killed = format!("{}/readyz", network.node(0));
    network.wait_for("the killed node", || get_quietly(&killed).is_some());
    // Nobody answers: figures stay, the ledger's own are absent rather than zero.
    signal(&network, "-STOP", 1..4);
    let pid = network.pid("/nodes/0/pid");
    if pid != 0 {
        let _ = Command::new("kill")
            .args(["-STOP", &pid.to_string()])
            .status();
    }
    let facts = || get(&format!("{url}/api/v1/network")).1;
    network.wait_for("the gateway to notice", || {
        facts()["away"] == json!(["nodes"])
    });
    assert_eq!(facts()["sidechain"], Value::Null, "{}", facts());
    let (status, ready) = get(&format!("{url}/readyz"));
    let reason = ready["reason"].as_str().unwrap();
    assert!(status == 503 && reason.contains("no node"), "{ready}");
    assert_eq!(get(&format!("{url}/api/v1/supply")).1["sales"], 60);
    signal(&network, "-CONT", 1..4);
    if pid != 0 {
        let _ = Command::new("kill")
            .args(["-CONT", &pid.to_string()])
            .status();
    }
    network.stop();
}
