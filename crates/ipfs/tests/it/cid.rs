use ipfs::{Cid, Codec};
use proptest::prelude::*;

#[test]
fn other_spellings_and_other_kinds_are_refused() {
    let cid = Cid::of_block(Codec::Raw, b"hello world").to_string();
    for wrong in [
        String::new(),
        cid.to_uppercase(),
        format!("{cid} "),
        format!("/ipfs/{cid}"),
        cid.replacen('b', "f", 1),
        // Version 0, dag-cbor, identity.
        "QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH".into(),
        "bafyreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy".into(),
        "bafkqaaa".into(),
    ] {
        assert!(wrong.parse::<Cid>().is_err(), "{wrong}");
    }
    assert!(
        "x".parse::<Cid>()
            .unwrap_err()
            .to_string()
            .contains("found \"x\"")
    );
}

proptest! {
    #[test]
    fn text_and_bytes_lead_back(block in prop::collection::vec(any::<u8>(), 0..100), raw: bool) {
        let cid = Cid::of_block(if raw { Codec::Raw } else { Codec::DagPb }, &block);
        prop_assert_eq!(cid.to_string().parse(), Ok(cid));
        prop_assert_eq!(Cid::from_bytes(cid.as_bytes()), Ok(cid));
        prop_assert!(cid.matches(&block));
        prop_assert_eq!(cid.to_string().parse::<cid::Cid>().unwrap().to_bytes(), cid.as_bytes().to_vec());
    }

    #[test]
    fn whatever_is_read_is_canonical(text in "[a-z2-7]{0,70}", bytes in prop::collection::vec(any::<u8>(), 0..50)) {
        if let Ok(cid) = text.parse::<Cid>() {
            prop_assert_eq!(cid.to_string(), text);
        }
        if let Ok(cid) = Cid::from_bytes(&bytes) {
            prop_assert_eq!(cid.as_bytes().to_vec(), bytes);
        }
    }

    #[test]
    fn a_changed_letter_is_never_the_same_cid(block: [u8; 8], at in 1usize..59, letter in "[a-z2-7]") {
        let cid = Cid::of_block(Codec::Raw, &block);
        let mut text = cid.to_string();
        text.replace_range(at..at + 1, &letter);
        if let Ok(other) = text.parse::<Cid>() {
            prop_assert_eq!(other == cid, text == cid.to_string());
        }
    }
}
