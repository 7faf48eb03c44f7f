//! `hotpot verify`, `hotpot verify-sale` and `hotpot export blocks` by the user's door: a settled network is true, and
//! every single lie is found and named.

use crate::network::{Folder, Running, example_orders, hotpot, signal};
use alloy::primitives::{Address, U256};
use alloy::sol_types::SolCall;
use contract_bindings::{CheckpointAnchor, FranchiseToken};
use domain::consent::Purposes;
use domain::crypto::address_of_secret;
use domain::eip712::WitnessedConsent;
use domain::merkle;
use domain::payout::{Chunk, Payout};
use domain::recording::EraseReason;
use domain::transaction::{
    ClaimReceipt, EraseRecording, PinRecording, RecordConsent, Refund, RegisterTerminal,
    RevokeConsent, RevokeTerminal,
};
use domain::{
    B256, Checkpoint, Cid, Genesis, OutletId, Payload, RefundId, SaleId, Signature,
    SignedTransaction, TerminalKind, keccak256,
};
use local_services::Postgres;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use wallet::SecretKey;

/// A block with work in it, and the node whose copy of it is damaged.
const DAMAGED_HEIGHT: u64 = 17;
const DAMAGED_NODE: usize = 1;

/// Exit code, last line of standard output as JSON.
fn run(command: &mut Command) -> (i32, Value) {
    let output = command.stderr(Stdio::inherit()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let last = text.lines().last().unwrap_or("null");
    (
        output.status.code().unwrap(),
        serde_json::from_str(last).unwrap(),
    )
}

fn verify(dir: &Path) -> (i32, Value) {
    run(hotpot().args(["verify", "--json", "--data-dir"]).arg(dir))
}

/// The one difference that there must be.
fn only_difference(dir: &Path) -> Value {
    let (code, summary) = verify(dir);
    let differences = summary["differences"].as_array().unwrap();
    assert_eq!((code, differences.len()), (1, 1), "{summary}");
    differences[0].clone()
}

fn assert_true(dir: &Path) -> Value {
    let (code, summary) = verify(dir);
    assert_eq!((code, &summary["ok"]), (0, &json!(true)), "{summary}");
    let checked = &summary["checked"];
    assert_eq!(checked["tables"], 21, "{checked}");
    assert_eq!(checked["chain.sale"], 60, "{checked}");
    for what in [
        "blocks",
        "anchored checkpoints",
        "chain.payout",
        "chain.release",
        "chain.balance",
        "accounts",
    ] {
        assert!(checked[what].as_u64().unwrap() > 0, "{what}: {checked}");
    }
    // A node may be a block behind.
    let (copies, blocks) = (
        checked["copies of blocks"].as_u64().unwrap(),
        checked["blocks"].as_u64().unwrap(),
    );
    assert!(copies >= 4 * (blocks - 1), "{checked}");
    summary
}

/// The folder, copied to another place.
struct Elsewhere(TempDir);

impl Elsewhere {
    fn of(folder: &Folder) -> Self {
        let copy = tempfile::tempdir().unwrap();
        let copied = Command::new("cp")
            .arg("-a")
            .arg(folder.path().join("."))
            .arg(copy.path())
            .status()
            .unwrap();
        assert!(copied.success());
        Self(copy)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Changes the database behind everybody's back.
    fn sql(&self, statement: &str, rows: u64) {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let postgres = Postgres::start(&self.path().join("postgres"))
                .await
                .unwrap();
            let mut connection = PgConnection::connect(&postgres.url("hotpot"))
                .await
                .unwrap();
            let changed = sqlx::query(AssertSqlSafe(statement.to_owned()))
                .execute(&mut connection)
                .await
                .unwrap();
            assert_eq!(changed.rows_affected(), rows, "{statement}");
            connection.close().await.unwrap();
            postgres.stop().await.unwrap();
        });
    }

    fn store(&self, node: usize) -> PathBuf {
        self.path().join(format!("node-{node}")).join("store.redb")
    }
}

const ONE_SALE: &str = "(SELECT outlet, sale_id FROM chain.sale ORDER BY outlet, sale_id LIMIT 1)";

/// Statement, the one row's place, what of it.
fn lies() -> Vec<(String, &'static str, &'static str)> {
    vec![
        (
            format!("UPDATE chain.sale SET total = total + 1 WHERE (outlet, sale_id) IN {ONE_SALE}"),
            "table chain.sale, key (1, 0x",
            "total",
        ),
        (
            format!("UPDATE chain.sale_share SET units = units + 1 WHERE place = 0 AND (outlet, sale_id) IN {ONE_SALE}"),
            "table chain.sale_share, key (1, 0x",
            "units",
        ),
        (
            "UPDATE chain.payout SET value = value + 1 WHERE (block_number, log_index) IN
             (SELECT block_number, log_index FROM chain.payout ORDER BY 1, 2 LIMIT 1)"
                .into(),
            "table chain.payout, key (31337, ",
            "value",
        ),
        (
            "UPDATE chain.balance SET value = value + 1 WHERE holder IN (SELECT holder FROM chain.balance ORDER BY 1 LIMIT 1)".into(),
            "table chain.balance, key (31337, 0x",
            "value",
        ),
        (
            format!("DELETE FROM chain.sale WHERE (outlet, sale_id) IN {ONE_SALE}"),
            "table chain.sale, key (1, 0x",
            "there is no row, expected one",
        ),
        (
            "INSERT INTO chain.release VALUES (7, '\\x00000000000000000000000000000000000000aa', 5, 0)".into(),
            "table chain.release, key (7, 0x00000000000000000000000000000000000000aa)",
            "there is a row, expected none",
        ),
        (
            "UPDATE chain.sidechain_block SET certificate = set_byte(certificate, 60, 255 - get_byte(certificate, 60))
             WHERE height = 5"
                .into(),
            "table chain.sidechain_block, key (5)",
            "certificate: ",
        ),
        (
            "UPDATE chain.evm_block SET hash = sha256(hash) WHERE number = (SELECT min(number) + 3 FROM chain.evm_block)"
                .into(),
            "table chain.evm_block, key (31337, ",
            "hash",
        ),
        (
            "INSERT INTO chain.recording (cid, tx_id, height, place, outlet, camera, consent, manifest_hash, sequence,
                 started_at, ended_at, agent)
             VALUES ('\\x01551220' || sha256('a'), sha256('b'), 1, 0, 1, 1, sha256('c'), sha256('d'), 0, now(), now(),
                 '\\x00000000000000000000000000000000000000aa')"
                .into(),
            "table chain.recording, key (0x01551220",
            "there is a row, expected none",
        ),
        (
            "UPDATE chain.cursor SET finalized = position + 1 WHERE stream = 'sidechain'".into(),
            "table chain.cursor, key (sidechain)",
            "finalized",
        ),
    ]
}

fn every_lie_of_the_database_is_named(folder: &Folder) {
    for (statement, place, what) in lies() {
        let copy = Elsewhere::of(folder);
        copy.sql(&statement, 1);
        let difference = only_difference(copy.path());
        assert!(
            difference["where"].as_str().unwrap().starts_with(place),
            "{statement}: {difference}"
        );
        assert!(
            difference["what"].as_str().unwrap().starts_with(what),
            "{statement}: {difference}"
        );
    }
}

fn another_version_of_the_database_is_not_compared(folder: &Folder) {
    let copy = Elsewhere::of(folder);
    copy.sql("ALTER TABLE chain.sale ADD COLUMN tip bigint", 0);
    let (code, summary) = verify(copy.path());
    assert_eq!(code, 2, "{summary}");
    assert!(
        summary["error"]
            .as_str()
            .unwrap()
            .contains("chain.sale.tip is not known"),
        "{summary}"
    );
}

/// Changes one byte in the middle of a stored block, wherever the file has it.
fn damage_block(store: &Path, raw: &[u8]) {
    let mut bytes = std::fs::read(store).unwrap();
    let places: Vec<usize> = (0..bytes.len())
        .filter(|at| bytes[*at..].starts_with(raw))
        .collect();
    assert!(!places.is_empty(), "the store holds the block");
    for place in places {
        bytes[place + raw.len() / 2] ^= 0x10;
    }
    std::fs::write(store, bytes).unwrap();
}

fn a_damaged_block_is_named_and_the_others_serve(folder: &Folder, blocks: &[Value]) {
    let copy = Elsewhere::of(folder);
    let block = blocks
        .iter()
        .find(|block| block["header"]["height"] == DAMAGED_HEIGHT)
        .unwrap();
    let raw = hex::decode(block["raw"].as_str().unwrap().trim_start_matches("0x")).unwrap();
    damage_block(&copy.store(DAMAGED_NODE), &raw);
    let difference = only_difference(copy.path());
    let expected = json!({"where": "node-1 store", "what": "record 17 of blocks is damaged"});
    assert_eq!(difference, expected);

    for node in [0, 2, 3] {
        damage_block(&copy.store(node), &raw);
    }
    let (code, summary) = verify(copy.path());
    let facts: Vec<&str> = summary["differences"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| d["what"].as_str().unwrap())
        .collect();
    assert_eq!(
        (code, facts.len()),
        (1, 7),
        "four copies, the block, the contracts, the tables: {summary}"
    );
    assert!(
        facts[4].starts_with("no copy of block 17 holds"),
        "{summary}"
    );
}

fn a_missing_store_is_named(folder: &Folder) {
    let copy = Elsewhere::of(folder);
    std::fs::remove_file(copy.store(2)).unwrap();
    assert_eq!(only_difference(copy.path())["where"], "node-2 store");
}

/// The blocks of an export, and its file.
fn export(folder: &Folder, from: &[&str]) -> (PathBuf, Vec<Value>) {
    let file = folder.path().join("blocks.jsonl");
    let done = hotpot()
        .args(["export", "blocks"])
        .args(from)
        .arg("--out")
        .arg(&file)
        .status()
        .unwrap();
    assert!(done.success());
    let text = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let of_type = |kind: &str| {
        lines
            .iter()
            .filter(|line| line["type"] == kind)
            .map(|line| line[kind].clone())
            .collect()
    };
    let (blocks, checkpoints): (Vec<Value>, Vec<Value>) = (of_type("block"), of_type("checkpoint"));
    let last_heights = checkpoints
        .iter()
        .map(|signed| signed["checkpoint"]["last_height"].as_u64().unwrap());
    assert!(
        checkpoints.len() > 1 && last_heights.max().unwrap() <= blocks.len() as u64,
        "{checkpoints:?}"
    );
    (file, blocks)
}

fn an_export_is_as_good_as_a_node(folder: &Folder, file: &Path, blocks: &[Value]) {
    let check = |file: &Path| run(hotpot().args(["verify", "--json", "--blocks"]).arg(file));
    let (code, summary) = check(file);
    assert_eq!(
        (code, &summary["checked"]["blocks"]),
        (0, &json!(blocks.len())),
        "{summary}"
    );

    let text = std::fs::read_to_string(file).unwrap();
    // The readable copy beside `raw` convinces nobody: only the bytes count.
    let raw = blocks[16]["raw"].as_str().unwrap();
    let mut digits = raw.to_owned();
    let middle = digits.len() / 2;
    digits.replace_range(
        middle..=middle,
        if &raw[middle..=middle] == "0" {
            "1"
        } else {
            "0"
        },
    );
    let changed = folder.path().join("changed.jsonl");
    std::fs::write(&changed, text.replace(raw, &digits)).unwrap();
    let (code, summary) = check(&changed);
    let place = summary["differences"][0]["where"].as_str().unwrap();
    assert!(
        code == 1 && place.ends_with("changed.jsonl, block 17"),
        "{summary}"
    );

    std::fs::write(&changed, "garbage\n").unwrap();
    assert_eq!(check(&changed).0, 2);
}

/// What an operator of more machines types: no folder, but every part by its address.
fn the_parts_are_as_true_as_the_folder(network: &Running<'_>) {
    let file = network.network();
    let text = |pointer: &str| file.pointer(pointer).unwrap().as_str().unwrap().to_owned();
    let mut command = hotpot();
    command.args(["verify", "--json"]);
    for node in file["nodes"].as_array().unwrap() {
        command.args(["--node", node["http"].as_str().unwrap()]);
    }
    command.args([
        "--evm-rpc",
        &text("/evm_rpc"),
        "--token",
        &text("/contracts/token"),
    ]);
    command.args([
        "--anchor",
        &text("/contracts/anchor"),
        "--start-block",
        &file["contracts"]["start_block"].to_string(),
    ]);
    let (code, summary) = run(command.args(["--database-url-file", &text("/database_url_file")]));
    assert_eq!(
        (
            code,
            &summary["checked"]["tables"],
            &summary["checked"]["chain.sale"]
        ),
        (0, &json!(21), &json!(60))
    );

    let swapped = [
        "--token",
        &text("/contracts/anchor"),
        "--anchor",
        &text("/contracts/token"),
    ];
    let asked = [
        "verify",
        "--json",
        "--node",
        &network.node(0),
        "--evm-rpc",
        &text("/evm_rpc"),
    ];
    let (code, summary) = run(hotpot().args(asked).args(swapped));
    assert_eq!((code, &summary["ok"]), (2, &json!(false)), "{summary}");
}

fn sales(node: &str) -> u64 {
    let supply = reqwest::blocking::get(format!("{node}/api/v1/supply"))
        .and_then(|answer| answer.json::<Value>());
    supply
        .ok()
        .and_then(|supply| supply["sales"].as_u64())
        .unwrap_or(0)
}

#[test]
fn a_network_that_goes_on_meanwhile_is_true_at_every_moment() {
    let folder = Folder::new();
    let arguments = [
        example_orders(),
        ["--rate", "3/s", "--epoch-blocks", "8"]
            .map(String::from)
            .to_vec(),
    ]
    .concat();
    let mut network = folder.start(&arguments);
    let node = network.node(0);
    network.wait_for("sales", || sales(&node) > 5);
    for _ in 0..6 {
        let (code, summary) = verify(folder.path());
        assert_eq!((code, &summary["ok"]), (0, &json!(true)), "{summary}");
    }
    network.stop();
}

fn verify_sale(file: &Path, more: &[&str]) -> (i32, Value) {
    run(hotpot()
        .args(["verify-sale", "--json"])
        .arg(file)
        .args(more))
}

fn verdicts(summary: &Value) -> Vec<&str> {
    summary["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["verdict"].as_str().unwrap())
        .collect()
}

fn proof_of_a_sale(network: &Running<'_>, blocks: &[Value]) -> Value {
    let transactions = blocks
        .iter()
        .flat_map(|block| block["transactions"].as_array().unwrap());
    let sale = transactions
        .into_iter()
        .find(|transaction| transaction["type"] == "sale")
        .unwrap();
    let (outlet, id) = (&sale["outlet"], sale["sale_id"].as_str().unwrap());
    network.get(&format!("/api/v1/sales/{outlet}/{id}/proof"))
}

fn more(proof: &Value, pointer: &str) -> Value {
    let mut changed = proof.clone();
    let value = changed.pointer_mut(pointer).unwrap();
    *value = match value.as_u64() {
        Some(number) => json!(number + 1),
        None => json!(B256::repeat_byte(7)),
    };
    changed
}

/// An anvil that was started again knows the state at its own blocks only.
fn wait_until_final(network: &Running<'_>) {
    let number = |tag: &str| {
        let block = network.rpc("eth_getBlockByNumber", json!([tag, false]));
        u64::from_str_radix(
            block["number"].as_str().unwrap().trim_start_matches("0x"),
            16,
        )
        .unwrap()
    };
    let now = number("latest");
    while number("finalized") < now {
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn a_sale_is_proved_and_every_broken_step_is_named(network: &Running<'_>, blocks: &[Value]) {
    let file = network.folder.path().join("proof.json");
    let write = |proof: &Value| std::fs::write(&file, proof.to_string()).unwrap();
    let rpc = network.network()["evm_rpc"].as_str().unwrap().to_owned();
    let anchor = network.network()["contracts"]["anchor"]
        .as_str()
        .unwrap()
        .to_owned();
    let asked = ["--evm-rpc", &rpc, "--anchor", &anchor];

    let proof = proof_of_a_sale(network, blocks);
    assert!(!proof["payouts"].as_array().unwrap().is_empty(), "{proof}");
    write(&proof);
    let (code, summary) = verify_sale(&file, &asked);
    assert_eq!(
        (code, verdicts(&summary)),
        (0, vec!["holds"; 5]),
        "{summary}"
    );
    wait_until_final(network);
    let (code, summary) = verify_sale(&file, &[&asked[..], &["--at", "finalized"]].concat());
    assert_eq!(
        (code, verdicts(&summary)),
        (0, vec!["holds"; 5]),
        "{summary}"
    );
    let (code, summary) = verify_sale(&file, &[]);
    assert_eq!(
        (code, verdicts(&summary)[3..].to_vec()),
        (3, vec!["not_compared"; 2]),
        "{summary}"
    );
    let stranger = "0x00000000000000000000000000000000000000aa";
    let (code, summary) = verify_sale(&file, &["--evm-rpc", &rpc, "--anchor", stranger]);
    assert_eq!((code, verdicts(&summary)[3]), (1, "broken"), "{summary}");

    let tamperings = [
        ("/sale/total", 0),
        ("/index", 1),
        ("/header/state_digest", 2),
        ("/checkpoint/state_root", 3),
        ("/payouts/0/payout/released", 4),
    ];
    for (pointer, step) in tamperings {
        write(&more(&proof, pointer));
        let (code, summary) = verify_sale(&file, &asked);
        let verdicts = verdicts(&summary);
        assert_eq!(
            (code, verdicts[step]),
            (1, "broken"),
            "{pointer}: {summary}"
        );
        assert!(
            verdicts[..step].iter().all(|verdict| *verdict == "holds"),
            "{pointer}: {summary}"
        );
        let plain = hotpot()
            .arg("verify-sale")
            .arg(&file)
            .args(asked)
            .output()
            .unwrap();
        let text = String::from_utf8(plain.stdout).unwrap();
        let name = ["sale", "block", "checkpoint", "anchor", "payout"][step];
        assert!(
            text.contains(&format!("NOT PROVED: the step {name} does not hold")),
            "{text}"
        );
    }

    let mut unpaid = proof;
    unpaid["payouts"] = json!([]);
    write(&unpaid);
    let (code, summary) = verify_sale(&file, &asked);
    assert_eq!(
        (code, verdicts(&summary)[4]),
        (0, "not_paid_yet"),
        "{summary}"
    );
    std::fs::write(&file, "garbage").unwrap();
    let (code, summary) = verify_sale(&file, &asked);
    assert_eq!(code, 2);
    assert!(
        summary["error"]
            .as_str()
            .unwrap()
            .contains("not the proof of a sale"),
        "{summary}"
    );
}

/// Signs with keys of the folder and sends.
struct Actors<'n> {
    network: &'n Running<'n>,
    genesis: Genesis,
}

impl<'n> Actors<'n> {
    fn of(network: &'n Running<'n>) -> Self {
        Self {
            network,
            genesis: serde_json::from_value(network.get("/api/v1/genesis")).unwrap(),
        }
    }

    fn key(&self, actor: &str) -> SecretKey {
        let keys = self.network.folder.path().join("keys");
        let passphrase = std::fs::read_to_string(keys.join("passphrase")).unwrap();
        wallet::load_key(&keys.join(format!("{actor}.json")), passphrase.trim()).unwrap()
    }

    /// Gives its id.
    fn send(&self, payload: Payload, key: &SecretKey) -> B256 {
        let id = self.genesis.domain().transaction_digest(&payload);
        let signature = Signature::sign(id, key);
        let body = serde_json::to_string(&SignedTransaction { payload, signature }).unwrap();
        let (status, _, answer) = self.network.post("/api/v1/transactions", body);
        assert_eq!(status, 201, "{answer}");
        id
    }

    /// Gives what a receipt of outlet 1 holds to a wallet.
    fn claim(&self, sale: &Value, wallet: Address) {
        let sale_id: SaleId = sale["sale_id"].as_str().unwrap().parse().unwrap();
        let claim = ClaimReceipt {
            outlet: 1,
            sale_id,
            wallet,
        };
        let receipt = wallet::receipt_key(&self.key("terminal-1"), sale_id.0);
        self.send(Payload::ClaimReceipt(claim), &receipt);
    }

    fn next_nonce(&self, key: &SecretKey) -> u64 {
        let account = self
            .network
            .get(&format!("/api/v1/accounts/{}", address_of_secret(key)));
        account["nonce"].as_u64().unwrap() + 1
    }
}

fn now_ms() -> u64 {
    let elapsed = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    u64::try_from(elapsed.as_millis()).unwrap()
}

fn cid(number: u8) -> Cid {
    let mut bytes = [number; 36];
    bytes[..4].copy_from_slice(&[0x01, 0x55, 0x12, 0x20]);
    Cid::new(bytes).unwrap()
}

/// A guest allows a camera, three recordings are pinned, the guest changes his mind, and one is erased.
fn a_table_is_recorded(network: &Running<'_>) {
    let actors = Actors::of(network);
    let (owner, till) = (actors.key("owner-1"), actors.key("terminal-1"));
    let (outlet, camera): (OutletId, u64) = (1, 3);
    // Keys that hold nothing.
    let [guest, agent] =
        ["guest", "agent"].map(|name| SecretKey::from_byte_array(keccak256(name).0).unwrap());
    let (terminal, kind) = (address_of_secret(&agent), TerminalKind::VideoAgent);
    let enrol = RegisterTerminal {
        outlet,
        terminal,
        kind,
        nonce: actors.next_nonce(&owner),
    };
    actors.send(Payload::RegisterTerminal(enrol), &owner);
    let mut consent = RecordConsent {
        outlet,
        camera,
        purposes: Purposes::Recording,
        commitment: domain::consent::consent_commitment(B256::repeat_byte(1), "table 3"),
        guest: address_of_secret(&guest),
        until_ms: now_ms() + 3_600_000,
        witness: address_of_secret(&till),
        witness_signature: Signature([0; 65]),
    };
    let digest = actors
        .genesis
        .domain()
        .consent_witness_digest(&WitnessedConsent::from(&consent));
    consent.witness_signature = Signature::sign(digest, &till);
    let consent = actors.send(Payload::RecordConsent(consent), &guest);
    let in_force = network.get(&format!(
        "/api/v1/outlets/{outlet}/consents?camera={camera}"
    ));
    assert_eq!(
        (&in_force[0]["id"], &in_force[0]["kind"]),
        (&json!(consent), &json!("guest")),
        "{in_force}"
    );
    for number in 0..3u8 {
        let ended_at_ms = now_ms();
        let pin = PinRecording {
            outlet,
            camera,
            consent,
            cid: cid(number),
            manifest_hash: keccak256([number]),
            sequence: number.into(),
            started_at_ms: ended_at_ms - 4_000,
            ended_at_ms,
        };
        actors.send(Payload::PinRecording(pin), &agent);
    }
    actors.send(Payload::RevokeConsent(RevokeConsent { consent }), &guest);
    let erase = EraseRecording {
        outlet,
        cid: cid(1),
        reason: EraseReason::Revoked,
    };
    actors.send(Payload::EraseRecording(erase), &agent);
    assert_eq!(
        network.get(&format!(
            "/api/v1/outlets/{outlet}/consents?camera={camera}"
        )),
        json!([])
    );
    assert_eq!(
        network.get(&format!("/api/v1/recordings/{}", cid(1)))["erased"]["reason"],
        "revoked"
    );
}

/// A sale of outlet 1 with a receipt; so many others come before it.
fn receipt_sale(blocks: &[Value], skip: usize) -> &Value {
    let transactions = blocks
        .iter()
        .flat_map(|block| block["transactions"].as_array().unwrap());
    let is_ours = |sale: &&Value| sale["outlet"] == 1 && sale["buyer_kind"] == "receipt";
    transactions.filter(is_ours).nth(skip).unwrap()
}

/// Claims and refunds a sale, revokes a terminal and records a table: tables that an import leaves empty.
fn what_an_import_does_not_do_is_mirrored_too(network: &Running<'_>, blocks: &[Value]) {
    let actors = Actors::of(network);
    let sale = receipt_sale(blocks, 0);
    let sale_id: SaleId = sale["sale_id"].as_str().unwrap().parse().unwrap();
    let (terminal, owner) = (actors.key("terminal-1"), actors.key("owner-2"));
    actors.claim(sale, Address::repeat_byte(0x77));
    let amount = sale["total"].as_u64().unwrap() / 2;
    let refund = Refund {
        outlet: 1,
        sale_id,
        refund_id: RefundId([9; 16]),
        amount,
    };
    actors.send(Payload::Refund(refund), &terminal);
    let nonce = actors.next_nonce(&owner);
    let terminal = address_of_secret(&actors.key("terminal-2"));
    actors.send(
        Payload::RevokeTerminal(RevokeTerminal {
            outlet: 2,
            terminal,
            nonce,
        }),
        &owner,
    );
    a_table_is_recorded(network);

    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let checked = assert_true(network.folder.path())["checked"].clone();
        let behind =
            checked["chain.refund"] == 0 || checked["chain.sidechain_block"] != checked["blocks"];
        if !behind {
            assert_eq!(checked["chain.receipt_claim"], 1, "{checked}");
            assert_eq!(
                (&checked["chain.consent"], &checked["chain.recording"]),
                (&json!(1), &json!(3)),
                "{checked}"
            );
            assert!(
                checked["chain.refund_share"].as_u64().unwrap() > 0,
                "{checked}"
            );
            return;
        }
        assert!(
            Instant::now() < deadline,
            "the mirror does not follow: {checked}"
        );
    }
}

/// A contract's address, by its name in `network.json`.
fn contract(network: &Running<'_>, name: &str) -> Address {
    let file = network.network();
    let address = file["contracts"][name].as_str().unwrap();
    address.parse().unwrap()
}

/// Sends a transaction in somebody's name, which anvil lets us do, and waits until it is in a block.
fn transact(network: &Running<'_>, from: Address, to: Address, call: &impl SolCall) {
    let funds = json!([from, "0xde0b6b3a7640000"]);
    network.rpc("anvil_impersonateAccount", json!([from]));
    network.rpc("anvil_setBalance", funds);
    let data = format!("0x{}", hex::encode(call.abi_encode()));
    let transaction = json!([{"from": from, "to": to, "data": data, "gas": "0x500000"}]);
    let hash = network.rpc("eth_sendTransaction", transaction);
    let receipt = || network.rpc("eth_getTransactionReceipt", json!([hash]));
    eventually("its receipt", || (!receipt().is_null()).then_some(()));
    assert_eq!(receipt()["status"], "0x1");
}

fn ask<C: SolCall>(network: &Running<'_>, of: Address, call: &C) -> C::Return {
    let data = format!("0x{}", hex::encode(call.abi_encode()));
    let answer = network.rpc("eth_call", json!([{"to": of, "data": data}, "latest"]));
    let answer = answer.as_str().unwrap().trim_start_matches("0x");
    C::abi_decode_returns(&hex::decode(answer).unwrap()).unwrap()
}

fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "no {what} within a minute");
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn anchored_epoch(network: &Running<'_>) -> u64 {
    let anchor = contract(network, "anchor");
    ask(network, anchor, &CheckpointAnchor::headCall {}).epoch
}

/// What an epoch pays.
struct Settled {
    epoch: u64,
    chunks: Vec<Chunk>,
    rest_hash: B256,
}

impl Settled {
    /// `None` where the epoch has no checkpoint.
    fn of(network: &Running<'_>, epoch: u64) -> Option<Self> {
        let path = format!("/api/v1/checkpoints/{epoch}");
        let answer = network.get(&path);
        let checkpoint: Checkpoint = serde_json::from_value(answer["checkpoint"].clone()).ok()?;
        let chunks = network.get(&format!("{path}/payouts"));
        Some(Self {
            epoch,
            chunks: serde_json::from_value(chunks).unwrap(),
            rest_hash: checkpoint.rest_hash(),
        })
    }

    /// The chunk that pays an account, if one does.
    fn chunk_of(&self, account: Address) -> Option<&Chunk> {
        let pays = |word: &B256| word[..20] == account[..];
        self.chunks
            .iter()
            .find(|chunk| chunk.words.iter().any(pays))
    }
}

fn leaf_of(word: &B256) -> B256 {
    if word.is_zero() {
        return B256::ZERO;
    }
    let account = Address::from_slice(&word[..20]);
    let released = u64::from_be_bytes(word[24..].try_into().unwrap());
    Payout { account, released }.leaf()
}

/// A stranger pays an aligned part of a chunk; `words` has a power of two of them.
fn pay_part(network: &Running<'_>, settled: &Settled, chunk: &Chunk, words: Range<usize>) {
    let leaves: Vec<B256> = chunk.words.iter().map(leaf_of).collect();
    let inside = merkle::proof(&leaves, words.start).unwrap();
    let proof = inside
        .into_iter()
        .skip(words.len().ilog2() as usize)
        .chain(chunk.proof.iter().copied())
        .chain([settled.rest_hash]);
    let paid = chunk.words[words].iter();
    let call = CheckpointAnchor::issueChunkCall {
        epoch: settled.epoch,
        words: paid.map(|word| U256::from_be_bytes(word.0)).collect(),
        proof: proof.collect(),
    };
    let stranger = Address::repeat_byte(0x5a);
    transact(network, stranger, contract(network, "anchor"), &call);
}

/// The contract lets anybody pay any aligned part of a chunk, and as often as he likes.
fn parts_of_a_chunk_that_a_stranger_pays_are_no_difference(network: &Running<'_>) {
    let epochs = 1..=anchored_epoch(network);
    let all: Vec<Settled> = epochs
        .filter_map(|epoch| Settled::of(network, epoch))
        .collect();
    let chunks = all
        .iter()
        .flat_map(|settled| settled.chunks.iter().map(move |chunk| (settled, chunk)));
    let (settled, chunk) = chunks.max_by_key(|(_, chunk)| chunk.words.len()).unwrap();

    let width = chunk.words.len();
    assert!(width >= 2, "{:?}", chunk.words);
    for part in [0..1, 0..width / 2, width / 2..width, width - 1..width] {
        pay_part(network, settled, chunk, part);
    }
    assert_true(network.folder.path());
}

fn difference_at<'a>(summary: &'a Value, place: &str) -> Option<&'a Value> {
    let differences = summary["differences"].as_array().unwrap();
    differences.iter().find(|found| found["where"] == place)
}

/// What is settled and final has to be minted, unless the guardian paused issuing; whoever mints it.
fn what_is_settled_and_not_minted_is_named(network: &Running<'_>, blocks: &[Value]) {
    let (token, anchor) = (contract(network, "token"), contract(network, "anchor"));
    let actors = Actors::of(network);
    let (guardian, founder) = (actors.genesis.guardian, actors.genesis.founder);
    eventually("time at which all is minted", || {
        let minted = ask(network, token, &FranchiseToken::mintedCall {});
        (json!(minted as u64) == network.get("/api/v1/supply")["released"]).then_some(())
    });

    transact(
        network,
        guardian,
        anchor,
        &CheckpointAnchor::pauseIssuingCall {},
    );
    let wallet = Address::repeat_byte(0x78);
    let before = anchored_epoch(network);
    actors.claim(receipt_sale(blocks, 1), wallet);
    let settled = eventually("anchored epoch that pays the wallet", || {
        let epochs = before + 1..=anchored_epoch(network);
        epochs
            .filter_map(|epoch| Settled::of(network, epoch))
            .find(|settled| settled.chunk_of(wallet).is_some())
    });
    network.rpc("evm_increaseTime", json!([120]));
    wait_until_final(network);
    let (code, paused) = verify(network.folder.path());
    let notes = paused["notes"].to_string();
    assert!(
        code == 0 && notes.contains("because issuing is paused"),
        "{paused}"
    );

    let relayer = network.pid("/relayer/pid");
    signal("-STOP", relayer);
    transact(
        network,
        founder,
        anchor,
        &CheckpointAnchor::unpauseIssuingCall {},
    );
    let (unpaid_code, unpaid) = verify(network.folder.path());
    let chunk = settled.chunk_of(wallet).unwrap();
    pay_part(network, &settled, chunk, 0..chunk.words.len());
    let (paid_code, paid) = verify(network.folder.path());
    signal("-CONT", relayer);

    let difference = difference_at(&unpaid, &format!("account {wallet}"));
    assert_eq!(
        (unpaid_code, &difference.unwrap()["what"]),
        (1, &json!("issuedTo() by what is settled")),
        "{unpaid}"
    );
    assert_eq!((paid_code, &paid["ok"]), (0, &json!(true)), "{paid}");
}

/// The anchor itself, taken over, mints to a stranger.
fn units_from_nowhere_are_found(network: &Running<'_>) {
    let thief = Address::repeat_byte(0xee);
    let word = (U256::from_be_slice(thief.as_slice()) << 96) | U256::from(5);
    let call = FranchiseToken::issueManyCall {
        words: vec![word],
        totalReleased: 1_000_000,
    };
    let (token, anchor) = (contract(network, "token"), contract(network, "anchor"));
    transact(network, anchor, token, &call);

    let (code, summary) = verify(network.folder.path());
    assert_eq!(code, 1, "{summary}");
    let place = format!("account {thief}");
    let differences = summary["differences"].as_array().unwrap();
    let of_the_thief: Vec<&str> = differences
        .iter()
        .filter(|d| d["where"] == place)
        .map(|d| d["what"].as_str().unwrap())
        .collect();
    assert!(of_the_thief.contains(&"issuedTo()"), "{summary}");
    assert!(
        of_the_thief.contains(&"5 units were minted without a chunk"),
        "{summary}"
    );
}

#[test]
fn a_settled_network_is_true_and_every_lie_is_named() {
    let folder = Folder::new();
    let orders = [example_orders(), vec!["--epoch-blocks".into(), "8".into()]].concat();
    let (ok, summary) = folder.settle(&orders);
    assert!(ok && summary["sales_final"] == 60, "{summary}");
    let summary = assert_true(folder.path());
    assert!(
        summary["notes"][0].as_str().unwrap().contains("stopped"),
        "{summary}"
    );
    assert_true(Elsewhere::of(&folder).path());

    let dir = folder.path().display().to_string();
    let (file, blocks) = export(&folder, &["--data-dir", &dir]);
    an_export_is_as_good_as_a_node(&folder, &file, &blocks);
    a_damaged_block_is_named_and_the_others_serve(&folder, &blocks);
    a_missing_store_is_named(&folder);
    every_lie_of_the_database_is_named(&folder);
    another_version_of_the_database_is_not_compared(&folder);

    // After all of this the network goes on. Its file is written anew when everything runs.
    std::fs::remove_file(folder.path().join("network.json")).unwrap();
    let network = folder.start(&[]);
    let summary = assert_true(folder.path());
    assert!(
        summary["notes"][0].as_str().unwrap().contains("runs"),
        "{summary}"
    );
    let (_, same) = export(
        &folder,
        &[
            "--node",
            &network.node(3),
            "--to",
            &blocks.len().to_string(),
        ],
    );
    assert_eq!(
        same.iter().map(|b| &b["raw"]).collect::<Vec<_>>(),
        blocks.iter().map(|b| &b["raw"]).collect::<Vec<_>>()
    );
    the_parts_are_as_true_as_the_folder(&network);
    a_sale_is_proved_and_every_broken_step_is_named(&network, &blocks);
    what_an_import_does_not_do_is_mirrored_too(&network, &blocks);
    parts_of_a_chunk_that_a_stranger_pays_are_no_difference(&network);
    what_is_settled_and_not_minted_is_named(&network, &blocks);
    units_from_nowhere_are_found(&network);
    network.stop();
}

#[test]
fn what_holds_no_network_is_not_true_but_unchecked() {
    let empty = tempfile::tempdir().unwrap();
    let (code, summary) = verify(empty.path());
    assert_eq!((code, &summary["ok"]), (2, &json!(false)));
    assert!(
        summary["error"]
            .as_str()
            .unwrap()
            .contains("holds no network"),
        "{summary}"
    );
    let (code, summary) = verify_sale(&empty.path().join("absent.json"), &[]);
    assert_eq!(code, 2, "{summary}");
}
