//! Secrets of one sale, derived so that a till prints the same receipt again after a restart.

use hkdf::Hkdf;
use secp256k1::SecretKey;
use sha2::Sha256;

/// The key printed on a sale's receipt: HKDF-SHA256 of the terminal's secret and the sale id.
pub fn receipt_key(terminal: &SecretKey, sale_id: [u8; 16]) -> SecretKey {
    // A derived value outside the curve's order is as likely as guessing a key; the next one is taken.
    (0u8..=255)
        .find_map(|counter| {
            SecretKey::from_byte_array(derive_secret(terminal, sale_id, &[b'k', counter])).ok()
        })
        .unwrap_or(*terminal)
}

/// The salt of a sale's lines, so that importing the same file twice signs the same content.
pub fn lines_salt(terminal: &SecretKey, sale_id: [u8; 16]) -> [u8; 32] {
    derive_secret(terminal, sale_id, b"salt")
}

fn derive_secret(terminal: &SecretKey, sale_id: [u8; 16], purpose: &[u8]) -> [u8; 32] {
    let mut output = [0u8; 32];
    let info = [b"HotPot receipt 1".as_slice(), purpose].concat();
    // 32 bytes are far below HKDF's limit of 255 hashes, so this cannot fail.
    let _ =
        Hkdf::<Sha256>::new(Some(&sale_id), &terminal.secret_bytes()).expand(&info, &mut output);
    output
}
