//! Words as people keep them: every list, passphrases, numbers, mistakes.

use crate::vectors;
use serde_json::Value;
use wallet::{Mnemonic, MnemonicError, Role, Secret, address};

const WORDS: &str =
    "garage extend melody recycle rookie robot patient nest lizard blue keep jungle";

fn text<'v>(row: &'v Value, field: &str) -> &'v str {
    row[field].as_str().unwrap()
}

fn first_address(mnemonic: &Mnemonic, role: Role) -> String {
    address(&mnemonic.key(&role.path(0)).unwrap()).to_string()
}

fn error(phrase: &str) -> MnemonicError {
    Mnemonic::from_phrase(phrase).unwrap_err()
}

#[test]
fn words_of_every_list_lead_to_the_keys_of_other_wallets() {
    for row in vectors("lists.json").as_array().unwrap() {
        let mnemonic = Mnemonic::from_phrase(text(row, "phrase"))
            .unwrap()
            .with_passphrase(text(row, "passphrase"));
        let list = text(row, "list");
        assert_eq!(*mnemonic.phrase(), text(row, "phrase"), "{list}");
        assert_eq!(
            first_address(&mnemonic, Role::Holder),
            row["holder"][0],
            "{list}"
        );
        assert_eq!(
            first_address(&mnemonic, Role::Terminal),
            text(row, "terminal"),
            "{list}"
        );
        let second = address(&mnemonic.key(&Role::Holder.path(1)).unwrap());
        assert_eq!(second.to_string(), row["holder"][1], "{list}");
    }
}

#[test]
fn accents_and_how_they_are_typed_make_no_difference() {
    let rows = vectors("lists.json");
    let french = rows
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| text(row, "list") == "french" || text(row, "list") == "spanish");
    for row in french {
        let decomposed = text(row, "phrase");
        let expected = Mnemonic::from_phrase(decomposed).unwrap();
        let without: String = decomposed
            .chars()
            .filter(|letter| !matches!(letter, '\u{300}'..='\u{36f}'))
            .collect();
        let composed = decomposed
            .replace("e\u{301}", "é")
            .replace("e\u{300}", "è")
            .replace("a\u{301}", "á")
            .replace("n\u{303}", "ñ");
        for phrase in [without, composed.to_uppercase(), composed] {
            assert_eq!(
                Mnemonic::from_phrase(&phrase).unwrap(),
                expected,
                "{phrase}"
            );
        }
    }
}

#[test]
fn what_a_new_wallet_shows_can_be_pasted_back() {
    let shown = "   1 garage       2 extend       3 melody       4 recycle  \n   \
                 5 rookie       6 robot        7 patient      8 nest     \n   \
                 9 lizard      10 blue        11 keep        12 jungle   \n";
    assert_eq!(Mnemonic::from_phrase(shown), Mnemonic::from_phrase(WORDS));
    assert!(matches!(shown.parse(), Ok(Secret::Words(_))));

    let columns = "1. garage 5. rookie 9. lizard\n2. extend 6. robot 10. blue\n\
                   3. melody 7. patient 11. keep\n4. recycle 8. nest 12. jungle";
    assert_eq!(Mnemonic::from_phrase(columns), Mnemonic::from_phrase(WORDS));
    let twice = columns.replace("12.", "11.");
    assert_eq!(error(&twice), MnemonicError::Numbers { words: 12 });
}

#[test]
fn mistakes_are_named_with_their_place_and_list() {
    let english = |position| MnemonicError::Word {
        position,
        list: "English",
    };
    assert_eq!(error(&WORDS.replace("nest", "nezt")), english(8));
    assert_eq!(
        error(&WORDS.replace("garage", "gаrage")),
        english(1),
        "a Cyrillic а"
    );
    assert_eq!(
        error(&WORDS.replace("jungle", "abandon")),
        MnemonicError::Checksum
    );

    let many = error(&format!("{WORDS} TREZOR")).to_string();
    assert!(
        many.contains("found 13 (a passphrase, the \"25th word\""),
        "{many}"
    );
    assert!(!error("garage extend").to_string().contains("25th"));

    let russian =
        "купе каша отрасль садовый сзади сессия пресса плавание обычно взять недра неважно";
    assert_eq!(error(russian), MnemonicError::Language);
    let message = error(russian).to_string();
    assert!(message.contains("English, simplified Chinese"), "{message}");
}

#[test]
fn a_passphrase_leads_to_other_keys_and_to_those_of_the_vectors() {
    for row in vectors("bip39.json")["english"].as_array().unwrap() {
        let mnemonic = Mnemonic::from_phrase(row[1].as_str().unwrap()).unwrap();
        let plain = first_address(&mnemonic, Role::Holder);
        assert!(!mnemonic.has_passphrase());

        let trezor = mnemonic.clone().with_passphrase("TREZOR");
        assert_eq!(*trezor.root().unwrap().to_text(), row[3]);
        assert_ne!(first_address(&trezor, Role::Holder), plain);
        assert_ne!(trezor, mnemonic);
        assert!(!format!("{trezor:?}").contains("TREZOR"));
    }
}
