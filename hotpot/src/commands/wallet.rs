//! `hotpot wallet`: the keys of people and tills, and what they sign.

mod args;
mod consent;
mod draft;
mod keys;
mod network;
pub mod password;
mod receipt;
mod sign;
mod witness;

use anyhow::Result;
use std::process::ExitCode;

pub use args::WalletCommand;

/// Runs what was typed.
pub async fn run(command: WalletCommand) -> Result<ExitCode> {
    match command {
        WalletCommand::New(args) => keys::new(&args)?,
        WalletCommand::Import(args) => keys::import(&args)?,
        WalletCommand::Derive(args) => keys::derive(&args)?,
        WalletCommand::Show(args) => return keys::show(&args),
        WalletCommand::Export(args) => keys::export(&args)?,
        WalletCommand::Sign(args) => sign::sign(&args).await?,
        WalletCommand::Approve(args) => sign::approve(&args).await?,
        WalletCommand::Receipt(args) => receipt::receipt(&args).await?,
        WalletCommand::Claim(args) => receipt::claim(&args).await?,
        WalletCommand::Consent(args) => consent::consent(&args).await?,
        WalletCommand::Witness(args) => witness::witness(&args).await?,
    }

    Ok(ExitCode::SUCCESS)
}
