//! The five steps of a sale's proof, judged.

use domain::payout::checkpoint_commitment;
use domain::proof::{PayoutProof, ProofError, ProofStep, SaleProof};
use domain::{Address, B256};
use serde::Serialize;
use std::collections::BTreeMap;

/// What the contracts said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OnChain {
    /// The EVM chain.
    pub chain_id: u64,
    /// The anchor that was asked.
    pub anchor: Address,
    /// The token that was asked.
    pub token: Address,
    /// Which of the two are no contracts.
    pub absent: Vec<Address>,
    /// The anchor's sidechain.
    pub sidechain_id: B256,
    /// The anchor's token.
    pub anchor_token: Address,
    /// What the anchor keeps, by epoch; zero is nothing.
    pub commitments: BTreeMap<u64, B256>,
    /// Units ever minted, by account.
    pub issued: BTreeMap<Address, u128>,
}

/// What became of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It holds in the file, and in the contract where that is asked.
    Holds,
    /// It does not.
    Broken,
    /// It holds as far as the file goes; the contract was not asked.
    NotCompared,
    /// A step before it does not hold.
    NotChecked,
    /// There is nothing to hold yet.
    NotPaidYet,
}

/// A step with its verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    pub step: ProofStep,
    /// What became of it.
    pub verdict: Verdict,
    /// What it proves, or what was expected and found.
    pub detail: String,
}

const STEPS: [ProofStep; 5] = [
    ProofStep::Sale,
    ProofStep::Block,
    ProofStep::Checkpoint,
    ProofStep::Anchor,
    ProofStep::Payout,
];

/// Judges all steps. `on_chain`: what the contracts said, if they were asked.
pub fn judge_steps(proof: &SaleProof, on_chain: Option<&OnChain>) -> Vec<Step> {
    let broken = proof.check().err();
    STEPS
        .map(|step| judge_step(proof, on_chain, broken.as_ref(), step))
        .into()
}

fn judge_step(
    proof: &SaleProof,
    on_chain: Option<&OnChain>,
    broken: Option<&ProofError>,
    step: ProofStep,
) -> Step {
    let (verdict, detail) = match broken {
        Some(error) if error.step == step => (Verdict::Broken, error.detail.clone()),
        Some(error) if error.step < step => (
            Verdict::NotChecked,
            format!("the step {} does not hold", error.step),
        ),
        _ => judge_held(proof, on_chain, step),
    };

    Step {
        step,
        verdict,
        detail,
    }
}

/// A step that the file alone does not break.
fn judge_held(proof: &SaleProof, on_chain: Option<&OnChain>, step: ProofStep) -> (Verdict, String) {
    let (height, checkpoint) = (proof.header.height, &proof.checkpoint);

    match step {
        ProofStep::Sale => (
            Verdict::Holds,
            "the terminal's key signed exactly this sale".into(),
        ),
        ProofStep::Block => (
            Verdict::Holds,
            format!("the sale is transaction {} of block {height}", proof.index),
        ),
        ProofStep::Checkpoint => {
            let (epoch, first, last) = (
                checkpoint.epoch,
                checkpoint.first_height,
                checkpoint.last_height,
            );
            (
                Verdict::Holds,
                format!(
                    "block {height} is in the checkpoint of epoch {epoch}, blocks {first} to {last}"
                ),
            )
        }
        ProofStep::Anchor => judge_anchor(proof, on_chain),
        ProofStep::Payout => judge_payout(proof, on_chain),
    }
}

fn judge_anchor(proof: &SaleProof, on_chain: Option<&OnChain>) -> (Verdict, String) {
    let Some(on_chain) = on_chain else {
        return (
            Verdict::NotCompared,
            "whether the contract keeps this checkpoint was not asked".into(),
        );
    };

    let checkpoint = &proof.checkpoint;
    let hash = checkpoint_commitment(checkpoint.payout_root, checkpoint.rest_hash());
    let kept = require_identity(proof, on_chain)
        .and_then(|()| require_commitment(on_chain, checkpoint.epoch, hash));

    match kept {
        Ok(()) => {
            let (anchor, chain) = (on_chain.anchor, on_chain.chain_id);
            let who = "more than two thirds of the validators signed it";
            (
                Verdict::Holds,
                format!("{anchor} on chain {chain} keeps this checkpoint: {who}"),
            )
        }
        Err(what) => (Verdict::Broken, what),
    }
}

fn require_same<T: PartialEq + std::fmt::Display>(
    what: &str,
    expected: T,
    found: T,
) -> Result<(), String> {
    if expected == found {
        Ok(())
    } else {
        Err(format!("{what}: expected {expected}, found {found}"))
    }
}

/// The contracts must be those of the file, and of this sidechain.
fn require_identity(proof: &SaleProof, on_chain: &OnChain) -> Result<(), String> {
    require_same(
        "the EVM node's chain id",
        proof.evm_chain_id,
        on_chain.chain_id,
    )?;
    require_same("the file's anchor", on_chain.anchor, proof.anchor)?;
    require_same("the file's token", on_chain.token, proof.token)?;

    if let Some(absent) = on_chain.absent.first() {
        return Err(format!("there is no contract at {absent}"));
    }

    require_same(
        "the anchor's sidechain id",
        proof.sidechain_id,
        on_chain.sidechain_id,
    )?;
    require_same("the anchor's token", proof.token, on_chain.anchor_token)
}

fn require_commitment(on_chain: &OnChain, epoch: u64, hash: B256) -> Result<(), String> {
    match on_chain
        .commitments
        .get(&epoch)
        .filter(|kept| !kept.is_zero())
    {
        None => Err(format!(
            "the anchor keeps nothing for epoch {epoch}: not anchored yet, or revoked"
        )),
        Some(kept) => require_same(
            &format!("the anchor's commitment of epoch {epoch}"),
            hash,
            *kept,
        ),
    }
}

fn judge_payout(proof: &SaleProof, on_chain: Option<&OnChain>) -> (Verdict, String) {
    if proof.payouts.is_empty() {
        return (
            Verdict::NotPaidYet,
            "not paid yet: the file names no payout".into(),
        );
    }

    let Some(on_chain) = on_chain else {
        return (
            Verdict::NotCompared,
            "whether the token was minted was not asked".into(),
        );
    };

    let paid: Result<Vec<String>, String> = proof
        .payouts
        .iter()
        .map(|payout| require_minted(on_chain, payout))
        .collect();

    match paid {
        Ok(paid) => (Verdict::Holds, paid.join("; ")),
        Err(what) => (Verdict::Broken, what),
    }
}

fn require_minted(on_chain: &OnChain, payout: &PayoutProof) -> Result<String, String> {
    require_commitment(
        on_chain,
        payout.epoch,
        checkpoint_commitment(payout.payout_root, payout.rest_hash),
    )?;

    let (account, released) = (payout.payout.account, u128::from(payout.payout.released));
    let issued = on_chain.issued.get(&account).copied().unwrap_or(0);
    if issued < released {
        return Err(format!(
            "minted to {account}: expected at least {released} units, found {issued}"
        ));
    }

    Ok(format!(
        "{account} was minted {issued} units in all, {released} of them by epoch {}",
        payout.epoch
    ))
}
