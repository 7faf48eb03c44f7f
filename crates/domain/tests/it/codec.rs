use crate::actors::{Chain, genesis};
use domain::limits::TRANSACTION_BYTES_MAX;
use domain::transaction::DecodeError;
use domain::*;
use proptest::prelude::*;

fn samples() -> Vec<SignedTransaction> {
    let mut chain = Chain::with_outlets(genesis());
    vec![
        chain.sign_sale(chain.sale(1, 5, BuyerKind::Receipt)),
        chain.register_outlet(9, OutletKind::Franchised, 3),
        chain.register_terminal(1, "till 9"),
        chain.revoke_terminal(1, "till 1"),
        chain.claim(1, 5, "guest 0"),
        chain.request_payout("guest 0"),
        chain.full_settlement(),
        chain.set_anchor(3),
        chain.refund(1, 5, 1, 849, "till 1"),
        chain.set_bonding("owner 1", 250_000),
        chain.unbond("owner 1", 7),
        chain.register_validator(1, "validator 4"),
        chain.heartbeat("validator 4"),
        chain.unjail(1, "validator 4"),
        chain.evidence(
            "validator 4",
            chain.double_vote("validator 4", 3),
            "validator 0",
        ),
        chain.set_parameters(Parameters::DEFAULT),
        chain.cancel_change(7),
        chain.consent(1, 7, 0),
        chain.legal_basis(1, 8),
        chain.revoke_consent(B256::repeat_byte(5), "guest 0"),
        chain.pin(chain.recording(1, 7, B256::repeat_byte(5), 1)),
        chain.erase(1, 1, "agent 1"),
    ]
}

#[test]
fn every_transaction_survives_the_codec_and_json() {
    for transaction in samples() {
        assert_eq!(
            SignedTransaction::decode(&transaction.encode()).unwrap(),
            transaction
        );
        let json = serde_json::to_string(&transaction).unwrap();
        assert_eq!(
            serde_json::from_str::<SignedTransaction>(&json).unwrap(),
            transaction,
            "{json}"
        );
    }
}

#[test]
fn an_unknown_tag_and_too_many_bytes_are_named() {
    let mut bytes = samples()[0].encode();
    bytes[0] = 22;
    assert!(matches!(
        SignedTransaction::decode(&bytes),
        Err(DecodeError::UnknownTag { found: 22, max: 21 })
    ));
    let long = vec![0; TRANSACTION_BYTES_MAX + 1];
    assert!(matches!(
        SignedTransaction::decode(&long),
        Err(DecodeError::TooLong { .. })
    ));
}

/// What `ipfs add --cid-version=1` says of the same bytes.
#[test]
fn a_content_id_is_written_as_ipfs_writes_it() {
    let text = "bafkreihkwq6sdj7v6areu3rlq245mxbkvjlh2d6lretzukxqdj2bf3oygy";
    let cid: Cid = text.parse().unwrap();
    assert_eq!(cid.to_string(), text);
    assert_eq!(cid.as_bytes()[..4], [0x01, 0x55, 0x12, 0x20]);
    let refused = [
        &text[1..],
        &text.to_uppercase(),
        "",
        "b",
        "QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWKwd1W",
        &format!("{text}a"),
    ];
    for text in refused {
        assert!(text.parse::<Cid>().is_err(), "{text}");
    }
}

proptest! {
    /// Truncation, trailing bytes and flipped bits: an error, or another transaction with exactly these bytes.
    #[test]
    fn hostile_bytes_are_refused_or_canonical(which in 0usize..22, flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4), cut in any::<prop::sample::Index>(), tail in proptest::collection::vec(any::<u8>(), 0..3)) {
        let mut bytes = samples()[which].encode();
        for (at, value) in flips {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        bytes.truncate(cut.index(bytes.len()) + 1);
        bytes.extend(tail);
        if let Ok(transaction) = SignedTransaction::decode(&bytes) {
            prop_assert_eq!(transaction.encode(), bytes);
        }
    }

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = SignedTransaction::decode(&bytes);
        let _ = Block::decode(&bytes);
    }

    /// There is one text of a content id, and one list of bytes.
    #[test]
    fn content_ids_parse_exactly(hash in any::<[u8; 32]>(), codec in prop_oneof![Just(0x55u8), Just(0x70)], place in any::<prop::sample::Index>(), letter in "[a-zA-Z0-9=+]") {
        let mut bytes = [0u8; 36];
        bytes[..4].copy_from_slice(&[0x01, codec, 0x12, 0x20]);
        bytes[4..].copy_from_slice(&hash);
        let cid = Cid::new(bytes).unwrap();
        let text = cid.to_string();
        prop_assert_eq!(text.parse::<Cid>(), Ok(cid));
        let place = place.index(text.len());
        let other = format!("{}{letter}{}", &text[..place], &text[place + 1..]);
        if let Ok(parsed) = other.parse::<Cid>() {
            prop_assert_eq!(parsed.to_string(), other);
        }
    }

    #[test]
    fn hostile_content_ids_never_panic(text in "b?.{0,70}", bytes in proptest::collection::vec(any::<u8>(), 0..50)) {
        if let Ok(cid) = text.parse::<Cid>() {
            prop_assert_eq!(cid.to_string(), text);
        }
        if let Ok(cid) = borsh::from_slice::<Cid>(&bytes) {
            prop_assert_eq!(cid.as_bytes().as_slice(), bytes.as_slice());
        }
    }

    #[test]
    fn ids_and_currencies_parse_exactly(text in ".{0,40}") {
        if let Ok(id) = text.parse::<SaleId>() {
            prop_assert_eq!(id.to_string(), text.to_lowercase());
        }
        if let Ok(currency) = text.parse::<Currency>() {
            prop_assert_eq!(currency.to_string(), text);
        }
    }
}
