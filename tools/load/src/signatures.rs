//! What one signature check costs on this machine: the bound of every chain that makes each validator check each sale.

use anyhow::Result;
use domain::eip712::DomainSeparator;
use domain::transaction::VerifiedTransaction;
use domain::{B256, Payload, Signature, SignedTransaction};
use serde_json::json;
use std::time::Instant;
use wallet::SecretKey;

/// Checks that are timed.
const CHECKS: u32 = 20_000;

/// Times the check that admission makes, on one thread, and prints it as a JSON object.
pub fn run() -> Result<bool> {
    let domain = DomainSeparator(B256::repeat_byte(1));
    let key = SecretKey::from_byte_array([7; 32])?;
    let payload = Payload::FullSettlement(domain::transaction::FullSettlement { nonce: 1 });
    let signature = Signature::sign(domain.transaction_digest(&payload), &key);
    let transaction = SignedTransaction { payload, signature };
    let started = Instant::now();
    for _ in 0..CHECKS {
        VerifiedTransaction::verify(transaction.clone(), &domain)?;
    }
    let nanos = started.elapsed().as_nanos() / u128::from(CHECKS);
    println!("{}", json!({ "check_ns": nanos, "checks": CHECKS }));
    Ok(true)
}
