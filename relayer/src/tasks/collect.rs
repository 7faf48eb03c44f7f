//! From the sidechain's nodes into the journal: the next checkpoint, and the chunks of every anchored epoch.

use super::context::Context;
use crate::core::checkpoint::Expected;
use crate::core::slot::View;
use crate::core::{checkpoint, chunk};
use crate::error::Error;
use crate::io::evm::Contracts;
use crate::io::node::Node;
use crate::metrics;
use alloy::primitives::{B256, Bytes};
use domain::eip712::DomainSeparator;
use domain::merkle::EMPTY_ROOT;
use service_kit::error::in_full;

/// The most anchored epochs looked at in one step.
const SCAN_EPOCHS_MAX: u64 = 32;

/// Nodes that fail or lie are noted and passed over: what is in the journal goes on without them.
pub(crate) async fn step(
    context: &mut Context,
    view: &View,
    contracts: &Contracts,
) -> Result<(), Error> {
    measure_nodes(&context.nodes).await;
    next_checkpoint(context, contracts).await?;
    anchored_epochs(context, view, contracts).await
}

async fn measure_nodes(nodes: &[Node]) {
    let answers = futures::future::join_all(nodes.iter().map(Node::latest_epoch)).await;
    if let Some(epoch) = answers.into_iter().filter_map(Result::ok).max() {
        metrics::node_epoch(epoch);
    }
}

async fn next_checkpoint(context: &mut Context, contracts: &Contracts) -> Result<(), Error> {
    let epoch = contracts.head.epoch + 1;
    let is_usable = match context.store.checkpoint_intent(epoch).await? {
        // After a failure the node may have a better one.
        Some((stage, failures)) => {
            matches!(stage.as_str(), "signed" | "sent" | "included")
                || stage == "intended" && failures == 0
        }
        None => false,
    };
    if is_usable {
        return Ok(());
    }
    let expected = Expected {
        anchor: context.config.anchor,
        sidechain_id: contracts.sidechain_id,
        head: contracts.head,
        validators_hash: contracts.validators_hash,
    };
    let domain = DomainSeparator::checkpoints(context.config.chain_id, context.config.anchor);
    match checkpoint_call(&context.nodes, epoch, &expected, &domain).await {
        Some(calldata) => context.store.want_checkpoint(epoch, &calldata).await,
        None => Ok(()),
    }
}

async fn checkpoint_call(
    nodes: &[Node],
    epoch: u64,
    expected: &Expected,
    domain: &DomainSeparator,
) -> Option<Bytes> {
    for node in nodes {
        let answer = match node.checkpoint(epoch).await {
            Ok(Some(answer)) => answer,
            Ok(None) => continue,
            Err(error) => {
                tracing::warn!(error = in_full(&error), epoch, "no checkpoint");
                continue;
            }
        };

        match checkpoint::call(
            &answer,
            expected,
            domain.checkpoint_digest(&answer.checkpoint),
        ) {
            Ok(calldata) => return Some(calldata),
            Err(error) => tracing::warn!(
                node = node.url(),
                epoch,
                error = in_full(&error),
                "unusable checkpoint"
            ),
        }
    }

    None
}

async fn anchored_epochs(
    context: &mut Context,
    view: &View,
    contracts: &Contracts,
) -> Result<(), Error> {
    let first = context.store.scanned_epoch().await? + 1;
    let last = contracts.head.epoch.min(first + SCAN_EPOCHS_MAX - 1);
    let epochs: Vec<u64> = (first..=last).collect();
    let commitments = context.evm.commitments(&epochs, view.head.hash).await?;

    for (epoch, commitment) in epochs.into_iter().zip(commitments) {
        let calls = if commitment.is_zero() {
            context.evm.is_revoked(epoch, view).await?.then(Vec::new)
        } else {
            chunk_calls(&context.nodes, epoch, commitment).await
        };
        let Some(calls) = calls else { break };
        context.store.want_chunks(epoch, &calls).await?;
    }

    Ok(())
}

/// `None` when no node can tell.
async fn chunk_calls(nodes: &[Node], epoch: u64, commitment: B256) -> Option<Vec<Bytes>> {
    for node in nodes {
        match calls_of(node, epoch, commitment).await {
            Ok(calls) => return Some(calls),
            Err(reason) => tracing::warn!(node = node.url(), epoch, reason, "no payouts"),
        }
    }
    None
}

async fn calls_of(node: &Node, epoch: u64, commitment: B256) -> Result<Vec<Bytes>, String> {
    let answer = node
        .checkpoint(epoch)
        .await
        .map_err(|error| in_full(&error))?;
    let checkpoint = answer
        .ok_or("the node has no checkpoint with a quorum")?
        .checkpoint;

    let chunks = if checkpoint.payout_root == EMPTY_ROOT {
        Vec::new()
    } else {
        node.chunks(epoch).await.map_err(|error| in_full(&error))?
    };

    chunk::calls(&checkpoint, &chunks, commitment).map_err(|error| in_full(&error))
}
