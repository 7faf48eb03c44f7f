//! Signs the checkpoints of decided epochs and gathers the other validators' signatures until there is a quorum.

use crate::io::peers::Peers;
use crate::io::store::StoreError;
use crate::node::Node;
use domain::checkpoint::{CheckpointSignature, SignedCheckpoint};
use domain::eip712::DomainSeparator;
use domain::{B256, Signature};
use secp256k1::SecretKey;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often peers are asked while a quorum is missing.
const POLL: Duration = Duration::from_millis(250);
/// How many epochs back are looked at after a restart.
const LOOK_BACK_EPOCHS: u64 = 64;

/// Signs and gathers until `stop`.
pub async fn run(node: Arc<Node>, key: SecretKey, peers: Peers, stop: CancellationToken) -> Result<(), StoreError> {
    loop {
        let open = step(&node, &key, &peers).await?;
        let pause = if open { POLL } else { 4 * POLL };
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = node.epoch_closed.notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Works on every checkpoint without a quorum; says whether one is left.
async fn step(node: &Node, key: &SecretKey, peers: &Peers) -> Result<bool, StoreError> {
    let Some(last) = node.store.last_checkpoint_epoch()? else { return Ok(false) };
    let mut open = false;
    for epoch in last.saturating_sub(LOOK_BACK_EPOCHS)..=last {
        let Some(signed) = node.store.checkpoint(epoch)? else { continue };
        if !is_complete(node, &signed) {
            open |= !gather(node, key, peers, signed).await?;
        }
    }
    Ok(open)
}

fn is_complete(node: &Node, signed: &SignedCheckpoint) -> bool {
    let own_is_missing = signed.validators.get(node.address).is_some()
        && !signed.signatures.iter().any(|signature| signature.validator == node.address);
    signed.has_quorum() && !own_is_missing
}

async fn gather(
    node: &Node,
    key: &SecretKey,
    peers: &Peers,
    mut signed: SignedCheckpoint,
) -> Result<bool, StoreError> {
    let digest = digest(node, &signed);
    let mut changed = false;
    if signed.validators.get(node.address).is_some() {
        let sign = || CheckpointSignature { validator: node.address, signature: Signature::sign(digest, key) };
        let own = node.store.sign_once(signed.anchor, signed.checkpoint.epoch, digest, sign)?;
        changed |= signed.add(digest, own);
    }
    for peer in peers.clients() {
        if signed.has_quorum() {
            break;
        }
        // A peer that is away is asked again in the next round.
        let Ok(Some(answer)) = peer.checkpoint(signed.checkpoint.epoch).await else { continue };
        for signature in answer.signatures {
            changed |= signed.add(digest, signature);
        }
    }
    if changed {
        node.store.put_checkpoint(&signed)?;
    }
    Ok(signed.has_quorum())
}

/// What the validators sign for this checkpoint.
pub fn digest(node: &Node, signed: &SignedCheckpoint) -> B256 {
    let chain_id = node.ledger().genesis().evm_chain_id;
    DomainSeparator::checkpoints(chain_id, signed.anchor).checkpoint_digest(&signed.checkpoint)
}
