//! The proofs of a sale and of a recording: up to what the contract keeps, for someone who trusts nobody.
//!
//! A proof is checked with the proof alone up to two hashes a contract must know: [`SaleProof::check`] says which.

use crate::block::Header;
use crate::checkpoint::{Checkpoint, block_leaf};
use crate::crypto::SignatureError;
use crate::eip712::DomainSeparator;
use crate::merkle;
use crate::payout::{Payout, checkpoint_commitment};
use crate::recording::RecordingEntry;
use crate::sale::{BuyerKind, Sale};
#[cfg(feature = "schema")]
use crate::schema::{AddressText, HashText};
use crate::transaction::{Payload, SignedTransaction, transaction_leaf};
use alloy_primitives::{Address, B256};
use serde::{Deserialize, Serialize};

/// What one account was paid in the settlement that released its share of the sale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PayoutProof {
    /// The settling epoch.
    pub epoch: u64,
    /// Who, and how much ever: cumulative.
    pub payout: Payout,
    /// Siblings from the payout's leaf to the payout root.
    pub proof: Vec<B256>,
    /// The settling epoch's payout root.
    pub payout_root: B256,
    /// Hash of the other fields of that epoch's checkpoint.
    pub rest_hash: B256,
}

/// A sale with everything that leads from it to the EVM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SaleProof {
    /// The EVM chain of the token.
    pub evm_chain_id: u64,
    /// The sidechain's name: hash of its genesis.
    pub sidechain_id: B256,
    /// The ERC-20 token that the anchor issues.
    pub token: Address,
    /// The contract that keeps the checkpoint.
    pub anchor: Address,
    /// What the terminal signed.
    pub sale: SignedTransaction,
    /// Its place among the transactions of its block.
    pub index: u32,
    /// Siblings from its leaf to the block's transactions root.
    pub transaction_proof: Vec<B256>,
    /// The block's header.
    pub header: Header,
    /// Siblings from the block's leaf to the checkpoint's blocks root.
    pub block_proof: Vec<B256>,
    /// The checkpoint of the epoch that holds the block.
    pub checkpoint: Checkpoint,
    /// What accounts with a share of the sale were paid, accounts ascending; empty until then. Cumulative amounts: they
    /// show that these accounts were paid up to and with the sale's own epoch, not which sale issued how much.
    pub payouts: Vec<PayoutProof>,
}

/// A step of the proof, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProofStep {
    /// The terminal signed this sale.
    Sale,
    /// The sale is in the block.
    Block,
    /// The block is in the checkpoint.
    Checkpoint,
    /// The contract keeps the checkpoint.
    Anchor,
    /// The accounts that are named were paid.
    Payout,
}

impl std::fmt::Display for ProofStep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Sale => "sale",
            Self::Block => "block",
            Self::Checkpoint => "checkpoint",
            Self::Anchor => "anchor",
            Self::Payout => "payout",
        })
    }
}

/// Why a proof proves nothing, with the step that broke.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{step}: {detail}")]
pub struct ProofError {
    /// The first step that does not hold.
    pub step: ProofStep,
    /// What was expected and found.
    pub detail: String,
}

/// A commitment that the anchor must keep for an epoch; one storage slot of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commitment {
    /// The step that needs it.
    pub step: ProofStep,
    /// The epoch that the slot belongs to.
    pub epoch: u64,
    /// keccak256(payout root ‖ rest hash).
    pub hash: B256,
}

fn broken_step(step: ProofStep, detail: impl Into<String>) -> ProofError {
    ProofError {
        step,
        detail: detail.into(),
    }
}

fn require_same(
    step: ProofStep,
    what: &str,
    expected: B256,
    found: B256,
) -> Result<(), ProofError> {
    if expected == found {
        Ok(())
    } else {
        Err(broken_step(
            step,
            format!("{what}: expected {expected}, found {found}"),
        ))
    }
}

impl SaleProof {
    /// Checks everything that needs no contract; returns the commitments that the anchor must keep, the sale's own
    /// epoch first. What is left to ask: the EVM's chain id, the anchor's sidechain id, these commitments, and that the
    /// token issued at least `released` to each payout's account.
    pub fn check(&self) -> Result<Vec<Commitment>, ProofError> {
        let sale = self.check_sale()?;
        self.check_block()?;
        self.check_checkpoint()?;

        let own = checkpoint_commitment(self.checkpoint.payout_root, self.checkpoint.rest_hash());
        let mut commitments = vec![Commitment {
            step: ProofStep::Anchor,
            epoch: self.checkpoint.epoch,
            hash: own,
        }];

        if !self
            .payouts
            .is_sorted_by(|a, b| a.payout.account < b.payout.account)
        {
            return Err(broken_step(
                ProofStep::Payout,
                "accounts must ascend, each once",
            ));
        }

        for payout in &self.payouts {
            commitments.push(self.check_payout(payout)?);
        }
        self.check_buyer(sale)?;

        Ok(commitments)
    }

    /// The sale that is proved, if the transaction is one.
    pub fn sale(&self) -> Option<&Sale> {
        match &self.sale.payload {
            Payload::Sale(sale) => Some(sale),
            _ => None,
        }
    }

    fn domain(&self) -> DomainSeparator {
        DomainSeparator::transactions(self.evm_chain_id, self.sidechain_id)
    }

    fn check_sale(&self) -> Result<&Sale, ProofError> {
        let step = ProofStep::Sale;
        let sale = self
            .sale()
            .ok_or_else(|| broken_step(step, "the transaction is no sale"))?;

        let signer = self.sale.signer(&self.domain());
        let found = signer
            .map_err(|error: SignatureError| broken_step(step, format!("no signature: {error}")))?;
        if found != sale.terminal {
            return Err(broken_step(
                step,
                format!("signed by {found}, the terminal is {}", sale.terminal),
            ));
        }

        Ok(sale)
    }

    fn check_block(&self) -> Result<(), ProofError> {
        let leaf = transaction_leaf(
            self.index,
            self.sale.id(&self.domain()),
            &self.sale.signature,
        );
        let found = merkle::process_proof(leaf, &self.transaction_proof);
        require_same(
            ProofStep::Block,
            "the block's transactions root",
            self.header.transactions_root,
            found,
        )
    }

    fn check_checkpoint(&self) -> Result<(), ProofError> {
        let (step, checkpoint) = (ProofStep::Checkpoint, &self.checkpoint);
        require_same(
            step,
            "sidechain id of the header",
            self.sidechain_id,
            self.header.sidechain_id,
        )?;
        require_same(
            step,
            "sidechain id of the checkpoint",
            self.sidechain_id,
            checkpoint.sidechain_id,
        )?;

        let heights = checkpoint.first_height..=checkpoint.last_height;
        if !heights.contains(&self.header.height) {
            let found = self.header.height;
            return Err(broken_step(
                step,
                format!("height {found} is not among its blocks, {heights:?}"),
            ));
        }

        let found = merkle::process_proof(block_leaf(self.header.hash()), &self.block_proof);
        require_same(
            step,
            "the checkpoint's blocks root",
            checkpoint.blocks_root,
            found,
        )
    }

    fn check_payout(&self, payout: &PayoutProof) -> Result<Commitment, ProofError> {
        let (step, epoch) = (ProofStep::Payout, payout.epoch);
        if epoch < self.checkpoint.epoch {
            return Err(broken_step(
                step,
                format!(
                    "epoch {epoch} is before the sale's own, {}",
                    self.checkpoint.epoch
                ),
            ));
        }

        let what = format!("payout root of epoch {epoch} for {}", payout.payout.account);
        require_same(
            step,
            &what,
            payout.payout_root,
            merkle::process_proof(payout.payout.leaf(), &payout.proof),
        )?;

        Ok(Commitment {
            step,
            epoch,
            hash: checkpoint_commitment(payout.payout_root, payout.rest_hash),
        })
    }

    /// A wallet that the sale itself names must be among those paid, once anybody is.
    fn check_buyer(&self, sale: &Sale) -> Result<(), ProofError> {
        let is_paid = self
            .payouts
            .iter()
            .any(|payout| payout.payout.account == sale.buyer);
        if sale.buyer_kind == BuyerKind::Wallet && !self.payouts.is_empty() && !is_paid {
            return Err(broken_step(
                ProofStep::Payout,
                format!("the buyer {} is not among those paid", sale.buyer),
            ));
        }
        Ok(())
    }
}

/// A recording, or its erasure, with what leads from it to the EVM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RecordingProof {
    /// The EVM chain of the token.
    pub evm_chain_id: u64,
    /// The sidechain's name: hash of its genesis.
    pub sidechain_id: B256,
    /// The contract that keeps the checkpoint.
    pub anchor: Address,
    /// The pinning or the erasure that is proved.
    pub entry: RecordingEntry,
    /// Siblings from its leaf to the checkpoint's recordings root.
    pub proof: Vec<B256>,
    /// The checkpoint that covers its block.
    pub checkpoint: Checkpoint,
}

/// A step of such a proof, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordingStep {
    /// The checkpoint is of this sidechain and covers the block.
    Checkpoint,
    /// The entry is under its recordings root.
    Entry,
}

/// Why it proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct RecordingProofError {
    /// The first step that does not hold.
    pub step: RecordingStep,
    /// What was expected and found.
    pub detail: String,
}

impl RecordingProof {
    /// Checks everything that needs no contract; gives the commitment that the anchor must keep for the checkpoint's
    /// epoch.
    pub fn check(&self) -> Result<B256, RecordingProofError> {
        let (checkpoint, broken) = (&self.checkpoint, |step, detail| RecordingProofError {
            step,
            detail,
        });

        let (expected, found) = (self.sidechain_id, checkpoint.sidechain_id);
        if expected != found {
            return Err(broken(
                RecordingStep::Checkpoint,
                format!("sidechain id: expected {expected}, found {found}"),
            ));
        }

        let (heights, found) = (
            checkpoint.first_height..=checkpoint.last_height,
            self.entry.height(),
        );
        if !heights.contains(&found) {
            return Err(broken(
                RecordingStep::Checkpoint,
                format!("height {found} is not among its blocks, {heights:?}"),
            ));
        }

        let (expected, found) = (
            checkpoint.recordings_root,
            merkle::process_proof(self.entry.leaf(), &self.proof),
        );
        if expected != found {
            return Err(broken(
                RecordingStep::Entry,
                format!("recordings root: expected {expected}, found {found}"),
            ));
        }

        Ok(checkpoint_commitment(
            checkpoint.payout_root,
            checkpoint.rest_hash(),
        ))
    }
}
