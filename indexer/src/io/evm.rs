//! The EVM node.

use crate::core::logs::{Block, Header, Log, assemble_blocks, is_suspicious};
use crate::error::Error;
use crate::metrics;
use alloy::consensus::ReceiptEnvelope;
use alloy::consensus::proofs::calculate_receipt_root;
use alloy::eips::{BlockId, BlockNumberOrTag};
use alloy::network::Ethereum;
use alloy::primitives::{Address, B256, Bloom, LogData};
use alloy::providers::{Provider, RootProvider};
use alloy::rpc::types as rpc;
use alloy::transports::{RpcError, TransportError, TransportErrorKind};
use futures::{StreamExt, TryStreamExt, stream};
use std::future::IntoFuture;
use std::time::Duration;

/// How long one call may take, seconds.
const CALL_SECONDS_MAX: u64 = 20;
/// Calls under way at once.
const CALLS_AT_ONCE: usize = 8;
/// How often an empty answer that the bloom filter contradicts is asked for again before the receipts are.
const EMPTY_ANSWERS_MAX: u32 = 3;
/// Pause before asking again: a node may index a new block a moment after it shows its header.
const EMPTY_ANSWER_PAUSE: Duration = Duration::from_millis(50);

/// Reads one chain through one node.
#[derive(Clone, Debug)]
pub struct Evm {
    provider: RootProvider<Ethereum>,
    addresses: [Address; 2],
    finality_depth: u64,
}

impl Evm {
    /// `addresses`: whose logs are mirrored.
    pub fn new(url: &str, addresses: [Address; 2], finality_depth: u64) -> anyhow::Result<Self> {
        Ok(Self {
            provider: RootProvider::new_http(url.parse()?),
            addresses,
            finality_depth,
        })
    }

    /// The chain's id.
    pub async fn chain_id(&self) -> Result<u64, Error> {
        call_with_timeout("eth_chainId", self.provider.get_chain_id()).await
    }

    /// The newest block.
    pub async fn head(&self) -> Result<Header, Error> {
        self.by_tag(BlockNumberOrTag::Latest)
            .await?
            .ok_or(Error::MissingBlock { number: 0 })
    }

    /// The last block that cannot be replaced any more: the node's `finalized` tag where it has one, else by depth.
    pub async fn finalized(&self, head: &Header) -> Result<u64, Error> {
        let by_depth = head.number.saturating_sub(self.finality_depth);
        match self.by_tag(BlockNumberOrTag::Finalized).await {
            Ok(tagged) => Ok(tagged.map_or(by_depth, |header| header.number.min(head.number))),
            Err(Error::Rpc {
                source: RpcError::ErrorResp(_),
                ..
            }) => Ok(by_depth),
            Err(error) => Err(error),
        }
    }

    /// A block that must exist, by number.
    pub async fn header(&self, number: u64) -> Result<Header, Error> {
        self.by_tag(BlockNumberOrTag::Number(number))
            .await?
            .ok_or(Error::MissingBlock { number })
    }

    /// The parent of a block.
    pub async fn parent(&self, child: &Header) -> Result<Header, Error> {
        let found = call_with_timeout(
            "eth_getBlockByHash",
            self.provider.get_block_by_hash(child.parent_hash),
        )
        .await?;
        let number = child.number.saturating_sub(1);
        found
            .map(|block| header_of(&block))
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
        let blocks = assemble_blocks(headers, logs).map_err(Error::Logs)?;
        self.believe_all(blocks).await
    }

    /// The logs of blocks, each asked for by its hash.
    pub async fn blocks_by_hash(&self, headers: Vec<Header>) -> Result<Vec<Block>, Error> {
        let blocks = stream::iter(headers)
            .map(|header| self.block_by_hash(header))
            .buffered(CALLS_AT_ONCE);
        self.believe_all(blocks.try_collect().await?).await
    }

    async fn block_by_hash(&self, header: Header) -> Result<Block, Error> {
        let logs = self.logs(&self.filter().at_block_hash(header.hash)).await?;
        let mut blocks = assemble_blocks(vec![header], logs).map_err(Error::Logs)?;
        blocks.pop().ok_or(Error::MissingBlock { number: 0 })
    }

    async fn believe_all(&self, blocks: Vec<Block>) -> Result<Vec<Block>, Error> {
        stream::iter(blocks)
            .map(|block| self.believe(block))
            .buffered(CALLS_AT_ONCE)
            .try_collect()
            .await
    }

    /// An empty answer that the bloom filter contradicts is asked for again. A filter may err on that side, so in
    /// the end the block's receipts decide, which the header commits to.
    async fn believe(&self, mut block: Block) -> Result<Block, Error> {
        for _ in 0..EMPTY_ANSWERS_MAX {
            if !is_suspicious(&block, &self.addresses) {
                return Ok(block);
            }

            metrics::unbelieved();
            tracing::warn!(
                block = block.header.number,
                "no logs given, but the bloom filter says there may be some"
            );
            tokio::time::sleep(EMPTY_ANSWER_PAUSE).await;
            block = self.block_by_hash(block.header).await?;
        }

        if is_suspicious(&block, &self.addresses) {
            self.proven(block.header).await
        } else {
            Ok(block)
        }
    }

    async fn proven(&self, header: Header) -> Result<Block, Error> {
        let number = header.number;
        let receipts = call_with_timeout(
            "eth_getBlockReceipts",
            self.provider.get_block_receipts(BlockId::hash(header.hash)),
        )
        .await?;
        let receipts = receipts.ok_or(Error::MissingBlock { number })?;

        if receipts_root(&receipts) != header.receipts_root {
            return Err(Error::Unproven { number });
        }

        let logs = receipts.iter().flat_map(|receipt| receipt.logs().iter());
        let ours = logs.filter(|log| self.addresses.contains(&log.address()));
        let logs = ours
            .map(|log| log_of(log).ok_or(Error::Unproven { number }))
            .collect::<Result<_, _>>()?;

        assemble_blocks(vec![header], logs)
            .map_err(Error::Logs)?
            .pop()
            .ok_or(Error::MissingBlock { number })
    }

    fn filter(&self) -> rpc::Filter {
        rpc::Filter::new().address(self.addresses.to_vec())
    }

    async fn logs(&self, filter: &rpc::Filter) -> Result<Vec<Log>, Error> {
        let logs = call_with_timeout("eth_getLogs", self.provider.get_logs(filter)).await?;
        logs.iter()
            .map(|log| log_of(log).ok_or(Error::MissingBlock { number: 0 }))
            .collect()
    }

    async fn by_tag(&self, tag: BlockNumberOrTag) -> Result<Option<Header>, Error> {
        let block = call_with_timeout(
            "eth_getBlockByNumber",
            self.provider.get_block_by_number(tag),
        )
        .await?;
        Ok(block.map(|block| header_of(&block)))
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

fn header_of(block: &rpc::Block) -> Header {
    let inner = &block.header.inner;
    Header {
        number: inner.number,
        hash: block.header.hash,
        parent_hash: inner.parent_hash,
        time_s: inner.timestamp,
        bloom: inner.logs_bloom,
        receipts_root: inner.receipts_root,
    }
}

/// `None` for a log of a pending block.
fn log_of(log: &rpc::Log) -> Option<Log> {
    Some(Log {
        block_number: log.block_number?,
        block_hash: log.block_hash?,
        log_index: log.log_index?,
        tx_hash: log.transaction_hash?,
        tx_index: log.transaction_index?,
        address: log.address(),
        topics: log.topics().to_vec(),
        data: log.data().data.clone(),
    })
}

fn receipts_root(receipts: &[rpc::TransactionReceipt]) -> B256 {
    type Primitive = alloy::primitives::Log<LogData>;
    let bare = |receipt: &rpc::TransactionReceipt| {
        receipt.clone().map_logs(rpc::Log::into_inner).into_inner()
    };
    let envelopes: Vec<ReceiptEnvelope<Primitive>> = receipts.iter().map(bare).collect();
    calculate_receipt_root(&envelopes)
}

/// Takes the bytes for each JSON answer of an EVM node, and puts logs into their blocks as far as they fit: for
/// fuzzing.
pub fn read_every_answer(bytes: &[u8]) {
    let headers = serde_json::from_slice::<Vec<rpc::Block>>(bytes);
    let logs = serde_json::from_slice::<Vec<rpc::Log>>(bytes);
    if let Ok(receipts) = serde_json::from_slice::<Vec<rpc::TransactionReceipt>>(bytes) {
        let _ = receipts_root(&receipts);
    }

    let headers: Vec<Header> = headers.iter().flatten().map(header_of).collect();
    let logs: Vec<Log> = logs.iter().flatten().filter_map(log_of).collect();
    // A node may number its first block as it likes.
    let asked = logs
        .iter()
        .map(|log| log.block_number)
        .take(1)
        .map(|number| Header {
            number,
            hash: logs[0].block_hash,
            parent_hash: B256::ZERO,
            time_s: 0,
            bloom: Bloom::ZERO,
            receipts_root: B256::ZERO,
        });
    let _ = assemble_blocks(asked.collect(), logs.clone());
    let _ = assemble_blocks(headers, logs);
}
