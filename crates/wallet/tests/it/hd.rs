//! Words, seeds, paths.

use crate::vectors;
use proptest::prelude::*;
use serde_json::Value;
use wallet::{
    ExtendedKey, ExtendedPublicKey, HdError, HdPath, Mnemonic, MnemonicError, Role, address,
    format_key,
};

const JUNK: &str = "test test test test test test test test test test test junk";

fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field].as_str().unwrap()
}

#[test]
fn bip39_vectors() {
    let all = vectors("bip39.json");
    let rows = all["english"].as_array().unwrap();
    assert_eq!(rows.len(), 24);
    for row in rows {
        let [entropy, phrase, seed, root] =
            [0, 1, 2, 3].map(|column| row[column].as_str().unwrap());
        let mnemonic = Mnemonic::from_phrase(phrase).unwrap();
        assert_eq!(hex::encode(mnemonic.entropy()), entropy);
        assert_eq!(
            *Mnemonic::from_entropy(&hex::decode(entropy).unwrap())
                .unwrap()
                .phrase(),
            phrase
        );
        let derived = mnemonic.seed("TREZOR").unwrap();
        assert_eq!(hex::encode(*derived), seed);
        assert_eq!(
            *ExtendedKey::from_seed(derived.as_slice())
                .unwrap()
                .to_text(),
            root
        );
    }
}

#[test]
fn bip32_vectors_1_to_4() {
    let all = vectors("bip32.json");
    let mut chains = 0;
    for vector in all["vectors"].as_array().unwrap() {
        let root = ExtendedKey::from_seed(&hex::decode(text(vector, "seed")).unwrap()).unwrap();
        for chain in vector["chains"].as_array().unwrap() {
            let key = root.derive(&text(chain, "path").parse().unwrap()).unwrap();
            assert_eq!(*key.to_text(), text(chain, "xprv"));
            assert_eq!(key.public().to_string(), text(chain, "xpub"));
            let read: ExtendedKey = text(chain, "xprv").parse().unwrap();
            assert_eq!(read.secret().unwrap(), key.secret().unwrap());
            let public: ExtendedPublicKey = text(chain, "xpub").parse().unwrap();
            assert_eq!(public.address().unwrap(), address(&key.secret().unwrap()));
            chains += 1;
        }
    }
    assert_eq!(chains, 17);
}

#[test]
fn bip32_vector_5_is_refused_whole() {
    let all = vectors("bip32.json");
    let invalid = all["invalid"].as_array().unwrap();
    assert_eq!(invalid.len(), 16);
    for row in invalid {
        let (key, why) = (text(row, "key"), text(row, "why"));
        assert!(key.parse::<ExtendedKey>().is_err(), "{why}");
        assert!(key.parse::<ExtendedPublicKey>().is_err(), "{why}");
    }
}

#[test]
fn another_implementation_derives_the_same_keys() {
    let rows = vectors("hd.json");
    let rows = rows.as_array().unwrap();
    assert_eq!(rows.len(), 40);
    for row in rows {
        let seed = Mnemonic::from_phrase(text(row, "mnemonic"))
            .unwrap()
            .seed(text(row, "passphrase"))
            .unwrap();
        let path: HdPath = text(row, "path").parse().unwrap();
        let key = ExtendedKey::from_seed(seed.as_slice())
            .unwrap()
            .derive(&path)
            .unwrap()
            .secret()
            .unwrap();
        assert_eq!(*format_key(&key), text(row, "key"), "{path}");
        assert_eq!(address(&key).to_string(), text(row, "address"), "{path}");
    }
}

#[test]
fn the_holders_first_keys_are_those_that_every_ethereum_wallet_shows() {
    let mnemonic = Mnemonic::from_phrase(JUNK).unwrap();
    let shown = |index| address(&mnemonic.key(&Role::Holder.path(index)).unwrap()).to_string();
    assert_eq!(shown(0), "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
    assert_eq!(shown(1), "0x70997970C51812dc3A010C7d01b50e0d17dc79C8");
}

#[test]
fn words_are_read_as_people_write_them_and_mistakes_are_named_without_showing_them() {
    let shouted = format!("  {}\n", JUNK.to_uppercase().replace(' ', "\t "));
    assert_eq!(
        Mnemonic::from_phrase(&shouted).unwrap(),
        Mnemonic::from_phrase(JUNK).unwrap()
    );
    let wrong = [
        (
            JUNK.replace("junk", "jank"),
            MnemonicError::Word {
                position: 12,
                list: "English",
            },
        ),
        (JUNK.replace("junk", "test"), MnemonicError::Checksum),
        (
            JUNK.replace(" junk", ""),
            MnemonicError::WordCount { found: 11 },
        ),
        (String::new(), MnemonicError::WordCount { found: 0 }),
    ];
    for (phrase, error) in wrong {
        assert_eq!(Mnemonic::from_phrase(&phrase).unwrap_err(), error);
        assert!(!error.to_string().contains("jank"));
    }
    assert_eq!(
        Mnemonic::generate(13).unwrap_err(),
        MnemonicError::WordCount { found: 13 }
    );
    assert_ne!(
        Mnemonic::generate(12).unwrap(),
        Mnemonic::generate(12).unwrap()
    );
}

#[test]
fn debug_prints_no_secret() {
    let mnemonic = Mnemonic::from_phrase(JUNK).unwrap();
    let root = mnemonic.root().unwrap();
    let shown = format!("{mnemonic:?} {root:?} {:?}", root.secret().unwrap());
    let secret = format_key(&root.secret().unwrap());
    for part in ["test", "junk", "xprv", &secret[2..20]] {
        assert!(!shown.contains(part), "{shown}");
    }
}

#[test]
fn a_public_key_has_no_hardened_children() {
    let public = Mnemonic::from_phrase(JUNK)
        .unwrap()
        .root()
        .unwrap()
        .public();
    assert!(matches!(
        public.derive(&"m/0'".parse().unwrap()),
        Err(HdError::Hardened { .. })
    ));
    let bitcoin = "zprvAWgYBBk7JR8Gjrh4UJQ2uJdG1r3WNRRfURiABBE3RvMXYSrRJL62XuezvGdPvG6GFBZduosCc1YP5wixPox7zhZLfiUm8aunE96BBa4Kei5";
    assert!(matches!(
        bitcoin.parse::<ExtendedKey>(),
        Err(HdError::Version)
    ));
}

fn soft_path() -> impl Strategy<Value = String> {
    prop::collection::vec(0u32..1 << 31, 0..5).prop_map(|steps| {
        steps
            .iter()
            .fold("m".to_owned(), |path, step| format!("{path}/{step}"))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn public_derivation_is_the_public_half_of_private_derivation(seed: [u8; 32], first: u32, path in soft_path()) {
        let first: HdPath = format!("m/{}'", first >> 1).parse().unwrap();
        let parent = ExtendedKey::from_seed(&seed).unwrap().derive(&first).unwrap();
        let path: HdPath = path.parse().unwrap();
        let private = parent.derive(&path).unwrap();
        let public = parent.public().derive(&path).unwrap();
        prop_assert_eq!(public.to_string(), private.public().to_string());
        prop_assert_eq!(public.address().unwrap(), address(&private.secret().unwrap()));
    }

    #[test]
    fn words_and_entropy_are_the_same_thing(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        match Mnemonic::from_entropy(&bytes) {
            Ok(mnemonic) => {
                let read = Mnemonic::from_phrase(&mnemonic.phrase()).unwrap();
                prop_assert_eq!(read.entropy(), bytes.as_slice());
            }
            Err(error) => {
                prop_assert_eq!(error, MnemonicError::Entropy { found: bytes.len() });
                prop_assert!(![16, 20, 24, 28, 32].contains(&bytes.len()));
            }
        }
    }
}
