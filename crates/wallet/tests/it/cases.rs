//! The cases of `../shared/cases`, W01 to W03: one line each with what is right and what came.
//! `cargo test -p wallet --test it cases -- --nocapture` shows them.

use crate::sales::{Till, verdicts};
use std::fs;
use std::path::{Path, PathBuf};
use wallet::{Cost, Mnemonic, Opened, Role, Secret, address, first_line};

/// What the refusal of a case has to speak of.
const SPEAKS_OF: [(&str, &[&str]); 9] = [
    ("k15-version-1-cbc", &["version is 1", "cipher"]),
    ("k24-not-a-power-of-two", &["crypto.kdfparams.n is 5000"]),
    ("k25-eip2335-version-4", &["version is 4"]),
    ("m37-thirteen-words", &["found 13", "passphrase"]),
    ("m39-last-word-changed", &["checksum"]),
    ("m40-russian-NFC", &["lists", "English"]),
    ("m40-russian-NFD", &["lists", "English"]),
    ("h03-zeros-trimmed", &["64 hex digits"]),
    ("h04-66-digits", &["64 hex digits"]),
];

/// One case, as it came.
struct Verdict {
    case: String,
    expected: String,
    found: String,
    is_right: bool,
}

fn case_folder(name: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/cases")
        .join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    println!("SKIPPED: {} is not here", folder.display());
    None
}

/// The lines of a table, without its head.
fn rows(file: &Path) -> Vec<Vec<String>> {
    let text = fs::read_to_string(file).unwrap();
    let split = |line: &str| line.split('\t').map(str::to_owned).collect();
    text.lines().skip(1).map(split).collect()
}

/// Prints every case and fails if one is wrong.
fn show(kind: &str, verdicts: &[Verdict]) {
    for verdict in verdicts {
        let Verdict {
            case,
            expected,
            found,
            is_right,
        } = verdict;
        let word = if *is_right { "ok" } else { "WRONG" };
        println!("{kind} {case}\texpected {expected}\tgot {found}\t{word}");
    }

    let wrong = verdicts.iter().filter(|verdict| !verdict.is_right).count();
    println!("{kind}: {} cases, {wrong} wrong", verdicts.len());
    assert_eq!(wrong, 0, "{kind}");
}

/// A refusal is right where nothing should open, and says what is the matter.
fn judge(case: &str, expected: &[String], came: Result<Vec<String>, String>) -> Verdict {
    let wanted: Vec<&String> = expected.iter().filter(|value| *value != "-").collect();
    let may_refuse = wanted.is_empty() || case.starts_with("m40-russian");

    let (is_right, found) = match came {
        Ok(found) => (
            !wanted.is_empty() && found.iter().zip(expected).all(|(a, b)| a == b),
            found.join(" "),
        ),
        Err(message) => {
            let speaks = SPEAKS_OF.iter().filter(|(name, _)| *name == case);
            let says_why = speaks
                .flat_map(|(_, words)| words.iter())
                .any(|word| message.contains(word));
            let has_no_words = !SPEAKS_OF.iter().any(|(name, _)| *name == case);
            let is_right = may_refuse && (says_why || has_no_words);
            (is_right, format!("refused: {message}"))
        }
    };

    Verdict {
        case: case.to_owned(),
        expected: if wanted.is_empty() {
            "refused".to_owned()
        } else {
            expected.join(" ")
        },
        found,
        is_right,
    }
}

/// What `hotpot wallet import` does: the file is opened, and closed again under a new password.
fn import_keystore(folder: &Path) -> Result<Vec<String>, String> {
    let text = fs::read_to_string(folder.join("keystore.json")).unwrap();
    let password = fs::read_to_string(folder.join("password")).unwrap();

    let opened = match text.parse::<Secret>() {
        Ok(Secret::Keystore(keystore)) => keystore.open(first_line(&password)),
        Ok(_) => return Err("no keystore at all".into()),
        Err(error) => return Err(error.to_string()),
    };
    let opened = opened.map_err(|error| error.to_string())?;
    if let Some(why) = opened.unread_words {
        return Err(format!("the words are lost: {why}"));
    }

    let sealed = opened.seal("a new password", Cost::Random).unwrap();
    let again = sealed.open("a new password").unwrap();
    assert_eq!((again.key, again.path), (opened.key, opened.path));
    Ok(vec![address(&again.key).to_string()])
}

#[test]
fn w01_keystores() {
    let Some(folder) = case_folder("W01-keystores") else {
        return;
    };
    let tables = ["EXPECTED.tsv", "EXPECTED-ethers.tsv"];
    let rows = tables.map(|table| rows(&folder.join(table))).concat();
    let verdict = |row: &Vec<String>| {
        let came = import_keystore(&folder.join(&row[0]));
        judge(&row[0], &row[1..2], came)
    };
    show("W01", &rows.iter().map(verdict).collect::<Vec<_>>());
}

/// The addresses that the words' table has: two of the holder, one each of three roles.
fn addresses(mnemonic: &Mnemonic) -> Vec<String> {
    let paths = [
        Role::Holder.path(0),
        Role::Holder.path(1),
        Role::Owner.path(0),
        Role::Terminal.path(0),
        Role::Validator.path(0),
    ];
    let shown = |path| address(&mnemonic.key(path).unwrap()).to_string();
    paths.iter().map(shown).collect()
}

fn import_text(file: &Path) -> Result<Vec<String>, String> {
    let text = fs::read_to_string(file).unwrap();
    match text.parse::<Secret>() {
        Ok(Secret::Words(mnemonic)) => {
            let opened = Opened::from_mnemonic(mnemonic, Role::Holder.path(0)).unwrap();
            let sealed = opened.seal("a new password", Cost::Random).unwrap();
            let again = sealed.open("a new password").unwrap();
            Ok(addresses(&again.mnemonic.unwrap()))
        }
        Ok(Secret::Key(key)) => Ok(vec![address(&key).to_string()]),
        Ok(Secret::Keystore(_)) => Err("taken for a keystore".into()),
        Err(error) => {
            let message = error.to_string();
            let shows_a_word = text.split_whitespace().any(|word| message.contains(word));
            assert!(!shows_a_word, "{}: {message}", file.display());
            let cause = std::error::Error::source(&error);
            Err(cause.map_or(message.clone(), |cause| format!("{message}: {cause}")))
        }
    }
}

#[test]
fn w02_words() {
    let Some(folder) = case_folder("W02-words") else {
        return;
    };
    let verdict = |row: &Vec<String>| {
        let came = import_text(&folder.join(format!("{}.txt", row[0])));
        judge(&row[0], &row[1..6], came)
    };
    let rows = rows(&folder.join("EXPECTED.tsv"));
    show("W02", &rows.iter().map(verdict).collect::<Vec<_>>());
}

/// The variants of `W03-signatures/variants.py`, taken as a node takes them; that script asks a running one.
#[tokio::test]
async fn w03_signatures() {
    let mut shown = Vec::new();
    for (case, expected, found) in verdicts(&mut Till::new()).await {
        let allowed: Vec<String> = expected.iter().map(u16::to_string).collect();
        shown.push(Verdict {
            case,
            expected: allowed.join(" or "),
            is_right: expected.contains(&found.status),
            found: format!("{} {}", found.status, found.code),
        });
    }
    show("W03", &shown);
    println!("SKIPPED: batches, GET and Expect: they need a running node (variants.py)");
}
