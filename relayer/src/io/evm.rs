//! One JSON-RPC endpoint of the EVM chain, and the two contracts behind it.

use crate::config::BlockchainConfig;
use crate::core::chunk::Allowance;
use crate::core::fees::Fees;
use crate::core::intent::BlockId;
use crate::core::reply::{Reply, classify_error, is_unknown_method};
use crate::core::slot::View;
use crate::error::{Error, RpcFailure};
use alloy::consensus::BlockHeader;
use alloy::eips::{BlockId as At, BlockNumberOrTag};
use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::providers::{Provider, RootProvider};
use alloy::rpc::client::{BatchRequest, RpcClient};
use alloy::rpc::types::{Header, TransactionReceipt, TransactionRequest};
use alloy::sol_types::SolCall;
use alloy::transports::TransportResult;
use alloy::transports::http::{Http, reqwest};
use anyhow::Context;
use contract_bindings::finality::{Tag, TagAnswer, read_tag};
use contract_bindings::{CheckpointAnchor as anchor_abi, FranchiseToken as token_abi};
use domain::checkpoint::AnchorHead;
use std::time::Duration;

/// The most calls in one batch; public endpoints refuse many more.
const BATCH_CALLS_MAX: usize = 50;

/// What the contracts hold at one block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Contracts {
    pub(crate) head: AnchorHead,
    pub(crate) validators_hash: B256,
    pub(crate) sidechain_id: B256,
    pub(crate) issuing_paused: bool,
    pub(crate) allowance: Allowance,
}

/// Where a transaction was mined.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mined {
    pub(crate) block: BlockId,
    pub(crate) success: bool,
}

/// The endpoint of the EVM chain, with the contracts that the relayer reads there.
pub(crate) struct Evm {
    provider: RootProvider,
    timeout: Duration,
    chain_id: u64,
    anchor: Address,
    token: Address,
    finality_depth: u64,
    /// Whether chain id and token were checked since the last failure.
    checked: bool,
    /// What the chain is known to say about finality; never given up for a weaker word.
    finality_tag: Option<BlockNumberOrTag>,
}

impl Evm {
    pub(crate) fn new(config: &BlockchainConfig) -> anyhow::Result<Self> {
        let url = reqwest::Url::parse(config.rpc_url.expose())
            .context("blockchain.rpc_url is not a URL")?;
        let http = reqwest::Client::builder()
            .timeout(config.request_timeout())
            .no_proxy()
            .build()?;

        Ok(Self {
            provider: RootProvider::new(RpcClient::new(Http::with_client(http, url), false)),
            timeout: config.request_timeout(),
            chain_id: config.chain_id,
            anchor: config.anchor,
            token: config.token,
            finality_depth: config.finality_depth_fallback,
            checked: false,
            finality_tag: None,
        })
    }

    /// The accounts that the token skips for ever.
    pub(crate) fn never_paid(&self) -> [Address; 2] {
        [self.anchor, self.token]
    }

    /// The endpoint may be another one by now: check it again before anything is believed.
    pub(crate) fn forget_check(&mut self) {
        self.checked = false;
    }

    /// Refuses another chain and another token.
    pub(crate) async fn check(&mut self) -> Result<(), Error> {
        if self.checked {
            return Ok(());
        }

        let found = self
            .ask("eth_chainId", async { self.provider.get_chain_id().await })
            .await?;
        if found != self.chain_id {
            return Err(Error::ChainId {
                expected: self.chain_id,
                found,
            });
        }

        let answers = self
            .batch(
                &[(self.anchor, anchor_abi::tokenCall {}.abi_encode())],
                At::latest(),
            )
            .await?;
        let found = decode_answer::<anchor_abi::tokenCall>(self.anchor, &answers[0])?;
        if found != self.token {
            return Err(Error::Token {
                expected: self.token,
                found,
            });
        }

        self.checked = true;
        Ok(())
    }

    /// The chain's head, its finality and the signer's count at the head.
    pub(crate) async fn view(&mut self, signer: Address) -> Result<View, Error> {
        let head = self
            .header(At::latest())
            .await?
            .ok_or_else(|| unknown_block("latest"))?;
        let finalized = self.final_block(head.number()).await?;

        Ok(View {
            head: block_id(&head),
            base_fee: u128::from(head.base_fee_per_gas().unwrap_or_default()),
            timestamp: head.timestamp(),
            finalized,
            confirmed: self.count_transactions(signer, head.hash).await?,
            confirmed_final: self.count_transactions(signer, finalized.hash).await?,
        })
    }

    async fn count_transactions(&self, signer: Address, at: B256) -> Result<u64, Error> {
        let counting = async {
            self.provider
                .get_transaction_count(signer)
                .block_id(At::from(at))
                .await
        };
        self.ask("eth_getTransactionCount", counting).await
    }

    /// `finalized`, else `safe`, else a depth. A tag that was known once is waited for.
    async fn final_block(&mut self, head: u64) -> Result<BlockId, Error> {
        if let Some(tag) = self.finality_tag {
            let header = self.header(tag.into()).await?;
            return header
                .map(|header| block_id(&header))
                .ok_or_else(|| unknown_block(&tag.to_string()));
        }

        for tag in [BlockNumberOrTag::Finalized, BlockNumberOrTag::Safe] {
            if let Some(block) = self.tagged_block(tag).await? {
                self.finality_tag = Some(tag);
                return Ok(block);
            }
        }

        let number = head.saturating_sub(self.finality_depth);
        let header = self.header(BlockNumberOrTag::Number(number).into()).await?;
        header
            .map(|header| block_id(&header))
            .ok_or_else(|| unknown_block(&number.to_string()))
    }

    /// `None` only when the endpoint plainly says that it has no such block; any other error is one.
    async fn tagged_block(&self, tag: BlockNumberOrTag) -> Result<Option<BlockId>, Error> {
        let answer = self.header(tag.into()).await;
        if let Err(Error::Rpc {
            source: RpcFailure::Refused { code, message },
            ..
        }) = &answer
            && read_tag(
                TagAnswer::Refused {
                    code: *code,
                    message,
                },
                false,
            ) == Tag::Absent
        {
            return Ok(None);
        }

        Ok(answer?.map(|header| block_id(&header)))
    }

    async fn header(&self, at: At) -> Result<Option<Header>, Error> {
        let block = self
            .ask("eth_getBlock", async { self.provider.get_block(at).await })
            .await?;
        Ok(block.map(|block| block.header))
    }

    /// Whether the block is still part of the chain.
    pub(crate) async fn is_canonical(&self, block: BlockId) -> Result<bool, Error> {
        let header = self
            .header(BlockNumberOrTag::Number(block.number).into())
            .await?;
        Ok(header.is_some_and(|header| header.hash == block.hash))
    }

    /// What both contracts hold at a block; `timestamp` decides whether issuing is paused.
    pub(crate) async fn contracts(&self, at: B256, timestamp: u64) -> Result<Contracts, Error> {
        let (anchor, token) = (self.anchor, self.token);
        let calls = [
            (anchor, anchor_abi::headCall {}.abi_encode()),
            (anchor, anchor_abi::validatorsHashCall {}.abi_encode()),
            (anchor, anchor_abi::sidechainIdCall {}.abi_encode()),
            (anchor, anchor_abi::issuingPausedUntilCall {}.abi_encode()),
            (token, token_abi::issueAllowanceCall {}.abi_encode()),
            (token, token_abi::issueCapacityCall {}.abi_encode()),
        ];

        let answers = self.batch(&calls, at.into()).await?;
        let head = decode_answer::<anchor_abi::headCall>(anchor, &answers[0])?;
        let paused_until =
            decode_answer::<anchor_abi::issuingPausedUntilCall>(anchor, &answers[3])?;

        Ok(Contracts {
            head: AnchorHead {
                epoch: head.epoch,
                last_height: head.lastHeight,
                total_released: head.totalReleased,
            },
            validators_hash: decode_answer::<anchor_abi::validatorsHashCall>(anchor, &answers[1])?,
            sidechain_id: decode_answer::<anchor_abi::sidechainIdCall>(anchor, &answers[2])?,
            issuing_paused: timestamp < paused_until.to::<u64>(),
            allowance: Allowance {
                available: decode_answer::<token_abi::issueAllowanceCall>(token, &answers[4])?,
                capacity: decode_answer::<token_abi::issueCapacityCall>(token, &answers[5])?,
            },
        })
    }

    /// What the anchor keeps of these epochs; zero for none.
    pub(crate) async fn commitments(&self, epochs: &[u64], at: B256) -> Result<Vec<B256>, Error> {
        let call = |epoch: &u64| {
            (
                self.anchor,
                anchor_abi::commitmentOfCall { epoch: *epoch }.abi_encode(),
            )
        };

        let answers = self
            .batch(&epochs.iter().map(call).collect::<Vec<_>>(), at.into())
            .await?;

        answers
            .iter()
            .map(|answer| decode_answer::<anchor_abi::commitmentOfCall>(self.anchor, answer))
            .collect()
    }

    /// Whether the anchor holds nothing for an epoch that it has passed, at the view's final block. At the head this
    /// proves nothing: in the middle of a reorganisation an endpoint answers from two states.
    pub(crate) async fn is_revoked(&self, epoch: u64, view: &View) -> Result<bool, Error> {
        let calls = [
            (self.anchor, anchor_abi::headCall {}.abi_encode()),
            (
                self.anchor,
                anchor_abi::commitmentOfCall { epoch }.abi_encode(),
            ),
        ];
        let answers = self.batch(&calls, view.finalized.hash.into()).await?;
        let head = decode_answer::<anchor_abi::headCall>(self.anchor, &answers[0])?;
        let commitment = decode_answer::<anchor_abi::commitmentOfCall>(self.anchor, &answers[1])?;

        Ok(head.epoch >= epoch && commitment.is_zero())
    }

    /// What the token has ever issued to these accounts.
    pub(crate) async fn issued(&self, accounts: &[Address], at: B256) -> Result<Vec<u128>, Error> {
        let call = |account: &Address| {
            (
                self.token,
                token_abi::issuedToCall { account: *account }.abi_encode(),
            )
        };

        let answers = self
            .batch(&accounts.iter().map(call).collect::<Vec<_>>(), at.into())
            .await?;

        answers
            .iter()
            .map(|answer| decode_answer::<token_abi::issuedToCall>(self.token, answer))
            .collect()
    }

    /// Where a transaction was mined; `None` when it is not part of the chain.
    pub(crate) async fn mined(&self, hash: B256) -> Result<Option<Mined>, Error> {
        let asking = async { self.provider.get_transaction_receipt(hash).await };
        Ok(self
            .ask("eth_getTransactionReceipt", asking)
            .await?
            .as_ref()
            .and_then(mined_from))
    }

    /// Gas that the call of the anchor would use; an error when it would revert.
    pub(crate) async fn estimate(&self, from: Address, calldata: Bytes) -> Result<u64, Error> {
        let request = TransactionRequest::default()
            .from(from)
            .to(self.anchor)
            .input(calldata.into());
        self.ask("eth_estimateGas", async {
            self.provider.estimate_gas(request).await
        })
        .await
    }

    /// What the chain asks for at present. An endpoint without a history of fees is asked for its price.
    pub(crate) async fn fees(&self, base_fee: u128) -> Result<Fees, Error> {
        let asking = async { self.provider.estimate_eip1559_fees().await };
        match self.ask("eth_feeHistory", asking).await {
            Ok(estimate) => Ok(Fees {
                max_fee: estimate.max_fee_per_gas,
                max_priority_fee: estimate.max_priority_fee_per_gas,
            }),
            Err(Error::Rpc {
                source: RpcFailure::Refused { code, message },
                ..
            }) if is_unknown_method(code, &message) => self.fees_from_price(base_fee).await,
            Err(error) => Err(error),
        }
    }

    async fn fees_from_price(&self, base_fee: u128) -> Result<Fees, Error> {
        let asking = async { self.provider.get_gas_price().await };
        let price = self.ask("eth_gasPrice", asking).await?;
        Ok(Fees {
            max_fee: price.saturating_add(base_fee),
            max_priority_fee: price.saturating_sub(base_fee).max(1),
        })
    }

    /// What the signer has to pay with.
    pub(crate) async fn balance(&self, signer: Address) -> Result<U256, Error> {
        self.ask("eth_getBalance", async {
            self.provider.get_balance(signer).await
        })
        .await
    }

    /// Hands a signed transaction to the endpoint.
    pub(crate) async fn send(&self, raw: &[u8]) -> Result<Reply, Error> {
        let sending = async { self.provider.send_raw_transaction(raw).await.map(|_| ()) };

        match self.ask("eth_sendRawTransaction", sending).await {
            Ok(()) => Ok(Reply::Sent),
            Err(Error::Rpc {
                method,
                source: RpcFailure::Refused { code, message },
            }) => {
                let reply = classify_error(code, &message);
                if reply == Reply::Refused {
                    return Err(Error::Rpc {
                        method,
                        source: RpcFailure::Refused { code, message },
                    });
                }
                Ok(reply)
            }
            Err(error) => Err(error),
        }
    }

    /// Many `eth_call`s of one block in few requests; answers in the same order.
    async fn batch(&self, calls: &[(Address, Vec<u8>)], at: At) -> Result<Vec<Bytes>, Error> {
        let mut answers = Vec::with_capacity(calls.len());
        for calls in calls.chunks(BATCH_CALLS_MAX) {
            self.batch_in_parts(calls, at, &mut answers).await?;
        }
        Ok(answers)
    }

    /// Endpoints bound their batches each in their own way and words: one that fails is halved until a single call does.
    async fn batch_in_parts(
        &self,
        calls: &[(Address, Vec<u8>)],
        at: At,
        answers: &mut Vec<Bytes>,
    ) -> Result<(), Error> {
        let mut parts = vec![calls];
        while let Some(part) = parts.pop() {
            match self.ask("eth_call", self.batch_once(part, at)).await {
                Ok(found) => answers.extend(found),
                Err(error) if part.len() > 1 && error.is_refusal() => {
                    let (first, second) = part.split_at(part.len() / 2);
                    parts.extend([second, first]);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn batch_once(
        &self,
        calls: &[(Address, Vec<u8>)],
        at: At,
    ) -> TransportResult<Vec<Bytes>> {
        let client = self.provider.client();
        let mut batch = BatchRequest::new(client);
        let mut waiters = Vec::with_capacity(calls.len());

        for (to, data) in calls {
            let request = TransactionRequest::default()
                .to(*to)
                .input(data.clone().into());
            waiters.push(batch.add_call::<_, Bytes>("eth_call", &(request, at))?);
        }

        batch.send().await?;
        futures::future::try_join_all(waiters).await
    }

    async fn ask<T>(
        &self,
        method: &'static str,
        request: impl Future<Output = TransportResult<T>>,
    ) -> Result<T, Error> {
        let answer = tokio::time::timeout(self.timeout, request).await;
        let answer = answer.map_err(|_| Error::RpcTimeout {
            method,
            limit: self.timeout,
        })?;

        answer.map_err(|source| Error::Rpc {
            method,
            source: source.into(),
        })
    }
}

fn unknown_block(block: &str) -> Error {
    Error::UnknownBlock {
        block: block.to_owned(),
    }
}

fn decode_answer<C: SolCall>(contract: Address, answer: &[u8]) -> Result<C::Return, Error> {
    C::abi_decode_returns(answer).map_err(|source| Error::Answer { contract, source })
}

fn block_id(header: &Header) -> BlockId {
    BlockId {
        number: header.number(),
        hash: header.hash,
    }
}

fn mined_from(receipt: &TransactionReceipt) -> Option<Mined> {
    let block = BlockId {
        number: receipt.block_number?,
        hash: receipt.block_hash?,
    };
    Some(Mined {
        block,
        success: receipt.status(),
    })
}
