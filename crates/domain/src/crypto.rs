//! secp256k1 signatures as Ethereum writes them: r‖s‖v, 65 bytes, v = 27 or 28, low s only (EIP-2).

use alloy_primitives::{Address, B256, keccak256};
use borsh::{BorshDeserialize, BorshSerialize};
use secp256k1::ecdsa::{RecoverableSignature, RecoveryId};
use secp256k1::{Message, PublicKey, SECP256K1, SecretKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Half of the group order; a higher s is refused, so a signature has one form only.
const HALF_ORDER: [u8; 32] = [
    0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0x5d, 0x57, 0x6e, 0x73, 0x57, 0xa4, 0x50, 0x1d, 0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b, 0x20, 0xa0,
];

/// A recoverable signature r‖s‖v.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
#[cfg_attr(
    feature = "schema",
    derive(utoipa::ToSchema),
    schema(value_type = String, pattern = "^0x[0-9a-fA-F]{130}$")
)]
pub struct Signature(pub [u8; 65]);

/// Why a signature is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The last byte is neither 27 nor 28.
    #[error("v is {found}, expected 27 or 28")]
    BadV {
        /// The byte found.
        found: u8,
    },
    /// The malleable form of a signature.
    #[error("s is in the upper half of the group order")]
    HighS,
    /// No public key gives this signature over this digest.
    #[error("no public key matches")]
    Unrecoverable,
}

impl Signature {
    /// Signs a digest with RFC 6979 nonces.
    pub fn sign(digest: B256, key: &SecretKey) -> Self {
        let signed = SECP256K1.sign_ecdsa_recoverable(Message::from_digest(digest.0), key);
        let (recovery_id, compact) = signed.serialize_compact();
        let mut bytes = [0u8; 65];
        bytes[..64].copy_from_slice(&compact);
        bytes[64] = 27 + u8::from(i32::from(recovery_id) == 1);
        Self(bytes)
    }

    /// The public key that signed `digest`; what the EVM's `ecrecover` does, but refusing high s.
    pub fn recover_key(&self, digest: B256) -> Result<PublicKey, SignatureError> {
        let recovery_id = match self.0[64] {
            27 => RecoveryId::Zero,
            28 => RecoveryId::One,
            found => return Err(SignatureError::BadV { found }),
        };

        if self.0[32..64] > HALF_ORDER[..] {
            return Err(SignatureError::HighS);
        }

        RecoverableSignature::from_compact(&self.0[..64], recovery_id)
            .and_then(|signature| {
                SECP256K1.recover_ecdsa(Message::from_digest(digest.0), &signature)
            })
            .map_err(|_| SignatureError::Unrecoverable)
    }

    /// The address that signed `digest`.
    pub fn recover(&self, digest: B256) -> Result<Address, SignatureError> {
        self.recover_key(digest).map(|key| address_of(&key))
    }

    /// EIP-2098: r and s with the parity of v in the highest bit of s; what the contract takes.
    pub fn to_compact(&self) -> (B256, B256) {
        let r = B256::from_slice(&self.0[..32]);
        let mut vs = B256::from_slice(&self.0[32..64]);
        if self.0[64] == 28 {
            vs.0[0] |= 0x80;
        }
        (r, vs)
    }
}

/// The Ethereum address of a public key.
pub fn address_of(key: &PublicKey) -> Address {
    Address::from_slice(&keccak256(&key.serialize_uncompressed()[1..])[12..])
}

/// The Ethereum address of a secret key.
pub fn address_of_secret(key: &SecretKey) -> Address {
    address_of(&key.public_key(SECP256K1))
}

impl std::fmt::Debug for Signature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", alloy_primitives::hex::encode_prefixed(self.0))
    }
}

impl Serialize for Signature {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&alloy_primitives::hex::encode_prefixed(self.0))
    }
}

impl<'de> Deserialize<'de> for Signature {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <String as Deserialize>::deserialize(deserializer)?;
        let bytes = alloy_primitives::hex::decode(&text).map_err(serde::de::Error::custom)?;
        <[u8; 65]>::try_from(bytes.as_slice())
            .map(Self)
            .map_err(|_| {
                serde::de::Error::custom(format!("a signature has 65 bytes, found {}", bytes.len()))
            })
    }
}
