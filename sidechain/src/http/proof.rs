//! The proof of a sale: everything that leads from it to the EVM, in one file.

use super::Api;
use super::answer::Refusal;
use super::sales::key;
use axum::extract::{Path, State};
use axum::routing::get;
use axum::{Json, Router};
use domain::checkpoint::SignedCheckpoint;
use domain::proof::{PayoutProof, SaleProof};
use domain::sale::SaleEntry;
use domain::transaction::transaction_leaf;
use domain::{Address, B256, Block, Ledger, SaleKey, merkle};

/// Routes of this resource.
pub fn router() -> Router<Api> {
    Router::new().route("/api/v1/sales/{outlet}/{sale_id}/proof", get(show))
}

async fn show(
    State(api): State<Api>,
    Path((outlet, sale_id)): Path<(String, String)>,
) -> Result<Json<SaleProof>, Refusal> {
    let key = key(&outlet, &sale_id)?;
    let ledger = api.node.ledger();
    let not_final = || Refusal::not_found(format!("sale {sale_id} of outlet {outlet} is not in the ledger"));
    let entry = ledger.sale(key).ok_or_else(not_final)?;
    let early = || Refusal::not_found("the sale is final, but its epoch has no signed checkpoint yet; ask again later");
    let covering = api.node.store.checkpoint_of_height(entry.height)?;
    let signed = covering.filter(SignedCheckpoint::has_quorum).ok_or_else(early)?;
    let token = ledger.anchor().map(|binding| binding.token).ok_or_else(early)?;
    prove(&api, &ledger, key, entry, signed, token).map(Json)
}

fn prove(
    api: &Api,
    ledger: &Ledger,
    key: SaleKey,
    entry: &SaleEntry,
    signed: SignedCheckpoint,
    token: Address,
) -> Result<SaleProof, Refusal> {
    let gone = || Refusal::not_found(format!("block {} is not in this node's store", entry.height));
    let block = api.node.store.block(entry.height)?.ok_or_else(gone)?;
    let (index, transaction_proof) = place(&block, ledger.domain(), entry.tx_id).ok_or_else(gone)?;
    let checkpoint = signed.checkpoint;
    let hashes = api.node.store.block_hashes(checkpoint.epoch)?.ok_or_else(gone)?;
    let leaves: Vec<B256> = hashes.iter().map(|hash| domain::checkpoint::block_leaf(*hash)).collect();
    let at = usize::try_from(entry.height - checkpoint.first_height).map_err(|_| gone())?;
    tracing::debug!(outlet = key.outlet, sale_id = %key.sale_id, "a sale is proved");
    Ok(SaleProof {
        evm_chain_id: ledger.genesis().evm_chain_id,
        sidechain_id: ledger.sidechain_id(),
        token,
        anchor: signed.anchor,
        sale: block.transactions[index].clone(),
        index: u32::try_from(index).map_err(|_| gone())?,
        transaction_proof,
        header: block.header,
        block_proof: merkle::proof(&leaves, at).ok_or_else(gone)?,
        checkpoint,
        payouts: payouts(api, entry)?,
    })
}

/// The transaction's place in its block, and its siblings up to the transactions root.
fn place(block: &Block, domain: &domain::eip712::DomainSeparator, id: B256) -> Option<(usize, Vec<B256>)> {
    let ids: Vec<B256> = block.transactions.iter().map(|transaction| transaction.id(domain)).collect();
    let index = ids.iter().position(|found| *found == id)?;
    let leaf = |(index, (id, transaction)): (usize, (&B256, &domain::SignedTransaction))| {
        transaction_leaf(u32::try_from(index).unwrap_or(u32::MAX), *id, &transaction.signature)
    };
    let leaves: Vec<B256> = ids.iter().zip(&block.transactions).enumerate().map(leaf).collect();
    Some((index, merkle::proof(&leaves, index)?))
}

/// What the accounts with a share of the sale were paid, as far as they were.
fn payouts(api: &Api, entry: &SaleEntry) -> Result<Vec<PayoutProof>, Refusal> {
    let mut payouts = Vec::new();
    for share in &entry.shares {
        if let (Some(account), Some(epoch)) = (share.to.account(), share.released_in) {
            payouts.extend(payout(api, account, epoch)?);
        }
    }
    Ok(payouts)
}

/// The first settlement from an epoch on that pays an account: the one after its units were released there.
fn payout(api: &Api, account: Address, released_in: u64) -> Result<Option<PayoutProof>, Refusal> {
    let last = api.node.store.last_checkpoint_epoch()?.unwrap_or(0);
    for epoch in released_in..=last {
        let settlement = api.node.store.settlement(epoch)?;
        let Some((payout, proof)) = settlement.and_then(|settlement| settlement.proof_of(account)) else { continue };
        let signed = api.node.store.checkpoint(epoch)?.filter(SignedCheckpoint::has_quorum);
        return Ok(signed.map(|signed| PayoutProof {
            epoch,
            payout,
            proof,
            payout_root: signed.checkpoint.payout_root,
            rest_hash: signed.checkpoint.rest_hash(),
        }));
    }
    Ok(None)
}
