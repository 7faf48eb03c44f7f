//! The EVM node.

mod answers;

pub use answers::read_every_answer;

use crate::core::logs::{Block, Header, Log, assemble_or_doubt, is_surely_empty};
use crate::core::receipts::{Ground, Receipt, believe_logs};
use crate::error::Error;
use crate::io::store::Stream;
use crate::metrics;
use crate::pulse::Pulse;
use alloy::eips::{BlockId, BlockNumberOrTag};
use alloy::network::Ethereum;
use alloy::primitives::Address;
use alloy::providers::{Provider, RootProvider};
use alloy::rpc::types as rpc;
use alloy::transports::{RpcError, TransportError, TransportErrorKind};
use answers::{RawReceipt, header_of, log_of, receipt_of};
use contract_bindings::finality::{Tag, TagAnswer, read_tag};
use futures::{StreamExt, TryStreamExt, stream};
use std::future::IntoFuture;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How long one call may take, seconds.
const CALL_SECONDS_MAX: u64 = 20;
/// Calls under way at once.
const CALLS_AT_ONCE: usize = 8;
/// How often a block's receipts are asked for before the step is given up.
const RECEIPTS_ASKED_MAX: u32 = 4;
/// Pause before asking again: a node may have a new block's receipts a moment after it shows its header.
const RECEIPTS_PAUSE: Duration = Duration::from_millis(50);

/// Reads one chain through one node.
#[derive(Clone, Debug)]
pub struct Evm {
    provider: RootProvider<Ethereum>,
    addresses: [Address; 2],
    finality_depth: u64,
    seen: Arc<Seen>,
    /// Hears of each good answer.
    pulse: Pulse,
}

/// What the chain was seen to have. It is not taken to be without it for the rest of the process's life, so that an
/// endpoint cannot talk its way out of it.
#[derive(Debug, Default)]
struct Seen {
    /// A block behind the `finalized` tag.
    finalized_tag: AtomicBool,
    /// Receipts that lead to their header's root.
    receipts_root: AtomicBool,
    /// A block that no header could prove.
    unproven_block: AtomicBool,
}

impl Evm {
    /// `addresses`: whose logs are mirrored.
    pub fn new(
        url: &str,
        addresses: [Address; 2],
        finality_depth: u64,
        pulse: Pulse,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            provider: RootProvider::new_http(url.parse()?),
            addresses,
            finality_depth,
            seen: Arc::default(),
            pulse,
        })
    }

    /// The chain's id.
    pub async fn chain_id(&self) -> Result<u64, Error> {
        self.call("eth_chainId", self.provider.get_chain_id()).await
    }

    /// The newest block.
    pub async fn head(&self) -> Result<Header, Error> {
        let head = self.by_tag(BlockNumberOrTag::Latest).await?;
        let head = head.ok_or(Error::MissingBlock { number: 0 })?;
        self.pulse.note_head(Stream::Evm, head.number);
        Ok(head)
    }

    /// The mirror has everything up to the newest block.
    pub fn note_in_step(&self) {
        self.pulse.note_in_step(Stream::Evm);
    }

    /// The last block that cannot be replaced any more: the node's `finalized` tag, and a depth only where the node
    /// plainly has no such tag. An error says nothing of that kind.
    pub async fn finalized(&self, head: &Header) -> Result<u64, Error> {
        let answer = self.by_tag(BlockNumberOrTag::Finalized).await;
        let was_seen = self.seen.finalized_tag.load(Ordering::Relaxed);
        let tag = read_tag(tag_answer(&answer), was_seen);

        match tag {
            Tag::At(number) => {
                self.seen.finalized_tag.store(true, Ordering::Relaxed);
                Ok(number.min(head.number))
            }
            Tag::Absent => Ok(head.number.saturating_sub(self.finality_depth)),
            Tag::Unclear => Err(answer.err().unwrap_or(Error::TagGone)),
        }
    }

    /// A block that must exist, by number.
    pub async fn header(&self, number: u64) -> Result<Header, Error> {
        self.by_tag(BlockNumberOrTag::Number(number))
            .await?
            .filter(|header| header.number == number)
            .ok_or(Error::MissingBlock { number })
    }

    /// The parent of a block.
    pub async fn parent(&self, child: &Header) -> Result<Header, Error> {
        let asked = self.provider.get_block_by_hash(child.parent_hash);
        let found = self.call("eth_getBlockByHash", asked).await?;
        let number = child.number.saturating_sub(1);
        found
            .map(|block| header_of(&block))
            .filter(|header| header.hash == child.parent_hash)
            .ok_or(Error::MissingBlock { number })
    }

    /// Headers of consecutive blocks, by number; whether they are one chain is for the caller to check.
    pub async fn headers(&self, from: u64, to: u64) -> Result<Vec<Header>, Error> {
        stream::iter(from..=to)
            .map(|number| self.header(number))
            .buffered(CALLS_AT_ONCE)
            .try_collect()
            .await
    }

    /// The logs of a chain of final blocks, asked for as one range.
    pub async fn blocks_by_range(&self, headers: Vec<Header>) -> Result<Vec<Block>, Error> {
        let (Some(first), Some(last)) = (headers.first(), headers.last()) else {
            return Ok(Vec::new());
        };
        let filter = self.filter().from_block(first.number).to_block(last.number);
        let logs = self.logs(&filter).await?;
        self.believe_all(assemble_given(headers, logs)).await
    }

    /// The logs of blocks, each asked for by its hash.
    pub async fn blocks_by_hash(&self, headers: Vec<Header>) -> Result<Vec<Block>, Error> {
        stream::iter(headers)
            .map(|header| self.block_by_hash(header))
            .buffered(CALLS_AT_ONCE)
            .try_collect()
            .await
    }

    async fn block_by_hash(&self, header: Header) -> Result<Block, Error> {
        let number = header.number;
        let logs = self.logs(&self.filter().at_block_hash(header.hash)).await?;
        let given = assemble_given(vec![header], logs).pop();
        self.believe(given.ok_or(Error::MissingBlock { number })?)
            .await
    }

    async fn believe_all(&self, blocks: Vec<Block>) -> Result<Vec<Block>, Error> {
        stream::iter(blocks)
            .map(|block| self.believe(block))
            .buffered(CALLS_AT_ONCE)
            .try_collect()
            .await
    }

    /// What `eth_getLogs` gave for a block is a hint: the receipts decide, which the header commits to. They are not
    /// asked for where the header itself excludes logs of ours.
    async fn believe(&self, given: Block) -> Result<Block, Error> {
        if is_surely_empty(&given, &self.addresses) {
            return Ok(given);
        }

        let number = given.header.number;
        let receipts = self.receipts(&given.header).await?;
        let roots_hold = self.seen.receipts_root.load(Ordering::Relaxed);
        let (logs, ground) = believe_logs(&given, &receipts, &self.addresses, roots_hold)
            .map_err(|source| Error::Unproven { number, source })?;

        match ground {
            Ground::ReceiptsRoot => self.note_proven(&given, &receipts, &logs),
            Ground::TwoAnswers => self.note_unproven(number),
        }
        Ok(Block { logs, ..given })
    }

    fn note_proven(&self, given: &Block, receipts: &[Receipt], proven: &[Log]) {
        if !receipts.is_empty() {
            self.seen.receipts_root.store(true, Ordering::Relaxed);
        }
        if given.logs != proven {
            metrics::unbelieved();
            tracing::warn!(
                block = given.header.number,
                given = given.logs.len(),
                proven = proven.len(),
                "eth_getLogs gave other logs than the block's receipts prove"
            );
        }
    }

    /// Said once, since on such a chain it is so for every block; the metric counts them.
    fn note_unproven(&self, number: u64) {
        metrics::unproven();
        if !self.seen.unproven_block.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                block = number,
                "this chain's receipts cannot be proved by its headers: logs are believed where two answers agree"
            );
        }
    }

    async fn receipts(&self, header: &Header) -> Result<Vec<Receipt>, Error> {
        let number = header.number;
        for _ in 0..RECEIPTS_ASKED_MAX {
            let id = BlockId::hash(header.hash);
            let asked = self
                .provider
                .raw_request("eth_getBlockReceipts".into(), (id,));
            let found: Option<Vec<RawReceipt>> = self.call("eth_getBlockReceipts", asked).await?;

            match found {
                Some(found) => {
                    let receipts: Option<_> = found.iter().map(receipt_of).collect();
                    return receipts.ok_or(Error::MissingReceipts { number });
                }
                None => tokio::time::sleep(RECEIPTS_PAUSE).await,
            }
        }
        Err(Error::MissingReceipts { number })
    }

    fn filter(&self) -> rpc::Filter {
        rpc::Filter::new().address(self.addresses.to_vec())
    }

    async fn logs(&self, filter: &rpc::Filter) -> Result<Vec<Log>, Error> {
        let asked = self.provider.get_logs(filter);
        let logs = self.call("eth_getLogs", asked).await?;
        logs.iter()
            .map(|log| log_of(log).ok_or(Error::MissingBlock { number: 0 }))
            .collect()
    }

    async fn by_tag(&self, tag: BlockNumberOrTag) -> Result<Option<Header>, Error> {
        let asked = self.provider.get_block_by_number(tag);
        let block = self.call("eth_getBlockByNumber", asked).await?;
        Ok(block.map(|block| header_of(&block)))
    }

    async fn call<T>(
        &self,
        call: &'static str,
        request: impl IntoFuture<Output = Result<T, TransportError>>,
    ) -> Result<T, Error> {
        let answer = call_with_timeout(call, request).await?;
        self.pulse.note_answer(Stream::Evm);
        Ok(answer)
    }
}

/// Blocks with the logs that the node gave, or with none where these do not fit: the receipts decide then.
fn assemble_given(headers: Vec<Header>, logs: Vec<Log>) -> Vec<Block> {
    let (blocks, doubt) = assemble_or_doubt(headers, logs);
    if let Some(error) = doubt {
        tracing::warn!(%error, "eth_getLogs gave logs that do not belong to the blocks asked for");
    }
    blocks
}

fn tag_answer(answer: &Result<Option<Header>, Error>) -> TagAnswer<'_> {
    match answer {
        Ok(Some(header)) => TagAnswer::Block(header.number),
        Ok(None) => TagAnswer::Null,
        Err(Error::Rpc {
            source: RpcError::ErrorResp(refusal),
            ..
        }) => TagAnswer::Refused {
            code: refusal.code,
            message: &refusal.message,
        },
        Err(_) => TagAnswer::Unanswered,
    }
}

async fn call_with_timeout<T>(
    call: &'static str,
    request: impl IntoFuture<Output = Result<T, TransportError>>,
) -> Result<T, Error> {
    match tokio::time::timeout(Duration::from_secs(CALL_SECONDS_MAX), request.into_future()).await {
        Ok(answer) => answer.map_err(|error| {
            let source = without_url(error);
            Error::Rpc { call, source }
        }),
        Err(_) => Err(Error::RpcTimeout {
            call,
            seconds: CALL_SECONDS_MAX,
        }),
    }
}

/// A failed connection's own text names the URL, which may hold a provider's key; what lies below it does not.
fn without_url(error: TransportError) -> TransportError {
    let RpcError::Transport(TransportErrorKind::Custom(cause)) = error else {
        return error;
    };

    let mut said = "no answer".to_owned();
    let mut below = cause.source();
    while let Some(deeper) = below {
        said = format!("{said}: {deeper}");
        below = deeper.source();
    }
    TransportErrorKind::custom_str(&said)
}
