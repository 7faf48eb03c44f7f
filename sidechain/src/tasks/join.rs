//! A node that begins with nothing: it takes a state that a quorum of the validators signed, rather than executing the
//! whole chain. When there is none, it starts at the genesis, and block sync brings everything.

use crate::core::vouching::{Copied, is_signed_by, is_vouched, set_after};
use crate::io::snapshots::{SnapshotFileError, Snapshots};
use crate::io::store::{Store, StoreError};
use client::{CheckpointAnswer, ClientError, NodeClient, SnapshotOffer};
use domain::certificate::CertificateError;
use domain::ledger::SnapshotError;
use domain::{Block, CommitCertificate, Genesis, Ledger, ValidatorSet, keccak256};
use futures::future::join_all;
use std::collections::BTreeSet;
use std::io::Write;
use std::time::Duration;

/// A peer that takes longer to say what it has is passed over.
const PATIENCE: Duration = Duration::from_secs(3);

/// Why no state was taken. The chain is executed from the genesis on then.
#[derive(Debug, thiserror::Error)]
pub enum NotJoined {
    /// Nobody has one that enough validators signed.
    #[error(
        "no peer offers a state that more than two thirds of the power signed; {offers} offers were seen"
    )]
    NotVouched {
        /// How many offers peers gave.
        offers: usize,
    },
    /// Nobody gave all of it.
    #[error("no peer gives the whole state of height {height} that was signed")]
    NotGiven {
        /// Of the last block in the state.
        height: u64,
    },
    /// The state is none of this build's.
    #[error(transparent)]
    Content(#[from] SnapshotError),
    /// The block of the state is missing or another one.
    #[error("no peer gives block {height} as the state names it")]
    Block {
        /// Of the last block in the state.
        height: u64,
    },
    /// That block's certificate proves nothing.
    #[error("block of the state")]
    Certificate(#[from] CertificateError),
    /// It cannot be kept.
    #[error(transparent)]
    File(#[from] SnapshotFileError),
    /// Its block cannot be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Takes the newest state that is vouched for, with its block, into the folder and the store.
pub async fn join_from_snapshot(
    genesis: &Genesis,
    peers: &[NodeClient],
    store: &Store,
    snapshots: &Snapshots,
) -> Result<u64, NotJoined> {
    let offers = fetch_offers(peers).await;
    let checkpoints = fetch_checkpoints(peers, genesis).await;

    let not_vouched = NotJoined::NotVouched {
        offers: offers.len(),
    };
    let copied = newest_vouched(&offers, &checkpoints, genesis).ok_or(not_vouched)?;

    let (height, content) = (copied.height, download_state(peers, copied).await?);
    let ledger = Ledger::import(genesis.clone(), content.as_slice())?;

    let (block, certificate) = block_of(peers, &ledger).await?;
    certificate.verify(
        ledger.sidechain_id(),
        height,
        ledger.head_hash(),
        ledger.previous_validators(),
    )?;

    snapshots.write(height, |file| file.write_all(&content))?;
    store.begin_at(
        &block,
        &certificate,
        ledger.previous_validators(),
        ledger.validators(),
    )?;

    Ok(height)
}

async fn fetch_offers(peers: &[NodeClient]) -> Vec<SnapshotOffer> {
    let asked = peers
        .iter()
        .map(|peer| tokio::time::timeout(PATIENCE, peer.snapshots()));
    join_all(asked)
        .await
        .into_iter()
        .filter_map(|answer| answer.ok()?.ok())
        .flatten()
        .collect()
}

fn newest_vouched(
    offers: &[SnapshotOffer],
    checkpoints: &[CheckpointAnswer],
    genesis: &Genesis,
) -> Option<Copied> {
    let states: BTreeSet<Copied> = offers.iter().map(Copied::from).collect();
    let id = genesis.sidechain_id();
    let vouched = |copied: &Copied| {
        let set: Option<ValidatorSet> = set_after(copied.height, checkpoints, genesis);
        set.is_some_and(|set| is_vouched(offers, *copied, id, &set))
    };
    states.into_iter().rev().find(vouched)
}

/// Checkpoints that lead from the genesis' validators to those of today, ascending: from the newest one down to one
/// that a quorum of the genesis' own set signed.
async fn fetch_checkpoints(peers: &[NodeClient], genesis: &Genesis) -> Vec<CheckpointAnswer> {
    let mut all = Vec::new();
    let mut next = newest_checkpoint(peers).await;

    while let Some(answer) = next {
        let is_last = is_signed_by(&genesis.validators, &answer, genesis);
        let below = answer.checkpoint.epoch.saturating_sub(1);
        all.push(answer);
        next = if is_last {
            None
        } else {
            fetch_checkpoint(peers, below).await
        };
    }

    all.reverse();
    all
}

async fn newest_checkpoint(peers: &[NodeClient]) -> Option<CheckpointAnswer> {
    let asked = peers
        .iter()
        .map(|peer| tokio::time::timeout(PATIENCE, peer.latest_checkpoint()));
    let answers = join_all(asked)
        .await
        .into_iter()
        .filter_map(|answer| answer.ok()?.ok()?);
    answers.max_by_key(|answer| answer.checkpoint.epoch)
}

async fn fetch_checkpoint(peers: &[NodeClient], epoch: u64) -> Option<CheckpointAnswer> {
    for peer in peers {
        if let Ok(Ok(Some(answer))) = tokio::time::timeout(PATIENCE, peer.checkpoint(epoch)).await
            && answer.quorum
        {
            return Some(answer);
        }
    }
    None
}

/// From the first peer that gives bytes with this hash.
async fn download_state(peers: &[NodeClient], copied: Copied) -> Result<Vec<u8>, NotJoined> {
    let height = copied.height;
    for peer in peers {
        match download_from(peer, copied).await {
            Ok(content) if keccak256(&content) == copied.hash => return Ok(content),
            Ok(_) => tracing::warn!(
                peer = peer.base(),
                height,
                "a peer gave another state than was signed"
            ),
            Err(error) => {
                tracing::debug!(peer = peer.base(), height, %error, "a peer does not give the state")
            }
        }
    }

    Err(NotJoined::NotGiven { height })
}

/// What a peer gives, no more than was signed.
async fn download_from(peer: &NodeClient, copied: Copied) -> Result<Vec<u8>, ClientError> {
    let mut content = Vec::new();
    while (content.len() as u64) < copied.bytes {
        let part = peer
            .snapshot_part(copied.height, content.len() as u64)
            .await?;
        if part.is_empty() {
            break;
        }
        content.extend(part);
    }
    Ok(content)
}

async fn block_of(
    peers: &[NodeClient],
    ledger: &Ledger,
) -> Result<(Block, CommitCertificate), NotJoined> {
    let height = ledger.height();
    for peer in peers {
        let Ok(Some(answer)) = peer.block(height).await else {
            continue;
        };

        let bytes = hex::decode(answer.raw.trim_start_matches("0x")).unwrap_or_default();
        if let Ok(block) = Block::decode(&bytes)
            && block.header.hash() == ledger.head_hash()
        {
            return Ok((block, answer.certificate));
        }
    }

    Err(NotJoined::Block { height })
}
