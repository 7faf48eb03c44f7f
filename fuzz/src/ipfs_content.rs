//! Content whose name is known and whose bytes come from anybody.

use ipfs::{Cid, Codec, car, unixfs};

/// More than any recording's archive has.
const BLOCKS_MAX: usize = 10_000;
const CONTENT_BYTES_MAX: usize = 1 << 20;
const LEAF: &[u8] = b"hello";

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

/// The bytes are the root's block; asked for a child, the answer is the leaf that the corpus links to. And content that
/// was cut is read again.
pub fn unixfs(bytes: &[u8]) {
    let root = Cid::of_block(Codec::DagPb, bytes);
    let block = |cid: &Cid| {
        let block = if *cid == root { bytes } else { LEAF };
        Ok(block.to_vec())
    };
    if let Ok(content) = unixfs::read(&root, CONTENT_BYTES_MAX, block) {
        assert!(
            content.len() <= CONTENT_BYTES_MAX,
            "{} bytes",
            content.len()
        );
    }

    let dag = unixfs::cut(bytes);
    let kept = |cid: &Cid| {
        let found = dag.blocks.iter().find(|(name, _)| name == cid);
        Ok(found.map(|(_, block)| block.clone()).unwrap_or_default())
    };
    let content = unixfs::read(&dag.root, CONTENT_BYTES_MAX, kept);
    assert!(
        content.is_ok_and(|content| content == bytes),
        "it reads otherwise than it was cut"
    );
}
