//! Transactions, blocks, checkpoints, validators.

#![allow(dead_code, reason = "operations are described, not called")]

use crate::{
    BlockAnswer, BlockSummary, CandidateAnswer, CheckpointAnswer, EvidenceAnswer, Page,
    ParametersAnswer, PayoutAnswer, TransactionAnswer, WaitFor,
};
use domain::payout::Chunk;
use domain::schema::{AddressText, HashText};
use domain::{Genesis, SignedTransaction, Validator};

/// Submits any signed transaction but a sale, and waits until it is final.
#[utoipa::path(
    post, path = "/api/v1/transactions", tag = "chain",
    params(("wait" = Option<WaitFor>, Query, description = "`final`, or `accepted` for an answer before there is a block")),
    request_body = SignedTransaction,
    responses(
        (status = 201, description = "It is final", body = TransactionAnswer),
        (status = 200, description = "It stood already", body = TransactionAnswer),
        (status = 202, description = "It waits for a block (`?wait=accepted`)", body = TransactionAnswer),
    )
)]
pub fn submit_transaction() {}

/// Shows a transaction by its id: the digest that was signed.
#[utoipa::path(
    get, path = "/api/v1/transactions/{id}", tag = "chain",
    params(("id" = HashText, Path, description = "The digest that was signed")),
    responses((status = 200, description = "The transaction", body = TransactionAnswer))
)]
pub fn show_transaction() {}

/// Lists final blocks, newest first.
#[utoipa::path(
    get, path = "/api/v1/blocks", tag = "chain",
    params(
        ("limit" = Option<u32>, Query, description = "Blocks of a page; 20 without it", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "What `next_cursor` of the page before said"),
    ),
    responses((status = 200, description = "A page", body = Page<BlockSummary>))
)]
pub fn list_blocks() {}

/// Shows a final block with its certificate.
#[utoipa::path(
    get, path = "/api/v1/blocks/{height}", tag = "chain",
    params(("height" = String, Path, description = "A height, or `latest`")),
    responses((status = 200, description = "The block", body = BlockAnswer))
)]
pub fn show_block() {}

/// Shows a checkpoint with the signatures gathered so far.
#[utoipa::path(
    get, path = "/api/v1/checkpoints/{epoch}", tag = "chain",
    params(("epoch" = String, Path, description = "An epoch, or `latest`: the newest with a quorum")),
    responses((status = 200, description = "The checkpoint", body = CheckpointAnswer))
)]
pub fn show_checkpoint() {}

/// Lists the chunks of an epoch's settlement; none when it settles nothing.
#[utoipa::path(
    get, path = "/api/v1/checkpoints/{epoch}/payouts", tag = "chain",
    params(("epoch" = String, Path, description = "An epoch, or `latest`: the newest with a quorum")),
    responses((status = 200, description = "The chunks", body = Vec<Chunk>))
)]
pub fn list_payouts() {}

/// Shows one account's payout, with the proofs that the contract takes.
#[utoipa::path(
    get, path = "/api/v1/checkpoints/{epoch}/payouts/{account}", tag = "chain",
    params(
        ("epoch" = String, Path, description = "An epoch, or `latest`: the newest with a quorum"),
        ("account" = AddressText, Path, description = "Who was paid"),
    ),
    responses((status = 200, description = "The payout", body = PayoutAnswer))
)]
pub fn show_payout() {}

/// Lists the validators that decide a height.
#[utoipa::path(
    get, path = "/api/v1/validators", tag = "chain",
    params(("height" = Option<u64>, Query, description = "A height; the next block's without it")),
    responses((status = 200, description = "The set, addresses ascending", body = Vec<Validator>))
)]
pub fn list_validators() {}

/// Lists the registered validators with their scores.
#[utoipa::path(
    get, path = "/api/v1/candidates", tag = "chain",
    responses((status = 200, description = "All of them, addresses ascending", body = Vec<CandidateAnswer>))
)]
pub fn list_candidates() {}

/// Lists the offences that were punished.
#[utoipa::path(
    get, path = "/api/v1/evidence", tag = "chain",
    responses((status = 200, description = "All of them", body = Vec<EvidenceAnswer>))
)]
pub fn list_evidence() {}

/// Shows the chain's parameters, and changes that wait.
#[utoipa::path(
    get, path = "/api/v1/parameters", tag = "chain",
    responses((status = 200, description = "The parameters", body = ParametersAnswer))
)]
pub fn show_parameters() {}

/// Shows the first facts of the chain, whose hash is its name.
#[utoipa::path(
    get, path = "/api/v1/genesis", tag = "chain",
    responses((status = 200, description = "The genesis", body = Genesis))
)]
pub fn show_genesis() {}
