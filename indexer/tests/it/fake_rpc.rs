//! The EVM's edge: a proxy in front of anvil that can lie.

use alloy::network::Ethereum;
use alloy::providers::{Provider, RootProvider};
use alloy::transports::RpcError;
use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// Changes an answer, or not: the method, its parameters, and the whole answer.
type Lie = Arc<dyn Fn(&str, &Value, &mut Value) + Send + Sync>;

/// What it does to answers.
#[derive(Default)]
pub struct Lies {
    /// How many of the next non-empty answers of eth_getLogs are emptied.
    pub empty_logs: AtomicI64,
    /// How many answers were emptied.
    pub emptied: AtomicU64,
    /// How many of the next calls fail.
    pub failures: AtomicI64,
    /// The widest range that eth_getLogs takes; 0 = any.
    pub range_max: AtomicU64,
    /// What is done to every answer.
    lie: Mutex<Option<Lie>>,
    /// How many answers that has changed.
    pub told: AtomicU64,
}

impl Lies {
    /// From now on every answer goes through this.
    pub fn tell(&self, lie: impl Fn(&str, &Value, &mut Value) + Send + Sync + 'static) {
        *self.lie.lock().unwrap() = Some(Arc::new(lie));
    }

    /// Answers are true again.
    pub fn stop(&self) {
        *self.lie.lock().unwrap() = None;
    }

    fn change(&self, method: &str, params: &Value, answer: &mut Value) {
        let Some(lie) = self.lie.lock().unwrap().clone() else {
            return;
        };
        let honest = answer.clone();
        lie(method, params, answer);
        if *answer != honest {
            self.told.fetch_add(1, Ordering::SeqCst);
        }
    }
}

pub struct FakeRpc {
    pub url: String,
    pub lies: Arc<Lies>,
}

impl FakeRpc {
    pub async fn start(anvil: &str) -> Self {
        let provider = RootProvider::<Ethereum>::new_http(anvil.parse().unwrap());
        let lies = Arc::new(Lies::default());
        let router = Router::new()
            .route("/", post(answer))
            .with_state((provider, lies.clone()));
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
            .await
            .unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, lies }
    }
}

async fn answer(
    State((provider, lies)): State<(RootProvider<Ethereum>, Arc<Lies>)>,
    Json(request): Json<Value>,
) -> Json<Value> {
    let method = request["method"].as_str().unwrap().to_owned();
    let id = &request["id"];
    if is_due(&lies.failures) || too_wide(&lies, &method, &request["params"]) {
        return Json(
            json!({"jsonrpc": "2.0", "id": id, "error": {"code": -32005, "message": "limit exceeded"}}),
        );
    }
    let params = request.get("params").cloned().unwrap_or(json!([]));
    let result: Result<Value, _> = provider
        .raw_request(method.clone().into(), params.clone())
        .await;
    let mut answer = match result {
        Ok(logs) if method == "eth_getLogs" && logs != json!([]) && is_due(&lies.empty_logs) => {
            lies.emptied.fetch_add(1, Ordering::SeqCst);
            json!({"jsonrpc": "2.0", "id": id, "result": []})
        }
        Ok(result) => json!({"jsonrpc": "2.0", "id": id, "result": result}),
        Err(RpcError::ErrorResp(error)) => json!({"jsonrpc": "2.0", "id": id, "error": error}),
        Err(error) => {
            json!({"jsonrpc": "2.0", "id": id, "error": {"code": -32000, "message": error.to_string()}})
        }
    };
    lies.change(&method, &params, &mut answer);
    Json(answer)
}

fn is_due(count: &AtomicI64) -> bool {
    count
        .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
            (left > 0).then(|| left - 1)
        })
        .is_ok()
}

fn too_wide(lies: &Lies, method: &str, params: &Value) -> bool {
    let number = |key: &str| {
        let text = params[0][key].as_str()?;
        u64::from_str_radix(text.trim_start_matches("0x"), 16).ok()
    };
    let max = lies.range_max.load(Ordering::SeqCst);
    let width = number("toBlock")
        .zip(number("fromBlock"))
        .map(|(to, from)| to - from + 1);
    method == "eth_getLogs" && max > 0 && width.is_some_and(|width| width > max)
}
