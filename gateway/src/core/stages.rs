//! How far a sale has come: six stages, each with what proves it.

use alloy_primitives::{Address, B256};
use domain::Validator;
use indexer::query::sales::{EvmPlace, SaleFacts, ShareFacts};
use serde::Serialize;
use time::OffsetDateTime;

/// Whether a stage is behind the sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is.
    Done,
    /// Not yet, or not any more after a reorganisation.
    Waiting,
    /// It never will be, because nothing was issued.
    NotNeeded,
}

impl State {
    const fn of(done: bool) -> Self {
        if done { Self::Done } else { Self::Waiting }
    }
}

/// One stage of a sale.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Stage {
    /// Its name.
    pub stage: &'static str,
    /// Whether it is behind the sale.
    pub state: State,
    /// When it was reached, as far as known.
    #[serde(with = "time::serde::rfc3339::option")]
    pub at: Option<OffsetDateTime>,
    /// What proves it.
    #[serde(flatten)]
    pub evidence: Evidence,
}

/// What proves a stage.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Evidence {
    /// The terminal's signature.
    Received {
        /// Who signed.
        terminal: Address,
    },
    /// The block.
    InBlock {
        /// Its height.
        height: u64,
        /// Its hash.
        block_hash: B256,
    },
    /// The commit certificate.
    Final {
        /// The round that decided.
        round: u32,
        /// How many validators signed.
        signatures: usize,
        /// Their power.
        power_signed: u64,
        /// Everybody's power.
        power_total: u64,
    },
    /// The checkpoint in the contract.
    Anchored {
        /// Its epoch.
        epoch: Option<u64>,
        /// The transaction that anchored it.
        tx_hash: B256,
        /// The transaction's block.
        evm_block: u64,
        /// Whether that block can no longer be replaced.
        evm_final: bool,
    },
    /// The payouts.
    Minted {
        /// The sale's split.
        shares: Vec<Share>,
    },
    /// Nothing yet, or nothing beyond the stages before.
    Nothing {},
}

/// One share of a sale as people see it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Share {
    /// `account`, `receipt` or `pool`.
    pub kind: String,
    /// Who; absent for the pool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// As split.
    pub units: u64,
    /// Taken back by refunds.
    pub reversed: u64,
    /// `pending`, `released`, `minted`, `unclaimed`, `pool`, `reversed` or `paid_debt`.
    pub state: &'static str,
    /// Where it was minted.
    #[serde(flatten)]
    pub minted: Option<EvmPlace>,
}

/// What this gateway itself saw of a sale that came through it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// When the sale arrived here.
    pub received: Option<OffsetDateTime>,
    /// When a node answered that it is final.
    pub finalized: Option<OffsetDateTime>,
}

/// The stages of a sale that is in the mirror.
pub fn stages(facts: &SaleFacts, validators: &[Validator], seen: Seen) -> Vec<Stage> {
    let done = |stage, at, evidence| Stage {
        stage,
        state: State::Done,
        at,
        evidence,
    };
    let (terminal, height, block_hash) = (facts.terminal, facts.sale.height, facts.block_hash);
    vec![
        done("received", seen.received, Evidence::Received { terminal }),
        done(
            "in_block",
            Some(facts.sale.time),
            Evidence::InBlock { height, block_hash },
        ),
        done("final", seen.finalized, certificate(facts, validators)),
        anchored(facts),
        minted(facts),
        indexed(facts),
    ]
}

/// The stages of a sale that only this gateway has seen.
pub fn waiting_stages(terminal: Address, seen: Seen) -> Vec<Stage> {
    let waiting = |stage| Stage {
        stage,
        state: State::Waiting,
        at: None,
        evidence: Evidence::Nothing {},
    };
    let received = Stage {
        stage: "received",
        state: State::Done,
        at: seen.received,
        evidence: Evidence::Received { terminal },
    };
    [
        vec![received],
        ["in_block", "final", "anchored", "minted", "indexed"]
            .map(waiting)
            .to_vec(),
    ]
    .concat()
}

/// The last stage that is behind the sale with all before it.
pub fn furthest(stages: &[Stage]) -> &'static str {
    let reached = stages
        .iter()
        .take_while(|stage| stage.state != State::Waiting);
    reached.last().map_or("received", |stage| stage.stage)
}

fn certificate(facts: &SaleFacts, validators: &[Validator]) -> Evidence {
    let signatures = &facts.certificate.signatures;
    let power = |address| {
        validators
            .iter()
            .find(|validator| validator.address == address)
            .map_or(0, |v| v.power)
    };
    Evidence::Final {
        round: facts.certificate.round,
        signatures: signatures.len(),
        power_signed: signatures
            .iter()
            .map(|signature| power(signature.validator))
            .sum(),
        power_total: validators.iter().map(|validator| validator.power).sum(),
    }
}

fn anchored(facts: &SaleFacts) -> Stage {
    let evidence = facts
        .anchored
        .map_or(Evidence::Nothing {}, |place| Evidence::Anchored {
            epoch: place.epoch,
            tx_hash: place.tx_hash,
            evm_block: place.evm_block,
            evm_final: place.evm_final,
        });
    let at = facts.anchored.map(|place| place.time);
    Stage {
        stage: "anchored",
        state: State::of(at.is_some()),
        at,
        evidence,
    }
}

fn minted(facts: &SaleFacts) -> Stage {
    let shares: Vec<Share> = facts.shares.iter().map(share).collect();
    let state = minted_state(facts);
    let last = facts
        .shares
        .iter()
        .filter_map(|share| share.minted)
        .map(|place| place.time)
        .max();
    let at = last.filter(|_| state == State::Done);
    Stage {
        stage: "minted",
        state,
        at,
        evidence: Evidence::Minted { shares },
    }
}

/// Done once every share that belongs to an account, and that refunds left something of, is minted.
fn minted_state(facts: &SaleFacts) -> State {
    let is_owed = |share: &&ShareFacts| {
        share.kind == "account" && share.units > share.reversed && !share.paid_debt
    };
    let mut owed = facts.shares.iter().filter(is_owed);
    match facts.sale.issued {
        0 => State::NotNeeded,
        _ => State::of(owed.all(|share| share.minted.is_some())),
    }
}

fn share(facts: &ShareFacts) -> Share {
    let state = match (facts.kind.as_str(), facts.minted, facts.released) {
        // A refund does not take tokens back: what was minted stays, and is the owner's debt.
        (_, Some(_), _) => "minted",
        _ if facts.reversed == facts.units => "reversed",
        ("pool", ..) => "pool",
        ("receipt", ..) => "unclaimed",
        _ if facts.paid_debt => "paid_debt",
        (_, None, true) => "released",
        (_, None, false) => "pending",
    };
    let ShareFacts {
        kind,
        address,
        units,
        reversed,
        minted,
        ..
    } = facts.clone();
    Share {
        kind,
        address,
        units,
        reversed,
        state,
        minted,
    }
}

/// Done once everything before stands in EVM blocks that can no longer be replaced.
fn indexed(facts: &SaleFacts) -> Stage {
    let is_final = |place: &Option<EvmPlace>| place.is_none_or(|place| place.evm_final);
    let anchored = facts.anchored.is_some() && is_final(&facts.anchored);
    let minted = minted_state(facts) != State::Waiting
        && facts.shares.iter().all(|share| is_final(&share.minted));
    let state = State::of(anchored && minted);
    Stage {
        stage: "indexed",
        state,
        at: None,
        evidence: Evidence::Nothing {},
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{CommitCertificate, SaleId};
    use indexer::query::sales::SaleRow;

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
        }
    }

    fn reached(facts: &SaleFacts) -> &'static str {
        furthest(&stages(facts, &[], Seen::default()))
    }

    #[test]
    fn a_sale_goes_from_stage_to_stage_and_back_when_the_evm_takes_a_block_away() {
        let (pending, released) = (
            share_of("account", false, None),
            share_of("account", true, None),
        );
        let minted = |evm_final| share_of("account", true, Some(place(evm_final)));
        assert_eq!(reached(&facts(100, None, vec![pending])), "final");
        assert_eq!(
            reached(&facts(100, Some(place(false)), vec![released.clone()])),
            "anchored"
        );
        assert_eq!(
            reached(&facts(100, Some(place(false)), vec![minted(false)])),
            "minted"
        );
        assert_eq!(
            reached(&facts(100, Some(place(true)), vec![minted(false)])),
            "minted"
        );
        assert_eq!(
            reached(&facts(100, Some(place(true)), vec![minted(true)])),
            "indexed"
        );
        assert_eq!(
            reached(&facts(100, None, vec![minted(true)])),
            "final",
            "the checkpoint is gone"
        );
        assert_eq!(
            reached(&facts(100, Some(place(true)), vec![minted(true), released])),
            "anchored"
        );
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
            "indexed"
        );
        let reversed = ShareFacts {
            reversed: 49,
            ..share_of("account", false, None)
        };
        assert_eq!(share(&reversed).state, "reversed");
        let given_back = ShareFacts {
            reversed: 49,
            ..minted.clone()
        };
        assert_eq!(
            share(&given_back).state,
            "minted",
            "a refund takes no tokens back"
        );
        let paid_debt = ShareFacts {
            paid_debt: true,
            ..share_of("account", true, None)
        };
        assert_eq!(share(&paid_debt).state, "paid_debt");
        assert_eq!(
            reached(&facts(
                100,
                Some(place(true)),
                vec![minted.clone(), paid_debt]
            )),
            "indexed"
        );
        assert_eq!(
            reached(&facts(100, Some(place(true)), vec![minted, reversed])),
            "indexed"
        );
        assert_eq!(reached(&facts(0, Some(place(true)), vec![])), "indexed");
        assert_eq!(
            furthest(&waiting_stages(Address::ZERO, Seen::default())),
            "received"
        );
    }
}
