#![doc = include_str!("../README.md")]

mod extended;
mod kdf;
mod keystore;
mod mnemonic;
mod password;
mod path;
mod phrase;
mod place;
mod receipt;
mod receipt_code;
mod sealed_words;
mod secret;
mod v3;
mod word_list;

pub use extended::{ExtendedKey, ExtendedPublicKey, HdError};
pub use keystore::{
    KeyError, create_key, load_key, load_or_create, read_keystore, read_secret, write_keystore,
    write_secret,
};
pub use mnemonic::{Mnemonic, MnemonicError};
pub use password::first_line;
pub use path::{HdPath, PathError, Role, UnknownRole};
pub use receipt::{lines_salt, receipt_key};
pub use receipt_code::{ReceiptCode, ReceiptCodeError};
pub use secp256k1::SecretKey;
pub use secret::{Secret, SecretError};
pub use v3::{Cost, Keystore, KeystoreError, Opened};
pub use zeroize::Zeroizing;

use domain::{Address, crypto};

/// A key was expected, something else was found. It is not shown, because it may be nearly one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a key has 64 hex digits, with or without 0x, and is neither zero nor beyond the curve's order"
)]
pub struct NoKey;

/// Reads a key from hex digits in any case, with or without `0x`.
pub fn parse_key(text: &str) -> Result<SecretKey, NoKey> {
    let digits = hex_digits(secret::trim_text(text));
    let mut bytes = Zeroizing::new([0u8; 32]);
    hex::decode_to_slice(digits, bytes.as_mut_slice()).map_err(|_| NoKey)?;
    SecretKey::from_byte_array(*bytes).map_err(|_| NoKey)
}

/// What stands behind `0x` or `0X`, or all of it.
pub(crate) fn hex_digits(text: &str) -> &str {
    text.strip_prefix("0x")
        .or_else(|| text.strip_prefix("0X"))
        .unwrap_or(text)
}

/// A key as `0x` and 64 hex digits.
pub fn format_key(key: &SecretKey) -> Zeroizing<String> {
    let bytes = Zeroizing::new(key.secret_bytes());
    let digits = Zeroizing::new(hex::encode(bytes.as_slice()));
    Zeroizing::new(["0x", &digits].concat())
}

/// The account of a key.
pub fn address(key: &SecretKey) -> Address {
    crypto::address_of_secret(key)
}
