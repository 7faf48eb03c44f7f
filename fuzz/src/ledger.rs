//! What validators decide about.

use domain::{Block, SignedTransaction};

pub fn transaction(bytes: &[u8]) {
    if let Ok(transaction) = SignedTransaction::decode(bytes) {
        assert_eq!(
            transaction.encode(),
            bytes,
            "two encodings of a transaction"
        );
    }
}

pub fn block(bytes: &[u8]) {
    if let Ok(block) = Block::decode(bytes) {
        assert_eq!(block.encode(), bytes, "two encodings of a block");
    }
}
