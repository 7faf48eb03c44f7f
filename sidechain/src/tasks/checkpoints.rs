//! Signs the checkpoints of decided epochs and gathers the other validators' signatures until there is a quorum. Whoever
//! signed another one for the same epoch is reported.

use super::duties::Report;
use crate::core::equivocation::double_checkpoints;
use crate::io::peers::Peers;
use crate::io::store::StoreError;
use crate::node::Node;
use client::{CheckpointAnswer, NodeClient};
use domain::checkpoint::{CheckpointSignature, SignedCheckpoint};
use domain::eip712::DomainSeparator;
use domain::{Address, B256, Signature};
use futures::future::join_all;
use secp256k1::SecretKey;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// How often peers are asked while a quorum is missing.
const POLL: Duration = Duration::from_millis(250);
/// How long a peer may take to answer.
const PEER_TIMEOUT: Duration = Duration::from_secs(2);

/// Signs and gathers until `stop`.
pub async fn run(
    node: Arc<Node>,
    key: Option<SecretKey>,
    peers: Peers,
    reporter: mpsc::Sender<Report>,
    stop: CancellationToken,
) -> Result<(), StoreError> {
    let mut first_open = 0;
    loop {
        let open =
            complete_open_checkpoints(&node, key.as_ref(), &peers, &reporter, &mut first_open)
                .await?;
        let pause = if open { POLL } else { 4 * POLL };

        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = node.epoch_closed.notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Works on every checkpoint without a quorum, from the first on; says whether one is left.
async fn complete_open_checkpoints(
    node: &Node,
    key: Option<&SecretKey>,
    peers: &Peers,
    reporter: &mpsc::Sender<Report>,
    first_open: &mut u64,
) -> Result<bool, StoreError> {
    let Some(last) = node.store.last_checkpoint_epoch()? else {
        return Ok(false);
    };
    let mut open = false;
    for epoch in *first_open..=last {
        let complete = match node.store.checkpoint(epoch)? {
            Some(signed) if is_complete(node, &signed) => {
                // Whoever shows another one only now is seen as well.
                if epoch == last {
                    report_offences(node, &signed, &ask_peers(peers, epoch).await, reporter);
                }
                true
            }
            Some(signed) => gather_signatures(node, key, peers, reporter, signed).await?,
            None => true,
        };
        open |= !complete;
        if !open {
            *first_open = epoch + 1;
        }
    }
    Ok(open)
}

fn is_complete(node: &Node, signed: &SignedCheckpoint) -> bool {
    let is_there = |own| {
        signed
            .signatures
            .iter()
            .any(|signature| signature.validator == own)
    };
    signed.has_quorum() && signer_of(node, signed).is_none_or(is_there)
}

/// This validator, if it is one of those who sign.
fn signer_of(node: &Node, signed: &SignedCheckpoint) -> Option<Address> {
    node.validator
        .filter(|own| signed.validators.get(*own).is_some())
}

async fn gather_signatures(
    node: &Node,
    key: Option<&SecretKey>,
    peers: &Peers,
    reporter: &mpsc::Sender<Report>,
    mut signed: SignedCheckpoint,
) -> Result<bool, StoreError> {
    let digest = checkpoint_digest(node, &signed);
    let mut changed = false;

    if let (Some(validator), Some(key)) = (signer_of(node, &signed), key) {
        let sign = || CheckpointSignature {
            validator,
            signature: Signature::sign(digest, key),
        };
        let own = node
            .store
            .sign_once(signed.anchor, signed.checkpoint.epoch, digest, sign)?;
        changed |= signed.add(digest, own);
    }

    if !signed.has_quorum() {
        let answers = ask_peers(peers, signed.checkpoint.epoch).await;
        for signature in answers.iter().flat_map(|answer| &answer.signatures) {
            changed |= signed.add(digest, *signature);
        }
        report_offences(node, &signed, &answers, reporter);
    }

    if changed {
        node.store.put_checkpoint(&signed)?;
    }

    Ok(signed.has_quorum())
}

/// All peers at once; one that is away or slow is asked again in the next round.
async fn ask_peers(peers: &Peers, epoch: u64) -> Vec<CheckpointAnswer> {
    let one = |peer: &NodeClient| {
        let peer = peer.clone();
        async move { tokio::time::timeout(PEER_TIMEOUT, peer.checkpoint(epoch)).await }
    };
    let answers = join_all(peers.clients().iter().map(one)).await;
    answers
        .into_iter()
        .filter_map(|answer| answer.ok()?.ok()?)
        .collect()
}

/// Passes offences on to be put on the ledger. When too many wait, the first of them are enough.
fn report_offences(
    node: &Node,
    signed: &SignedCheckpoint,
    answers: &[CheckpointAnswer],
    reporter: &mpsc::Sender<Report>,
) {
    let evm_chain_id = node.ledger().genesis().evm_chain_id;

    for offence in answers
        .iter()
        .flat_map(|answer| double_checkpoints(signed, answer, evm_chain_id))
    {
        tracing::error!(offender = %offence.0, epoch = signed.checkpoint.epoch, "two checkpoints of one epoch were signed");
        if reporter.try_send(offence).is_err() {
            metrics::counter!("hotpot_node_reports_dropped_total").increment(1);
        }
    }
}

/// What the validators sign for this checkpoint.
pub fn checkpoint_digest(node: &Node, signed: &SignedCheckpoint) -> B256 {
    let chain_id = node.ledger().genesis().evm_chain_id;
    DomainSeparator::checkpoints(chain_id, signed.anchor).checkpoint_digest(&signed.checkpoint)
}
