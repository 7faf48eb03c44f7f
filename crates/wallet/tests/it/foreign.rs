//! Keystores as other tools write them, and as people change them.

use crate::vectors;
use serde_json::{Value, json};
use wallet::{Cost, Keystore, KeystoreError, Mnemonic, Opened, Role, address, format_key};

const PASSWORD: &str = "a password";

fn text<'v>(row: &'v Value, field: &str) -> Option<&'v str> {
    row[field].as_str()
}

#[test]
fn every_good_key_opens_with_its_words_where_they_can_be_read() {
    for row in vectors("foreign.json").as_array().unwrap() {
        let from = text(row, "from").unwrap();
        let keystore = Keystore::from_json(&row["keystore"].to_string()).unwrap();
        let opened = keystore.open(text(row, "password").unwrap()).unwrap();

        assert_eq!(
            Some(format_key(&opened.key).as_str()),
            text(row, "key"),
            "{from}"
        );
        let phrase = opened
            .mnemonic
            .map(|mnemonic| mnemonic.phrase().to_string());
        assert_eq!(phrase.as_deref(), text(row, "mnemonic"), "{from}");
        let path = opened.path.map(|path| path.to_string());
        let default = path.as_deref().filter(|_| row["path"].is_null());
        assert_eq!(path.as_deref(), text(row, "path").or(default), "{from}");

        let unread = opened.unread_words.map(|why| why.to_string());
        match text(row, "unread") {
            Some(why) => assert!(unread.unwrap().contains(why), "{from}"),
            None => assert_eq!(unread, None, "{from}"),
        }
        assert_eq!(
            keystore.open("another").unwrap_err(),
            KeystoreError::Password,
            "{from}"
        );
    }
}

/// A keystore of eth-account, with a small work factor.
fn plain() -> Value {
    let mut keystore = vectors("keystores.json")[0]["keystore"].clone();
    keystore["address"] = json!("f39fd6e51aad88f6f4ce6ab8827279cfffb92266");
    keystore
}

fn open(text: &str) -> Result<Opened, KeystoreError> {
    Keystore::from_json(text)?.open(PASSWORD)
}

/// Writes every text that looks like hex digits anew.
fn rewrite_hex(value: &mut Value, write: &impl Fn(&str) -> String) {
    match value {
        Value::Object(fields) => fields
            .values_mut()
            .for_each(|field| rewrite_hex(field, write)),
        Value::String(text) if text.len() >= 32 && !text.contains('-') => *text = write(text),
        _ => {}
    }
}

#[test]
fn spellings_of_the_format_make_no_difference() {
    let edit = |change: &dyn Fn(&mut Value)| {
        let mut keystore = plain();
        change(&mut keystore);
        keystore.to_string()
    };
    let hex = |write: &dyn Fn(&str) -> String| edit(&|all| rewrite_hex(all, &|text| write(text)));
    let remove = |field: &str| {
        edit(&|all| {
            all.as_object_mut().unwrap().remove(field);
        })
    };
    let plain = plain().to_string();

    let spellings = [
        plain.clone(),
        format!("\u{feff}{plain}\r\n"),
        hex(&str::to_uppercase),
        hex(&|text| format!("0x{text}")),
        hex(&|text| format!("0X{}", text.to_uppercase())),
        edit(&|all| all["address"] = json!("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266")),
        edit(&|all| all["address"] = json!("")),
        edit(&|all| all["address"] = Value::Null),
        remove("address"),
        edit(&|all| all["id"] = json!("till one")),
        edit(&|all| all["id"] = Value::Null),
        edit(&|all| all["id"] = json!(7)),
        remove("id"),
        edit(&|all| all["version"] = json!("3")),
        edit(&|all| all["version"] = json!(3.0)),
        remove("version"),
        edit(&|all| all["name"] = json!("Till")),
        edit(&|all| all["crypto"]["kdfparams"]["n"] = json!("1024")),
        edit(&|all| all["crypto"]["kdfparams"]["dklen"] = json!(64)),
        edit(&|all| all["crypto"]["kdfparams"]["dklen"] = Value::Null),
        edit(&|all| all["crypto"]["kdf"] = json!("Scrypt")),
        edit(&|all| all["crypto"]["cipher"] = json!("AES-128-CTR")),
        plain.replace("\"crypto\"", "\"Crypto\""),
        plain.replace("\"kdfparams\"", "\"KDFParams\""),
    ];
    for spelling in spellings {
        let opened = open(&spelling).unwrap_or_else(|error| panic!("{error}: {spelling}"));
        let found = address(&opened.key).to_string();
        assert_eq!(
            found, "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
            "{spelling}"
        );
    }
}

#[test]
fn what_is_none_is_refused_with_its_place() {
    let edit = |pointer: &str, value: Value| {
        let mut keystore = plain();
        *keystore.pointer_mut(pointer).unwrap() = value;
        keystore.to_string()
    };
    let scrypt = |field: &str, value: Value| edit(&format!("/crypto/kdfparams/{field}"), value);
    let blank = "0".repeat(64);

    let refused = [
        (String::new(), "no JSON from line 1, column 0 on"),
        (
            "{\n\"crypto\": ".into(),
            "no JSON from line 2, column 10 on",
        ),
        (format!("[{}]", plain()), "a file of its own"),
        ("{}".into(), "it has no crypto object"),
        (
            json!({"encseed": "00"}).to_string(),
            "presale wallet (encseed)",
        ),
        (
            edit("/version", json!("1")),
            "version is 1, expected 3 (geth",
        ),
        (
            edit("/version", json!(4)),
            "version is 4, expected 3 (version 4, EIP-2335",
        ),
        (edit("/version", json!(2)), "version is 2, expected 3"),
        (edit("/version", json!([])), "version is a list, expected 3"),
        (
            edit("/address", json!("f39f")),
            "address is f39f, expected 40 hex digits",
        ),
        (
            edit("/address", json!("0".repeat(40))),
            "does not hold the key that its address names",
        ),
        (
            edit("/crypto/cipher", json!("aes-128-cbc")),
            "crypto.cipher is aes-128-cbc, expected aes-128-ctr",
        ),
        (
            edit("/crypto/cipherparams/iv", json!("00")),
            "crypto.cipherparams.iv is 00, expected 32 hex",
        ),
        (
            edit("/crypto/cipherparams", Value::Null),
            "crypto.cipherparams.iv is missing",
        ),
        (
            edit("/crypto/ciphertext", json!("")),
            "crypto.ciphertext is a text of 0 characters",
        ),
        (
            edit("/crypto/ciphertext", json!("00".repeat(34))),
            "crypto.ciphertext is a text of 68 characters",
        ),
        (
            edit("/crypto/mac", json!(blank[1..])),
            "crypto.mac is a text of 63 characters",
        ),
        (edit("/crypto/mac", json!(blank)), "wrong password"),
        (
            edit("/crypto/kdf", json!("argon2id")),
            "crypto.kdf is argon2id, expected scrypt or pbkdf2",
        ),
        (
            scrypt("n", json!(5000)),
            "crypto.kdfparams.n is 5000, expected a power of two",
        ),
        (
            scrypt("n", json!(1 << 30)),
            "crypto.kdfparams.n is 1073741824, expected",
        ),
        (scrypt("n", json!(-1)), "crypto.kdfparams.n is -1, expected"),
        (
            scrypt("n", json!(1024.5)),
            "crypto.kdfparams.n is 1024.5, expected",
        ),
        (
            scrypt("r", json!(0)),
            "crypto.kdfparams.r is 0, expected 1 to 2097152",
        ),
        (
            scrypt("p", json!(17)),
            "crypto.kdfparams.p is 17, expected 1 to 16",
        ),
        (
            scrypt("dklen", json!(16)),
            "crypto.kdfparams.dklen is 16, expected 32 or more",
        ),
        (
            scrypt("salt", json!("xy")),
            "crypto.kdfparams.salt is xy, expected hex digits",
        ),
    ];
    for (keystore, message) in refused {
        let error = open(&keystore).unwrap_err().to_string();
        assert!(error.contains(message), "{message}: {error}");
    }
}

/// The smallest n lets r fill the memory; p blocks of the same size stand beside it.
#[test]
fn memory_is_bounded_whatever_asks_for_it() {
    let with = |n: u64, r: u64, p: u64| {
        let mut keystore = plain();
        for (field, value) in [("n", n), ("r", r), ("p", p)] {
            keystore["crypto"]["kdfparams"][field] = json!(value);
        }
        Keystore::from_json(&keystore.to_string())
    };
    assert!(with(1 << 18, 8, 1).is_ok(), "geth");
    assert!(with(1 << 18, 1, 8).is_ok(), "web3.py");
    assert!(with(1 << 19, 8, 16).is_ok());
    for (n, r, p) in [
        (1 << 20, 8, 1),
        (1 << 23, 1, 1),
        (2, 1 << 21, 16),
        (1 << 63, 1 << 21, 16),
    ] {
        assert!(with(n, r, p).is_err(), "{n} {r} {p}");
    }
}

#[test]
fn a_password_opens_in_whichever_form_it_was_typed() {
    let forms = ["pässwörd", "pa\u{308}sswo\u{308}rd"];
    let key = wallet::SecretKey::from_byte_array([7; 32]).unwrap();
    for sealed in forms {
        let keystore = Keystore::seal(&key, sealed, Cost::Random).unwrap();
        for typed in forms {
            assert_eq!(keystore.open(typed).unwrap().key, key);
            let marked = format!("\u{feff}{typed}");
            assert_eq!(keystore.open(&marked).unwrap().key, key);
        }
        assert!(
            keystore.open("password").is_err(),
            "an accent is no decoration"
        );
    }
}

#[test]
fn path_language_and_passphrase_survive_being_sealed_again() {
    let lists = vectors("lists.json");
    for (number, row) in lists.as_array().unwrap().iter().enumerate() {
        let mnemonic = Mnemonic::from_phrase(text(row, "phrase").unwrap())
            .unwrap()
            .with_passphrase(text(row, "passphrase").unwrap());
        let path = Role::Terminal.path(number as u32);
        let opened = Opened::from_mnemonic(mnemonic.clone(), path.clone()).unwrap();

        let json = opened.seal(PASSWORD, Cost::Random).unwrap().to_json();
        let field = if mnemonic.has_passphrase() {
            "x-hotpot"
        } else {
            "x-ethers"
        };
        assert!(json.contains(field), "{json}");
        assert!(Keystore::from_json(&json).unwrap().has_mnemonic());

        let again = open(&json).unwrap();
        assert_eq!(again.key, opened.key);
        assert_eq!(again.mnemonic, Some(mnemonic));
        assert_eq!(again.path, Some(path));
        assert_eq!(again.unread_words, None);
    }
}

/// Otherwise ethers would say that the file is damaged.
#[test]
fn words_with_a_passphrase_are_hidden_from_other_tools() {
    let mnemonic = Mnemonic::from_entropy(&[3; 16])
        .unwrap()
        .with_passphrase("more");
    let sealed = Keystore::seal_mnemonic(&mnemonic, PASSWORD, Cost::Random).unwrap();
    assert!(!sealed.to_json().contains("x-ethers"));

    let mut json: Value = serde_json::from_str(&sealed.to_json()).unwrap();
    json["x-hotpot"]["passphraseCiphertext"] = json!("00");
    let damaged = open(&json.to_string()).unwrap();
    assert_eq!(damaged.mnemonic, None);
    let why = damaged.unread_words.unwrap().to_string();
    assert!(
        why.contains("x-hotpot do not lead to the file's key"),
        "{why}"
    );
}
