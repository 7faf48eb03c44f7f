//! How far a sale has come: six stages, each with what proves it.

use alloy_primitives::{Address, B256};
use api_types::{
    AsOf, SaleDetail, SaleRequest, SaleShare, ShareState, Stage, StageName, StageState,
    format_moment,
};
use domain::{BuyerKind, CommitCertificate, ValidatorSet};
use read_model::sales::{EvmPlace, SaleFacts, ShareFacts};
use time::OffsetDateTime;

/// What this gateway itself saw of a sale that came through it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// When the sale arrived here.
    pub received: Option<OffsetDateTime>,
    /// When a node answered that it is final.
    pub finalized: Option<OffsetDateTime>,
}

/// A sale that is in the mirror.
pub fn mirrored_sale(
    facts: &SaleFacts,
    validators: Option<&ValidatorSet>,
    seen: Seen,
    as_of: AsOf,
) -> SaleDetail {
    let stages = stages_of(facts, validators, seen);
    let sale = facts.sale.clone();

    SaleDetail {
        outlet: sale.outlet,
        sale_id: sale.sale_id,
        transaction_id: sale.transaction_id,
        terminal: facts.terminal,
        occurred_at: format_moment(sale.occurred_at),
        currency: sale.currency,
        total: sale.total,
        buyer_kind: sale.buyer_kind,
        buyer: facts.buyer,
        height: Some(sale.height),
        time: Some(sale.time),
        issued: Some(sale.issued),
        not_issued: sale.not_issued,
        refunded: sale.refunded,
        reversed: facts.shares.iter().map(|share| share.reversed).sum(),
        anchored: sale.anchored,
        stage: furthest_stage(&stages),
        stages,
        as_of,
    }
}

/// A sale that only this gateway knows: as it was sent, with nothing that a block would say.
pub fn waiting_sale(
    request: &SaleRequest,
    transaction_id: B256,
    seen: Seen,
    as_of: AsOf,
) -> SaleDetail {
    let stages = waiting_stages(request.terminal, seen);

    SaleDetail {
        outlet: request.outlet,
        sale_id: request.sale_id,
        transaction_id,
        terminal: request.terminal,
        occurred_at: request.occurred_at.clone(),
        currency: request.currency.to_string(),
        total: request.total,
        buyer_kind: request.buyer_kind.name().to_owned(),
        buyer: (request.buyer_kind != BuyerKind::None).then_some(request.buyer),
        height: None,
        time: None,
        issued: None,
        not_issued: None,
        refunded: 0,
        reversed: 0,
        anchored: false,
        stage: furthest_stage(&stages),
        stages,
        as_of,
    }
}

/// The stages of a sale that is in the mirror.
fn stages_of(facts: &SaleFacts, validators: Option<&ValidatorSet>, seen: Seen) -> Vec<Stage> {
    let received = Stage::Received {
        state: StageState::Done,
        at: seen.received,
        terminal: facts.terminal,
    };
    let in_block = Stage::InBlock {
        state: StageState::Done,
        at: Some(facts.sale.time),
        height: Some(facts.sale.height),
        block_hash: Some(facts.block_hash),
    };

    vec![
        received,
        in_block,
        committed_stage(facts, validators, seen),
        anchored_stage(facts),
        minted_stage(facts),
        indexed_stage(facts),
    ]
}

/// The stages of a sale that only this gateway has seen.
fn waiting_stages(terminal: Address, seen: Seen) -> Vec<Stage> {
    let (state, at) = (StageState::Waiting, None);

    vec![
        Stage::Received {
            state: StageState::Done,
            at: seen.received,
            terminal,
        },
        Stage::InBlock {
            state,
            at,
            height: None,
            block_hash: None,
        },
        Stage::Final {
            state,
            at,
            round: None,
            signatures: None,
            power_signed: None,
            power_total: None,
        },
        anchored_at(None),
        Stage::Minted {
            state,
            at,
            shares: None,
        },
        Stage::Indexed { state, at },
    ]
}

/// The last stage that is behind the sale with all before it.
fn furthest_stage(stages: &[Stage]) -> StageName {
    let reached = stages
        .iter()
        .map(Stage::state)
        .take_while(|(_, state)| *state != StageState::Waiting);
    reached.last().map_or(StageName::Received, |(name, _)| name)
}

const fn done_if(done: bool) -> StageState {
    if done {
        StageState::Done
    } else {
        StageState::Waiting
    }
}

fn committed_stage(facts: &SaleFacts, validators: Option<&ValidatorSet>, seen: Seen) -> Stage {
    let certificate = &facts.certificate;
    let powers = validators.and_then(|set| powers_of(certificate, set));

    Stage::Final {
        state: StageState::Done,
        at: seen.finalized,
        round: Some(certificate.round),
        signatures: Some(certificate.signatures.len()),
        power_signed: powers.map(|(signed, _)| signed),
        power_total: powers.map(|(_, total)| total),
    }
}

/// The power that signed, and the whole set's; `None` when this cannot be the set that decided: somebody signed who is
/// not in it, or too few did.
fn powers_of(certificate: &CommitCertificate, set: &ValidatorSet) -> Option<(u64, u64)> {
    let power = |address| set.get(address).map(|validator| validator.power);
    let signed: Option<u64> = certificate
        .signatures
        .iter()
        .map(|signature| power(signature.validator))
        .sum();

    signed
        .filter(|signed| set.is_quorum(*signed))
        .map(|signed| (signed, set.total_power()))
}

fn anchored_stage(facts: &SaleFacts) -> Stage {
    anchored_at(facts.anchored)
}

fn anchored_at(place: Option<EvmPlace>) -> Stage {
    Stage::Anchored {
        state: done_if(place.is_some()),
        at: place.map(|place| place.time),
        epoch: place.and_then(|place| place.epoch),
        tx_hash: place.map(|place| place.tx_hash),
        evm_block: place.map(|place| place.evm_block),
        evm_final: place.map(|place| place.evm_final),
    }
}

fn minted_stage(facts: &SaleFacts) -> Stage {
    let state = minted_state(facts);
    let places = facts.shares.iter().filter_map(|share| share.minted);
    let last = places.map(|place| place.time).max();

    Stage::Minted {
        state,
        at: last.filter(|_| state == StageState::Done),
        shares: Some(facts.shares.iter().map(sale_share).collect()),
    }
}

/// Done once every share that belongs to an account, and that refunds left something of, is minted.
fn minted_state(facts: &SaleFacts) -> StageState {
    let is_owed = |share: &&ShareFacts| {
        let is_mintable = !share.paid_debt && !share.bonded;
        share.kind == "account" && share.units > share.reversed && is_mintable
    };
    let mut owed = facts.shares.iter().filter(is_owed);

    match facts.sale.issued {
        0 => StageState::NotNeeded,
        _ => done_if(owed.all(|share| share.minted.is_some())),
    }
}

fn sale_share(facts: &ShareFacts) -> SaleShare {
    let state = match (facts.kind.as_str(), facts.minted, facts.released) {
        // A refund does not take tokens back: what was minted stays, and is the owner's debt.
        (_, Some(_), _) => ShareState::Minted,
        _ if facts.reversed == facts.units => ShareState::Reversed,
        ("pool", ..) => ShareState::Pool,
        ("receipt", ..) => ShareState::Unclaimed,
        _ if facts.paid_debt => ShareState::PaidDebt,
        _ if facts.bonded => ShareState::Bonded,
        (_, None, true) => ShareState::Released,
        (_, None, false) => ShareState::Pending,
    };
    let place = facts.minted;

    SaleShare {
        kind: facts.kind.clone(),
        address: facts.address,
        units: facts.units,
        reversed: facts.reversed,
        state,
        at: place.map(|place| place.time),
        epoch: place.and_then(|place| place.epoch),
        tx_hash: place.map(|place| place.tx_hash),
        evm_block: place.map(|place| place.evm_block),
        evm_final: place.map(|place| place.evm_final),
    }
}

/// Done once everything before stands in EVM blocks that can no longer be replaced.
fn indexed_stage(facts: &SaleFacts) -> Stage {
    let is_final = |place: &Option<EvmPlace>| place.is_none_or(|place| place.evm_final);
    let anchored = facts.anchored.is_some() && is_final(&facts.anchored);
    let minted = minted_state(facts) != StageState::Waiting
        && facts.shares.iter().all(|share| is_final(&share.minted));

    Stage::Indexed {
        state: done_if(anchored && minted),
        at: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::FixedBytes;
    use api_types::SaleRow;
    use domain::certificate::CommitSignature;
    use domain::crypto::address_of;
    use domain::{SaleId, Signature, Validator};
    use secp256k1::{SECP256K1, SecretKey};

    fn place(evm_final: bool) -> EvmPlace {
        let time = OffsetDateTime::UNIX_EPOCH;
        EvmPlace {
            epoch: Some(3),
            tx_hash: B256::ZERO,
            evm_block: 9,
            time,
            evm_final,
        }
    }

    fn share_of(kind: &str, released: bool, minted: Option<EvmPlace>) -> ShareFacts {
        ShareFacts {
            kind: kind.into(),
            address: None,
            units: 49,
            reversed: 0,
            released,
            paid_debt: false,
            bonded: false,
            minted,
        }
    }

    fn facts(issued: u64, anchored: Option<EvmPlace>, shares: Vec<ShareFacts>) -> SaleFacts {
        let time = OffsetDateTime::UNIX_EPOCH;
        let sale = SaleRow {
            outlet: 1,
            sale_id: SaleId([1; 16]),
            transaction_id: B256::ZERO,
            height: 7,
            place: 0,
            time,
            occurred_at: time,
            currency: "GEL".into(),
            total: 100,
            buyer_kind: "wallet".into(),
            issued,
            not_issued: None,
            refunded: 0,
            anchored: anchored.is_some(),
        };
        let certificate = CommitCertificate {
            height: 7,
            round: 0,
            block_hash: B256::ZERO,
            signatures: Vec::new(),
        };
        let (terminal, block_hash) = (Address::ZERO, B256::ZERO);
        SaleFacts {
            sale,
            terminal,
            buyer: None,
            block_hash,
            certificate,
            anchored,
            shares,
            validators_hash: None,
        }
    }

    fn reached(facts: &SaleFacts) -> StageName {
        furthest_stage(&stages_of(facts, None, Seen::default()))
    }

    #[test]
    fn a_sale_goes_from_stage_to_stage_and_back_when_the_evm_takes_a_block_away() {
        let (pending, released) = (
            share_of("account", false, None),
            share_of("account", true, None),
        );
        let minted = |evm_final| share_of("account", true, Some(place(evm_final)));
        assert_eq!(reached(&facts(100, None, vec![pending])), StageName::Final);
        assert_eq!(
            reached(&facts(100, Some(place(false)), vec![released.clone()])),
            StageName::Anchored
        );
        assert_eq!(
            reached(&facts(100, Some(place(false)), vec![minted(false)])),
            StageName::Minted
        );
        assert_eq!(
            reached(&facts(100, Some(place(true)), vec![minted(false)])),
            StageName::Minted
        );
        assert_eq!(
            reached(&facts(100, Some(place(true)), vec![minted(true)])),
            StageName::Indexed
        );
        assert_eq!(
            reached(&facts(100, None, vec![minted(true)])),
            StageName::Final,
            "the checkpoint is gone"
        );
        assert_eq!(
            reached(&facts(100, Some(place(true)), vec![minted(true), released])),
            StageName::Anchored
        );
    }

    fn set_of(powers: &[(u8, u64)]) -> ValidatorSet {
        let validator = |(secret, power): &(u8, u64)| {
            let key = SecretKey::from_byte_array([*secret; 32])
                .unwrap()
                .public_key(SECP256K1);
            Validator {
                address: address_of(&key),
                power: *power,
                public_key: FixedBytes(key.serialize()),
            }
        };
        let mut validators: Vec<Validator> = powers.iter().map(validator).collect();
        validators.sort_by_key(|validator| validator.address);
        validators.try_into().unwrap()
    }

    fn signed_by(set: &ValidatorSet) -> CommitCertificate {
        let signature = |validator: &Validator| CommitSignature {
            validator: validator.address,
            signature: Signature([0; 65]),
        };
        CommitCertificate {
            height: 7,
            round: 0,
            block_hash: B256::ZERO,
            signatures: set.as_slice().iter().map(signature).collect(),
        }
    }

    #[test]
    fn the_power_is_counted_in_the_set_that_decided_and_in_no_other() {
        let (genesis, elected) = (set_of(&[(1, 10), (2, 10)]), set_of(&[(2, 30), (3, 40)]));
        let certificate = signed_by(&elected);
        assert_eq!(powers_of(&certificate, &elected), Some((70, 70)));
        assert_eq!(powers_of(&certificate, &genesis), None, "a stranger signed");

        let mut too_few = certificate;
        too_few.signatures.truncate(1);
        assert_eq!(powers_of(&too_few, &elected), None);
    }

    #[test]
    fn units_without_an_account_or_of_a_refund_wait_for_nothing() {
        let minted = share_of("account", true, Some(place(true)));
        let receipt = share_of("receipt", false, None);
        assert_eq!(
            reached(&facts(
                100,
                Some(place(true)),
                vec![minted.clone(), receipt]
            )),
            StageName::Indexed
        );
        let reversed = ShareFacts {
            reversed: 49,
            ..share_of("account", false, None)
        };
        assert_eq!(sale_share(&reversed).state, ShareState::Reversed);
        let given_back = ShareFacts {
            reversed: 49,
            ..minted.clone()
        };
        assert_eq!(
            sale_share(&given_back).state,
            ShareState::Minted,
            "a refund takes no tokens back"
        );
        let paid_debt = ShareFacts {
            paid_debt: true,
            ..share_of("account", true, None)
        };
        assert_eq!(sale_share(&paid_debt).state, ShareState::PaidDebt);
        let bonded = ShareFacts {
            bonded: true,
            ..share_of("account", true, None)
        };
        assert_eq!(sale_share(&bonded).state, ShareState::Bonded);
        assert_eq!(
            reached(&facts(100, Some(place(true)), vec![minted.clone(), bonded])),
            StageName::Indexed
        );
        assert_eq!(
            reached(&facts(
                100,
                Some(place(true)),
                vec![minted.clone(), paid_debt]
            )),
            StageName::Indexed
        );
        assert_eq!(
            reached(&facts(100, Some(place(true)), vec![minted, reversed])),
            StageName::Indexed
        );
        assert_eq!(
            reached(&facts(0, Some(place(true)), vec![])),
            StageName::Indexed
        );
        assert_eq!(
            furthest_stage(&waiting_stages(Address::ZERO, Seen::default())),
            StageName::Received
        );
    }
}
