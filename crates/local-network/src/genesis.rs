//! The first facts of a local network.

use crate::candidates;
use crate::keys::Keys;
use crate::layout::Layout;
use anyhow::{Context, Result, bail};
use clap::Args;
use domain::crypto::address_of_secret;
use domain::genesis::EpochLength;
use domain::{B256, Genesis, Parameters, Validator, ValidatorSet};
use secp256k1::SECP256K1;
use std::path::Path;

/// Validators of a new network.
const VALIDATORS: u32 = 4;
/// Blocks in an epoch of a new network.
const EPOCH_BLOCKS: u64 = 32;
/// Every validator of a local network has the same power.
const POWER: u64 = 100;
/// Units that an outlet's owner may owe before its sales stop issuing: those of 100 sales.
const OWNER_DEBT_MAX: u64 = 10_000;

/// What is fixed when a network is made.
#[derive(Clone, Debug, Args)]
pub struct NewNetworkArgs {
    /// How many validators a new network gets (default 4).
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=16))]
    pub validators: Option<u32>,
    /// Blocks in an epoch of a new network (default 32).
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    pub epoch_blocks: Option<u64>,
    /// Elect validators every so many epochs in a new network (default: never).
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub election_epochs: Option<u64>,
}

/// Reads a genesis.
pub fn read(path: &Path) -> Result<Genesis> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("read the genesis {}", path.display()))?;

    serde_json::from_str(&text)
        .with_context(|| format!("the genesis {} is not valid", path.display()))
}

/// The genesis of this folder, made on first use.
pub fn open_or_create(
    layout: &Layout,
    keys: &Keys,
    args: &NewNetworkArgs,
    evm_chain_id: u64,
) -> Result<Genesis> {
    let path = layout.genesis();
    if path.exists() {
        let genesis = read(&path)?;
        check_same(&genesis, args, evm_chain_id)?;
        return Ok(genesis);
    }

    let genesis = new_genesis(keys, args, evm_chain_id)?;
    service_kit::files::write_atomically(&path, &serde_json::to_vec_pretty(&genesis)?)?;
    Ok(genesis)
}

fn check_same(genesis: &Genesis, args: &NewNetworkArgs, evm_chain_id: u64) -> Result<()> {
    let validators = genesis.validators.as_slice().len();
    if let Some(asked) = args
        .validators
        .filter(|asked| *asked as usize != validators)
    {
        bail!(
            "this network has {validators} validators, --validators says {asked}; use another --data-dir"
        );
    }

    if let Some(asked) = args
        .epoch_blocks
        .filter(|asked| genesis.epoch_length != EpochLength::Blocks(*asked))
    {
        bail!(
            "this network has epochs of {:?}, --epoch-blocks says {asked}; use another --data-dir",
            genesis.epoch_length
        );
    }

    let elects = genesis.parameters.election_epochs;
    if let Some(asked) = args.election_epochs.filter(|asked| *asked != elects) {
        bail!(
            "this network elects every {elects} epochs, --election-epochs says {asked}; use another --data-dir"
        );
    }

    if genesis.evm_chain_id != evm_chain_id {
        bail!(
            "this network belongs to EVM chain {}, the node is of {evm_chain_id}",
            genesis.evm_chain_id
        );
    }

    Ok(())
}

fn new_genesis(keys: &Keys, args: &NewNetworkArgs, evm_chain_id: u64) -> Result<Genesis> {
    let count = args.validators.unwrap_or(VALIDATORS);
    let mut validators = Vec::new();

    for number in 0..count as usize {
        let key = keys.validator(number)?;
        let public_key = key.public_key(SECP256K1).serialize().into();
        validators.push(Validator {
            address: address_of_secret(&key),
            power: POWER,
            public_key,
        });
    }
    validators.sort_by_key(|validator| validator.address);

    Ok(Genesis {
        name: "hotpot local network".into(),
        evm_chain_id,
        time_ms: service_kit::clock::now_ms(),
        first_height: 1,
        parent_hash: B256::ZERO,
        founder: address_of_secret(&keys.founder()?),
        guardian: address_of_secret(&keys.get("guardian")?),
        registrar: address_of_secret(&keys.registrar()?),
        epoch_length: EpochLength::Blocks(args.epoch_blocks.unwrap_or(EPOCH_BLOCKS)),
        settlement_epochs: 1,
        maturity_ms: 0,
        change_delay_ms: 0,
        parameters: Parameters {
            owner_debt_max: OWNER_DEBT_MAX,
            election_epochs: args.election_epochs.unwrap_or(0),
            ..Parameters::DEFAULT
        },
        election: candidates::election_rules(),
        validators: ValidatorSet::try_from(validators)?,
    })
}
