//! A client of one node.

use crate::bounded::{ANSWER_BYTES_MAX, ReadError, read_bounded};
use api_types::{
    AccountAnswer, BatchedSale, BlockAnswer, CandidateAnswer, CheckpointAnswer, ConsentAnswer,
    ErasedAnswer, EvidenceAnswer, OutletAnswer, ParametersAnswer, PayoutAnswer, RecordingAnswer,
    RecordingProofs, SaleAnswer, SaleRequest, SnapshotOffer, StatusAnswer, SupplyAnswer,
    TransactionAnswer,
};
use domain::payout::Chunk;
use domain::proof::SaleProof;
use domain::{Address, B256, Cid, Genesis, OutletId, SaleId, SignedTransaction};
use problem::Problem;
use reqwest::StatusCode;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// How long a request may take; a sale waits for finality, which is usually well under a second.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// A service closes a silent connection after 75 s; a request on it at that moment would fail.
pub const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No answer, or one that was cut off: the outcome is unknown, the same request may be sent again.
    #[error("no answer from {url}")]
    Transport {
        /// Who was asked.
        url: String,
        /// What went wrong on the way.
        #[source]
        source: reqwest::Error,
    },
    /// The node said no, and why.
    #[error("{} ({})", .0.detail, .0.status)]
    Problem(Box<Problem>),
    /// An answer without an end.
    #[error("answer of {url} has more than {bytes_max} bytes")]
    TooLarge {
        /// Who was asked.
        url: String,
        /// What an answer may have.
        bytes_max: usize,
    },
    /// An answer that is not what the API promises.
    #[error("answer of {url} is not understood")]
    Malformed {
        /// Who was asked.
        url: String,
        /// What the JSON is missing or has too much.
        #[source]
        source: serde_json::Error,
    },
}

impl ClientError {
    /// Whether the same request may succeed later.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Transport { .. } => true,
            Self::Problem(problem) => problem.status == 429 || problem.status >= 500,
            Self::TooLarge { .. } | Self::Malformed { .. } => false,
        }
    }

    /// The HTTP status of a refusal.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Problem(problem) => Some(problem.status),
            Self::Transport { .. } | Self::TooLarge { .. } | Self::Malformed { .. } => None,
        }
    }
}

/// A typed client of one node's API.
#[derive(Clone, Debug)]
pub struct NodeClient {
    http: reqwest::Client,
    base: String,
}

impl NodeClient {
    /// `base` such as `http://127.0.0.1:7000`.
    pub fn new(base: &str) -> Self {
        let http = reqwest::Client::builder()
            .timeout(REQUEST_TIMEOUT)
            .pool_idle_timeout(POOL_IDLE_TIMEOUT)
            .no_proxy()
            .build()
            .unwrap_or_default();
        Self {
            http,
            base: base.trim_end_matches('/').to_owned(),
        }
    }

    /// The same over connections that are shared with others.
    pub fn over(http: reqwest::Client, base: &str) -> Self {
        Self {
            http,
            base: base.trim_end_matches('/').to_owned(),
        }
    }

    /// Base URL of the node, without a slash at the end.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The first facts of the chain.
    pub async fn genesis(&self) -> Result<Genesis, ClientError> {
        self.get("/api/v1/genesis").await
    }

    /// What the node says of itself, ready or not.
    pub async fn status(&self) -> Result<StatusAnswer, ClientError> {
        let url = format!("{}/readyz", self.base);
        let (_, body) = self.send(self.http.get(&url), &url).await?;
        serde_json::from_slice(&body).map_err(|source| ClientError::Malformed { url, source })
    }

    /// The final block at a height; `None` when there is none yet.
    pub async fn block(&self, height: u64) -> Result<Option<BlockAnswer>, ClientError> {
        none_if_not_found(self.get(&format!("/api/v1/blocks/{height}")).await)
    }

    /// The checkpoint of an epoch with the signatures gathered so far.
    pub async fn checkpoint(&self, epoch: u64) -> Result<Option<CheckpointAnswer>, ClientError> {
        none_if_not_found(self.get(&format!("/api/v1/checkpoints/{epoch}")).await)
    }

    /// The newest checkpoint that has a quorum.
    pub async fn latest_checkpoint(&self) -> Result<Option<CheckpointAnswer>, ClientError> {
        none_if_not_found(self.get("/api/v1/checkpoints/latest").await)
    }

    /// All chunks of an epoch's settlement; empty when it settles nothing.
    pub async fn payout_chunks(&self, epoch: u64) -> Result<Vec<Chunk>, ClientError> {
        self.get(&format!("/api/v1/checkpoints/{epoch}/payouts"))
            .await
    }

    /// One account's payout of an epoch's settlement.
    pub async fn payout(
        &self,
        epoch: u64,
        account: Address,
    ) -> Result<Option<PayoutAnswer>, ClientError> {
        none_if_not_found(
            self.get(&format!("/api/v1/checkpoints/{epoch}/payouts/{account}"))
                .await,
        )
    }

    /// Where all units are.
    pub async fn supply(&self) -> Result<SupplyAnswer, ClientError> {
        self.get("/api/v1/supply").await
    }

    /// All outlets, ids ascending.
    pub async fn outlets(&self) -> Result<Vec<OutletAnswer>, ClientError> {
        self.get("/api/v1/outlets").await
    }

    /// All registered validators, addresses ascending.
    pub async fn candidates(&self) -> Result<Vec<CandidateAnswer>, ClientError> {
        self.get("/api/v1/candidates").await
    }

    /// All offences that were punished.
    pub async fn evidence(&self) -> Result<Vec<EvidenceAnswer>, ClientError> {
        self.get("/api/v1/evidence").await
    }

    /// The parameters in force and those that wait.
    pub async fn parameters(&self) -> Result<ParametersAnswer, ClientError> {
        self.get("/api/v1/parameters").await
    }

    /// What an address holds.
    pub async fn account(&self, address: Address) -> Result<Option<AccountAnswer>, ClientError> {
        none_if_not_found(self.get(&format!("/api/v1/accounts/{address}")).await)
    }

    /// A sale by its outlet and the outlet's own id; `None` while the ledger has none.
    pub async fn sale(
        &self,
        outlet: OutletId,
        sale_id: SaleId,
    ) -> Result<Option<SaleAnswer>, ClientError> {
        none_if_not_found(self.get(&format!("/api/v1/sales/{outlet}/{sale_id}")).await)
    }

    /// Everything that leads from a sale to the EVM; `None` until the sale's epoch has a checkpoint.
    pub async fn sale_proof(
        &self,
        outlet: OutletId,
        sale_id: SaleId,
    ) -> Result<Option<SaleProof>, ClientError> {
        none_if_not_found(
            self.get(&format!("/api/v1/sales/{outlet}/{sale_id}/proof"))
                .await,
        )
    }

    /// A guest's consent or an owner's legal basis.
    pub async fn consent(&self, id: B256) -> Result<Option<ConsentAnswer>, ClientError> {
        none_if_not_found(self.get(&format!("/api/v1/consents/{id}")).await)
    }

    /// Those of a camera that are in force at the node's last block.
    pub async fn consents_in_force(
        &self,
        outlet: OutletId,
        camera: u64,
    ) -> Result<Vec<ConsentAnswer>, ClientError> {
        self.get(&format!(
            "/api/v1/outlets/{outlet}/consents?camera={camera}"
        ))
        .await
    }

    /// Recordings of an outlet that were erased above a height, in the ledger's order: the first ones, and none when
    /// there are no more. A next request names the height of the last one.
    pub async fn erasures(
        &self,
        outlet: OutletId,
        after: u64,
    ) -> Result<Vec<ErasedAnswer>, ClientError> {
        self.get(&format!("/api/v1/outlets/{outlet}/erasures?after={after}"))
            .await
    }

    /// Consents of an outlet's guests that were revoked after a block's time, in the ledger's order: the first ones, and
    /// none when there are no more. A next request names the revocation time of the last one.
    pub async fn revocations(
        &self,
        outlet: OutletId,
        after_ms: u64,
    ) -> Result<Vec<ConsentAnswer>, ClientError> {
        self.get(&format!(
            "/api/v1/outlets/{outlet}/revocations?after={after_ms}"
        ))
        .await
    }

    /// A recording by its content; `None` while the ledger has none.
    pub async fn recording(&self, cid: Cid) -> Result<Option<RecordingAnswer>, ClientError> {
        none_if_not_found(self.get(&format!("/api/v1/recordings/{cid}")).await)
    }

    /// Everything that leads from a recording to the EVM; `None` until a signed checkpoint covers it.
    pub async fn recording_proof(&self, cid: Cid) -> Result<Option<RecordingProofs>, ClientError> {
        none_if_not_found(self.get(&format!("/api/v1/recordings/{cid}/proof")).await)
    }

    /// Sends a sale and waits until it is final. True when it is new, false when it stood already.
    pub async fn post_sale(&self, sale: &SaleRequest) -> Result<(bool, SaleAnswer), ClientError> {
        self.post("/api/v1/sales", sale).await
    }

    /// Sends several sales, and waits until each is final or refused; the answers come in the same order.
    pub async fn post_sales(&self, sales: &[SaleRequest]) -> Result<Vec<BatchedSale>, ClientError> {
        self.post("/api/v1/sales/batch", &sales)
            .await
            .map(|(_, answers)| answers)
    }

    /// Sends any other transaction and waits until it is final. True when it is new, false when it stood already.
    pub async fn post_transaction(
        &self,
        transaction: &SignedTransaction,
    ) -> Result<(bool, TransactionAnswer), ClientError> {
        self.post("/api/v1/transactions", transaction).await
    }

    /// Copies of the state that a validator has and signs for. Between nodes only.
    pub async fn snapshots(&self) -> Result<Vec<SnapshotOffer>, ClientError> {
        self.get("/internal/v1/snapshots").await
    }

    /// The next bytes of such a copy, from a place on; none at its end.
    pub async fn snapshot_part(&self, height: u64, from: u64) -> Result<Vec<u8>, ClientError> {
        let url = format!("{}/internal/v1/snapshots/{height}?from={from}", self.base);
        let (status, body) = self.send(self.http.get(&url), &url).await?;
        if status.is_success() {
            return Ok(body);
        }
        decode_answer::<Vec<u8>>(&url, (status, body)).map(|(_, none)| none)
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        let url = format!("{}{path}", self.base);
        let answer = self.send(self.http.get(&url), &url).await?;
        decode_answer(&url, answer).map(|(_, value)| value)
    }

    async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<(bool, T), ClientError> {
        let url = format!("{}{path}", self.base);
        let answer = self.send(self.http.post(&url).json(body), &url).await?;
        decode_answer(&url, answer).map(|(status, value)| (status == StatusCode::CREATED, value))
    }

    async fn send(
        &self,
        request: reqwest::RequestBuilder,
        url: &str,
    ) -> Result<(StatusCode, Vec<u8>), ClientError> {
        let transport = |source| ClientError::Transport {
            url: url.to_owned(),
            source,
        };
        let answer = request.send().await.map_err(transport)?;
        let status = answer.status();

        let body = read_bounded(answer, ANSWER_BYTES_MAX).await;
        let body = body.map_err(|error| match error {
            ReadError::Transport(source) => transport(source),
            ReadError::TooLarge { bytes_max } => ClientError::TooLarge {
                url: url.to_owned(),
                bytes_max,
            },
        })?;
        Ok((status, body))
    }
}

fn decode_answer<T: DeserializeOwned>(
    url: &str,
    (status, body): (StatusCode, Vec<u8>),
) -> Result<(StatusCode, T), ClientError> {
    if status.is_success() {
        let value = serde_json::from_slice(&body);
        return value
            .map(|value| (status, value))
            .map_err(|source| ClientError::Malformed {
                url: url.to_owned(),
                source,
            });
    }

    let text = String::from_utf8_lossy(&body);
    let unknown = || {
        Problem::new(
            status.as_u16(),
            "unexpected_answer",
            format!("{url}: {text}"),
        )
    };

    Err(ClientError::Problem(Box::new(
        serde_json::from_slice(&body).unwrap_or_else(|_| unknown()),
    )))
}

fn none_if_not_found<T>(answer: Result<T, ClientError>) -> Result<Option<T>, ClientError> {
    match answer {
        Err(error) if error.status() == Some(404) => Ok(None),
        other => other.map(Some),
    }
}
