//! Sales, from their sending to their answers.

use crate::http::{Answer, Door};
use crate::journal::Entry;
use crate::sales::SignedSale;
use client::{BatchedSale, Problem, SaleAnswer, SaleState};
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// How long a node may take; a sale waits for finality, which is usually well under a second.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// With retries, a node that does not answer within this is passed over.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);
/// With retries, the pause before the next node is asked.
const RETRY_PAUSE: Duration = Duration::from_millis(250);
/// How long a sale is tried.
const RETRY_TIMEOUT: Duration = Duration::from_secs(300);

/// Why a sale was not acknowledged: the problem's code, or what happened instead of an answer.
pub type Failure = String;

/// What became of one sale.
pub type Outcome = Result<Entry, Failure>;

/// Sends a sale once to the node whose turn it is.
pub async fn once(nodes: &[Door], number: usize, sale: &SignedSale) -> Outcome {
    judge_answer(
        sale,
        &ask_node(
            &nodes[number % nodes.len()],
            "/api/v1/sales",
            &sale.body,
            ANSWER_TIMEOUT,
        )
        .await?,
    )
}

/// Sends several sales in one request to the node whose turn it is.
pub async fn batch(nodes: &[Door], number: usize, sales: &[SignedSale]) -> Vec<Outcome> {
    let bodies: Vec<&[u8]> = sales.iter().map(|sale| sale.body.as_slice()).collect();
    let body = [b"[", bodies.join(&b',').as_slice(), b"]"].concat();

    let answer = ask_node(
        &nodes[number % nodes.len()],
        "/api/v1/sales/batch",
        &body,
        ANSWER_TIMEOUT,
    )
    .await;
    let answers = answer.and_then(|answer| match parse_answer::<Vec<BatchedSale>>(&answer) {
        Ok(answers) if answers.len() == sales.len() => Ok(answers),
        Ok(_) => Err("other_number_of_answers".into()),
        Err(failure) => Err(failure),
    });

    match answers {
        Ok(answers) => sales
            .iter()
            .zip(answers)
            .map(|(sale, answer)| of_batch(sale, answer))
            .collect(),
        Err(failure) => vec![Err(failure); sales.len()],
    }
}

fn of_batch(sale: &SignedSale, answer: BatchedSale) -> Outcome {
    match (answer.sale, answer.problem) {
        (Some(answer), _) => check_acknowledged(sale, &answer),
        (None, Some(problem)) => Err(problem_code(&problem)),
        (None, None) => Err("malformed_answer".into()),
    }
}

/// Sends a sale, the same bytes to one node after the other, until it is acknowledged or refused for good.
pub async fn until_acknowledged(nodes: &[Door], number: usize, sale: &SignedSale) -> Outcome {
    let deadline = Instant::now() + RETRY_TIMEOUT;
    let mut node = nodes.iter().cycle().skip(number % nodes.len());
    while let Some(node) = node.next().filter(|_| Instant::now() < deadline) {
        match ask_node(node, "/api/v1/sales", &sale.body, ATTEMPT_TIMEOUT).await {
            Ok(answer) if !is_retryable(answer.0) => return judge_answer(sale, &answer),
            Ok(_) | Err(_) => tokio::time::sleep(RETRY_PAUSE).await,
        }
    }
    Err(format!("not_acknowledged_in_{}_s", RETRY_TIMEOUT.as_secs()))
}

fn is_retryable(status: u16) -> bool {
    status == 429 || status >= 500
}

async fn ask_node(
    node: &Door,
    path: &str,
    body: &[u8],
    patience: Duration,
) -> Result<Answer, Failure> {
    match timeout(patience, node.send(&node.request(path, body))).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(format!("no_answer ({error})")),
        Err(_) => Err("timeout".into()),
    }
}

fn judge_answer(sale: &SignedSale, answer: &Answer) -> Outcome {
    check_acknowledged(sale, &parse_answer(answer)?)
}

fn parse_answer<T: serde::de::DeserializeOwned>((status, body): &Answer) -> Result<T, Failure> {
    if (200..300).contains(status) {
        return serde_json::from_slice(body).map_err(|_| "malformed_answer".into());
    }
    Err(serde_json::from_slice(body).map_or_else(
        |_| format!("status_{status}"),
        |problem| problem_code(&problem),
    ))
}

fn problem_code(problem: &Problem) -> Failure {
    problem
        .kind
        .rsplit(':')
        .next()
        .unwrap_or_default()
        .to_owned()
}

/// An answer counts only if it speaks of this sale and says that it is final.
fn check_acknowledged(sale: &SignedSale, answer: &SaleAnswer) -> Outcome {
    match answer.height {
        _ if answer.transaction_id != sale.transaction_id => Err("other_transaction_id".into()),
        Some(height) if answer.status == SaleState::Final => Ok(Entry {
            outlet: answer.outlet,
            sale_id: answer.sale_id,
            transaction_id: answer.transaction_id,
            height,
        }),
        _ => Err("acknowledged_without_being_final".into()),
    }
}
