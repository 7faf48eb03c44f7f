//! Content whose name is known and whose bytes come from anybody.

use ipfs::{Cid, Codec, car, unixfs};

/// More than any recording's archive has.
const BLOCKS_MAX: usize = 10_000;
const CONTENT_BYTES_MAX: usize = 1 << 20;

pub fn cid(bytes: &[u8]) {
    if let Ok(cid) = Cid::from_bytes(bytes) {
        let text = cid.to_string();
        assert_eq!(text.parse::<Cid>().ok(), Some(cid), "{text}");
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = text.parse::<Cid>();
        let _ = text.parse::<domain::Cid>();
    }
}

pub fn car(bytes: &[u8]) {
    let Ok(mut reader) = car::Reader::new(bytes) else {
        return;
    };
    for _ in 0..BLOCKS_MAX {
        match reader.block() {
            Ok(Some((cid, block))) => assert!(cid.matches(&block), "{cid} has another hash"),
            Ok(None) | Err(_) => return,
        }
    }
}

/// The bytes are the root's block; any other block is the same one again.
pub fn unixfs(bytes: &[u8]) {
    let root = Cid::of_block(Codec::DagPb, bytes);
    if let Ok(content) = unixfs::read(&root, CONTENT_BYTES_MAX, |_| Ok(bytes.to_vec())) {
        assert!(
            content.len() <= CONTENT_BYTES_MAX,
            "{} bytes",
            content.len()
        );
    }
}
