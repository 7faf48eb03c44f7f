//! Keys as people and other programs write them.

use wallet::{
    ExtendedKey, ExtendedPublicKey, HdPath, Keystore, Mnemonic, ReceiptCode, Role, Secret,
    format_key, parse_key,
};

/// Read only: opening one costs what its file says, within the bounds that reading checks.
pub fn keystore(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(keystore) = Keystore::from_json(text) {
        let _ = keystore.address();
        assert!(Keystore::from_json(&keystore.to_json()).is_ok());
    }
}

pub fn text(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };

    if let Ok(key) = parse_key(text) {
        assert_eq!(parse_key(&format_key(&key)).ok(), Some(key));
    }
    if let Ok(mnemonic) = Mnemonic::from_phrase(text) {
        assert!(Mnemonic::from_phrase(&mnemonic.phrase()).is_ok());
    }
    let _ = text.parse::<Secret>();
    let _ = text.parse::<ExtendedKey>();
    let _ = text.parse::<ExtendedPublicKey>();
    let _ = text.parse::<HdPath>();
    let _ = text.parse::<ReceiptCode>();
    let _ = text.parse::<Role>();
}
