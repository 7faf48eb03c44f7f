//! The same offering to a CometBFT network with its own key-value application, for comparison: transactions of a sale's
//! size at intended times. What counts is what stands in blocks; nobody signs or checks a signature of a transaction.

use crate::cli::CometbftArgs;
use crate::http::Door;
use anyhow::{Context, Result, bail};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use domain::keccak256;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::task::TaskTracker;

/// How long a node may take to take a transaction.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// Blocks that a node tells in one answer.
const BLOCKS_PER_PAGE: u64 = 20;

const NANOS: u64 = 1_000_000_000;

/// What is printed, as one JSON object.
#[derive(Debug, Serialize)]
struct Report {
    rate: u32,
    seconds: u32,
    batch: u32,
    commit: bool,
    bytes: usize,
    offered: u64,
    committed_per_second: u64,
    blocks: u64,
    errors: BTreeMap<String, u64>,
}

/// Sends, measures, shows; true when every transaction was taken.
pub async fn run(args: &CometbftArgs) -> Result<bool> {
    let nodes: Arc<[Door]> = args
        .node
        .iter()
        .map(|url| Door::new(url))
        .collect::<Result<_>>()?;
    let errors = Arc::new(Mutex::new(BTreeMap::new()));

    let start = Instant::now();
    let measured_from = start + Duration::from_secs(args.warmup.into());
    let end = measured_from + Duration::from_secs(args.seconds.into());
    let offered = u64::from(args.rate) * u64::from(args.warmup + args.seconds);

    let heights = async {
        sleep_until(measured_from).await;
        let before = latest_height(&nodes[0]).await?;
        sleep_until(end).await;
        anyhow::Ok((before, latest_height(&nodes[0]).await?))
    };

    let ((), heights) = tokio::join!(send_all(args, &nodes, &errors, start, offered), heights);
    let (before, after) = heights?;
    let committed = count_transactions(&nodes[0], before + 1, after).await?;

    let errors = errors
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    let report = Report {
        rate: args.rate,
        seconds: args.seconds,
        batch: args.batch,
        commit: args.commit,
        bytes: args.bytes,
        offered,
        committed_per_second: committed / u64::from(args.seconds),
        blocks: after - before,
        errors,
    };

    println!("{}", serde_json::to_string(&report)?);
    Ok(report.errors.is_empty())
}

async fn send_all(
    args: &CometbftArgs,
    nodes: &Arc<[Door]>,
    errors: &Arc<Mutex<BTreeMap<String, u64>>>,
    start: Instant,
    total: u64,
) {
    let under_way = TaskTracker::new();
    let batch = u64::from(args.batch);
    // Ids of an earlier run would be refused.
    let seed = service_kit::clock::now_ms();
    let method = if args.commit {
        "broadcast_tx_commit"
    } else {
        "broadcast_tx_sync"
    };
    for first in (0..total).step_by(args.batch as usize) {
        let last = (first + batch).min(total);
        sleep_until(start + Duration::from_nanos(last * NANOS / u64::from(args.rate))).await;
        let requests: Vec<String> = (first..last)
            .map(|number| broadcast_request(method, seed, number, args.bytes))
            .collect();
        let (nodes, errors) = (Arc::clone(nodes), Arc::clone(errors));
        under_way.spawn(async move {
            let node = &nodes[(first / batch) as usize % nodes.len()];
            let failures = ask_all(node, &requests).await;
            for failure in failures {
                *errors
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .entry(failure)
                    .or_default() += 1;
            }
        });
    }
    under_way.close();
    under_way.wait().await;
}

/// The request for a transaction `key=value` of so many bytes.
fn broadcast_request(method: &str, seed: u64, number: u64, bytes: usize) -> String {
    let mut text = hex::encode(keccak256(format!("{seed} {number}"))) + "=";
    text.extend(std::iter::repeat_n('v', bytes.saturating_sub(text.len())));
    let tx = BASE64.encode(text);
    format!(r#"{{"jsonrpc":"2.0","id":{number},"method":"{method}","params":{{"tx":"{tx}"}}}}"#)
}

/// Why transactions were not taken.
async fn ask_all(node: &Door, requests: &[String]) -> Vec<String> {
    let body = if let [one] = requests {
        one.clone()
    } else {
        format!("[{}]", requests.join(","))
    };
    let failed = |why: String| vec![why; requests.len()];

    match timeout(
        ANSWER_TIMEOUT,
        node.send(&node.request("/", body.as_bytes())),
    )
    .await
    {
        Err(_) => failed("timeout".into()),
        Ok(Err(error)) => failed(format!("no_answer ({error})")),
        Ok(Ok((_, answer))) => match serde_json::from_slice::<Value>(&answer) {
            Ok(Value::Array(answers)) => answers.iter().filter_map(refusal).collect(),
            Ok(answer) => refusal(&answer).into_iter().collect(),
            Err(_) => failed("malformed_answer".into()),
        },
    }
}

/// Of a transaction that was only checked there is one code, of one in a block there are two.
fn refusal(answer: &Value) -> Option<String> {
    let result = &answer["result"];
    let codes = match result["check_tx"] {
        Value::Null => vec![&result["code"]],
        _ => vec![&result["check_tx"]["code"], &result["tx_result"]["code"]],
    };

    match (
        &answer["error"],
        codes.into_iter().find(|code| **code != json!(0)),
    ) {
        (Value::Null, None) => None,
        (Value::Null, Some(code)) => Some(format!("code {code}")),
        (error, _) => Some(
            error["data"]
                .as_str()
                .unwrap_or("error")
                .chars()
                .take_while(|c| *c != ':')
                .collect(),
        ),
    }
}

async fn call_node<T: DeserializeOwned>(node: &Door, method: &str, params: Value) -> Result<T> {
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
    let (_, answer) = node
        .send(&node.request("/", body.as_bytes()))
        .await
        .with_context(|| format!("ask {method}"))?;
    let mut answer: Value = serde_json::from_slice(&answer)?;
    if !answer["error"].is_null() {
        bail!("{method}: {}", answer["error"]);
    }
    Ok(serde_json::from_value(answer["result"].take())?)
}

/// Numbers are texts in its JSON.
fn parse_number(value: &Value) -> Result<u64> {
    value
        .as_str()
        .and_then(|text| text.parse().ok())
        .with_context(|| format!("expected a number, found {value}"))
}

async fn latest_height(node: &Door) -> Result<u64> {
    let status: Value = call_node(node, "status", json!({})).await?;
    parse_number(&status["sync_info"]["latest_block_height"])
}

/// Transactions in the blocks from one height to another.
async fn count_transactions(node: &Door, first: u64, last: u64) -> Result<u64> {
    let mut count = 0;
    for from in (first..=last).step_by(BLOCKS_PER_PAGE as usize) {
        let to = (from + BLOCKS_PER_PAGE - 1).min(last);
        let params = json!({"minHeight": from.to_string(), "maxHeight": to.to_string()});
        let page: Value = call_node(node, "blockchain", params).await?;

        for meta in page["block_metas"]
            .as_array()
            .context("expected block_metas")?
        {
            count += parse_number(&meta["num_txs"])?;
        }
    }

    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_has_the_size_that_was_asked_for() {
        let request: Value =
            serde_json::from_str(&broadcast_request("broadcast_tx_sync", 1, 2, 182)).unwrap();
        assert_eq!(
            request["params"]["tx"].as_str().unwrap().len(),
            182_usize.div_ceil(3) * 4
        );
        assert_ne!(
            broadcast_request("", 1, 2, 182),
            broadcast_request("", 1, 3, 182)
        );
    }

    #[test]
    fn what_was_refused_is_told_by_its_cause() {
        assert_eq!(refusal(&json!({"result": {"code": 0}})), None);
        assert_eq!(
            refusal(&json!({"result": {"code": 2}})),
            Some("code 2".into())
        );
        let in_a_block = |check: u32, executed: u32| json!({"result": {"check_tx": {"code": check}, "tx_result": {"code": executed}}});
        assert_eq!(refusal(&in_a_block(0, 0)), None);
        assert_eq!(
            [refusal(&in_a_block(3, 0)), refusal(&in_a_block(0, 4))],
            [Some("code 3".into()), Some("code 4".into())]
        );
        let full = json!({"error": {"code": -32603, "data": "mempool is full: number of txs 5000 (max: 5000)"}});
        assert_eq!(refusal(&full), Some("mempool is full".into()));
    }
}
