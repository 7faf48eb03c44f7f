//! Signed orders to the nodes: a sale that got no answer is sent again as it is, until a node says what became of it.

use crate::file::FileError;
use crate::order::{Item, Order, Rejected, Return};
use crate::plan::Plan;
use crate::sign::{NoTerminal, Signer};
use crate::times::MadeTimes;
use client::{ClientError, NodeClient, Problem, SaleRequest};
use domain::SignedTransaction;
use futures::{Stream, StreamExt, stream};
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Requests under way at once.
const IN_FLIGHT: usize = 128;
/// Orders that are signed at a time, on all cores.
const SIGNED_AT_ONCE: usize = 512;
/// How long one request is tried while no node answers; nodes may be restarting.
const SEND_TIMEOUT: Duration = Duration::from_secs(300);
/// How long a node may be behind the block that registered the outlets.
const CATCH_UP_TIMEOUT: Duration = Duration::from_secs(10);
/// Pause before a request is sent again.
const RETRY_PAUSE: Duration = Duration::from_millis(250);

/// Why an import ended early. What was sent stands; a second import finds it known.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The file cannot be read on.
    #[error(transparent)]
    File(#[from] FileError),
    /// No node answered for too long, or not as it should.
    #[error("order {order}")]
    Node {
        /// The order.
        order: String,
        /// What was said last.
        #[source]
        source: ClientError,
    },
    /// There is no node to send to.
    #[error("no node to send to")]
    NoNode,
    /// A task of ours died.
    #[error("a sender died")]
    Died(#[from] tokio::task::JoinError),
}

/// Where requests go and how fast.
#[derive(Clone, Debug)]
pub struct Destination {
    /// The network's nodes; one after the other is asked.
    pub nodes: Vec<NodeClient>,
    /// Requests a second; `None` = as fast as they become final.
    pub rate: Option<u32>,
}

/// How far an import is; read by the status display while it runs.
#[derive(Debug, Default)]
pub struct Progress {
    /// Rows that were read, over all passes.
    pub rows: AtomicU64,
    /// Orders to send.
    pub total: AtomicU64,
    /// Answered 201: final now.
    pub new: AtomicU64,
    /// Answered 200: stood already.
    pub known: AtomicU64,
    /// Refused, by the file's reader or by the network.
    pub rejected: AtomicU64,
}

/// One thing to send, with its order's id.
#[derive(Clone, Debug, PartialEq)]
pub enum Signed {
    /// A sale with its lines.
    Sale(String, Box<SaleRequest>),
    /// A refund of a sale before.
    Return(String, Box<SignedTransaction>),
}

impl Signed {
    fn order(&self) -> &str {
        match self {
            Self::Sale(order, _) | Self::Return(order, _) => order,
        }
    }
}

/// What comes of an item once it is signed.
type Prepared = Result<Signed, Rejected>;

/// Which items of a file a pass is about: refunds come when all sales stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// Sales, and all rejections.
    Sales,
    /// Refunds alone.
    Returns,
}

/// Signs all items of one pass on all cores and hands them out in the order of the file.
pub fn sign_all(
    plan: &Plan,
    signer: &Signer,
    times: &MadeTimes,
    pass: Pass,
    mut each: impl FnMut(Prepared) -> Result<(), FileError>,
) -> Result<(), FileError> {
    let mut waiting: Vec<Item> = Vec::with_capacity(SIGNED_AT_ONCE);
    let mut sign_waiting = |waiting: &mut Vec<Item>| {
        let prepared: Vec<Prepared> = waiting
            .par_iter()
            .filter_map(|item| prepare(item, signer, times))
            .collect();
        waiting.clear();
        prepared.into_iter().try_for_each(&mut each)
    };

    plan.for_each_item(|item| {
        let is_return = matches!(item, Item::Return(_));
        if is_return == (pass == Pass::Returns) {
            waiting.push(item);
        }
        if waiting.len() >= SIGNED_AT_ONCE {
            sign_waiting(&mut waiting)?;
        }
        Ok(())
    })?;

    sign_waiting(&mut waiting)
}

fn prepare(item: &Item, signer: &Signer, times: &MadeTimes) -> Option<Prepared> {
    match item {
        Item::Sale(order) => Some(prepare_sale(order, signer, times)),
        Item::Return(refund) => Some(prepare_return(refund, signer)),
        Item::Rejected(rejected) => Some(Err(rejected.clone())),
        Item::LeftOut(_) => None,
    }
}

fn prepare_sale(order: &Order, signer: &Signer, times: &MadeTimes) -> Prepared {
    let occurred_at_ms = order.occurred_at_ms.or_else(|| times.get(order.sale_id));
    let occurred_at_ms = occurred_at_ms.unwrap_or_default();
    let request = signer
        .sign_sale(order, occurred_at_ms)
        .map_err(|error| refuse_outlet(&order.id, error))?;
    Ok(Signed::Sale(order.id.clone(), Box::new(request)))
}

fn prepare_return(refund: &Return, signer: &Signer) -> Prepared {
    let transaction = signer
        .sign_return(refund)
        .map_err(|error| refuse_outlet(&refund.id, error))?;
    Ok(Signed::Return(refund.id.clone(), Box::new(transaction)))
}

fn refuse_outlet(order: &str, NoTerminal { outlet }: NoTerminal) -> Rejected {
    Rejected {
        order: Some(order.to_owned()),
        line: None,
        field: "outlet".into(),
        found: outlet.to_string(),
        allowed: "an outlet whose till's key is here".into(),
    }
}

/// Signs and sends all items of one pass. `reject` is told of each one that is refused.
pub async fn send_all(
    plan: &Arc<Plan>,
    signer: &Arc<Signer>,
    times: &Arc<MadeTimes>,
    pass: Pass,
    destination: &Destination,
    progress: &Arc<Progress>,
    mut reject: impl FnMut(Rejected),
) -> Result<(), SendError> {
    if destination.nodes.is_empty() {
        return Err(SendError::NoNode);
    }

    let (sender, receiver) = mpsc::channel(SIGNED_AT_ONCE);
    let signing = tokio::task::spawn_blocking({
        let (plan, signer, times) = (Arc::clone(plan), Arc::clone(signer), Arc::clone(times));
        move || {
            sign_all(&plan, &signer, &times, pass, |prepared| {
                sender
                    .blocking_send(prepared)
                    .map_err(|_| FileError::Stopped)
            })
        }
    });

    let mut answers = std::pin::pin!(answers_of(receiver, destination, progress));
    while let Some(answer) = answers.next().await {
        if let Some(rejected) = answer? {
            progress.rejected.fetch_add(1, Ordering::Relaxed);
            reject(rejected);
        }
    }

    Ok(signing.await??)
}

/// What became of each request, as the answers come: a rejection or nothing.
fn answers_of(
    receiver: mpsc::Receiver<Prepared>,
    destination: &Destination,
    progress: &Arc<Progress>,
) -> impl Stream<Item = Result<Option<Rejected>, SendError>> {
    let start = Instant::now();
    let period = destination
        .rate
        .map(|rate| Duration::from_secs(1) / rate.max(1));
    let prepared = stream::unfold(receiver, |mut receiver| async {
        receiver.recv().await.map(|prepared| (prepared, receiver))
    });

    prepared
        .enumerate()
        .then(move |(number, prepared)| async move {
            if let (Some(period), Ok(number)) = (period, u32::try_from(number)) {
                tokio::time::sleep_until(start + period * number).await;
            }
            (number, prepared)
        })
        .map(|(number, prepared)| {
            let sending = Sending {
                nodes: destination.nodes.clone(),
                number,
                progress: Arc::clone(progress),
            };
            // A task each, so that slow answers do not hold up the sending.
            let task = tokio::spawn(async move {
                match prepared {
                    Err(rejected) => Ok(Some(rejected)),
                    Ok(signed) => sending.send(&signed).await,
                }
            });
            async { task.await? }
        })
        .buffer_unordered(IN_FLIGHT)
}

/// One request on its way.
struct Sending {
    nodes: Vec<NodeClient>,
    number: usize,
    progress: Arc<Progress>,
}

impl Sending {
    /// Sends until a node says what became of it; the same request again is harmless.
    async fn send(&self, signed: &Signed) -> Result<Option<Rejected>, SendError> {
        let deadline = Instant::now() + SEND_TIMEOUT;
        let (mut is_unsure, mut behind_since) = (false, None);

        for attempt in 0.. {
            let node = &self.nodes[(self.number + attempt) % self.nodes.len()];
            match post(node, signed).await {
                Ok(is_new) => {
                    // After an unknown outcome, "stood already" may be this very request.
                    self.count(is_new || is_unsure);
                    return Ok(None);
                }
                Err(ClientError::Problem(problem))
                    if may_be_behind(&problem) && catches_up(&mut behind_since) => {}
                Err(error) if error.is_retryable() && Instant::now() < deadline => {
                    is_unsure = true;
                }
                Err(ClientError::Problem(problem)) if !is_overload(&problem) => {
                    return Ok(Some(to_rejected(signed.order(), &problem)));
                }
                Err(source) => {
                    let order = signed.order().to_owned();
                    return Err(SendError::Node { order, source });
                }
            }
            tokio::time::sleep(RETRY_PAUSE).await;
        }

        Err(SendError::NoNode)
    }

    fn count(&self, is_new: bool) {
        let counter = if is_new {
            &self.progress.new
        } else {
            &self.progress.known
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

async fn post(node: &NodeClient, signed: &Signed) -> Result<bool, ClientError> {
    match signed {
        Signed::Sale(_, sale) => Ok(node.post_sale(sale).await?.0),
        Signed::Return(_, refund) => Ok(node.post_transaction(refund).await?.0),
    }
}

/// The outlet and its till are in the ledger, or nothing would be sent: a node that does not know them, or the sale of
/// a refund, has not seen that block yet, and will.
fn may_be_behind(problem: &Problem) -> bool {
    ["unknown_outlet", "unknown_terminal", "unknown_sale"]
        .iter()
        .any(|code| problem.kind.ends_with(code))
}

/// Whether a node that is behind may still catch up, counted from when it was first seen to be.
fn catches_up(since: &mut Option<Instant>) -> bool {
    since.get_or_insert_with(Instant::now).elapsed() < CATCH_UP_TIMEOUT
}

/// A node that cannot answer now says nothing about the order.
const fn is_overload(problem: &Problem) -> bool {
    problem.status == 429 || problem.status >= 500
}

fn to_rejected(order: &str, problem: &Problem) -> Rejected {
    let field = problem
        .errors
        .first()
        .map(|error| error.pointer.clone())
        .unwrap_or_default();

    Rejected {
        order: Some(order.to_owned()),
        line: None,
        field: field.trim_start_matches('/').into(),
        found: format!("status {}", problem.status),
        allowed: problem.detail.clone(),
    }
}
