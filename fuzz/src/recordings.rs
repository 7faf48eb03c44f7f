//! Recordings that come back from IPFS.

use domain::B256;
use recording_vault::SignedManifest;
use recording_vault::core::envelope;
use zeroize::Zeroizing;

pub fn manifest(bytes: &[u8]) {
    if let Ok(manifest) = SignedManifest::decode(bytes) {
        assert_eq!(manifest.encode(), bytes, "two encodings of a manifest");
    }
}

pub fn envelope(bytes: &[u8]) {
    let key = Zeroizing::new([7; 32]);
    let _ = envelope::open(&key, B256::repeat_byte(1), 0, bytes);
}
