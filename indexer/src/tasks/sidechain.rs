//! Follows the sidechain's blocks, checking each as a stranger would.

use crate::core::replica::{RawBlock, Refusal, check_block};
use crate::core::rows::Rows;
use crate::error::Error;
use crate::io::node::Nodes;
use crate::io::store::{Stream, Writer};
use crate::metrics;
use crate::pulse::Pulse;
use crate::tasks::Context;
use crate::tasks::pace::{Pace, Progress};
use alloy::primitives::B256;
use domain::ledger::Supply;
use domain::{Executed, Genesis, Ledger};
use std::convert::Infallible;
use std::time::Duration;

const STREAM: Stream = Stream::Sidechain;
/// Stored blocks read at once while the replica is rebuilt.
const REPLAY_BLOCKS: i64 = 256;

/// Repeats sessions for ever. The replica outlives a session, so that a lost connection costs no replay.
pub async fn run(context: Context) -> Infallible {
    let poll = Duration::from_millis(context.config.node.poll_ms);
    let mut pace = Pace::new(STREAM.name(), context.health.clone(), poll);
    let mut nodes = Nodes::new(&context.config.node.urls);
    let mut kept = None;
    loop {
        let Err(error) = run_as_writer(&context, &mut nodes, &mut kept, &mut pace).await;
        let pause = pace.after_failure(&error);
        tokio::time::sleep(pause).await;
    }
}

/// From becoming the writer to losing Postgres.
async fn run_as_writer(
    context: &Context,
    nodes: &mut Nodes,
    kept: &mut Option<Ledger>,
    pace: &mut Pace,
) -> Result<Infallible, Error> {
    let mut writer = context.become_writer(STREAM).await?;
    let genesis = match open_genesis(&mut writer, nodes, context).await {
        Err(error) => {
            nodes.failed();
            return Err(error);
        }
        Ok(genesis) => genesis,
    };

    let replica = bring_forward(&mut writer, kept, genesis).await?;
    tracing::info!(height = replica.height(), "following the sidechain");

    let batch = context.config.node.batch_blocks_max;
    let mut follower = Follower {
        nodes,
        writer,
        replica,
        pulse: &context.pulse,
        batch,
        checked_url: None,
    };

    loop {
        let pause = pace.after_step(follower.step().await)?;
        tokio::time::sleep(pause).await;
    }
}

/// The sidechain that this database mirrors; asked of a node the first time.
async fn open_genesis(
    writer: &mut Writer,
    nodes: &Nodes,
    context: &Context,
) -> Result<Genesis, Error> {
    let config = &context.config;
    let (origin, genesis) = match writer.genesis().await? {
        Some(stored) => ("database".to_owned(), stored),
        None => (nodes.url(), nodes.genesis().await?),
    };

    let found = genesis.sidechain_id();
    if let Some(expected) = config
        .node
        .sidechain_id
        .filter(|expected| *expected != found)
    {
        return Err(Error::OtherSidechain {
            origin,
            expected,
            found,
        });
    }

    let (expected, found) = (config.blockchain.chain_id, genesis.evm_chain_id);
    if expected != found {
        return Err(Error::OtherEvmChain { expected, found });
    }
    genesis.check().map_err(Error::Genesis)?;

    if writer.cursor().await?.is_none() {
        writer.begin_sidechain(&genesis).await?;
    }

    Ok(genesis)
}

/// The ledger after the last stored block: the kept one if it is not ahead of the database, brought forward by
/// executing the stored blocks after it.
async fn bring_forward<'a>(
    writer: &mut Writer,
    kept: &'a mut Option<Ledger>,
    genesis: Genesis,
) -> Result<&'a mut Ledger, Error> {
    let cursor = writer
        .cursor()
        .await?
        .ok_or(Error::Damaged { what: "cursor" })?;

    let usable = match kept.as_ref() {
        Some(kept) => is_stored(writer, kept, cursor.position, cursor.identity).await?,
        None => false,
    };
    if !usable {
        *kept = None;
    }

    let fresh = Ledger::new(genesis).map_err(Error::Genesis)?;
    let replica = kept.get_or_insert(fresh);
    replay_mirror(writer, replica).await?;

    let hash = cursor.hash.unwrap_or(replica.genesis().parent_hash);
    if (replica.height(), replica.head_hash()) == (cursor.position, hash) {
        Ok(replica)
    } else {
        Err(Error::Damaged {
            what: "sidechain blocks",
        })
    }
}

async fn replay_mirror(writer: &mut Writer, replica: &mut Ledger) -> Result<(), Error> {
    loop {
        let blocks = writer.blocks_after(replica.height(), REPLAY_BLOCKS).await?;
        if blocks.is_empty() {
            return Ok(());
        }
        for block in blocks {
            let checked =
                check_block(replica, block).map_err(refused("database", replica.next_height()))?;
            replica.commit(checked.executed);
            tokio::task::yield_now().await;
        }
    }
}

async fn is_stored(
    writer: &mut Writer,
    kept: &Ledger,
    position: u64,
    identity: B256,
) -> Result<bool, Error> {
    let stored = writer.sidechain_hash(kept.height()).await?;
    let same_head = kept.is_fresh() || stored == Some(kept.head_hash());
    Ok(kept.sidechain_id() == identity && kept.height() <= position && same_head)
}

fn refused(origin: &str, height: u64) -> impl Fn(Refusal) -> Error {
    move |refusal| Error::Refused {
        origin: origin.to_owned(),
        height,
        source: Box::new(refusal),
    }
}

struct Follower<'a> {
    nodes: &'a mut Nodes,
    writer: Writer,
    replica: &'a mut Ledger,
    pulse: &'a Pulse,
    batch: u64,
    /// The node whose genesis was compared.
    checked_url: Option<String>,
}

impl Follower<'_> {
    async fn step(&mut self) -> Result<Progress, Error> {
        let outcome = self.try_step().await;
        if outcome.as_ref().is_err_and(|error| !error.ends_session()) {
            self.nodes.failed();
        }
        outcome
    }

    async fn try_step(&mut self) -> Result<Progress, Error> {
        let next = self.replica.next_height();
        let head = self.nodes.turn_to_best(next).await?;
        self.pulse.note_head(STREAM, head);
        self.check_node().await?;

        let progress = if head < next {
            if head + 1 == next {
                Progress::CaughtUp
            } else {
                Progress::SourceIsBehind
            }
        } else {
            let blocks = self
                .nodes
                .blocks(next, head.min(next + self.batch - 1))
                .await?;
            self.take(blocks).await?;
            self.nodes.succeeded();
            Progress::Wrote
        };

        if self.replica.height() >= head {
            self.pulse.note_in_step(STREAM);
        }
        metrics::position(
            STREAM.name(),
            self.replica.height(),
            head,
            self.replica.head_time_ms() / 1000,
        );

        Ok(progress)
    }

    /// Another genesis behind the same URL gets a clear name; its blocks would be refused anyway.
    async fn check_node(&mut self) -> Result<(), Error> {
        let url = self.nodes.url();
        if self.checked_url.as_ref() == Some(&url) {
            return Ok(());
        }

        let (expected, found) = (
            self.replica.sidechain_id(),
            self.nodes.genesis().await?.sidechain_id(),
        );
        if expected != found {
            return Err(Error::OtherSidechain {
                origin: url,
                expected,
                found,
            });
        }

        self.checked_url = Some(url);
        Ok(())
    }

    /// Writes blocks up to the first that is refused. The replica takes the last one over when all are written;
    /// if writing fails it may be ahead by the others, and is then rebuilt from the database.
    async fn take(&mut self, blocks: Vec<RawBlock>) -> Result<(), Error> {
        let from = self.replica.height();
        let mut rows = Rows::default();
        let (mut last, mut supply): (Option<Executed>, Option<Supply>) = (None, None);
        let mut refusal = None;

        for block in blocks {
            if let Some(executed) = last.take() {
                self.replica.commit(executed);
            }

            match check_block(self.replica, block) {
                Ok(checked) => {
                    rows.add(&checked)?;
                    supply = Some(checked.executed.supply());
                    last = Some(checked.executed);
                }
                Err(error) => {
                    refusal = Some(refused(&self.nodes.url(), self.replica.next_height())(
                        error,
                    ));
                    break;
                }
            }

            tokio::task::yield_now().await;
        }

        if let Some(supply) = supply {
            self.writer.write_sidechain(from, &rows, &supply).await?;
        }
        if let Some(executed) = last {
            self.replica.commit(executed);
        }

        refusal.map_or(Ok(()), Err)
    }
}
