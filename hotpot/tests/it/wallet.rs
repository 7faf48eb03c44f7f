//! `hotpot wallet` by the user's door: what is printed, exit codes, modes of files; and against a real network.

use crate::network::{Folder, Running, example_orders, hotpot, repository};
use serde_json::{Value, json};
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

const JUNK: &str = "test test test test test test test test test test test junk";
const FIRST: &str = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
const FIRST_KEY: &str = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";

/// A folder to work in, with a password file `pw` and another one, `other`.
struct Desk(TempDir);

struct Done {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Done {
    fn good(self) -> String {
        assert_eq!(self.code, Some(0), "{}", self.err);
        self.out.trim_end().to_owned()
    }

    /// The message of a refusal.
    fn bad(self) -> String {
        assert_eq!(self.code, Some(1), "{}{}", self.out, self.err);
        assert_eq!(self.out, "", "a refusal prints nothing on standard output");
        assert!(!self.err.contains("panicked"), "{}", self.err);
        self.err
    }

    fn json(self) -> Value {
        serde_json::from_str(&self.good()).unwrap()
    }
}

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        desk.put("pw", "correct horse\n");
        desk.put("other", "battery staple\n");
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn put(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn mode(&self, name: &str) -> u32 {
        fs::metadata(self.path(name)).unwrap().permissions().mode() & 0o777
    }

    /// Runs without a terminal: `setsid` takes it away, so that a forgotten password file fails and does not hang.
    fn run(&self, arguments: &str, input: &str) -> Done {
        let mut command = Command::new("setsid");
        command
            .arg("--wait")
            .arg(env!("CARGO_BIN_EXE_hotpot"))
            .arg("wallet")
            .args(arguments.split_whitespace());
        command
            .current_dir(self.0.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A command that reads nothing may be gone already.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        Done {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn import(&self, secret: &str, name: &str) -> String {
        self.run(&format!("import --out {name} --password-file pw"), secret)
            .good()
    }
}

fn domain_vectors() -> Value {
    let path = repository().join("crates/domain/tests/vectors/transactions.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// A network as the domain's vectors have it, without asking anybody.
fn offline(vectors: &Value) -> String {
    let sidechain_id = vectors["sidechain_id"].as_str().unwrap();
    format!(
        "--chain-id {} --sidechain-id {sidechain_id}",
        vectors["chain_id"]
    )
}

#[test]
fn new_makes_an_encrypted_file_and_shows_the_words_only_when_told() {
    let desk = Desk::new();
    let address = desk.run("new --out a.json --password-file pw", "").good();
    assert!(
        address.starts_with("0x") && address.len() == 42,
        "the address alone, since this is no terminal: {address}"
    );
    assert_eq!(desk.mode("a.json"), 0o600);

    let shown = desk
        .run(
            "new --out b.json --password-file pw --words 24 --show-mnemonic",
            "",
        )
        .good();
    let (address, words) = shown.split_once('\n').unwrap();
    assert_eq!(words.split(' ').count(), 24);
    assert_eq!(
        desk.run("export b.json --password-file pw --mnemonic --print", "")
            .good(),
        words
    );
    assert_eq!(
        desk.import(words, "c.json"),
        address,
        "the words alone bring the wallet back"
    );
    let text = fs::read_to_string(desk.path("b.json")).unwrap();
    assert!(
        !words
            .split(' ')
            .any(|word| text.contains(&format!(" {word}"))),
        "nothing is stored in the clear"
    );

    let again = desk.run("new --out a.json --password-file pw", "").bad();
    assert!(again.contains("a.json exists already"), "{again}");
    assert_eq!(desk.run("new --words 13", "").code, Some(2));
}

#[test]
fn without_a_terminal_the_password_file_is_asked_for() {
    let error = Desk::new().run("new", "").bad();
    assert!(error.contains("--password-file"), "{error}");
}

/// Reads what a terminal shows, until it ends with a question or for good.
fn read_until(output: &mut impl Read, shown: &mut String, question: &str) {
    let mut byte = [0];
    while !shown.ends_with(question) && output.read(&mut byte).unwrap() == 1 {
        shown.push(char::from(byte[0]));
    }
}

/// `script` gives the command a terminal of its own and types the answer to each question. True when it ended well.
fn on_terminal(desk: &Desk, arguments: &str, answers: &[(&str, &str)]) -> (bool, String) {
    let line = format!("{} wallet {arguments}", env!("CARGO_BIN_EXE_hotpot"));
    let mut child = Command::new("script")
        .args(["--quiet", "--return", "--command", &line, "/dev/null"])
        .current_dir(desk.0.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut input, mut output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());

    let mut out = String::new();
    for (question, answer) in answers {
        read_until(&mut output, &mut out, question);
        // The question comes just before the echo is switched off.
        std::thread::sleep(std::time::Duration::from_millis(300));
        let _ = input.write_all(format!("{answer}\n").as_bytes());
    }
    output.read_to_string(&mut out).unwrap();
    (child.wait().unwrap().success(), out)
}

#[test]
fn on_a_terminal_the_password_is_asked_twice_and_the_words_are_shown() {
    let desk = Desk::new();
    let typed = |first: &str, second: &str| {
        let answers = [("t.json: ", first), ("more: ", second)];
        on_terminal(&desk, "new --out t.json", &answers)
    };
    let (fine, out) = typed("correct horse", "correct house");
    assert!(
        !fine && out.contains("differ") && !desk.path("t.json").exists(),
        "{out}"
    );
    let (fine, out) = typed("short", "short");
    assert!(!fine && out.contains("at least 8 characters"), "{out}");
    let (fine, out) = typed("correct horse", "correct horse");
    assert!(fine, "{out}");
    assert!(
        out.contains("  12 ") && out.contains("Write these words on paper"),
        "{out}"
    );
    assert!(!out.contains("horse"), "a password is never echoed");
    let words = desk
        .run("export t.json --password-file pw --mnemonic --print", "")
        .good();
    assert_eq!(words.split(' ').count(), 12);

    // The rows as they stand there, ended by an empty line.
    let list: Vec<&str> = out
        .lines()
        .filter(|line| {
            line.trim_start()
                .starts_with(|first: char| first.is_ascii_digit())
        })
        .filter(|line| !line.contains("0x"))
        .collect();
    assert_eq!(list.len(), 3, "{out}");
    let pasted = format!("{}\n", list.join("\n").replace('\r', ""));
    let answers = [
        ("ends them: ", pasted.as_str()),
        ("p.json: ", "correct horse"),
        ("more: ", "correct horse"),
    ];
    let (fine, out) = on_terminal(&desk, "import --out p.json", &answers);
    assert!(fine, "{out}");
    let again = desk.run("export p.json --password-file pw --mnemonic --print", "");
    assert_eq!(again.good(), words);
}

#[test]
fn words_keys_and_foreign_keystores_are_imported() {
    let desk = Desk::new();
    assert_eq!(desk.import(JUNK, "words.json"), FIRST);
    assert_eq!(desk.import(FIRST_KEY, "key.json"), FIRST);
    assert_eq!(desk.mode("words.json"), 0o600);
    let path = repository().join("crates/wallet/tests/vectors/keystores.json");
    let foreign: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    for (number, row) in foreign.as_array().unwrap().iter().enumerate() {
        desk.put("foreign", &row["keystore"].to_string());
        desk.put("foreign-pw", row["password"].as_str().unwrap());
        let options =
            format!("--out {number}.json --password-file pw --source-password-file foreign-pw");
        desk.run(&format!("import foreign {options}"), "").good();
        let raw = desk
            .run(
                &format!("export {number}.json --password-file pw --raw --print"),
                "",
            )
            .good();
        assert_eq!(raw, row["key"].as_str().unwrap(), "{}", row["from"]);
        let words = desk.run(
            &format!("export {number}.json --password-file pw --mnemonic --print"),
            "",
        );
        assert_eq!(
            words.code == Some(0),
            row["mnemonic"].is_string(),
            "{}",
            row["from"]
        );
    }
    let cases = [
        (
            JUNK.replace("junk", "jank"),
            "word 12 is not in the English list",
        ),
        (JUNK.replace("junk", "test"), "the checksum is wrong"),
        (
            JUNK.replace(" junk", ""),
            "has 12, 15, 18, 21 or 24 words, found 11",
        ),
        ("0x1234".into(), "a key has 64 hex digits"),
        (String::new(), "expected words, a key in hex or a keystore"),
        ("{}".into(), "not a keystore of version 3"),
    ];
    for (secret, message) in cases {
        let error = desk
            .run("import --out bad.json --password-file pw", &secret)
            .bad();
        assert!(error.contains(message), "{error}");
        assert!(
            !error.contains("jank") && !desk.path("bad.json").exists(),
            "{error}"
        );
    }
}

#[test]
fn what_is_unusual_in_a_foreign_keystore_is_kept_or_told() {
    let desk = Desk::new();
    let path = repository().join("crates/wallet/tests/vectors/foreign.json");
    let foreign: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let told = [
        ("ethers, another path", "is m/44'/60'/0'/0/5 of its words"),
        ("words of another key", "only the key is imported"),
        ("an empty password", "wrote 2.json"),
    ];
    for (number, (from, message)) in told.iter().enumerate() {
        let rows = foreign.as_array().unwrap();
        let row = rows.iter().find(|row| row["from"] == *from).unwrap();
        desk.put("foreign", &row["keystore"].to_string());
        desk.put(
            "foreign-pw",
            &format!("{}\n", row["password"].as_str().unwrap()),
        );
        let options =
            format!("--out {number}.json --password-file pw --source-password-file foreign-pw");
        let imported = desk.run(&format!("import foreign {options}"), "");
        assert!(imported.err.contains(message), "{}", imported.err);
        imported.good();
        let export = format!("export {number}.json --password-file pw --raw --print");
        assert_eq!(desk.run(&export, "").good(), row["key"].as_str().unwrap());
    }

    let words = desk.run("derive 1.json --password-file pw", "").bad();
    assert!(words.contains("holds one key and no words"), "{words}");
}

#[test]
fn words_with_a_passphrase_are_another_wallet() {
    let desk = Desk::new();
    desk.put("25th", "TREZOR\n");
    let import = "import --out me.json --password-file pw --bip39-passphrase-file 25th";
    let address = desk.run(import, JUNK).good();
    assert_ne!(address, FIRST);
    assert_eq!(
        desk.run("derive me.json --password-file pw", "").good(),
        address
    );

    let words = desk.run("export me.json --password-file pw --mnemonic --print", "");
    assert!(
        words.err.contains("have a BIP-39 passphrase"),
        "{}",
        words.err
    );
    assert_eq!(words.good(), JUNK);

    let refused = desk.run(&import.replace("me.json", "key.json"), FIRST_KEY);
    assert!(refused.bad().contains("belongs to words"));
    desk.put("25th", "\n");
    let refused = desk.run(&import.replace("me.json", "none.json"), JUNK);
    assert!(refused.bad().contains("passphrase is empty"));
}

#[test]
fn keys_are_derived_by_role_path_and_extended_public_key() {
    let desk = Desk::new();
    desk.import(JUNK, "me.json");
    let derive = |arguments: &str| {
        desk.run(
            &format!("derive me.json --password-file pw {arguments}"),
            "",
        )
    };
    let ours = |arguments: &str| derive(arguments).good();
    assert_eq!(ours(""), FIRST);
    assert_eq!(
        ours("--index 1"),
        "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
    );
    assert_eq!(
        ours("--path m/44'/60'/0'/0/1"),
        ours("--role holder --index 1")
    );
    assert_eq!(
        ours("--role terminal --index 3"),
        ours("--path m/44'/60'/105'/0/3")
    );
    let three = ours("--role owner --index 4 --count 3");
    assert_eq!(
        three.lines().nth(1),
        Some(ours("--role owner --index 5").as_str())
    );

    let xpub = ours("--role owner --xpub");
    assert_eq!(
        desk.run(&format!("derive --from {xpub} --index 4 --count 3"), "")
            .good(),
        three
    );

    let address = ours("--role terminal --out till.json --new-password-file other");
    assert_eq!(
        (address, desk.mode("till.json")),
        (ours("--role terminal"), 0o600)
    );
    let refused = desk
        .run("derive till.json --password-file other --index 1", "")
        .bad();
    assert!(refused.contains("holds one key and no words"), "{refused}");
    for nonsense in [
        "--role cook",
        "--path 44/60",
        "--path m/2147483648",
        "--index 2147483648",
    ] {
        assert_eq!(derive(nonsense).code, Some(2), "{nonsense}");
    }
}

#[test]
fn secrets_leave_only_by_an_explicit_way() {
    let desk = Desk::new();
    desk.import(JUNK, "me.json");
    let export = |arguments: &str| {
        desk.run(
            &format!("export me.json --password-file pw {arguments}"),
            "",
        )
    };
    assert_eq!(export("--raw").code, Some(2), "neither --out nor --print");
    assert_eq!(export("--raw --print").good(), FIRST_KEY);
    assert_eq!(export("--raw --out raw").good(), "");
    assert_eq!(
        (
            fs::read_to_string(desk.path("raw")).unwrap(),
            desk.mode("raw")
        ),
        (format!("{FIRST_KEY}\n"), 0o600)
    );
    assert_eq!(export("--mnemonic --out words").good(), "");
    assert_eq!(
        fs::read_to_string(desk.path("words")).unwrap(),
        format!("{JUNK}\n")
    );
    assert!(
        export("--raw --out raw")
            .bad()
            .contains("raw exists already")
    );
    assert!(
        export("--print")
            .bad()
            .contains("--print is for --raw and --mnemonic")
    );

    assert_eq!(
        export("--out given.json --new-password-file other").good(),
        FIRST
    );
    assert_eq!(
        desk.run("export given.json --password-file other --raw --print", "")
            .good(),
        FIRST_KEY
    );
    let words = desk
        .run(
            "export given.json --password-file other --mnemonic --print",
            "",
        )
        .bad();
    assert!(
        words.contains("no words"),
        "what is handed over is one key: {words}"
    );
}

#[test]
fn wrong_passwords_loose_modes_and_damage_are_clean_errors() {
    let desk = Desk::new();
    desk.import(FIRST_KEY, "me.json");
    let raw = "export me.json --raw --print --password-file";
    assert!(
        desk.run(&format!("{raw} other"), "")
            .bad()
            .contains("wrong password")
    );
    assert!(
        desk.run(&format!("{raw} missing"), "")
            .bad()
            .contains("password file: key file missing")
    );
    desk.put("empty", "\n");
    assert!(
        desk.run(&format!("{raw} empty"), "")
            .bad()
            .contains("its first line is empty")
    );
    desk.put("short", "1234567");
    assert!(
        desk.run("new --out x.json --password-file short", "")
            .bad()
            .contains("at least 8 characters")
    );

    let good = fs::read_to_string(desk.path("me.json")).unwrap();
    desk.put("me.json", &good[..good.len() - 1]);
    assert!(
        desk.run(&format!("{raw} pw"), "")
            .bad()
            .contains("not a keystore of version 3")
    );
    desk.put("me.json", &good.replace("\"n\":131072", "\"n\":1073741824"));
    assert!(
        desk.run(&format!("{raw} pw"), "")
            .bad()
            .contains("at most 512 MiB")
    );
    desk.put("me.json", &good);
    for file in ["me.json", "pw"] {
        fs::set_permissions(desk.path(file), fs::Permissions::from_mode(0o644)).unwrap();
        let refused = desk.run(&format!("{raw} pw"), "").bad();
        assert!(
            refused.contains("chmod 600") && refused.contains(file),
            "{refused}"
        );
        fs::set_permissions(desk.path(file), fs::Permissions::from_mode(0o600)).unwrap();
    }
    assert_eq!(desk.run(&format!("{raw} pw"), "").good(), FIRST_KEY);
}

#[test]
fn show_lists_a_folder_without_a_password() {
    let desk = Desk::new();
    desk.import(JUNK, "b.json");
    desk.import(FIRST_KEY, "a.json");
    desk.put("c.json", "{\"something\": \"else\"}");
    let expected = format!("{FIRST}  key    ./a.json\n{FIRST}  words  ./b.json");
    assert_eq!(desk.run("show", "").good(), expected);
    assert!(desk.run("show c.json", "").bad().contains("not a keystore"));
    assert!(
        desk.run("show missing.json", "")
            .bad()
            .contains("missing.json")
    );
}

#[test]
fn every_signature_of_the_protocols_vectors_is_made_again_byte_for_byte() {
    let (desk, vectors) = (Desk::new(), domain_vectors());
    desk.import(vectors["till_1_key"].as_str().unwrap(), "till.json");
    let sign = format!(
        "sign - --key till.json --password-file pw {}",
        offline(&vectors)
    );
    let till = vectors["till_1"].as_str().unwrap();
    let mut signed = 0;
    for row in vectors["transactions"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["signer"] == till)
    {
        let mut unsigned = row["transaction"].clone();
        unsigned.as_object_mut().unwrap().remove("signature");
        assert_eq!(
            desk.run(&sign, &unsigned.to_string()).json(),
            row["transaction"]
        );
        signed += 1;
    }
    assert!(signed > 0);
    let again = desk
        .run(
            &sign,
            &vectors["transactions"][0]["transaction"].to_string(),
        )
        .bad();
    assert!(again.contains("has a signature already"), "{again}");
}

#[test]
fn a_sale_with_its_lines_is_signed_and_its_mistakes_are_named() {
    let (desk, vectors) = (Desk::new(), domain_vectors());
    desk.import(vectors["till_1_key"].as_str().unwrap(), "till.json");
    let sign = format!(
        "sign - --key till.json --password-file pw {}",
        offline(&vectors)
    );
    let recorded = &vectors["transactions"][0]["transaction"];
    let sale = json!({
        "outlet": 1, "terminal": vectors["till_1"], "sale_id": recorded["sale_id"],
        "occurred_at": "2023-11-14T22:13:20Z", "currency": "GEL", "total": 1698, "lines": vectors["lines"],
        "lines_salt": vectors["lines_salt"], "buyer_kind": "receipt", "buyer": recorded["buyer"],
    });
    let signed = desk.run(&sign, &sale.to_string()).json();
    assert_eq!(signed["signature"], recorded["signature"]);
    assert_eq!(signed["lines"], vectors["lines"]);

    let mut short = sale.clone();
    for field in ["terminal", "lines_salt", "buyer"] {
        short.as_object_mut().unwrap().remove(field);
    }
    let first = desk.run(&sign, &short.to_string()).json();
    assert_eq!(first["terminal"], vectors["till_1"]);
    assert_eq!(
        desk.run(&sign, &short.to_string()).json(),
        first,
        "what the key decides is the same each time"
    );
    assert_ne!(first["lines_salt"], sale["lines_salt"]);

    let with = |field: &str, value: Value| {
        let mut changed = sale.clone();
        changed[field] = value;
        changed.to_string()
    };
    let cases = [
        (with("total", json!(7)), "the lines of the sale"),
        (with("terminal", json!(FIRST)), "but the key is of"),
        (with("occurred_at", json!("yesterday")), "expected RFC 3339"),
        (with("sale_id", json!("ab")), "32 hex digits"),
        (with("tip", json!(1)), "unknown field `tip`"),
        (with("type", json!("refund_it")), "only a sale has lines"),
        ("[1]".into(), "expected one JSON object"),
        (
            json!({"type": "give_me_units"}).to_string(),
            "unknown variant `give_me_units`",
        ),
        (
            json!({"type": "request_payout", "acount": FIRST}).to_string(),
            "acount",
        ),
        (
            json!({"type": "register_terminal", "outlet": 1, "kind": "physical"}).to_string(),
            "missing field `terminal`",
        ),
    ];
    for (text, message) in cases {
        let error = desk.run(&sign, &text).bad();
        assert!(error.contains(message), "{message}: {error}");
    }
}

#[test]
fn a_nonce_is_filled_in_only_where_the_transaction_has_one() {
    let (desk, vectors) = (Desk::new(), domain_vectors());
    desk.import(FIRST_KEY, "me.json");
    let sign = format!(
        "sign - --key me.json --password-file pw {}",
        offline(&vectors)
    );
    let payout = json!({"type": "request_payout", "account": FIRST}).to_string();
    assert_eq!(
        desk.run(&format!("{sign} --nonce 7"), &payout).json()["nonce"],
        7
    );
    let claim =
        json!({"type": "claim_receipt", "outlet": 1, "sale_id": "05".repeat(16), "wallet": FIRST})
            .to_string();
    assert!(
        desk.run(&format!("{sign} --nonce 7"), &claim)
            .json()
            .get("nonce")
            .is_none()
    );
    // Port 9 is discard: nobody answers there.
    let silent = desk
        .run(&format!("{sign} --node http://127.0.0.1:9"), &payout)
        .bad();
    assert!(
        silent.contains("no answer from http://127.0.0.1:9"),
        "{silent}"
    );
}

/// What a camera makes of the printed letters: each stands for two modules, one above the other.
fn scan(printed: &str) -> String {
    let rows: Vec<Vec<char>> = printed
        .lines()
        .take_while(|line| !line.is_empty())
        .map(|l| l.chars().collect())
        .collect();
    let (scale, width, height) = (4, rows[0].len(), rows.len() * 2);
    let dark = |x: usize, y: usize| match rows[y / 2][x] {
        '█' => true,
        '▀' => y.is_multiple_of(2),
        '▄' => !y.is_multiple_of(2),
        ' ' => false,
        other => panic!("unexpected {other:?}"),
    };
    let grey = |x: usize, y: usize| if dark(x / scale, y / scale) { 0 } else { 255 };
    let mut image =
        rqrr::PreparedImage::prepare_from_greyscale(width * scale, height * scale, grey);
    let grids = image.detect_grids();
    assert_eq!(grids.len(), 1);
    grids[0].decode().unwrap().1
}

#[test]
fn a_receipt_is_scanned_and_claimed() {
    let (desk, vectors) = (Desk::new(), domain_vectors());
    desk.import(vectors["till_1_key"].as_str().unwrap(), "till.json");
    let (network, sale) = (offline(&vectors), "00000000000000000000000000000005");
    let receipt = format!(
        "receipt --terminal till.json --password-file pw {network} --outlet 1 --sale-id {sale}"
    );
    let printed = desk.run(&receipt, "").good();
    let text = desk.run(&format!("{receipt} --text"), "").good();
    assert_eq!(printed.lines().last(), Some(text.as_str()));
    assert_eq!(scan(&printed), text);
    assert!(
        printed.lines().next().unwrap().chars().count() <= 53,
        "45 modules and a margin: fits 58 mm paper"
    );

    let claim = desk
        .run(&format!("claim - --wallet {FIRST} {network}"), &text)
        .json();
    assert_eq!(
        (&claim["type"], &claim["sale_id"]),
        (&json!("claim_receipt"), &json!(sale))
    );
    assert_eq!(
        desk.run(&format!("claim {text} --wallet {FIRST} {network}"), "")
            .json(),
        claim
    );
    let foreign = format!(
        "--chain-id {} --sidechain-id 0x{}",
        vectors["chain_id"],
        "11".repeat(32)
    );
    assert!(
        desk.run(&format!("claim - --wallet {FIRST} {foreign}"), &text)
            .bad()
            .contains("the receipt is of sidechain")
    );
    let cut = desk
        .run(&format!("claim - --wallet {FIRST} {network}"), &text[..150])
        .bad();
    assert!(
        cut.contains("a key has 64 hex digits") && !cut.contains(&text[120..150]),
        "{cut}"
    );
    let mistyped = FIRST.replace("92266", "92267");
    assert_eq!(
        desk.run(&format!("claim - --wallet {mistyped} {network}"), &text)
            .code,
        Some(2)
    );
}

#[test]
fn the_code_on_a_guests_phone_is_witnessed() {
    let (desk, vectors) = (Desk::new(), domain_vectors());
    desk.import(vectors["till_1_key"].as_str().unwrap(), "till.json");
    let (network, chain) = (
        offline(&vectors),
        &vectors["sidechain_id"].as_str().unwrap()[2..],
    );
    let in_an_hour = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_millis()
        + 3_600_000;
    let (commitment, guest) = ("a4".repeat(32), &FIRST[2..]);
    let code =
        format!("HOTPOT-CONSENT:1/{chain}/1/3/1/{commitment}/{guest}/{in_an_hour}").to_uppercase();
    let witness = format!("witness - --key till.json --password-file pw {network} --outlet 1");
    let said = desk.run(&witness, &code).good();
    let [head, address, signature] = said.trim().split('/').collect::<Vec<_>>()[..] else {
        panic!("{said}")
    };
    assert_eq!(head, "HOTPOT-WITNESS:1");
    assert_eq!(
        format!("0x{}", address.to_lowercase()),
        vectors["till_1"].as_str().unwrap().to_lowercase()
    );
    let wanted = domain::eip712::WitnessedConsent {
        outlet: 1,
        camera: 3,
        purposes: domain::consent::Purposes::Recording,
        commitment: commitment.parse().unwrap(),
        guest: FIRST.parse().unwrap(),
        until_ms: in_an_hour as u64,
    };
    let sidechain_id = vectors["sidechain_id"].as_str().unwrap().parse().unwrap();
    let domain = domain::eip712::DomainSeparator::transactions(
        vectors["chain_id"].as_u64().unwrap(),
        sidechain_id,
    );
    let signature: domain::Signature =
        serde_json::from_value(json!(format!("0x{}", signature.to_lowercase()))).unwrap();
    assert_eq!(
        signature.recover(domain.consent_witness_digest(&wanted)),
        Ok(address.to_lowercase().parse().unwrap())
    );

    for (from, to, expected) in [
        (
            chain.to_uppercase(),
            "11".repeat(32),
            "the request is of sidechain",
        ),
        ("/1/3/1/".into(), "/2/3/1/".into(), "outlet 2"),
        (
            in_an_hour.to_string(),
            "1700000000000".into(),
            "must end after now",
        ),
        ("/1/3/1/".into(), "/1/3/".into(), "scan it again"),
    ] {
        let refused = desk.run(&witness, &code.replace(&from, &to)).bad();
        assert!(refused.contains(expected), "{refused}");
    }
}

#[test]
fn a_consent_is_signed_by_the_till_and_the_guest_and_its_salt_is_kept() {
    let (desk, vectors) = (Desk::new(), domain_vectors());
    desk.import(vectors["till_1_key"].as_str().unwrap(), "till.json");
    desk.import(FIRST_KEY, "guest.json");
    let network = offline(&vectors);
    let seen = "consent --witness till.json --witness-password-file pw --outlet 1 --camera 3 --reference table-3";
    let both =
        format!("{seen} --guest guest.json --password-file pw {network} --purpose recording");
    let consent = desk
        .run(&format!("{both} --salt-file salt.json"), "")
        .json();
    assert_eq!(
        (&consent["type"], &consent["purposes"]),
        (&json!("record_consent"), &json!(["recording"]))
    );
    let transaction: domain::SignedTransaction = serde_json::from_value(consent.clone()).unwrap();
    let domain::Payload::RecordConsent(signed) = &transaction.payload else {
        panic!("{consent}")
    };
    let chain_id = vectors["chain_id"].as_u64().unwrap();
    let sidechain_id = vectors["sidechain_id"].as_str().unwrap().parse().unwrap();
    let separator = domain::eip712::DomainSeparator::transactions(chain_id, sidechain_id);
    assert_eq!(
        transaction.signer(&separator).unwrap(),
        FIRST.parse::<domain::Address>().unwrap()
    );
    let witnessed = separator.consent_witness_digest(&signed.into());
    assert_eq!(
        signed.witness_signature.recover(witnessed),
        Ok(signed.witness)
    );
    assert_eq!(json!(signed.witness), vectors["till_1"]);

    let kept: Value =
        serde_json::from_str(&fs::read_to_string(desk.path("salt.json")).unwrap()).unwrap();
    let salt = kept["salt"].as_str().unwrap().parse().unwrap();
    assert_eq!(
        domain::consent::consent_commitment(salt, "table-3"),
        signed.commitment
    );
    assert_eq!(
        (desk.mode("salt.json"), &kept["reference"]),
        (0o600, &json!("table-3"))
    );
    assert!(
        desk.run(&format!("{both} --salt-file salt.json"), "")
            .bad()
            .contains("salt.json exists already")
    );

    let alone =
        format!("{seen} --guest-address {FIRST} {network} --purpose stream --purpose recording");
    let unsigned = desk
        .run(&format!("{alone} --salt-file second.json"), "")
        .json();
    assert!(unsigned.get("signature").is_none(), "{unsigned}");
    let signed = desk
        .run(
            &format!("sign - --key guest.json --password-file pw {network}"),
            &unsigned.to_string(),
        )
        .json();
    assert_eq!(signed["purposes"], json!(["recording", "stream"]));
    let twice = both.replace("--purpose recording", "--purpose stream --purpose stream");
    assert!(
        desk.run(&format!("{twice} --salt-file third.json"), "")
            .bad()
            .contains("at most once")
    );
    for nonsense in [
        "--purpose photo --salt-file x",
        "--for-minutes 721 --salt-file x",
        "",
    ] {
        assert_eq!(
            desk.run(&format!("{both} {nonsense}"), "").code,
            Some(2),
            "{nonsense}"
        );
    }
}

fn key_file(folder: &Path, actor: &str) -> String {
    folder
        .join(format!("keys/{actor}.json"))
        .display()
        .to_string()
}

fn now() -> String {
    let time = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    client::format_time(u64::try_from(time.as_millis()).unwrap())
}

#[test]
fn on_a_network_sales_are_sent_terminals_enrolled_and_receipts_claimed() {
    let folder = Folder::new();
    let mut network: Running<'_> = folder.start(&example_orders());
    network.wait_for("60 sales", || {
        let file: Value =
            serde_json::from_slice(&fs::read(folder.path().join("network.json")).unwrap()).unwrap();
        let url = format!(
            "{}/api/v1/supply",
            file["nodes"][0]["http"].as_str().unwrap()
        );
        reqwest::blocking::get(url)
            .unwrap()
            .json::<Value>()
            .unwrap()["sales"]
            == 60
    });
    let desk = Desk::new();
    let node = format!("--node {}", network.node(1));
    let (till, owner) = (
        key_file(folder.path(), "terminal-1"),
        key_file(folder.path(), "owner-1"),
    );

    let sale = json!({"outlet": 1, "sale_id": "ab".repeat(16), "occurred_at": now(), "currency": "GEL", "total": 300,
        "lines": [{"sku": "tea", "name": "Tea", "quantity": 1, "unit_price": 300}], "buyer_kind": "receipt"});
    let send = format!("sign - --key {till} {node} --send");
    let first = desk.run(&send, &sale.to_string()).json();
    assert_eq!(
        (&first["status"], &first["issued"]),
        (&json!("final"), &json!(100))
    );
    assert_eq!(
        desk.run(&send, &sale.to_string()).json()["height"],
        first["height"],
        "the same again stands already"
    );
    let other = sale.to_string().replace("300", "301");
    assert!(
        desk.run(&send, &other).bad().contains("409"),
        "another content is a conflict"
    );

    let receipt = format!(
        "receipt --terminal {till} {node} --outlet 1 --sale-id {} --text",
        "ab".repeat(16)
    );
    let code = desk.run(&receipt, "").good();
    assert_eq!(
        desk.run(&format!("claim - --wallet {FIRST} {node} --send"), &code)
            .json()["status"],
        "final"
    );
    let stolen = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
    assert!(
        desk.run(&format!("claim - --wallet {stolen} {node} --send"), &code)
            .bad()
            .contains("409")
    );

    desk.run("new --out new-till.json --password-file pw", "")
        .good();
    let address = desk
        .run(
            "derive new-till.json --password-file pw --role terminal",
            "",
        )
        .good();
    let enrol =
        json!({"type": "register_terminal", "outlet": 1, "terminal": address, "kind": "physical"})
            .to_string();
    let by_owner = format!("sign - --key {owner} {node} --send");
    assert_eq!(
        desk.run(&by_owner, &enrol).json()["transaction"]["type"],
        "register_terminal"
    );
    assert!(
        desk.run(&by_owner, &enrol).bad().contains("409"),
        "the next nonce, but the terminal is enrolled"
    );
    let revoke = json!({"type": "revoke_terminal", "outlet": 1, "terminal": address}).to_string();
    assert_eq!(desk.run(&by_owner, &revoke).json()["status"], "final");
    assert!(
        desk.run(&format!("sign - --key {till} {node} --send"), &revoke)
            .bad()
            .contains("403")
    );

    a_guest_allows_a_camera_and_ends_it(&desk, &till, &node);
    the_registrar_approves_an_outlet(&desk, folder.path(), &node);
    let wrong = format!("sign - --key {owner} {node} --chain-id 1");
    assert!(
        desk.run(&wrong, &revoke)
            .bad()
            .contains("--chain-id is 1, but the node is of 31337")
    );
    network.stop();
}

fn a_guest_allows_a_camera_and_ends_it(desk: &Desk, till: &str, node: &str) {
    desk.run("new --out once.json --password-file pw", "")
        .good();
    let key = "--password-file pw";
    let consent = format!(
        "consent --witness {till} --guest once.json {key} {node} --outlet 1 --camera 3 --purpose recording \
         --reference table-3 --salt-file salt.json --send"
    );
    let made = desk.run(&consent, "").json();
    assert_eq!(
        made["status"], "final",
        "a key that holds nothing, seen by a till"
    );
    let revoke = json!({"type": "revoke_consent", "consent": made["id"]}).to_string();
    let ended = desk
        .run(
            &format!("sign - --key once.json {key} {node} --send"),
            &revoke,
        )
        .json();
    assert_eq!(ended["status"], "final");
    let again = desk
        .run(
            &format!("sign - --key once.json {key} {node} --send"),
            &revoke,
        )
        .json();
    assert_eq!(again["height"], ended["height"], "the same again");
}

fn the_registrar_approves_an_outlet(desk: &Desk, folder: &Path, node: &str) {
    let (registrar, founder) = (key_file(folder, "registrar"), key_file(folder, "founder"));
    let options = format!("--outlet 77 --owner {FIRST} --expires-at 2100-01-01T00:00:00Z");
    let approval = desk
        .run(&format!("approve --key {registrar} {node} {options}"), "")
        .json();
    let mut outlet = json!({"type": "register_outlet", "outlet": 77, "owner": FIRST, "kind": "franchised",
        "city": "Batumi", "currency": "GEL", "quota_per_day": 100, "terminal_quota_per_day": 50});
    for (field, value) in approval.as_object().unwrap() {
        outlet[field] = value.clone();
    }
    let answer = desk
        .run(
            &format!("sign - --key {founder} {node} --send"),
            &outlet.to_string(),
        )
        .json();
    assert_eq!(
        (&answer["status"], &answer["transaction"]["outlet"]),
        (&json!("final"), &json!(77))
    );
    let help = hotpot()
        .args(["wallet", "sign", "--help"])
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&help.stdout).contains("Examples:"));
}
