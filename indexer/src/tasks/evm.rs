//! Follows the contracts' events.

use crate::config::Blockchain;
use crate::core::logs::{Block, Header};
use crate::core::plan::{Joint, Plan, Position, Walk, check_joint, compare_header, plan_step};
use crate::core::range::RangeSize;
use crate::error::{Error, with_causes};
use crate::io::evm::Evm;
use crate::io::store::{Cursor, EvmWrite, Replaced, Stream, Writer};
use crate::metrics;
use crate::tasks::Context;
use crate::tasks::pace::{Pace, Progress};
use alloy::primitives::B256;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::Duration;

const STREAM: Stream = Stream::Evm;

/// Repeats sessions for ever.
pub async fn run(context: Context, evm: Evm) -> Infallible {
    let poll = Duration::from_millis(context.config.blockchain.poll_ms);
    let mut pace = Pace::new(STREAM.name(), context.health.clone(), poll);
    loop {
        let Err(error) = run_as_writer(&context, &evm, &mut pace).await;
        let pause = pace.after_failure(&error);
        tokio::time::sleep(pause).await;
    }
}

/// From becoming the writer to losing Postgres.
async fn run_as_writer(context: &Context, evm: &Evm, pace: &mut Pace) -> Result<Infallible, Error> {
    let writer = context.become_writer(STREAM).await?;
    let mut follower =
        Follower::start(evm.clone(), writer, context.config.blockchain.clone()).await?;
    loop {
        let pause = pace.after_step(follower.step().await)?;
        tokio::time::sleep(pause).await;
    }
}

struct Follower {
    evm: Evm,
    writer: Writer,
    chain: Blockchain,
    identity: B256,
    position: Position,
    last_block_s: u64,
    range: RangeSize,
}

impl Follower {
    async fn start(evm: Evm, mut writer: Writer, chain: Blockchain) -> Result<Self, Error> {
        let found = evm.chain_id().await?;
        if found != chain.chain_id {
            return Err(Error::ChainId {
                expected: chain.chain_id,
                found,
            });
        }

        let identity = evm.header(0).await?.hash;
        let cursor = open_cursor(&mut writer, identity, &chain).await?;
        let position = Position {
            number: cursor.position,
            hash: cursor.hash,
            finalized: cursor.finalized,
        };
        let last_block_s = writer.last_block_time_s().await?;
        tracing::info!(block = position.number, "following the EVM chain");

        let range = RangeSize::new(chain.range_blocks_max);
        Ok(Self {
            evm,
            writer,
            chain,
            identity,
            position,
            last_block_s,
            range,
        })
    }

    async fn step(&mut self) -> Result<Progress, Error> {
        let head = self.evm.head().await?;
        let finalized = self.evm.finalized(&head).await?;

        let progress = match plan_step(&self.position, &head, finalized, self.range.get()) {
            Plan::Wait => self.mark_final(finalized).await?,
            Plan::NodeIsBehind => self
                .check_identity()
                .await
                .map(|()| Progress::SourceIsBehind)?,
            Plan::Reorg => self.reorganise(finalized).await?,
            Plan::Backfill { from, to } => self.backfill(from, to, finalized).await?,
            Plan::Follow { from, to } => self.follow(from, to, finalized).await?,
        };

        if self.position.number == head.number {
            self.evm.note_in_step();
        }
        metrics::position(
            STREAM.name(),
            self.position.number,
            head.number,
            self.last_block_s,
        );
        metrics::finalized(self.position.finalized);

        Ok(progress)
    }

    /// Finality moves without a new block of ours, too.
    async fn mark_final(&mut self, finalized: u64) -> Result<Progress, Error> {
        if finalized.min(self.position.number) > self.position.finalized {
            self.write(None, &[], finalized).await?;
        }
        Ok(Progress::CaughtUp)
    }

    async fn backfill(&mut self, from: u64, to: u64, finalized: u64) -> Result<Progress, Error> {
        match self.read_range(from, to).await {
            Ok(Some(blocks)) => {
                self.range = self.range.grown();
                self.write(None, &blocks, finalized).await?;
                Ok(Progress::Wrote)
            }
            Ok(None) => self.reorganise(finalized).await,
            Err(error) if error.asks_for_less() && self.range.get() > 1 => {
                self.range = self.range.halved();
                tracing::info!(
                    blocks = self.range.get(),
                    reason = %with_causes(&error),
                    "the node could not answer, asking for fewer blocks"
                );
                Ok(Progress::AsksForLess)
            }
            Err(error) => Err(error),
        }
    }

    /// `None` when the blocks do not continue ours.
    async fn read_range(&self, from: u64, to: u64) -> Result<Option<Vec<Block>>, Error> {
        match self.joined(from, to).await? {
            Some(headers) => self.evm.blocks_by_range(headers).await.map(Some),
            None => Ok(None),
        }
    }

    async fn follow(&mut self, from: u64, to: u64, finalized: u64) -> Result<Progress, Error> {
        let Some(headers) = self.joined(from, to).await? else {
            return self.reorganise(finalized).await;
        };
        let blocks = self.evm.blocks_by_hash(headers).await?;
        self.write(None, &blocks, finalized).await?;
        Ok(Progress::Wrote)
    }

    async fn joined(&self, from: u64, to: u64) -> Result<Option<Vec<Header>>, Error> {
        let headers = self.evm.headers(from, to).await?;
        match check_joint(&self.position, &headers) {
            Joint::Joined => Ok(Some(headers)),
            Joint::Forked => Ok(None),
            Joint::Broken { number } => Err(Error::ChainMoved { number }),
        }
    }

    /// Reads the whole replacement, then replaces.
    async fn reorganise(&mut self, finalized: u64) -> Result<Progress, Error> {
        self.check_identity().await?;
        let ours = self
            .writer
            .hashes_from(self.chain.chain_id, self.position.finalized)
            .await?;

        let (fork, branch) = self.branch(&ours).await?;
        let Some(old_hash) = self.position.hash.filter(|_| fork < self.position.number) else {
            return Err(Error::ChainMoved { number: fork });
        };

        let blocks = self.evm.blocks_by_hash(branch).await?;
        let depth = self.position.number - fork;
        self.write(Some(Replaced { fork, old_hash }), &blocks, finalized)
            .await?;

        metrics::reorg(depth);
        tracing::warn!(fork, depth, "the EVM chain was reorganised");
        Ok(Progress::Wrote)
    }

    /// The node's branch up to our height, walked back by hash to the last block that is ours too.
    async fn branch(&self, ours: &BTreeMap<u64, B256>) -> Result<(u64, Vec<Header>), Error> {
        let mut branch = Vec::new();
        let mut header = self.evm.header(self.position.number).await?;

        loop {
            match compare_header(ours, self.position.finalized, &header) {
                Walk::Fork => break,
                Walk::BelowFinality { expected } => {
                    return Err(Error::BelowFinality {
                        number: header.number,
                        expected,
                        found: header.hash,
                    });
                }
                Walk::Older => {
                    let parent = self.evm.parent(&header).await?;
                    branch.push(std::mem::replace(&mut header, parent));
                }
            }
        }

        branch.reverse();
        Ok((header.number, branch))
    }

    async fn check_identity(&self) -> Result<(), Error> {
        let found = self.evm.header(0).await?.hash;
        if found == self.identity {
            Ok(())
        } else {
            Err(Error::OtherChain {
                expected: self.identity,
                found,
            })
        }
    }

    async fn write(
        &mut self,
        replaced: Option<Replaced>,
        blocks: &[Block],
        finalized: u64,
    ) -> Result<(), Error> {
        let last = blocks.last().map(|block| &block.header);
        let number = last.map_or(self.position.number, |header| header.number);
        let finalized = finalized.min(number).max(self.position.finalized);
        let (chain_id, from) = (self.chain.chain_id, self.position.number);

        self.writer
            .write_evm(&EvmWrite {
                chain_id,
                from,
                replaced,
                blocks,
                finalized,
            })
            .await?;

        let hash = last.map_or(self.position.hash, |header| Some(header.hash));
        self.position = Position {
            number,
            hash,
            finalized,
        };
        self.last_block_s = last.map_or(self.last_block_s, |header| header.time_s);

        Ok(())
    }
}

/// The stream's cursor, begun if this is the first time; of the same chain and contracts in any case.
async fn open_cursor(
    writer: &mut Writer,
    identity: B256,
    chain: &Blockchain,
) -> Result<Cursor, Error> {
    // Block 0 holds no logs.
    let first = chain.start_block.max(1);
    let scope = format!(
        "token {}, anchor {}, from block {first}",
        chain.token, chain.anchor
    );
    let Some(cursor) = writer.cursor().await? else {
        let cursor = Cursor {
            identity,
            scope,
            position: first - 1,
            hash: None,
            finalized: first - 1,
        };
        writer.begin_evm(&cursor).await?;
        return Ok(cursor);
    };
    if cursor.identity != identity {
        return Err(Error::OtherChain {
            expected: cursor.identity,
            found: identity,
        });
    }
    if cursor.scope != scope {
        return Err(Error::OtherScope {
            expected: cursor.scope,
            found: scope,
        });
    }
    Ok(cursor)
}
