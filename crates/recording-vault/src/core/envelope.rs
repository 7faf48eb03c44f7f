//! An encrypted segment as it stands on IPFS: `magic ‖ capture hash ‖ sequence ‖ nonce ‖ ciphertext ‖ tag`.
//! XChaCha20-Poly1305; everything before the nonce is associated data, so a segment cannot be passed off as another.

use chacha20poly1305::aead::AeadInPlace;
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use domain::B256;
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

/// Begins every encrypted segment.
const MAGIC: &[u8; 8] = b"HPSEG\0\0\x01";
const BOUND_BYTES: usize = MAGIC.len() + 32 + 8;
const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;
/// What encryption adds to a segment.
pub const ENVELOPE_BYTES: usize = BOUND_BYTES + NONCE_BYTES + TAG_BYTES;

/// 32 secret bytes, wiped when dropped.
pub type Key = Zeroizing<[u8; 32]>;

/// Why an encrypted segment does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// Not one of ours.
    #[error("not an encrypted segment")]
    Malformed,
    /// The segment of another manifest.
    #[error("the segment belongs to another manifest")]
    OtherManifest,
    /// Wrong key, or changed bytes.
    #[error("the segment does not open: another key, or its bytes were changed")]
    Closed,
}

/// The key of one segment: needs both the key that a consent's or day's segments share, and the salt of this one.
/// Destroying the first closes all of them, destroying the second one only.
pub fn segment_key(shared: &Key, salt: &Key, capture_hash: B256) -> Key {
    let mut key = Zeroizing::new([0u8; 32]);
    let info = [b"HotPot segment key 1".as_slice(), capture_hash.as_slice()].concat();
    // 32 bytes are far below HKDF's limit of 255 hashes, so this cannot fail.
    let _ = Hkdf::<Sha256>::new(Some(salt.as_slice()), shared.as_slice())
        .expand(&info, key.as_mut_slice());
    key
}

fn associated_data(capture_hash: B256, sequence: u64) -> [u8; BOUND_BYTES] {
    let mut bytes = [0u8; BOUND_BYTES];
    bytes[..8].copy_from_slice(MAGIC);
    bytes[8..40].copy_from_slice(capture_hash.as_slice());
    bytes[40..].copy_from_slice(&sequence.to_be_bytes());
    bytes
}

/// Encrypts. The nonce is drawn anew for each call, and each key is used for one segment.
pub fn seal(
    key: &Key,
    nonce: [u8; NONCE_BYTES],
    capture_hash: B256,
    sequence: u64,
    segment: &[u8],
) -> Vec<u8> {
    let bound = associated_data(capture_hash, sequence);
    let mut envelope = Vec::with_capacity(segment.len() + ENVELOPE_BYTES);
    envelope.extend_from_slice(&bound);
    envelope.extend_from_slice(&nonce);
    envelope.extend_from_slice(segment);
    let body = &mut envelope[BOUND_BYTES + NONCE_BYTES..];
    let cipher = XChaCha20Poly1305::new(key.as_slice().into());
    // It fails beyond 256 GiB only; the segment is not to leave in clear even then.
    match cipher.encrypt_in_place_detached(XNonce::from_slice(&nonce), &bound, body) {
        Ok(tag) => envelope.extend_from_slice(&tag),
        Err(_) => envelope.clear(),
    }
    envelope
}

/// Decrypts what `seal` made for this capture.
pub fn open(
    key: &Key,
    capture_hash: B256,
    sequence: u64,
    envelope: &[u8],
) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
    let expected = associated_data(capture_hash, sequence);
    if envelope.len() < ENVELOPE_BYTES || envelope[..MAGIC.len()] != MAGIC[..] {
        return Err(EnvelopeError::Malformed);
    }

    let (found, rest) = envelope.split_at(BOUND_BYTES);
    let (nonce, rest) = rest.split_at(NONCE_BYTES);
    let (body, tag) = rest.split_at(rest.len() - TAG_BYTES);
    if found != expected {
        return Err(EnvelopeError::OtherManifest);
    }

    let mut segment = Zeroizing::new(body.to_vec());
    XChaCha20Poly1305::new(key.as_slice().into())
        .decrypt_in_place_detached(
            XNonce::from_slice(nonce),
            &expected,
            &mut segment,
            tag.into(),
        )
        .map_err(|_| EnvelopeError::Closed)?;
    Ok(segment)
}
