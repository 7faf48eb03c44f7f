//! `hotpot wallet consent`: what a terminal and a guest do at the table.

use super::args::{ConsentArgs, Unlock, Which};
use super::draft::Signed;
use super::keys;
use super::network::Network;
use super::sign::print_or_send;
use anyhow::{Context, Result};
use domain::consent::{Purposes, consent_commitment};
use domain::eip712::WitnessedConsent;
use domain::transaction::RecordConsent;
use domain::{Address, B256, Payload, Signature, SignedTransaction};
use local_network::consent::{witnessed_consent, write_salt};
use serde_json::Value;
use service_kit::clock::now_ms;
use wallet::{Role, SecretKey};

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
    let payload = Payload::RecordConsent(witness_consent(args, &network, &witness, address, salt)?);
    // Before anything is sent: a consent whose salt is lost could never be shown to be anybody's.
    keep_salt(args, salt)?;
    let Some(guest) = guest else {
        return print_unsigned(&payload);
    };
    let signature = Signature::sign(network.domain.transaction_digest(&payload), &guest);
    print_or_send(
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

fn witness_consent(
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
        commitment: consent_commitment(salt, &args.reference),
        guest,
        until_ms: now_ms().saturating_add(args.for_minutes * 60_000),
    };

    Ok(witnessed_consent(&wanted, witness, &network.domain))
}

fn keep_salt(args: &ConsentArgs, salt: B256) -> Result<()> {
    write_salt(&args.salt_file, salt, &args.reference)
}

/// What the guest signs with `hotpot wallet sign` or any other signer.
fn print_unsigned(payload: &Payload) -> Result<()> {
    let text: Value = serde_json::to_value(payload)?;
    println!("{text}");
    Ok(())
}
