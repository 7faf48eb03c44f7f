//! The key that pays for gas.

use crate::config::SignerConfig;
use crate::core::fees::Fees;
use crate::core::slot::Variant;
use crate::error::Error;
use alloy::consensus::{SignableTransaction, TxEip1559};
use alloy::eips::eip2718::Encodable2718;
use alloy::primitives::{Address, B256, Bytes, TxKind};
use alloy::signers::SignerSync;
use alloy::signers::local::PrivateKeySigner;
use anyhow::Context;

/// What a transaction does.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    /// Calls the anchor.
    Call { anchor: Address, calldata: Bytes },
    /// Sends nothing to ourselves: uses up the nonce.
    Cancel,
}

/// Everything about a transaction but its fees.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) action: Action,
    pub(crate) nonce: u64,
    pub(crate) gas_limit: u64,
    /// The chain's head at this moment.
    pub(crate) head_number: u64,
}

/// Signs for one chain.
pub(crate) struct Signer {
    key: PrivateKeySigner,
    chain_id: u64,
}

impl Signer {
    /// Decrypts the keystore; takes a moment.
    pub(crate) fn load(config: &SignerConfig, chain_id: u64) -> anyhow::Result<Self> {
        let passphrase = std::fs::read_to_string(&config.passphrase_file).with_context(|| {
            format!(
                "signer.passphrase_file {}",
                config.passphrase_file.display()
            )
        })?;
        let secret = wallet::load_key(&config.keystore_file, wallet::first_line(&passphrase))
            .context("signer.keystore_file")?;
        let key = PrivateKeySigner::from_bytes(&B256::from(secret.secret_bytes()))
            .context("signer's key")?;
        Ok(Self { key, chain_id })
    }

    /// The account that pays for gas.
    pub(crate) fn address(&self) -> Address {
        self.key.address()
    }

    /// The signed bytes of a transaction; the same input gives the same bytes.
    pub(crate) fn sign(&self, draft: &Draft, fees: Fees) -> Result<Variant, Error> {
        let (to, input) = match &draft.action {
            Action::Call { anchor, calldata } => (*anchor, calldata.clone()),
            Action::Cancel => (self.address(), Bytes::new()),
        };

        let transaction = TxEip1559 {
            chain_id: self.chain_id,
            nonce: draft.nonce,
            gas_limit: draft.gas_limit,
            max_fee_per_gas: fees.max_fee,
            max_priority_fee_per_gas: fees.max_priority_fee,
            to: TxKind::Call(to),
            input,
            ..TxEip1559::default()
        };

        let signature = self
            .key
            .sign_hash_sync(&transaction.signature_hash())
            .map_err(Error::Sign)?;
        let signed = transaction.into_signed(signature);
        let cancels = matches!(draft.action, Action::Cancel);
        let (hash, raw) = (*signed.hash(), signed.encoded_2718().into());

        Ok(Variant {
            hash,
            raw,
            fees,
            cancels,
            head_number: draft.head_number,
        })
    }
}
