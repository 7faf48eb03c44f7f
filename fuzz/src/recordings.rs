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

/// Opened as the segment that it says to be, so that it is decrypted; and what is sealed opens.
pub fn envelope(bytes: &[u8]) {
    let key = Zeroizing::new([7; 32]);
    if let (Some(capture), Some(sequence)) = (bytes.get(8..40), bytes.get(40..48)) {
        let sequence = sequence.try_into().map_or(0, u64::from_be_bytes);
        let _ = envelope::open(&key, B256::from_slice(capture), sequence, bytes);
    }

    let sealed = envelope::seal(&key, [3; 24], B256::ZERO, 5, bytes);
    let opened = envelope::open(&key, B256::ZERO, 5, &sealed);
    assert!(
        opened.is_ok_and(|opened| *opened == bytes),
        "it does not open"
    );
}
