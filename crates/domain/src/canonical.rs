//! The bytes that are hashed.

use borsh::BorshSerialize;

/// Canonical borsh bytes. Writing to a vector cannot fail.
pub(crate) fn canonical_bytes<T: BorshSerialize>(value: &T) -> Vec<u8> {
    borsh::to_vec(value).unwrap_or_default()
}
