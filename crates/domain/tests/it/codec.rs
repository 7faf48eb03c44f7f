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
        chain.evidence("validator 4", chain.double_vote("validator 4", 3), "validator 0"),
        chain.set_parameters(Parameters::DEFAULT),
        chain.cancel_change(7),
    ]
}

#[test]
fn every_transaction_survives_the_codec_and_json() {
    for transaction in samples() {
        assert_eq!(SignedTransaction::decode(&transaction.encode()).unwrap(), transaction);
        let json = serde_json::to_string(&transaction).unwrap();
        assert_eq!(serde_json::from_str::<SignedTransaction>(&json).unwrap(), transaction, "{json}");
    }
}

#[test]
fn an_unknown_tag_and_too_many_bytes_are_named() {
    let mut bytes = samples()[0].encode();
    bytes[0] = 17;
    assert!(matches!(SignedTransaction::decode(&bytes), Err(DecodeError::UnknownTag { found: 17, max: 16 })));
    let long = vec![0; TRANSACTION_BYTES_MAX + 1];
    assert!(matches!(SignedTransaction::decode(&long), Err(DecodeError::TooLong { .. })));
}

proptest! {
    /// Truncation, trailing bytes and flipped bits: an error, or another transaction with exactly these bytes.
    #[test]
    fn hostile_bytes_are_refused_or_canonical(which in 0usize..8, flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4), cut in any::<prop::sample::Index>(), tail in proptest::collection::vec(any::<u8>(), 0..3)) {
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
