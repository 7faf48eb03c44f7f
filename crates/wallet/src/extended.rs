//! BIP-32: keys from keys. The library's types stay behind these two.

use crate::path::HdPath;
use coins_bip32::Bip32Error;
use coins_bip32::primitives::{Hint, XKeyInfo};
use coins_bip32::xkeys::{Parent, XPriv, XPub};
use domain::{Address, crypto};
use secp256k1::{PublicKey, SecretKey};
use std::fmt;
use std::str::FromStr;
use zeroize::Zeroizing;

/// Why a key cannot be read or derived. Never holds a part of it.
#[derive(Debug, thiserror::Error)]
pub enum HdError {
    /// Not an extended key.
    #[error("not a valid xprv or xpub")]
    Encoding(#[source] Bip32Error),
    /// A root cannot have a parent; BIP-32 says to refuse it.
    #[error("not a valid xprv or xpub: its depth is 0, but it names a parent or an index")]
    RootWithParent,
    /// ypub, zprv and the like are for Bitcoin's scripts.
    #[error("expected xprv or xpub, found a version that stands for a Bitcoin script")]
    Version,
    /// Hardened steps need the private key.
    #[error("an xpub has no hardened children; found {path}")]
    Hardened {
        /// The path with a hardened step in it.
        path: HdPath,
    },
    /// Astronomically unlikely, or an input of the wrong size.
    #[error("no key can be derived")]
    Derive(#[source] Bip32Error),
}

/// A private key with all its children.
#[derive(Clone)]
pub struct ExtendedKey(XPriv);

impl fmt::Debug for ExtendedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExtendedKey(secret)")
    }
}

impl ExtendedKey {
    /// The root of a seed of 16 to 64 bytes.
    pub fn from_seed(seed: &[u8]) -> Result<Self, HdError> {
        XPriv::root_from_seed(seed, Some(Hint::Legacy))
            .map(Self)
            .map_err(HdError::Derive)
    }

    /// The descendant at a path.
    pub fn derive(&self, path: &HdPath) -> Result<Self, HdError> {
        let mut key = self.0.clone();
        for index in path.0.iter() {
            key = key.derive_child(*index).map_err(HdError::Derive)?;
        }
        Ok(Self(key))
    }

    /// The key itself.
    pub fn secret(&self) -> Result<SecretKey, HdError> {
        let signing: &coins_bip32::ecdsa::SigningKey = self.0.as_ref();
        let bytes = Zeroizing::new(<[u8; 32]>::from(signing.to_bytes()));
        SecretKey::from_byte_array(*bytes).map_err(|_| HdError::Derive(Bip32Error::InvalidKey))
    }

    /// Its public half, which derives addresses and signs nothing.
    pub fn public(&self) -> ExtendedPublicKey {
        ExtendedPublicKey(self.0.verify_key())
    }

    /// The Base58Check form of BIP-32, `xprv…`. Secret.
    pub fn to_text(&self) -> Zeroizing<String> {
        self.0.to_base58()
    }
}

impl FromStr for ExtendedKey {
    type Err = HdError;
    fn from_str(text: &str) -> Result<Self, HdError> {
        let key = XPriv::from_base58(text).map_err(HdError::Encoding)?;
        check_bip32_rules(key.as_ref())?;
        Ok(Self(key))
    }
}

/// A public key with all its children that are not hardened.
#[derive(Clone, Debug)]
pub struct ExtendedPublicKey(XPub);

impl ExtendedPublicKey {
    /// The descendant at a path.
    pub fn derive(&self, path: &HdPath) -> Result<Self, HdError> {
        let mut key = self.0;
        for index in path.0.iter() {
            key = key.derive_child(*index).map_err(|error| match error {
                Bip32Error::HardenedDerivationFailed => HdError::Hardened { path: path.clone() },
                error => HdError::Derive(error),
            })?;
        }
        Ok(Self(key))
    }

    /// The account of this key.
    pub fn address(&self) -> Result<Address, HdError> {
        let verifying: &coins_bip32::ecdsa::VerifyingKey = self.0.as_ref();
        let key = PublicKey::from_slice(&verifying.to_sec1_bytes());
        key.map(|key| crypto::address_of(&key))
            .map_err(|_| HdError::Derive(Bip32Error::InvalidKey))
    }
}

impl FromStr for ExtendedPublicKey {
    type Err = HdError;
    fn from_str(text: &str) -> Result<Self, HdError> {
        let key = XPub::from_base58(text).map_err(HdError::Encoding)?;
        check_bip32_rules(key.as_ref())?;
        Ok(Self(key))
    }
}

impl fmt::Display for ExtendedPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_base58())
    }
}

/// What BIP-32 says and the library does not check.
fn check_bip32_rules(info: &XKeyInfo) -> Result<(), HdError> {
    if info.depth == 0 && (info.parent.0 != [0; 4] || info.index != 0) {
        return Err(HdError::RootWithParent);
    }
    if info.hint != Hint::Legacy {
        Err(HdError::Version)
    } else {
        Ok(())
    }
}
