//! Whatever stands in a file or is pasted: a value or a clean error, which never repeats a secret.

use crate::vectors;
use proptest::prelude::*;
use serde_json::{Value, json};
use wallet::{Keystore, Secret};

const PASSWORD: &str = "a password";
const KEY: &str = "9b1da1c5da91c5fb3e4f2e4c70bc2f31404e4d5ed512ffaee5859cc4398081e3";
const WORDS: &str =
    "garage extend melody recycle rookie robot patient nest lizard blue keep jungle";

/// Every place of a keystore of ethers, but the three that say what opening costs.
static PLACES: [&str; 19] = [
    "",
    "/version",
    "/address",
    "/id",
    "/Crypto",
    "/Crypto/cipher",
    "/Crypto/cipherparams",
    "/Crypto/cipherparams/iv",
    "/Crypto/ciphertext",
    "/Crypto/kdf",
    "/Crypto/kdfparams/dklen",
    "/Crypto/kdfparams/salt",
    "/Crypto/mac",
    "/x-ethers",
    "/x-ethers/version",
    "/x-ethers/path",
    "/x-ethers/locale",
    "/x-ethers/mnemonicCounter",
    "/x-ethers/mnemonicCiphertext",
];
static COSTS: [&str; 3] = ["n", "r", "p"];

fn keystore() -> Value {
    let rows = vectors("foreign.json");
    let row = rows
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["from"] == "ethers, another path");
    row.unwrap()["keystore"].clone()
}

/// Values that a fault, another tool or an attacker would write.
fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,80}".prop_map(Value::from),
        "(0x)?[0-9a-fA-F]{0,80}".prop_map(Value::from),
        Just(json!([])),
        Just(json!({})),
        Just(json!(KEY)),
        Just(json!(WORDS)),
        Just(json!(PASSWORD)),
    ]
}

/// Words are secret one by one, of a key every part.
fn repeats_a_secret(message: &str) -> bool {
    let has_word = message
        .split(|letter: char| !letter.is_alphanumeric())
        .any(|word| WORDS.split(' ').any(|secret| secret == word));
    let has_digits = (0..KEY.len() - 8).any(|at| message.contains(&KEY[at..at + 8]));
    has_word || has_digits || message.contains(PASSWORD)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_value_anywhere_in_a_keystore_is_read_or_refused(place in prop::sample::select(&PLACES[..]), value in any_value()) {
        let mut json = keystore();
        *json.pointer_mut(place).unwrap() = value;

        let message = match Keystore::from_json(&json.to_string()) {
            Err(error) => error.to_string(),
            Ok(keystore) => match keystore.open(PASSWORD) {
                Err(error) => error.to_string(),
                Ok(opened) => opened.unread_words.map(|why| why.to_string()).unwrap_or_default(),
            },
        };
        prop_assert!(!repeats_a_secret(&message), "{place}: {message}");
    }

    #[test]
    fn any_cost_is_within_its_bounds_or_refused(field in prop::sample::select(&COSTS[..]), value in any_value()) {
        let mut json = keystore();
        json["Crypto"]["kdfparams"][field] = value;
        if let Err(error) = Keystore::from_json(&json.to_string()) {
            prop_assert!(!repeats_a_secret(&error.to_string()), "{error}");
        }
    }

    #[test]
    fn a_secret_with_anything_in_it_is_read_or_refused(at in 0usize..70, with in "\\PC{0,12}", which in 0usize..3) {
        let json = keystore().to_string();
        let mut text = [KEY, WORDS, &json][which].to_owned();
        text.replace_range(at.min(text.len())..(at + 1).min(text.len()), &with);
        for text in [text.clone(), text.to_uppercase(), format!("\u{feff}{text}\r\n")] {
            if let Err(error) = text.parse::<Secret>() {
                prop_assert!(!repeats_a_secret(&error.to_string()), "{error}");
            }
        }
    }

    #[test]
    fn any_text_is_a_secret_or_an_error(text in "\\PC{0,200}", spaces in "[\\s\u{feff}]{0,3}") {
        let _ = text.parse::<Secret>();
        let _ = format!("{spaces}{{{text}").parse::<Secret>();
        let _ = [spaces.as_str(), WORDS, &spaces, &text].concat().parse::<Secret>();
    }
}
