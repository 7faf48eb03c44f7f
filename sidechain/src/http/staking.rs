//! Registered validators, punished offences, and parameters.

use super::Api;
use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use client::{CandidateAnswer, EvidenceAnswer, ParametersAnswer, WaitingChangeAnswer};
use domain::Address;
use domain::ledger::Standing;

/// Routes of these resources.
pub fn router() -> Router<Api> {
    Router::new()
        .route("/api/v1/candidates", get(list_candidates))
        .route("/api/v1/evidence", get(list_evidence))
        .route("/api/v1/parameters", get(show_parameters))
}

async fn list_candidates(State(api): State<Api>) -> Json<Vec<CandidateAnswer>> {
    let standings = api.node.ledger().standings();
    Json(
        standings
            .into_iter()
            .map(|(address, standing)| candidate_answer(address, standing))
            .collect(),
    )
}

fn candidate_answer(address: Address, standing: Standing) -> CandidateAnswer {
    let Standing {
        scored,
        candidate,
        seated,
    } = standing;

    CandidateAnswer {
        address,
        outlet: candidate.outlet,
        seated,
        electable: scored.as_ref().is_some_and(|scored| scored.electable),
        score: scored.as_ref().map(|scored| scored.score),
        stake: scored.map_or(0, |scored| scored.candidacy.stake),
        heartbeat_epoch: candidate.heartbeat_epoch,
        jailed_until_ms: candidate.jailed_until_ms,
        since_ms: candidate.since_ms,
    }
}

async fn list_evidence(State(api): State<Api>) -> Json<Vec<EvidenceAnswer>> {
    let ledger = api.node.ledger();
    let answer =
        |((validator, _), punished): ((Address, u64), &domain::staking::Punished)| EvidenceAnswer {
            validator,
            offence: punished.offence,
            height: punished.height,
            slashed: punished.slashed,
        };
    Json(ledger.punished().map(answer).collect())
}

async fn show_parameters(State(api): State<Api>) -> Json<ParametersAnswer> {
    let ledger = api.node.ledger();
    let waiting = ledger
        .waiting_changes()
        .map(|(change, waiting)| WaitingChangeAnswer {
            change,
            at_ms: waiting.at_ms,
            parameters: waiting.parameters,
        });
    Json(ParametersAnswer {
        parameters: *ledger.parameters(),
        waiting: waiting.collect(),
    })
}
