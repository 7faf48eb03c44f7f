//! What a terminal does when a guest agrees at its table.

use anyhow::Result;
use domain::B256;
use domain::Signature;
use domain::consent::consent_commitment;
use domain::eip712::{DomainSeparator, WitnessedConsent};
use domain::transaction::RecordConsent;
use serde_json::json;
use std::path::Path;
use wallet::{SecretKey, Zeroizing};

/// A consent with the terminal's signature, for the guest to sign.
pub fn witnessed_consent(
    wanted: &WitnessedConsent,
    witness: &SecretKey,
    domain: &DomainSeparator,
) -> RecordConsent {
    let WitnessedConsent {
        outlet,
        camera,
        purposes,
        commitment,
        guest,
        until_ms,
    } = *wanted;

    let witness_signature = Signature::sign(domain.consent_witness_digest(wanted), witness);
    let witness = wallet::address(witness);

    RecordConsent {
        outlet,
        camera,
        purposes,
        commitment,
        guest,
        until_ms,
        witness,
        witness_signature,
    }
}

/// Keeps what shows whose consent it is, readable by its owner alone.
pub fn write_salt(file: &Path, salt: B256, reference: &str) -> Result<()> {
    let kept = json!({"salt": salt, "reference": reference, "commitment": consent_commitment(salt, reference)});
    Ok(wallet::write_secret(
        file,
        &Zeroizing::new(format!("{kept}\n")),
    )?)
}
