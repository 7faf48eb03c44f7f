//! What a validator owes beside its votes: a heartbeat in each epoch at whose end there is an election, and a report of
//! every offence that it saw.

use crate::core::mempool::Source;
use crate::io::peers::{Peers, Relayed};
use crate::node::{AdmissionError, Node};
use domain::evidence::Offence;
use domain::transaction::{Evidence, Heartbeat, VerifiedTransaction};
use domain::{Address, Payload, Rejection, Signature, SignedTransaction};
use secp256k1::SecretKey;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// A validator and the offence that it committed.
pub type Report = (Address, Offence);

/// Sends heartbeats and reports until `stop`. A node without a key does neither.
pub async fn run(
    node: Arc<Node>,
    key: Option<SecretKey>,
    peers: Peers,
    mut reports: mpsc::Receiver<Report>,
    stop: CancellationToken,
) {
    let mut height = node.height.subscribe();

    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            changed = height.changed() => match (changed, &key) {
                (Ok(()), Some(key)) => send_heartbeat(&node, key, &peers),
                (Ok(()), None) => {}
                (Err(_), _) => return stop.cancelled().await,
            },
            Some(report) = reports.recv() => if let Some(key) = &key {
                sign_and_send(&node, key, &peers, Payload::Evidence(Box::new(Evidence { offender: report.0, offence: report.1 })));
            },
        }
    }
}

fn send_heartbeat(node: &Node, key: &SecretKey, peers: &Peers) {
    if let Some(heartbeat) = due_heartbeat(node) {
        sign_and_send(node, key, peers, Payload::Heartbeat(heartbeat));
    }
}

/// The heartbeat that this validator owes now, if it is registered and free, and an election is near.
fn due_heartbeat(node: &Node) -> Option<Heartbeat> {
    let validator = node.validator?;
    let ledger = node.ledger();
    let (epoch, every) = (ledger.epoch(), ledger.parameters().election_epochs);
    let candidate = ledger.candidate(validator)?;
    let owes = every > 0 && epoch.is_multiple_of(every) && candidate.heartbeat_epoch < epoch;
    (owes && candidate.jailed_until_ms.is_none()).then_some(Heartbeat { validator, epoch })
}

/// Signs and sends; what waits already or is settled is left alone.
fn sign_and_send(node: &Node, key: &SecretKey, peers: &Peers, payload: Payload) {
    let domain = *node.ledger().domain();
    let id = domain.transaction_digest(&payload);
    if node.is_pending(id) {
        return;
    }
    let transaction = SignedTransaction {
        payload,
        signature: Signature::sign(id, key),
    };
    let Ok(verified) = VerifiedTransaction::verify(transaction.clone(), &domain) else {
        return;
    };
    // As from a peer: there is room for it even while clients are refused.
    match node.admit(verified, None, Source::Peer) {
        Ok(_) => peers.announce(&Relayed {
            transaction,
            lines: None,
        }),
        Err(AdmissionError::Rejected(
            Rejection::AlreadyIncluded { .. } | Rejection::AlreadyPunished,
        )) => {}
        Err(error) => {
            tracing::warn!(error = %error, "a transaction of this validator is not taken")
        }
    }
}
