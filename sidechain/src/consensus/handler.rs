//! Answers the engine: one method for each of its messages.

use super::context::{
    Address, BlockHash, EngineSignature, Height, HotPot, ValidatorSet, parts_bytes,
};
use super::evidence::find_offences;
use super::signer::GuardedSigner;
use super::streams::{StreamedBlock, Streams};
use crate::io::store::Proposed;
use crate::node::{Candidate, Node};
use crate::tasks::duties::Report;
use anyhow::{Context as _, Result, anyhow, bail};
use arc_malachitebft_app_channel::app::engine::host::{HeightParams, Next, SyncedValueOutcome};
use arc_malachitebft_app_channel::app::streaming::{StreamId, StreamMessage};
use arc_malachitebft_app_channel::app::types::core::{
    CommitCertificate as EngineCertificate, CommitSignature as EngineCommitSignature, Context,
    ExtendedCommitCertificate, LinearTimeouts, Round, Validator as _, Validity, VoteExtensions,
};
use arc_malachitebft_app_channel::app::types::sync::RawDecidedValue;
use arc_malachitebft_app_channel::app::types::{
    LocallyProposedValue, MisbehaviorEvidence, PeerId, ProposedValue,
};
use arc_malachitebft_app_channel::{AppMsg, Channels, NetworkMsg, Reply};
use bytes::Bytes;
use domain::certificate::CommitSignature;
use domain::{B256, Block, CommitCertificate, keccak256};
use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The end of a height, held back until there is something to do.
struct Idle {
    reply: Reply<Next<HotPot>>,
    until: Instant,
}

/// How far the ledger was, and when.
#[derive(Clone, Copy)]
struct Mark {
    at: Instant,
    height: u64,
    sales: u64,
}

impl Mark {
    fn now(node: &Node) -> Self {
        let ledger = node.ledger();
        Self {
            at: Instant::now(),
            height: ledger.height(),
            sales: ledger.supply().sales,
        }
    }
}

/// The node's side of consensus.
pub struct Handler {
    node: Arc<Node>,
    /// None at a node that only follows.
    signer: Option<GuardedSigner>,
    reporter: mpsc::Sender<Report>,
    streams: Streams,
    /// Executed blocks of the next height, by hash; one of them will be decided.
    candidates: HashMap<B256, Candidate>,
    /// Complete proposals of the height after the next one: this node is a step behind.
    early: Vec<StreamedBlock>,
    /// The height and round that the engine works on.
    engine_height: Height,
    engine_round: u32,
    /// The next height comes by sync: there is no time to lose.
    is_syncing: bool,
    /// Start and end so far of a run of blocks that come by sync.
    catch_up: Option<(Mark, Mark)>,
    idle: Option<Idle>,
    height_started: Instant,
    streams_sent: u64,
}

/// No timeout grows beyond this, so that a chain that stood still goes on soon after it heals.
const TIMEOUT_MAX: Duration = Duration::from_secs(5);
/// Transactions that wait when heights begin to take longer. Chosen, not measured.
const BUSY_FROM: usize = 400;
/// Proposals for rounds beyond the current one by more than this are not kept.
const ROUNDS_AHEAD_MAX: u32 = 10;
/// Different blocks kept of one round; an honest proposer has one.
const BLOCKS_PER_ROUND_MAX: usize = 2;
/// Early proposals kept; more are left to sync.
const EARLY_MAX: usize = 8;

impl Handler {
    /// A handler without open rounds.
    pub fn new(
        node: Arc<Node>,
        signer: Option<GuardedSigner>,
        reporter: mpsc::Sender<Report>,
    ) -> Self {
        Self {
            node,
            signer,
            reporter,
            streams: Streams::default(),
            candidates: HashMap::new(),
            early: Vec::new(),
            engine_height: Height(0),
            engine_round: 0,
            is_syncing: false,
            catch_up: None,
            idle: None,
            height_started: Instant::now(),
            streams_sent: 0,
        }
    }

    /// Answers until `stop`, or until the engine or the store fails.
    pub async fn run(
        mut self,
        mut channels: Channels<HotPot>,
        stop: CancellationToken,
    ) -> Result<()> {
        let node = Arc::clone(&self.node);
        loop {
            let idle_until = self.idle.as_ref().map(|idle| idle.until);
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                message = channels.consensus.recv() => match message {
                    Some(message) => self.handle(message, &channels.network).await?,
                    None => bail!("the consensus engine stopped"),
                },
                // Asked for in a pause only: under load each transaction would wake this task for nothing.
                () = node.mempool_changed.notified(), if self.idle.is_some() => if node.has_work() {
                    self.start_next_height();
                },
                () = sleep_until(idle_until) => self.start_next_height(),
            }
        }
    }

    async fn handle(
        &mut self,
        message: AppMsg<HotPot>,
        network: &mpsc::Sender<NetworkMsg<HotPot>>,
    ) -> Result<()> {
        match message {
            AppMsg::ConsensusReady { reply } => self.consensus_ready(reply),
            AppMsg::StartedRound {
                height,
                round,
                reply_value,
                ..
            } => {
                send_reply(reply_value, self.started_round(height, round)?);
            }
            AppMsg::GetValue {
                height,
                round,
                reply,
                ..
            } => {
                let streamed = self.get_value(height, round, reply)?;
                self.publish(streamed, network).await?;
            }
            AppMsg::RestreamProposal {
                height,
                round,
                valid_round,
                address,
                value_id,
            } => {
                if let Some(streamed) =
                    self.restream(height, round, valid_round, address, value_id)?
                {
                    self.publish(streamed, network).await?;
                }
            }
            AppMsg::ReceivedProposalPart {
                from,
                published_by,
                part,
                reply,
            } => {
                send_reply(
                    reply,
                    self.received_part(published_by.unwrap_or(from), part)?,
                );
            }
            AppMsg::Decided {
                certificate, reply, ..
            } => {
                self.decided(&certificate)?;
                send_reply(reply, ());
            }
            AppMsg::Finalized {
                certificate,
                evidence,
                reply,
                ..
            } => {
                if !evidence.is_empty() {
                    tracing::error!(height = %certificate.height, ?evidence, "equivocation was seen");
                    metrics::counter!("hotpot_node_equivocations_total").increment(1);
                    self.report(&evidence);
                }

                self.finalized(&certificate, reply)?;
            }
            AppMsg::GetHistoryMinHeight { reply } => {
                let first = self.node.store.first_height()?;
                send_reply(
                    reply,
                    Height(first.unwrap_or(self.node.ledger().genesis().first_height)),
                );
            }
            AppMsg::GetDecidedValues { range, reply } => {
                send_reply(reply, self.decided_values(&range)?)
            }
            AppMsg::ProcessSyncedValue {
                height,
                round,
                proposer,
                value_bytes,
                reply,
            } => {
                send_reply(
                    reply,
                    self.synced_value(height, round, proposer, value_bytes)?,
                );
            }
            AppMsg::ExtendVote { reply, .. } => send_reply(reply, None),
            AppMsg::VerifyVoteExtensions { reply, .. } => send_reply(reply, Vec::new()),
        }

        Ok(())
    }

    /// Passes offences on to be put on the ledger. When too many wait, the first of them are enough.
    fn report(&self, evidence: &MisbehaviorEvidence<HotPot>) {
        for report in find_offences(evidence) {
            if self.reporter.try_send(report).is_err() {
                metrics::counter!("hotpot_node_reports_dropped_total").increment(1);
            }
        }
    }

    fn params(&self) -> HeightParams<HotPot> {
        let config = self.node.config.consensus;
        let vote = Duration::from_millis(config.vote_timeout_ms);
        let delta = Duration::from_millis(config.timeout_delta_ms);

        let timeouts = LinearTimeouts {
            propose: Duration::from_millis(config.propose_timeout_ms),
            propose_delta: delta,
            prevote: vote,
            prevote_delta: delta,
            precommit: vote,
            precommit_delta: delta,
            rebroadcast: Duration::from_millis(config.propose_timeout_ms) + 2 * vote,
            max_timeout: TIMEOUT_MAX,
        };

        let validators = ValidatorSet::next(&self.node.ledger());
        let is_busy = self.node.mempool_len() >= BUSY_FROM;
        let target_ms = if is_busy {
            config.busy_target_time_ms
        } else {
            config.target_time_ms
        };

        HeightParams::new(validators, timeouts, Some(Duration::from_millis(target_ms)))
    }

    fn next_height(&self) -> Height {
        Height(self.node.ledger().next_height())
    }

    fn consensus_ready(&mut self, reply: Reply<(Height, HeightParams<HotPot>)>) {
        self.node.set_ready(true);
        self.height_started = Instant::now();
        tracing::info!(height = %self.next_height(), "consensus starts");
        send_reply(reply, (self.next_height(), self.params()));
    }

    fn started_round(
        &mut self,
        height: Height,
        round: Round,
    ) -> Result<Vec<ProposedValue<HotPot>>> {
        self.engine_height = height;
        self.engine_round = round.as_u32().unwrap_or(0);
        self.node.round.store(self.engine_round, Ordering::Relaxed);

        if round.as_i64() > 0 {
            tracing::info!(%height, %round, "another round");
            metrics::counter!("hotpot_node_extra_rounds_total").increment(1);
        }

        let stored = self
            .node
            .store
            .proposed(height.0, round.as_u32().unwrap_or(0))?;
        Ok(stored
            .into_iter()
            .map(|proposed| self.judge(proposed, true))
            .collect())
    }

    /// Executes a proposal of the next height; the outcome is kept for its decision.
    fn judge(&mut self, proposed: Proposed, live: bool) -> ProposedValue<HotPot> {
        let bytes = Bytes::from(proposed.bytes);
        let (hash, validity) = match self.examine(&bytes, live) {
            Ok(hash) => (hash, Validity::Valid),
            Err(error) => {
                let reason = format!("{error:#}");
                tracing::warn!(height = proposed.height, proposer = %proposed.proposer, reason, "an invalid proposal");
                (fallback_hash(&bytes), Validity::Invalid)
            }
        };

        ProposedValue {
            height: Height(proposed.height),
            round: Round::new(proposed.round),
            valid_round: if proposed.pol_round < 0 {
                Round::Nil
            } else {
                to_round(proposed.pol_round)
            },
            proposer: Address(proposed.proposer),
            value: BlockHash(hash),
            validity,
        }
    }

    fn examine(&mut self, bytes: &Bytes, live: bool) -> Result<B256> {
        let candidate = self.node.check_block(bytes, live)?;
        let hash = candidate.executed.block_hash;
        self.candidates.insert(hash, candidate);
        Ok(hash)
    }

    /// Who proposes. The engine asks nobody else.
    fn signer(&self) -> Result<&GuardedSigner> {
        self.signer
            .as_ref()
            .context("a node that only follows was asked to propose")
    }

    /// The value to propose: the one proposed before for this round, or a new block.
    fn get_value(
        &mut self,
        height: Height,
        round: Round,
        reply: Reply<LocallyProposedValue<HotPot>>,
    ) -> Result<StreamedBlock> {
        let number = round.as_u32().unwrap_or(0);
        let signer = self.signer()?.clone();
        let own = |proposed: &Proposed| proposed.proposer == signer.address();

        let before = self
            .node
            .store
            .proposed(height.0, number)?
            .into_iter()
            .find(own);
        let (hash, bytes) = match before {
            Some(proposed) => {
                let bytes = Bytes::from(proposed.bytes);
                (
                    self.examine(&bytes, false)
                        .unwrap_or_else(|_| fallback_hash(&bytes)),
                    bytes,
                )
            }
            None => self.propose(signer.address(), height, number)?,
        };

        send_reply(
            reply,
            LocallyProposedValue::new(height, round, BlockHash(hash)),
        );
        self.streamed(height, round, Round::Nil, hash, bytes)
    }

    fn propose(
        &mut self,
        proposer: domain::Address,
        height: Height,
        round: u32,
    ) -> Result<(B256, Bytes)> {
        let candidate = self.node.build_block(proposer);
        let (hash, bytes) = (candidate.executed.block_hash, candidate.bytes.clone());

        self.node.store.put_proposed(&Proposed {
            height: height.0,
            round,
            pol_round: -1,
            proposer,
            bytes: bytes.to_vec(),
        })?;
        self.candidates.insert(hash, candidate);

        Ok((hash, bytes))
    }

    fn streamed(
        &self,
        height: Height,
        round: Round,
        pol_round: Round,
        hash: B256,
        bytes: Bytes,
    ) -> Result<StreamedBlock> {
        let signer = self.signer()?;
        let signature = signer
            .sign_parts(height, round, hash)
            .map_err(|error| anyhow!("sign proposal parts: {error}"))?;

        Ok(StreamedBlock {
            height,
            round,
            pol_round,
            proposer: Address(signer.address()),
            bytes,
            signature,
        })
    }

    /// Streams a block of an earlier round again, under this round's signature.
    fn restream(
        &mut self,
        height: Height,
        round: Round,
        valid_round: Round,
        address: Address,
        value_id: BlockHash,
    ) -> Result<Option<StreamedBlock>> {
        if Some(address.0) != self.node.validator {
            return Ok(None);
        }

        let Some(bytes) = self.candidate_bytes(height, value_id.0)? else {
            tracing::warn!(%height, %value_id, "asked to stream a block that is not here");
            return Ok(None);
        };

        self.streamed(height, round, valid_round, value_id.0, bytes)
            .map(Some)
    }

    fn candidate_bytes(&mut self, height: Height, hash: B256) -> Result<Option<Bytes>> {
        if !self.candidates.contains_key(&hash) {
            for proposed in self.node.store.proposed_at(height.0)? {
                self.judge(proposed, false);
            }
        }
        Ok(self
            .candidates
            .get(&hash)
            .map(|candidate| candidate.bytes.clone()))
    }

    async fn publish(
        &mut self,
        streamed: StreamedBlock,
        network: &mpsc::Sender<NetworkMsg<HotPot>>,
    ) -> Result<()> {
        self.streams_sent += 1;

        let mut id = streamed.proposer.0.to_vec();
        id.extend_from_slice(&streamed.height.0.to_be_bytes());
        id.extend_from_slice(&service_kit::clock::now_ms().to_be_bytes());
        id.extend_from_slice(&self.streams_sent.to_be_bytes());

        for message in streamed.into_messages(StreamId::new(id.into())) {
            network
                .send(NetworkMsg::PublishProposalPart(message))
                .await
                .context("send proposal parts")?;
        }

        Ok(())
    }

    /// A part of a proposal; the proposal once it is complete, signed by who may propose, and durable.
    fn received_part(
        &mut self,
        publisher: PeerId,
        part: StreamMessage<super::context::Part>,
    ) -> Result<Option<ProposedValue<HotPot>>> {
        let Some(streamed) = self.streams.insert(publisher, part) else {
            return Ok(None);
        };
        let next = self.next_height();
        if streamed.height.0 == next.0 + 1
            && self.early.len() < EARLY_MAX
            && self.is_by_proposer(&streamed)
        {
            self.early.push(streamed);
            return Ok(None);
        }
        let Some(proposed) = self.keep(streamed)? else {
            return Ok(None);
        };
        self.start_next_height();
        // Before the engine starts the height it gets the proposal from `started_round`.
        Ok((next == self.engine_height).then(|| self.judge(proposed, true)))
    }

    /// Makes a proposal for the next height durable, if it is by who may propose.
    fn keep(&mut self, streamed: StreamedBlock) -> Result<Option<Proposed>> {
        let Some(round) = streamed.round.as_u32() else {
            return Ok(None);
        };

        let far = round > self.engine_round.saturating_add(ROUNDS_AHEAD_MAX);
        if far || streamed.height != self.next_height() || !self.is_by_proposer(&streamed) {
            return Ok(None);
        }
        if self.node.store.proposed(streamed.height.0, round)?.len() >= BLOCKS_PER_ROUND_MAX {
            return Ok(None);
        }

        let proposed = Proposed {
            height: streamed.height.0,
            round,
            pol_round: streamed.pol_round.as_i64(),
            proposer: streamed.proposer.0,
            bytes: streamed.bytes.to_vec(),
        };
        self.node.store.put_proposed(&proposed)?;
        Ok(Some(proposed))
    }

    fn is_by_proposer(&self, streamed: &StreamedBlock) -> bool {
        let (set, id) = {
            let ledger = self.node.ledger();
            (ValidatorSet::next(&ledger), ledger.sidechain_id())
        };
        let Some(hash) = block_hash(&streamed.bytes) else {
            return false;
        };
        let message = parts_bytes(id, streamed.height, streamed.round, hash);
        let expected = HotPot.select_proposer(&set, streamed.height, streamed.round);
        let signed =
            |signature: &EngineSignature| expected.public_key().verify(&message, signature).is_ok();
        *expected.address() == streamed.proposer && signed(&streamed.signature)
    }

    /// Makes the decision durable before the engine goes on.
    fn decided(&mut self, certificate: &EngineCertificate<HotPot>) -> Result<()> {
        let (height, hash) = (certificate.height, certificate.value_id.0);
        if height != self.next_height() {
            return Ok(());
        }

        let (decided_at, parent_ms) = (Instant::now(), self.node.ledger().head_time_ms());
        self.candidate_bytes(height, hash)?;
        let candidate = self
            .candidates
            .remove(&hash)
            .with_context(|| format!("block {hash} was decided but is not here"))?;

        let certificate = from_engine(certificate);
        let time_ms = candidate.block.header.time_ms;
        self.node
            .commit(candidate, certificate)
            .context("store a decided block")?;

        self.candidates.clear();
        crate::metrics::decided(decided_at.elapsed(), time_ms - parent_ms);
        self.node.snapshots.committed(&self.node);
        if self.node.validator.is_none() {
            self.node.drop_outdated();
        }

        for streamed in std::mem::take(&mut self.early) {
            self.keep(streamed)?;
        }
        Ok(())
    }

    fn finalized(
        &mut self,
        certificate: &EngineCertificate<HotPot>,
        reply: Reply<Next<HotPot>>,
    ) -> Result<()> {
        let certificate = from_engine(certificate);
        if certificate.height == self.node.ledger().height() {
            self.node.complete_certificate(certificate)?;
        }

        let heartbeat = Duration::from_millis(self.node.config.consensus.heartbeat_ms);
        self.idle = Some(Idle {
            reply,
            until: self.height_started + heartbeat,
        });

        let is_proposed = !self
            .node
            .store
            .proposed_at(self.next_height().0)?
            .is_empty();
        let is_syncing = std::mem::take(&mut self.is_syncing);
        self.note_catch_up(is_syncing);

        if is_syncing || is_proposed || self.node.has_work() {
            self.start_next_height();
        }
        Ok(())
    }

    /// Says how fast it went, once blocks come by consensus again.
    fn note_catch_up(&mut self, is_syncing: bool) {
        match &mut self.catch_up {
            Some((_, end)) if is_syncing => *end = Mark::now(&self.node),
            catch_up => {
                let Some((start, end)) = catch_up.take() else {
                    return;
                };
                let ms = u64::try_from((end.at - start.at).as_millis()).unwrap_or(u64::MAX);
                let (blocks, sales) = (end.height - start.height, end.sales - start.sales);
                tracing::info!(blocks, sales, ms, height = end.height, "caught up by sync");
            }
        }
    }

    /// Ends the pause between two heights, if there is one.
    fn start_next_height(&mut self) {
        let Some(idle) = self.idle.take() else { return };
        self.height_started = Instant::now();
        send_reply(idle.reply, Next::Start(self.next_height(), self.params()));
    }

    fn decided_values(
        &self,
        range: &RangeInclusive<Height>,
    ) -> Result<Vec<RawDecidedValue<HotPot>>> {
        let mut values = Vec::new();
        for height in range.start().0..=range.end().0 {
            let store = &self.node.store;
            let (Some(block), Some(certificate)) =
                (store.block(height)?, store.certificate(height)?)
            else {
                break;
            };

            values.push(RawDecidedValue::new(
                Bytes::from(block.encode()),
                to_engine(&certificate),
            ));
        }

        Ok(values)
    }

    /// A block that others decided; the engine has checked its certificate.
    fn synced_value(
        &mut self,
        height: Height,
        round: Round,
        proposer: Address,
        bytes: Bytes,
    ) -> Result<SyncedValueOutcome<HotPot>> {
        if height != self.next_height() {
            return Ok(SyncedValueOutcome::LocalTransientError);
        }
        if block_hash(&bytes).is_none() {
            return Ok(SyncedValueOutcome::PeerFault);
        }

        let round = round.as_u32().unwrap_or(0);
        let proposed = Proposed {
            height: height.0,
            round,
            pol_round: -1,
            proposer: proposer.0,
            bytes: bytes.to_vec(),
        };
        self.node.store.put_proposed(&proposed)?;

        self.is_syncing = true;
        let node = &self.node;
        self.catch_up
            .get_or_insert_with(|| (Mark::now(node), Mark::now(node)));

        Ok(SyncedValueOutcome::Verdict(self.judge(proposed, false)))
    }
}

/// The engine may have given up waiting; then nobody needs the answer.
fn send_reply<T>(reply: Reply<T>, value: T) {
    let _ = reply.send(value);
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

fn block_hash(bytes: &[u8]) -> Option<B256> {
    Block::decode(bytes).ok().map(|block| block.header.hash())
}

/// A name for a block that is none, so that validators can vote against it.
fn fallback_hash(bytes: &[u8]) -> B256 {
    block_hash(bytes).unwrap_or_else(|| keccak256(bytes))
}

fn to_round(round: i64) -> Round {
    u32::try_from(round).map_or(Round::Nil, Round::new)
}

fn from_engine(certificate: &EngineCertificate<HotPot>) -> CommitCertificate {
    let signature = |signed: &EngineCommitSignature<HotPot>| CommitSignature {
        validator: signed.address.0,
        signature: *signed.signature.inner(),
    };

    let mut signatures: Vec<CommitSignature> = certificate
        .commit_signatures
        .iter()
        .map(signature)
        .collect();
    signatures.sort_by_key(|signature| signature.validator);
    signatures.dedup_by_key(|signature| signature.validator);

    CommitCertificate {
        height: certificate.height.0,
        round: certificate.round.as_u32().unwrap_or(0),
        block_hash: certificate.value_id.0,
        signatures,
    }
}

fn to_engine(certificate: &CommitCertificate) -> ExtendedCommitCertificate<HotPot> {
    let signature = |signed: &CommitSignature| {
        EngineCommitSignature::new(
            Address(signed.validator),
            EngineSignature::new(signed.signature),
        )
    };

    let certificate = EngineCertificate {
        height: Height(certificate.height),
        round: Round::new(certificate.round),
        value_id: BlockHash(certificate.block_hash),
        commit_signatures: certificate.signatures.iter().map(signature).collect(),
    };

    ExtendedCommitCertificate::from_commit_certificate_and_extensions(
        certificate,
        VoteExtensions::default(),
    )
}
