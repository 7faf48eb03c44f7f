//! Content into blocks and back, with the parameters that every side agrees on: UnixFS, CIDv1, raw leaves, chunks of
//! 256 KiB, 174 links, balanced. Kubo's `add --cid-version=1` makes the same; other profiles make other CIDs.

use crate::cid::{Cid, Codec};
use crate::error::IpfsError;
use crate::node;
use rust_unixfs::file::adder::{BalancedCollector, Chunker, FileAdder};

/// Bytes of a leaf.
pub const CHUNK_BYTES: usize = 256 * 1024;
/// Links of a node.
pub const LINKS_MAX: usize = 174;
/// No block of anybody is larger; Kubo refuses to exchange such.
pub const BLOCK_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Levels of a tree: four hold 240 TB.
const DEPTH_MAX: usize = 4;

/// Content with its name.
#[derive(Clone, PartialEq, Eq)]
pub struct Dag {
    /// Names the whole.
    pub root: Cid,
    /// All blocks, leaves before the nodes that link to them; the root is the last.
    pub blocks: Vec<(Cid, Vec<u8>)>,
}

impl std::fmt::Debug for Dag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {} blocks", self.root, self.blocks.len())
    }
}

fn new_adder() -> FileAdder {
    FileAdder::builder()
        .with_chunker(Chunker::Size(CHUNK_BYTES))
        .with_collector(BalancedCollector::with_branching_factor(LINKS_MAX))
        .with_cid_version(cid::Version::V1)
        .with_raw_leaves(true)
        .build()
}

/// Cuts content into blocks.
pub fn cut(content: &[u8]) -> Dag {
    let mut blocks = Vec::new();
    each_block(content, |block| blocks.push(block));
    let root = blocks
        .last()
        .map_or_else(|| Cid::of_block(Codec::Raw, content), |(cid, _)| *cid);
    Dag { root, blocks }
}

/// The CID of content.
pub fn cid_of(content: &[u8]) -> Cid {
    let mut root = Cid::of_block(Codec::Raw, &[]);
    each_block(content, |(cid, _)| root = cid);
    root
}

fn each_block(content: &[u8], mut take: impl FnMut((Cid, Vec<u8>))) {
    // Hashed anew rather than converted: what is named here is what is checked everywhere.
    let mut named = |(theirs, block): (cid::Cid, Vec<u8>)| {
        let codec = if theirs.codec() == 0x55 {
            Codec::Raw
        } else {
            Codec::DagPb
        };
        take((Cid::of_block(codec, &block), block));
    };
    let mut adder = new_adder();
    let mut rest = content;
    while !rest.is_empty() {
        let (blocks, consumed) = adder.push(rest);
        blocks.for_each(&mut named);
        rest = &rest[consumed..];
    }
    adder.finish().for_each(named);
}

/// The links of a node with the bytes below each.
pub(crate) fn links(cid: &Cid, block: &[u8]) -> Result<Vec<(Cid, u64)>, IpfsError> {
    let damaged = |detail| IpfsError::Damaged { cid: *cid, detail };
    let branch = node::parse_branch(block).ok_or(damaged("not a node of a file"))?;
    let total = branch
        .links
        .iter()
        .try_fold(0u64, |sum, (_, bytes)| sum.checked_add(*bytes));

    if total != Some(branch.file_bytes) || branch.links.iter().any(|(_, bytes)| *bytes == 0) {
        return Err(damaged("its sizes do not add up"));
    }
    branch
        .links
        .iter()
        .map(|(cid, bytes)| Ok((Cid::from_bytes(cid)?, *bytes)))
        .collect()
}

/// All blocks below a root, in the order of their content, the root first. Each is checked against its name.
/// Gives each to `take`; `max` bounds the content.
pub(crate) fn walk(
    root: &Cid,
    max: usize,
    mut get: impl FnMut(&Cid) -> Result<Vec<u8>, IpfsError>,
    mut take: impl FnMut(Cid, Vec<u8>) -> Result<(), IpfsError>,
) -> Result<(), IpfsError> {
    let mut left = max as u64;
    let mut waiting = vec![(*root, None, 0)];

    while let Some((cid, expected, depth)) = waiting.pop() {
        let block = get(&cid)?;
        let damaged = |detail| IpfsError::Damaged { cid, detail };
        if block.len() > BLOCK_BYTES_MAX || !cid.matches(&block) {
            return Err(damaged("its bytes have another hash"));
        }

        if cid.codec() == Codec::DagPb {
            let links = links(&cid, &block)?;
            let below = links.iter().map(|(_, bytes)| *bytes).sum::<u64>();
            check_size(below, expected, left, root, max, damaged)?;
            if depth == DEPTH_MAX {
                return Err(damaged("its tree is too deep"));
            }
            waiting.extend(
                links
                    .into_iter()
                    .rev()
                    .map(|(child, bytes)| (child, Some(bytes), depth + 1)),
            );
        } else {
            check_size(block.len() as u64, expected, left, root, max, damaged)?;
            left -= block.len() as u64;
        }

        take(cid, block)?;
    }

    Ok(())
}

fn check_size(
    found: u64,
    expected: Option<u64>,
    left: u64,
    root: &Cid,
    max: usize,
    damaged: impl Fn(&'static str) -> IpfsError,
) -> Result<(), IpfsError> {
    if expected.is_some_and(|expected| expected != found) {
        return Err(damaged("it has another size than its parent says"));
    }

    if found > left {
        Err(IpfsError::ContentTooLarge { cid: *root, max })
    } else {
        Ok(())
    }
}

/// Reads content; every block is checked against its name.
pub fn read(
    root: &Cid,
    max: usize,
    get: impl FnMut(&Cid) -> Result<Vec<u8>, IpfsError>,
) -> Result<Vec<u8>, IpfsError> {
    let mut content = Vec::new();
    walk(root, max, get, |cid, block| {
        if cid.codec() == Codec::Raw {
            content.extend_from_slice(&block);
        }
        Ok(())
    })?;
    Ok(content)
}
