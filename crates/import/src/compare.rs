//! What the network has of a file's sales already, asked before anything is sent.

use crate::file::FileError;
use crate::order::Rejected;
use crate::plan::Plan;
use crate::preview::SHOWN_MAX;
use crate::send::{Pass, SendError, Signed, sign_all};
use crate::sign::Signer;
use crate::times::MadeTimes;
use client::{NodeClient, SaleRequest};
use futures::{StreamExt, stream};
use std::sync::Arc;
use tokio::sync::mpsc;

/// Questions under way at once.
const IN_FLIGHT: usize = 32;

/// Sales that the network has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// With the same content: sent again, they change nothing.
    pub known: u64,
    /// With other content: they would be refused.
    pub conflicts: u64,
    /// The first of those.
    pub first_conflicts: Vec<Rejected>,
}

/// Asks a node for each sale of a file.
pub async fn compare_with_network(
    plan: &Arc<Plan>,
    signer: &Arc<Signer>,
    times: &Arc<MadeTimes>,
    node: &NodeClient,
) -> Result<Standing, SendError> {
    let (sender, receiver) = mpsc::channel(IN_FLIGHT);
    let signing = tokio::task::spawn_blocking({
        let (plan, signer, times) = (Arc::clone(plan), Arc::clone(signer), Arc::clone(times));
        move || {
            sign_all(&plan, &signer, &times, Pass::Sales, |prepared| {
                let Ok(signed) = prepared else { return Ok(()) };
                sender.blocking_send(signed).map_err(|_| FileError::Stopped)
            })
        }
    });

    let questions = stream::unfold(receiver, |mut receiver| async {
        receiver.recv().await.map(|signed| (signed, receiver))
    });
    let mut answers = std::pin::pin!(
        questions
            .map(|signed| ask_for_sale(node, signer, signed))
            .buffer_unordered(IN_FLIGHT)
    );

    let mut standing = Standing::default();
    while let Some(answer) = answers.next().await {
        standing.add(answer?);
    }
    signing.await??;
    Ok(standing)
}

/// What a node has of a sale.
enum Answer {
    Unknown,
    Known,
    Conflict(Rejected),
}

async fn ask_for_sale(
    node: &NodeClient,
    signer: &Signer,
    signed: Signed,
) -> Result<Answer, SendError> {
    let Signed::Sale(order, request) = signed else {
        return Ok(Answer::Unknown);
    };
    let found = node.sale(request.outlet, request.sale_id).await;
    let found = found.map_err(|source| SendError::Node {
        order: order.clone(),
        source,
    })?;

    Ok(match found {
        None => Answer::Unknown,
        Some(stands) if is_same(&request, signer, stands.transaction_id) => Answer::Known,
        Some(stands) => Answer::Conflict(Rejected {
            order: Some(order),
            line: None,
            field: "sale_id".into(),
            found: format!("stands as {}", stands.transaction_id),
            allowed: "the content with which it stands in the network".into(),
        }),
    })
}

fn is_same(request: &SaleRequest, signer: &Signer, transaction_id: domain::B256) -> bool {
    let transaction = request.transaction();
    transaction.is_ok_and(|transaction| transaction.id(&signer.domain) == transaction_id)
}

impl Standing {
    fn add(&mut self, answer: Answer) {
        match answer {
            Answer::Unknown => {}
            Answer::Known => self.known += 1,
            Answer::Conflict(rejected) => {
                self.conflicts += 1;
                if self.first_conflicts.len() < SHOWN_MAX {
                    self.first_conflicts.push(rejected);
                }
            }
        }
    }
}
