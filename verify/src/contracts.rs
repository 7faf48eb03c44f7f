//! The contracts against the blocks: nothing anchored or minted that the ledger does not lead to.

use crate::chain::Chain;
use crate::evm::Scope;
use crate::evm_facts::{Contracts, Entry, Facts};
use crate::evm_rows::{
    decode_anchored, decode_chunk, decode_transfer, epoch_of_payout, token_balances,
};
use crate::payouts::{Excuse, Issuing, Overdue, find_excuse, find_overdue, find_parts};
use crate::report::{Difference, Report};
use alloy::primitives::{Address, U256};
use alloy::sol_types::SolEvent;
use contract_bindings::{CheckpointAnchor, FranchiseToken};
use domain::B256;
use domain::ledger::EpochCheckpoint;
use domain::payout::{Settlement, checkpoint_commitment};
use std::collections::{BTreeMap, BTreeSet};

/// A unit is 0.01 FRT.
const TOKEN_DECIMALS: u8 = 2;
/// How long after its checkpoint's block, at the least, what an epoch settles may wait to be minted: a relayer sends
/// the payouts of a large settlement one after another. Finality takes longer on most chains, and is waited for too.
const ISSUE_GRACE_S: u64 = 60;
/// Overdue accounts that are told one by one; the rest is summed up.
const OVERDUE_TOLD_MAX: usize = 20;

/// Compares all of it.
pub fn check(chain: &Chain, scope: Scope, facts: &Facts, report: &mut Report) {
    check_identity(chain, scope, facts, report);
    check_checkpoints(chain, scope, facts, report);
    check_issued(chain, facts, report);
    check_overdue(chain, scope, facts, report);
    check_supply(chain, scope, facts, report);
}

fn check_identity(chain: &Chain, scope: Scope, facts: &Facts, report: &mut Report) {
    let (ledger, contracts) = (&chain.ledger, &facts.contracts);

    report.same(
        "EVM node",
        "chain id",
        ledger.genesis().evm_chain_id,
        facts.chain_id,
    );
    report.same(
        "anchor",
        "sidechainId()",
        ledger.sidechain_id(),
        contracts.sidechain_id,
    );
    report.same("anchor", "token()", scope.token, contracts.anchor_token);
    report.same("token", "decimals()", TOKEN_DECIMALS, contracts.decimals);
    report.same("token", "issuer()", scope.anchor, contracts.issuer);

    match ledger.anchor() {
        None => report.fact("ledger", "it is bound to no contracts yet"),
        Some(binding) => {
            report.same(
                "ledger",
                "token that it is bound to",
                scope.token,
                binding.token,
            );
            report.same(
                "ledger",
                "anchor that it is bound to",
                scope.anchor,
                binding.anchor,
            );
        }
    }

    for pair in facts.blocks.windows(2) {
        report.same(
            &format!("EVM block {}", pair[1].number),
            "parent hash",
            pair[0].hash,
            pair[1].parent_hash,
        );
    }

    report.count("EVM blocks", facts.blocks.len() as u64);
    report.count("EVM logs", facts.logs.len() as u64);
}

fn check_checkpoints(chain: &Chain, scope: Scope, facts: &Facts, report: &mut Report) {
    let revoked: BTreeSet<u64> = facts.logs.iter().filter_map(revoked_epoch).collect();
    let mut last = None;

    for event in facts.logs.iter().filter_map(decode_anchored) {
        let place = format!("epoch {}", event.epoch);
        report.count("anchored checkpoints", 1);

        match chain
            .checkpoints
            .get(&event.epoch)
            .filter(|closed| closed.anchor == scope.anchor)
        {
            None => report.fact(
                place,
                "it is anchored, but the blocks lead to no such checkpoint",
            ),
            Some(closed) => {
                same_event(&place, closed, &event, report);
                check_commitment(&place, closed, &revoked, &facts.contracts, report);
            }
        }

        if let Some(last) = last {
            report.same(
                &format!("anchored epoch after {last}"),
                "epoch",
                last + 1,
                event.epoch,
            );
        }
        last = Some(event.epoch);
    }

    check_head(chain, last, &facts.contracts, report);
}

fn revoked_epoch(entry: &Entry) -> Option<u64> {
    Some(
        CheckpointAnchor::RootRevoked::decode_log(&entry.inner)
            .ok()?
            .epoch,
    )
}

fn same_event(
    place: &str,
    closed: &EpochCheckpoint,
    event: &CheckpointAnchor::CheckpointAnchored,
    report: &mut Report,
) {
    let checkpoint = &closed.checkpoint;

    report.same(
        place,
        "anchored first height",
        checkpoint.first_height,
        event.firstHeight,
    );
    report.same(
        place,
        "anchored last height",
        checkpoint.last_height,
        event.lastHeight,
    );

    report.same(
        place,
        "anchored blocks root",
        checkpoint.blocks_root,
        event.blocksRoot,
    );
    report.same(
        place,
        "anchored state root",
        checkpoint.state_root,
        event.stateRoot,
    );
    report.same(
        place,
        "anchored payout root",
        checkpoint.payout_root,
        event.payoutRoot,
    );
    report.same(
        place,
        "anchored recordings root",
        checkpoint.recordings_root,
        event.recordingsRoot,
    );

    report.same(
        place,
        "anchored total released",
        checkpoint.total_released,
        event.totalReleased,
    );
    report.same(
        place,
        "anchored next validators",
        checkpoint.next_validators_hash,
        event.nextValidatorsHash,
    );
}

/// The guardian may have revoked it: then the anchor keeps nothing.
fn check_commitment(
    place: &str,
    closed: &EpochCheckpoint,
    revoked: &BTreeSet<u64>,
    contracts: &Contracts,
    report: &mut Report,
) {
    let checkpoint = &closed.checkpoint;
    let found = contracts
        .commitments
        .get(&checkpoint.epoch)
        .copied()
        .unwrap_or_default();

    if revoked.contains(&checkpoint.epoch) && found.is_zero() {
        report
            .notes
            .push(format!("{place} was revoked by the guardian"));
        return;
    }

    report.same(
        place,
        "kept commitment",
        checkpoint_commitment(checkpoint.payout_root, checkpoint.rest_hash()),
        found,
    );
}

fn check_head(chain: &Chain, last: Option<u64>, contracts: &Contracts, report: &mut Report) {
    let Some(last) = last else {
        return report
            .notes
            .push("no checkpoint is anchored yet".to_owned());
    };

    report.same("anchor", "head().epoch", last, contracts.epoch);
    if let Some(closed) = chain.checkpoints.get(&last) {
        report.same(
            "anchor",
            "head().lastHeight",
            closed.checkpoint.last_height,
            contracts.last_height,
        );
        report.same(
            "anchor",
            "head().totalReleased",
            closed.checkpoint.total_released,
            contracts.total_released,
        );
    }

    let behind = chain.checkpoints.range(last + 1..).count();
    if behind > 0 {
        report.notes.push(format!(
            "{behind} checkpoints after epoch {last} are not anchored yet"
        ));
    }
}

/// Every account was minted exactly what the issued chunks pay it, and never more than the ledger released.
fn check_issued(chain: &Chain, facts: &Facts, report: &mut Report) {
    let due = units_due(chain, facts, report);
    let skipped: BTreeSet<Address> = facts.logs.iter().filter_map(skipped_account).collect();
    let mut waiting = 0;

    for (account, issued) in &facts.contracts.issued {
        let place = format!("account {account}");
        let released = chain
            .ledger
            .account(*account)
            .map_or(0, |account| u128::from(account.released));
        let due = due.get(account).copied().unwrap_or(0);
        report.count("accounts", 1);

        if *issued > released {
            let (expected, found) = (
                format!("at most {released}, as released"),
                issued.to_string(),
            );
            let difference = Difference::value(&place, "issuedTo()", expected, found);
            report.differences.push(difference);
        } else if *issued > due || (*issued < due && !skipped.contains(account)) {
            report.same(&place, "issuedTo() by the chunks issued", due, *issued);
        }

        waiting += released.saturating_sub(*issued);
    }

    if waiting > 0 {
        report
            .notes
            .push(format!("{waiting} units are released and not minted yet"));
    }
}

fn skipped_account(entry: &Entry) -> Option<Address> {
    Some(
        FranchiseToken::IssueSkipped::decode_log(&entry.inner)
            .ok()?
            .account,
    )
}

/// What the chunks that were issued pay each account, ever. A chunk may have been issued whole, in parts, or both.
fn units_due(chain: &Chain, facts: &Facts, report: &mut Report) -> BTreeMap<Address, u128> {
    let mut due: BTreeMap<Address, u128> = BTreeMap::new();

    for (epoch, roots) in issued_roots(facts, report) {
        let settlement = chain
            .checkpoints
            .get(&epoch)
            .map(|closed| &closed.settlement);
        let parts = settlement.map_or_else(BTreeMap::new, |settled| find_parts(settled, &roots));

        for root in roots.iter().filter(|root| !parts.contains_key(*root)) {
            report.fact(
                format!("epoch {epoch}"),
                format!("chunk {root} was issued, but the ledger settled no such chunk"),
            );
        }
        for payout in parts.values().copied().flatten() {
            let most = due.entry(payout.account).or_default();
            *most = u128::from(payout.released).max(*most);
        }
    }

    due
}

fn issued_roots(facts: &Facts, report: &mut Report) -> BTreeMap<u64, BTreeSet<B256>> {
    let mut roots: BTreeMap<u64, BTreeSet<B256>> = BTreeMap::new();
    for event in facts.logs.iter().filter_map(decode_chunk) {
        report.count("chunks issued", 1);
        roots
            .entry(event.epoch)
            .or_default()
            .insert(event.chunkRoot);
    }
    roots
}

/// What is settled for good has to be minted, unless the contracts hold it back.
fn check_overdue(chain: &Chain, scope: Scope, facts: &Facts, report: &mut Report) {
    let contracts = &facts.contracts;
    let never = [scope.token, scope.anchor, Address::ZERO];
    let settlements = settled_for_good(chain, scope, facts);
    let overdue = find_overdue(settlements, &contracts.issued, &never);
    if overdue.is_empty() {
        return;
    }

    let issuing = Issuing {
        is_paused: facts.head_time_s() < contracts.issuing_paused_until_s,
        allowance: contracts.allowance,
    };
    let units: u128 = overdue.iter().map(Overdue::missing).sum();
    match find_excuse(&overdue, issuing) {
        Some(Excuse::Paused) => report.notes.push(format!(
            "{units} units are settled and wait, because issuing is paused"
        )),
        Some(Excuse::Allowance) => report.notes.push(format!(
            "{units} units are settled and wait for the issue allowance, which is {} now",
            contracts.allowance
        )),
        None => tell_overdue(&overdue, report),
    }
}

/// Settlements whose checkpoint the anchor keeps, in a block that is final and not of this very minute.
fn settled_for_good<'a>(chain: &'a Chain, scope: Scope, facts: &Facts) -> Vec<&'a Settlement> {
    let is_old = |entry: &&Entry| {
        let is_final = facts
            .finalized
            .is_none_or(|last| entry.block_number <= last);
        let time_s = facts.time_s(entry.block_number);
        is_final
            && time_s
                .is_some_and(|time_s| time_s.saturating_add(ISSUE_GRACE_S) < facts.head_time_s())
    };

    facts
        .logs
        .iter()
        .filter(is_old)
        .filter_map(decode_anchored)
        .filter(|event| is_kept(&facts.contracts, event.epoch))
        .filter_map(|event| chain.checkpoints.get(&event.epoch))
        .filter(|closed| closed.anchor == scope.anchor)
        .map(|closed| &closed.settlement)
        .collect()
}

/// Whether the guardian has not revoked it.
fn is_kept(contracts: &Contracts, epoch: u64) -> bool {
    let commitment = contracts.commitments.get(&epoch);
    commitment.is_some_and(|commitment| !commitment.is_zero())
}

fn tell_overdue(overdue: &[Overdue], report: &mut Report) {
    let (told, untold) = overdue.split_at(overdue.len().min(OVERDUE_TOLD_MAX));
    for one in told {
        report.differences.push(Difference::value(
            format!("account {}", one.account),
            "issuedTo() by what is settled",
            format!("at least {}", one.settled),
            one.issued,
        ));
    }

    if !untold.is_empty() {
        let units: u128 = untold.iter().map(Overdue::missing).sum();
        report.fact(
            "token",
            format!(
                "{units} settled units of {} more accounts are not minted",
                untold.len()
            ),
        );
    }
}

/// Supply and balances against the transfers; every minting belongs to a chunk.
fn check_supply(chain: &Chain, scope: Scope, facts: &Facts, report: &mut Report) {
    let contracts = &facts.contracts;
    let transfers: Vec<_> = facts.logs.iter().filter_map(decode_transfer).collect();

    let sum = |of: fn(&FranchiseToken::Transfer) -> bool| -> U256 {
        transfers
            .iter()
            .filter(|transfer| of(transfer))
            .map(|transfer| transfer.value)
            .sum()
    };
    let (minted, burned) = (
        sum(|transfer| transfer.from.is_zero()),
        sum(|transfer| transfer.to.is_zero()),
    );

    report.count("transfers", transfers.len() as u64);
    report.same(
        "token",
        "minted() by the transfers",
        minted,
        U256::from(contracts.minted),
    );
    report.same(
        "token",
        "totalSupply() by the transfers",
        minted.saturating_sub(burned),
        U256::from(contracts.supply),
    );

    let issued: u128 = contracts.issued.values().sum();
    report.same(
        "token",
        "minted() by the accounts",
        issued,
        contracts.minted,
    );

    let released = u128::from(chain.ledger.supply().released);
    if contracts.minted > released {
        report.fact(
            "token",
            format!(
                "{} units are minted, but only {released} were released",
                contracts.minted
            ),
        );
    }

    check_chunks(facts, report);

    let held = token_balances(facts.logs.iter());
    for (holder, balance) in &contracts.balances {
        let expected = held
            .get(&(scope.token, *holder))
            .copied()
            .unwrap_or_default();
        report.same(
            &format!("holder {holder}"),
            "balanceOf() by the transfers",
            expected,
            U256::from(*balance),
        );
    }
}

/// What each `ChunkIssued` says it minted is what was minted under its epoch.
fn check_chunks(facts: &Facts, report: &mut Report) {
    let mut said: BTreeMap<u64, U256> = BTreeMap::new();
    for event in facts.logs.iter().filter_map(decode_chunk) {
        *said.entry(event.epoch).or_default() += U256::from(event.minted);
    }

    let mut minted: BTreeMap<u64, U256> = BTreeMap::new();
    for (place, entry) in facts.logs.iter().enumerate() {
        let Some(transfer) = decode_transfer(entry).filter(|transfer| transfer.from.is_zero())
        else {
            continue;
        };

        match epoch_of_payout(&facts.logs, place) {
            Some(epoch) => *minted.entry(epoch).or_default() += transfer.value,
            None => report.fact(
                format!("account {}", transfer.to),
                format!("{} units were minted without a chunk", transfer.value),
            ),
        }
    }

    for (epoch, said) in said {
        let minted = minted.get(&epoch).copied().unwrap_or_default();
        report.same(
            &format!("epoch {epoch}"),
            "minted by ChunkIssued",
            minted,
            said,
        );
    }
}
