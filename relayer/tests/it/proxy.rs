//! A JSON-RPC proxy that loses transactions, or only the answers to them, and that answers wrongly, as endpoints do.

use alloy::consensus::{Transaction, TxEnvelope};
use alloy::eips::Decodable2718;
use alloy::hex;
use alloy::primitives::B256;
use alloy::sol_types::SolCall;
use alloy::transports::http::reqwest;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use contract_bindings::CheckpointAnchor::commitmentOfCall;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sends {
    /// Go through.
    #[default]
    Pass,
    /// Are lost on the way.
    Lose,
    /// Arrive, and the answer is lost.
    LoseAnswers,
    /// Are refused as underpriced, whatever they offer.
    Underpriced,
    /// Are refused unless they tip so much.
    WantTip(u128),
}

/// What the endpoint does wrong.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    pub sends: Sends,
    /// Offers that were refused as underpriced.
    pub refused_offers: usize,
    /// How many more answers about commitments say that there are none.
    pub forgets: usize,
    /// How many more receipts of transactions that nobody mined say that they were, long ago.
    pub forged_receipts: usize,
    /// Estimates are refused for their number.
    pub limits_estimates: bool,
    /// Questions about the final block are refused for their number.
    pub limits_finalized: bool,
    /// The most calls of a batch.
    pub batch_max: Option<usize>,
    /// There is no history of fees.
    pub has_no_fee_history: bool,
}

#[derive(Clone)]
pub struct Proxy {
    upstream: String,
    http: reqwest::Client,
    faults: Arc<Mutex<Faults>>,
}

impl Proxy {
    pub fn new(upstream: String) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self {
            upstream,
            http,
            faults: Arc::default(),
        }
    }

    /// The next answers about commitments say that there are none, as a node does in the middle of a reorganisation.
    pub fn forget_commitments(&self, times: usize) {
        self.change(|faults| faults.forgets = times);
    }

    pub fn set(&self, sends: Sends) {
        self.change(|faults| faults.sends = sends);
    }

    pub fn change(&self, change: impl FnOnce(&mut Faults)) {
        change(&mut self.faults.lock().unwrap());
    }

    pub fn faults(&self) -> Faults {
        self.faults.lock().unwrap().clone()
    }

    /// What is answered without asking the chain.
    fn refusal(&self, request: &Value) -> Option<Value> {
        let faults = self.faults();
        if let (Some(calls), Some(max)) = (request.as_array(), faults.batch_max)
            && calls.len() > max
        {
            return Some(refuse(&Value::Null, -32600, "batch limit exceeded"));
        }

        let id = &request["id"];
        let limited = || Some(refuse(id, -32005, "request rate limited"));
        match request["method"].as_str()? {
            "eth_estimateGas" if faults.limits_estimates => limited(),
            "eth_getBlockByNumber"
                if faults.limits_finalized && request["params"][0] == "finalized" =>
            {
                limited()
            }
            "eth_feeHistory" if faults.has_no_fee_history => Some(refuse(
                id,
                -32601,
                "the method eth_feeHistory does not exist",
            )),
            "eth_sendRawTransaction" => {
                let refusal = refuse_offer(faults.sends, request)?;
                self.change(|faults| faults.refused_offers += 1);
                Some(refusal)
            }
            _ => None,
        }
    }

    /// The ids of the calls whose answers are to be forgotten.
    fn forgotten(&self, request: &Value) -> Vec<Value> {
        let selector = hex::encode_prefixed(commitmentOfCall::SELECTOR);
        let asks = |call: &&Value| {
            call["params"][0]["input"]
                .as_str()
                .is_some_and(|input| input.starts_with(&selector))
        };
        let ids: Vec<Value> = request
            .as_array()
            .into_iter()
            .flatten()
            .filter(asks)
            .map(|call| call["id"].clone())
            .collect();
        let mut faults = self.faults.lock().unwrap();
        if ids.is_empty() || faults.forgets == 0 {
            return Vec::new();
        }
        faults.forgets -= 1;
        ids
    }

    /// A receipt of a transaction that nobody mined, if one is to be forged.
    fn forged_receipt(&self, request: &Value, answer: &Value) -> Option<Value> {
        let asks = request["method"] == "eth_getTransactionReceipt" && answer["result"].is_null();
        let mut faults = self.faults.lock().unwrap();
        if !asks || faults.forged_receipts == 0 {
            return None;
        }
        faults.forged_receipts -= 1;
        Some(json!({
            "jsonrpc": "2.0",
            "id": request["id"],
            "result": {
                "transactionHash": request["params"][0], "transactionIndex": "0x0",
                "blockHash": B256::repeat_byte(1), "blockNumber": "0x1",
                "cumulativeGasUsed": "0x5208", "gasUsed": "0x5208", "effectiveGasPrice": "0x1",
                "from": format!("0x{}", "0".repeat(40)), "to": format!("0x{}", "0".repeat(40)),
                "contractAddress": null, "logs": [], "logsBloom": format!("0x{}", "0".repeat(512)),
                "type": "0x2", "status": "0x1",
            },
        }))
    }

    pub fn router(&self) -> Router {
        Router::new()
            .route("/", post(forward))
            .with_state(self.clone())
    }
}

fn refuse(id: &Value, code: i64, message: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}})
}

fn refuse_offer(sends: Sends, request: &Value) -> Option<Value> {
    let id = &request["id"];
    match sends {
        Sends::Underpriced => Some(refuse(id, -32000, "transaction underpriced")),
        Sends::WantTip(wanted) => {
            let raw = hex::decode(request["params"][0].as_str()?).unwrap();
            let transaction = TxEnvelope::decode_2718(&mut raw.as_slice()).unwrap();
            let tip = transaction.max_priority_fee_per_gas().unwrap();
            let message =
                format!("transaction underpriced: gas tip cap {tip}, minimum needed {wanted}");
            (tip < wanted).then(|| refuse(id, -32000, &message))
        }
        Sends::Pass | Sends::Lose | Sends::LoseAnswers => None,
    }
}

async fn forward(State(proxy): State<Proxy>, body: Bytes) -> Result<Bytes, StatusCode> {
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let is_send = asked["method"] == "eth_sendRawTransaction";
    let sends = proxy.faults().sends;
    if is_send && sends == Sends::Lose {
        return Err(StatusCode::SERVICE_UNAVAILABLE);
    }
    if let Some(refusal) = proxy.refusal(&asked) {
        return Ok(to_bytes(&refusal));
    }

    let request = proxy
        .http
        .post(&proxy.upstream)
        .header("content-type", "application/json")
        .body(body.clone());
    let answer = request.send().await.map_err(|_| StatusCode::BAD_GATEWAY)?;
    let answer = answer.bytes().await.map_err(|_| StatusCode::BAD_GATEWAY)?;
    if is_send && sends == Sends::LoseAnswers {
        return Err(StatusCode::GATEWAY_TIMEOUT);
    }

    let said: Value = serde_json::from_slice(&answer).unwrap_or_default();
    if let Some(receipt) = proxy.forged_receipt(&asked, &said) {
        return Ok(to_bytes(&receipt));
    }
    let ids = proxy.forgotten(&asked);
    if ids.is_empty() {
        Ok(answer)
    } else {
        Ok(with_zeros(&answer, &ids))
    }
}

fn to_bytes(value: &Value) -> Bytes {
    serde_json::to_vec(value).unwrap().into()
}

fn with_zeros(answer: &[u8], ids: &[Value]) -> Bytes {
    let mut answers: Vec<Value> = serde_json::from_slice(answer).unwrap();
    for answer in answers
        .iter_mut()
        .filter(|answer| ids.contains(&answer["id"]))
    {
        answer["result"] = json!(B256::ZERO);
    }
    serde_json::to_vec(&answers).unwrap().into()
}
