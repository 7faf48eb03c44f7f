//! `hotpot wallet consent`: what a terminal and a guest do at the table.

use super::args::{ConsentArgs, Unlock, Which};
use super::draft::Signed;
use super::keys;
use super::network::Network;
use super::sign::deliver;
use anyhow::{Context, Result};
use domain::consent::{Purposes, commitment};
use domain::eip712::{DomainSeparator, WitnessedConsent};
use domain::transaction::RecordConsent;
use domain::{Address, B256, Payload, Signature, SignedTransaction};
use serde_json::{Value, json};
use sidechain::node::now_ms;
use std::path::Path;
use wallet::{Role, SecretKey, Zeroizing};

/// `hotpot wallet consent`.
pub async fn consent(args: &ConsentArgs) -> Result<()> {
    let witness = keys::signer(&args.witness, &witness_unlock(args), &witness_key(args))?;
    let guest = match &args.guest {
        Some(file) => Some(keys::signer(file, &args.unlock, &args.which)?),
        None => None,
    };
    let address = guest
        .as_ref()
        .map(wallet::address)
        .or(args.guest_address)
        .context("name the guest's key or address")?;
    let network = Network::of(&args.network).await?;
    let salt = B256::from(rand::random::<[u8; 32]>());
    let payload = Payload::RecordConsent(seen(args, &network, &witness, address, salt)?);
    // Before anything is sent: a consent whose salt is lost could never be shown to be anybody's.
    keep_salt(args, salt)?;
    let Some(guest) = guest else {
        return print_unsigned(&payload);
    };
    let signature = Signature::sign(network.domain.transaction_digest(&payload), &guest);
    deliver(
        &Signed::Other(SignedTransaction { payload, signature }),
        &network,
        args.send,
    )
    .await
}

fn witness_unlock(args: &ConsentArgs) -> Unlock {
    Unlock {
        password_file: args.witness_password_file.clone(),
    }
}

fn witness_key(args: &ConsentArgs) -> Which {
    let role = args.witness_index.map(|_| Role::Terminal);
    Which {
        role,
        index: args.witness_index,
        path: None,
    }
}

fn seen(
    args: &ConsentArgs,
    network: &Network,
    witness: &SecretKey,
    guest: Address,
    salt: B256,
) -> Result<RecordConsent> {
    let wanted = WitnessedConsent {
        outlet: args.outlet,
        camera: args.camera,
        purposes: Purposes::of(&args.purposes).context("name each purpose at most once")?,
        commitment: commitment(salt, &args.reference),
        guest,
        until_ms: now_ms().saturating_add(args.for_minutes * 60_000),
    };
    Ok(witnessed(&wanted, witness, &network.domain))
}

/// A consent with the terminal's signature, for the guest to sign.
pub fn witnessed(
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

fn keep_salt(args: &ConsentArgs, salt: B256) -> Result<()> {
    write_salt(&args.salt_file, salt, &args.reference)
}

/// Keeps what shows whose consent it is, readable by its owner alone.
pub fn write_salt(file: &Path, salt: B256, reference: &str) -> Result<()> {
    let kept =
        json!({"salt": salt, "reference": reference, "commitment": commitment(salt, reference)});
    Ok(wallet::write_secret(
        file,
        &Zeroizing::new(format!("{kept}\n")),
    )?)
}

/// What the guest signs with `hotpot wallet sign` or any other signer.
fn print_unsigned(payload: &Payload) -> Result<()> {
    let text: Value = serde_json::to_value(payload)?;
    println!("{text}");
    Ok(())
}
