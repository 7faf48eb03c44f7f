//! The ledger behind the vault: pins and erasures signed with the agent's key, sent to a node that is ready.

use async_trait::async_trait;
use client::{ClientError, ConsentAnswer, ErasedAnswer, NodeClient, POOL_IDLE_TIMEOUT, Problem};
use domain::eip712::DomainSeparator;
use domain::recording::EraseReason;
use domain::transaction::{EraseRecording, PinRecording};
use domain::{B256, Payload, Signature, SignedTransaction};
use recording_vault::Reason;
use recording_vault::ledger::{EraseReport, Ledger, LedgerError, LedgerState, PinReport};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use wallet::SecretKey;

/// Taking a transaction waits for its block, which is usually there in less than a second.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);

/// Whether a node is ready is known at once.
const READY_TIMEOUT: Duration = Duration::from_secs(2);

/// Refusals that no waiting changes. Whatever else a node, or somebody between, says is waited for: a recording that
/// is refused for good is erased.
const FOR_GOOD: [&str; 10] = [
    "camera_out_of_bounds",
    "consent_revoked",
    "outside_consent",
    "purpose_not_allowed",
    "recording_conflict",
    "recording_length",
    "recording_too_late",
    "sequence_out_of_bounds",
    "unknown_consent",
    "wrong_consent",
];

/// A recording that the ledger has erased, by whomever.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ErasedOnLedger {
    pub cid: ipfs::Cid,
    pub reason: Reason,
    pub height: u64,
}

/// A guest's consent that was taken back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Left {
    pub consent: B256,
    pub camera: u64,
    /// When it was in force.
    pub from_ms: u64,
    pub to_ms: u64,
    pub revoked_at_ms: u64,
}

impl Left {
    fn of(answer: &ConsentAnswer) -> Option<Self> {
        let revoked_at_ms = answer.revoked_at_ms?;
        let (consent, camera, from_ms) = (answer.id, answer.camera, answer.recorded_at_ms);
        Some(Self {
            consent,
            camera,
            from_ms,
            to_ms: answer.until_ms.min(revoked_at_ms),
            revoked_at_ms,
        })
    }
}

/// What has to go, as the ledger says. An error is no answer. Under a legal basis that ended nothing more is recorded, but
/// what was stays for its retention, as the ledger has it: it takes such pins still.
#[async_trait]
pub(crate) trait ErasureFeed: Send + Sync + 'static {
    /// The outlet's recordings that the ledger erased above a height, in its order; the first ones.
    async fn erased_after(&self, height: u64) -> Result<Vec<ErasedOnLedger>, LedgerError>;

    /// The outlet's guests who took their consent back after a block's time, in the ledger's order; the first ones.
    async fn left_after(&self, ms: u64) -> Result<Vec<Left>, LedgerError>;
}

/// Nodes of one chain, asked in turn.
#[derive(Clone)]
pub(crate) struct NodeLedger {
    nodes: Vec<NodeClient>,
    /// Where the next question begins: the last node that answered.
    begin: Arc<AtomicUsize>,
    outlet: u64,
    sidechain_id: B256,
    domain: DomainSeparator,
    key: SecretKey,
}

impl NodeLedger {
    /// `key` is the agent's, `outlet` is where it works.
    pub fn new(
        nodes: Vec<NodeClient>,
        genesis: &domain::Genesis,
        outlet: u64,
        key: SecretKey,
    ) -> Self {
        Self {
            nodes,
            begin: Arc::default(),
            outlet,
            sidechain_id: genesis.sidechain_id(),
            domain: genesis.domain(),
            key,
        }
    }

    /// The first answer of a node that is ready. What one node refuses the next may know better, if it is ahead.
    async fn first<'a, T, F>(&'a self, ask: impl Fn(&'a NodeClient) -> F) -> Result<T, LedgerError>
    where
        F: Future<Output = Result<T, LedgerError>>,
    {
        let mut said = LedgerError::Unreachable("no node is configured".into());
        let (begin, count) = (self.begin.load(Ordering::Relaxed), self.nodes.len());

        for place in (begin..begin + count).map(|place| place % count) {
            let node = &self.nodes[place];
            let answer = match self.ready(node).await {
                Ok(()) => ask(node).await,
                Err(error) => Err(error),
            };

            match answer {
                Ok(answer) => {
                    self.begin.store(place, Ordering::Relaxed);
                    return Ok(answer);
                }
                Err(error) => said = graver_error(said, error),
            }
        }

        Err(said)
    }

    /// A node that is behind knows neither what was pinned nor what was revoked.
    async fn ready(&self, node: &NodeClient) -> Result<(), LedgerError> {
        let silent = |_| {
            LedgerError::Unreachable(format!(
                "no answer from {} within {READY_TIMEOUT:?}",
                node.base()
            ))
        };

        let status = tokio::time::timeout(READY_TIMEOUT, node.status())
            .await
            .map_err(silent)?;
        let status = status.map_err(|error| to_ledger_error(&error))?;

        if status.sidechain_id != self.sidechain_id {
            return Err(LedgerError::Unreachable(format!(
                "{} is a node of another network",
                node.base()
            )));
        }

        let reason = || status.reason.clone().unwrap_or_else(|| "not ready".into());
        if status.ready {
            Ok(())
        } else {
            Err(LedgerError::Unreachable(format!(
                "{}: {}",
                node.base(),
                reason()
            )))
        }
    }

    async fn submit(&self, payload: Payload) -> Result<(), LedgerError> {
        let signature = Signature::sign(self.domain.transaction_digest(&payload), &self.key);
        let transaction = SignedTransaction { payload, signature };
        let transaction = &transaction;
        self.first(|node| async move {
            node.post_transaction(transaction)
                .await
                .map(drop)
                .map_err(|error| to_ledger_error(&error))
        })
        .await
    }
}

/// A refusal for good counts more than one for now, and that more than silence; of equals the later one.
fn graver_error(before: LedgerError, now: LedgerError) -> LedgerError {
    let weight = |error: &LedgerError| match error {
        LedgerError::Unreachable(_) => 0,
        LedgerError::NotAllowed(_) => 1,
        LedgerError::Refused(_) => 2,
    };
    if weight(&now) >= weight(&before) {
        now
    } else {
        before
    }
}

/// What a node's no means for a recording.
fn to_ledger_error(error: &ClientError) -> LedgerError {
    match error {
        ClientError::Problem(problem) if !error.is_retryable() => judge_problem(problem),
        other => LedgerError::Unreachable(service_kit::error::in_full(other)),
    }
}

fn judge_problem(problem: &Problem) -> LedgerError {
    let code = problem
        .kind
        .strip_prefix("urn:hotpot:problem:")
        .unwrap_or_default();
    let said = format!("{} ({code})", problem.detail);
    if FOR_GOOD.contains(&code) {
        LedgerError::Refused(said)
    } else {
        LedgerError::NotAllowed(said)
    }
}

/// The same 36 bytes in the ledger's type.
fn on_ledger(cid: &ipfs::Cid) -> Result<domain::Cid, LedgerError> {
    domain::Cid::new(*cid.as_bytes()).map_err(|error| LedgerError::Refused(error.to_string()))
}

fn in_vault(reason: EraseReason) -> Reason {
    match reason {
        EraseReason::Revoked => Reason::Revoked,
        EraseReason::Retention => Reason::Retention,
        EraseReason::Request => Reason::Request,
        EraseReason::Other => Reason::Other,
    }
}

fn on_vault(erased: &ErasedAnswer) -> Result<ErasedOnLedger, LedgerError> {
    let cid = ipfs::Cid::from_bytes(erased.cid.as_bytes());
    let cid = cid.map_err(|error| {
        LedgerError::Unreachable(format!("it names an id of another kind: {error}"))
    })?;
    Ok(ErasedOnLedger {
        cid,
        reason: in_vault(erased.erasure.reason),
        height: erased.erasure.height,
    })
}

fn reason_on_ledger(reason: Reason) -> EraseReason {
    match reason {
        Reason::Revoked => EraseReason::Revoked,
        Reason::Retention => EraseReason::Retention,
        Reason::Request => EraseReason::Request,
        Reason::Other => EraseReason::Other,
    }
}

impl Ledger for NodeLedger {
    async fn state(&self, cid: &ipfs::Cid) -> Result<LedgerState, LedgerError> {
        let cid = on_ledger(cid)?;
        let found = self
            .first(|node| async move {
                node.recording(cid)
                    .await
                    .map_err(|error| to_ledger_error(&error))
            })
            .await?;
        Ok(match found {
            None => LedgerState::Unknown,
            Some(recording) if recording.erased.is_some() => LedgerState::Erased,
            Some(recording) => LedgerState::Pinned {
                manifest_hash: recording.manifest_hash,
            },
        })
    }

    async fn pin(&self, report: &PinReport) -> Result<(), LedgerError> {
        let payload = Payload::PinRecording(PinRecording {
            outlet: report.outlet,
            camera: report.camera,
            consent: report.consent,
            cid: on_ledger(&report.cid)?,
            manifest_hash: report.manifest_hash,
            sequence: report.sequence,
            started_at_ms: report.started_at_ms,
            ended_at_ms: report.ended_at_ms,
        });
        self.submit(payload).await
    }

    async fn erase(&self, report: &EraseReport) -> Result<(), LedgerError> {
        let (outlet, cid, reason) = (
            report.outlet,
            on_ledger(&report.cid)?,
            reason_on_ledger(report.reason),
        );
        self.submit(Payload::EraseRecording(EraseRecording {
            outlet,
            cid,
            reason,
        }))
        .await
    }
}

#[async_trait]
impl ErasureFeed for NodeLedger {
    async fn left_after(&self, ms: u64) -> Result<Vec<Left>, LedgerError> {
        let outlet = self.outlet;
        let found = self
            .first(|node| async move {
                node.revocations(outlet, ms)
                    .await
                    .map_err(|error| to_ledger_error(&error))
            })
            .await?;
        Ok(found.iter().filter_map(Left::of).collect())
    }

    async fn erased_after(&self, height: u64) -> Result<Vec<ErasedOnLedger>, LedgerError> {
        let outlet = self.outlet;
        let found = self
            .first(|node| async move {
                node.erasures(outlet, height)
                    .await
                    .map_err(|error| to_ledger_error(&error))
            })
            .await?;
        found.iter().map(on_vault).collect()
    }
}

/// Clients of the configured nodes.
pub(crate) fn node_clients(urls: &[String]) -> anyhow::Result<Vec<NodeClient>> {
    let http = reqwest::Client::builder()
        .timeout(REQUEST_TIMEOUT)
        .pool_idle_timeout(POOL_IDLE_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()?;
    Ok(urls
        .iter()
        .map(|url| NodeClient::over(http.clone(), url))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(status: u16, code: &str) -> LedgerError {
        to_ledger_error(&ClientError::Problem(Box::new(Problem::new(
            status, code, "because",
        ))))
    }

    #[test]
    fn only_what_no_waiting_changes_is_refused_for_good() {
        assert!(matches!(
            said(403, "consent_revoked"),
            LedgerError::Refused(_)
        ));
        assert!(matches!(
            said(403, "outside_consent"),
            LedgerError::Refused(_)
        ));
        assert!(matches!(
            said(409, "recording_conflict"),
            LedgerError::Refused(_)
        ));
        for (status, code) in [
            (403, "revoked_terminal"),
            (403, "unknown_terminal"),
            (403, "day_full"),
            (422, "recording_ahead"),
        ] {
            assert!(
                matches!(said(status, code), LedgerError::NotAllowed(_)),
                "{code}"
            );
        }
        assert!(
            matches!(said(403, "unexpected_answer"), LedgerError::NotAllowed(_)),
            "a proxy decides nothing"
        );
        for (status, code) in [
            (503, "node_is_late"),
            (503, "mempool_full"),
            (429, "too_many"),
            (500, "internal"),
        ] {
            assert!(
                matches!(said(status, code), LedgerError::Unreachable(_)),
                "{code}"
            );
        }
    }

    #[test]
    fn the_gravest_no_counts() {
        let (silent, waits) = (
            LedgerError::Unreachable("a".into()),
            LedgerError::NotAllowed("b".into()),
        );
        let never = LedgerError::Refused("c".into());
        assert_eq!(graver_error(silent.clone(), waits.clone()), waits);
        assert_eq!(graver_error(never.clone(), silent), never);
        assert_eq!(graver_error(waits, never.clone()), never);
    }
}
