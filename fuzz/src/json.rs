//! JSON over HTTP: what tills post, what nodes answer, and proof files.

use client::{
    AccountAnswer, BatchedSale, BlockAnswer, CandidateAnswer, CheckpointAnswer, ConsentAnswer,
    ErasedAnswer, EvidenceAnswer, OutletAnswer, ParametersAnswer, PayoutAnswer, RecordingAnswer,
    SaleAnswer, SaleRequest, SignedAnswer, SnapshotOffer, StatusAnswer, SupplyAnswer,
    TransactionAnswer,
};
use domain::Genesis;
use domain::payout::Chunk;
use domain::proof::{RecordingProof, SaleProof};
use domain::sale::check_lines;

pub fn sale_request(bytes: &[u8]) {
    let Ok(request) = serde_json::from_slice::<SaleRequest>(bytes) else {
        return;
    };
    if let Ok(sale) = request.sale() {
        let _ = check_lines(&sale, request.lines_salt, &request.lines);
    }
}

/// Relayer, indexer, gateway and video agent read a node that may lie.
pub fn node_answer(bytes: &[u8]) {
    let _ = serde_json::from_slice::<AccountAnswer>(bytes);
    let _ = serde_json::from_slice::<BlockAnswer>(bytes);
    let _ = serde_json::from_slice::<Vec<BatchedSale>>(bytes);
    let _ = serde_json::from_slice::<Vec<CandidateAnswer>>(bytes);
    let _ = serde_json::from_slice::<CheckpointAnswer>(bytes);
    let _ = serde_json::from_slice::<Vec<Chunk>>(bytes);
    let _ = serde_json::from_slice::<Vec<ConsentAnswer>>(bytes);
    let _ = serde_json::from_slice::<Vec<ErasedAnswer>>(bytes);
    let _ = serde_json::from_slice::<Vec<EvidenceAnswer>>(bytes);
    let _ = serde_json::from_slice::<Genesis>(bytes);
    let _ = serde_json::from_slice::<Vec<OutletAnswer>>(bytes);
    let _ = serde_json::from_slice::<ParametersAnswer>(bytes);
    let _ = serde_json::from_slice::<PayoutAnswer>(bytes);
    let _ = serde_json::from_slice::<RecordingAnswer>(bytes);
    let _ = serde_json::from_slice::<SaleAnswer>(bytes);
    let _ = serde_json::from_slice::<SignedAnswer>(bytes);
    let _ = serde_json::from_slice::<Vec<SnapshotOffer>>(bytes);
    let _ = serde_json::from_slice::<StatusAnswer>(bytes);
    let _ = serde_json::from_slice::<SupplyAnswer>(bytes);
    let _ = serde_json::from_slice::<TransactionAnswer>(bytes);
}

pub fn sale_proof(bytes: &[u8]) {
    if let Ok(proof) = serde_json::from_slice::<SaleProof>(bytes) {
        let _ = proof.check();
    }
}

pub fn recording_proof(bytes: &[u8]) {
    if let Ok(proof) = serde_json::from_slice::<RecordingProof>(bytes) {
        let _ = proof.check();
    }
}

/// The indexer reads an EVM node that may lie.
pub fn evm_answer(bytes: &[u8]) {
    indexer::read_every_answer(bytes);
}
