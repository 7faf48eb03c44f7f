//! The proof of a sale: everything that leads from it to the EVM, in one file.

use super::Api;
use super::answer::{Path, Refusal};
use super::blocks::refuse_missing_block;
use super::sales::parse_sale_key;
use crate::node::Node;
use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use client::Problem;
use domain::checkpoint::SignedCheckpoint;
use domain::eip712::DomainSeparator;
use domain::proof::{PayoutProof, SaleProof};
use domain::sale::SaleEntry;
use domain::transaction::transaction_leaf;
use domain::{Address, B256, Block, SaleKey, merkle};
use std::collections::BTreeMap;

/// Routes of this resource.
pub fn router() -> Router<Api> {
    Router::new().route("/api/v1/sales/{outlet}/{sale_id}/proof", get(prove_sale))
}

async fn prove_sale(
    State(api): State<Api>,
    Path((outlet, sale_id)): Path<(String, String)>,
) -> Result<Json<SaleProof>, Refusal> {
    let key = parse_sale_key(&outlet, &sale_id)?;
    // Reading and hashing a block takes a while: not on the threads that answer everybody.
    let proved = tokio::task::spawn_blocking(move || build_proof(&api.node, key)).await;
    proved
        .map_err(|_| {
            Problem::new(
                500,
                "internal",
                "this node could not prove the sale; ask another one",
            )
        })?
        .map(Json)
}

/// What the ledger says, so that it is not held while the store is read.
struct Facts {
    entry: SaleEntry,
    /// Accounts with a share, and the epoch that released what refunds left of it.
    released: Vec<(Address, u64)>,
    domain: DomainSeparator,
    evm_chain_id: u64,
    sidechain_id: B256,
    settlement_epochs: u64,
    token: Option<Address>,
}

fn sale_facts(node: &Node, key: SaleKey) -> Option<Facts> {
    let ledger = node.ledger();
    let entry = ledger.sale(key)?;
    let left = entry.shares.iter().filter(|share| share.outstanding() > 0);

    Some(Facts {
        released: left
            .filter_map(|share| share.to.account().zip(ledger.released_in(&entry, share)))
            .collect(),
        entry,
        domain: *ledger.domain(),
        evm_chain_id: ledger.genesis().evm_chain_id,
        sidechain_id: ledger.sidechain_id(),
        settlement_epochs: ledger.genesis().settlement_epochs,
        token: ledger.anchor().map(|binding| binding.token),
    })
}

fn build_proof(node: &Node, key: SaleKey) -> Result<SaleProof, Refusal> {
    let not_final = || {
        Refusal::not_found(format!(
            "sale {} of outlet {} is not in the ledger",
            key.sale_id, key.outlet
        ))
    };
    let facts = sale_facts(node, key).ok_or_else(not_final)?;
    let height = facts.entry.height;

    let early = || {
        Refusal::not_found(
            "the sale is final, but its epoch has no signed checkpoint yet; ask again later",
        )
    };
    let gone = || Refusal::not_found(format!("block {height} is not in this node's store"));

    let covering = node.store.checkpoint_of_height(height)?;
    let signed = covering
        .filter(SignedCheckpoint::has_quorum)
        .ok_or_else(early)?;
    let token = facts.token.ok_or_else(early)?;

    let Some(block) = node.store.block(height)? else {
        return Err(refuse_missing_block(&node.store, height)?);
    };
    let (index, transaction_proof) =
        prove_inclusion(&block, &facts.domain, facts.entry.tx_id).ok_or_else(gone)?;

    let checkpoint = signed.checkpoint;
    let hashes = node
        .store
        .block_hashes(checkpoint.epoch)?
        .ok_or_else(gone)?;
    let leaves: Vec<B256> = hashes
        .iter()
        .map(|hash| domain::checkpoint::block_leaf(*hash))
        .collect();
    let at = usize::try_from(height - checkpoint.first_height).map_err(|_| gone())?;

    Ok(SaleProof {
        evm_chain_id: facts.evm_chain_id,
        sidechain_id: facts.sidechain_id,
        token,
        anchor: signed.anchor,
        sale: block.transactions[index].clone(),
        index: u32::try_from(index).map_err(|_| gone())?,
        transaction_proof,
        header: block.header,
        block_proof: merkle::proof(&leaves, at).ok_or_else(gone)?,
        checkpoint,
        payouts: prove_payouts(node, &facts, checkpoint.epoch)?,
    })
}

/// The transaction's place in its block, and its siblings up to the transactions root.
fn prove_inclusion(
    block: &Block,
    domain: &DomainSeparator,
    id: B256,
) -> Option<(usize, Vec<B256>)> {
    let ids: Vec<B256> = block
        .transactions
        .iter()
        .map(|transaction| transaction.id(domain))
        .collect();
    let index = ids.iter().position(|found| *found == id)?;

    let leaf = |(index, (id, transaction)): (usize, (&B256, &domain::SignedTransaction))| {
        transaction_leaf(
            u32::try_from(index).unwrap_or(u32::MAX),
            *id,
            &transaction.signature,
        )
    };
    let leaves: Vec<B256> = ids
        .iter()
        .zip(&block.transactions)
        .enumerate()
        .map(leaf)
        .collect();

    Some((index, merkle::proof(&leaves, index)?))
}

/// What the accounts with a share of the sale were paid, as far as they were, accounts ascending.
fn prove_payouts(node: &Node, facts: &Facts, covered_in: u64) -> Result<Vec<PayoutProof>, Refusal> {
    let mut payouts = BTreeMap::new();
    for (account, epoch) in facts.released.iter().copied() {
        let paid = prove_payout(
            node,
            account,
            epoch.max(covered_in),
            facts.settlement_epochs,
        )?;
        payouts.extend(paid.map(|paid| (account, paid)));
    }
    Ok(payouts.into_values().collect())
}

/// What an account was paid by the first settlement from an epoch on; nothing when debt took all its units. What was
/// released before the contracts were bound is settled with the first checkpoint, which covers its blocks.
fn prove_payout(
    node: &Node,
    account: Address,
    from_epoch: u64,
    settlement_epochs: u64,
) -> Result<Option<PayoutProof>, Refusal> {
    let epoch = from_epoch.div_ceil(settlement_epochs) * settlement_epochs;
    let settlement = node.store.settlement(epoch)?;
    let Some((payout, proof)) = settlement.and_then(|settlement| settlement.proof_of(account))
    else {
        return Ok(None);
    };

    let signed = node
        .store
        .checkpoint(epoch)?
        .filter(SignedCheckpoint::has_quorum);

    Ok(signed.map(|signed| PayoutProof {
        epoch,
        payout,
        proof,
        payout_root: signed.checkpoint.payout_root,
        rest_hash: signed.checkpoint.rest_hash(),
    }))
}
