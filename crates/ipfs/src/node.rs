//! The nodes of a file, read: dag-pb with UnixFS inside. Read with prost, since the reader of `rust-unixfs`
//! (quick-protobuf 0.8.1) panics at a length that reaches beyond its message.
//!
//! Formats: <https://ipld.io/specs/codecs/dag-pb/spec/>, <https://specs.ipfs.tech/unixfs/>.

use prost::Message;

/// UnixFS' number for a file.
const FILE: i32 = 2;

#[derive(Clone, PartialEq, Message)]
struct PbNode {
    #[prost(bytes = "vec", optional, tag = "1")]
    data: Option<Vec<u8>>,
    #[prost(message, repeated, tag = "2")]
    links: Vec<PbLink>,
}

#[derive(Clone, PartialEq, Message)]
struct PbLink {
    #[prost(bytes = "vec", optional, tag = "1")]
    hash: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
struct UnixFs {
    #[prost(int32, optional, tag = "1")]
    kind: Option<i32>,
    #[prost(uint64, optional, tag = "3")]
    file_bytes: Option<u64>,
    #[prost(uint64, repeated, packed = "false", tag = "4")]
    block_bytes: Vec<u64>,
    #[prost(uint32, optional, tag = "7")]
    mode: Option<u32>,
    #[prost(bytes = "vec", optional, tag = "8")]
    mtime: Option<Vec<u8>>,
}

/// A node that has children.
pub(crate) struct Branch {
    /// Bytes of content below it, as it says.
    pub file_bytes: u64,
    /// CID of each child, with the bytes below it.
    pub links: Vec<(Vec<u8>, u64)>,
}

/// Reads a node of a file; none for a leaf, for anything else, and for a file with mode or time, which ours never have.
pub(crate) fn parse_branch(block: &[u8]) -> Option<Branch> {
    let node = PbNode::decode(block).ok()?;
    let file = UnixFs::decode(node.data?.as_slice()).ok()?;
    let has_metadata = file.mode.is_some() || file.mtime.is_some();
    let is_whole = !node.links.is_empty() && node.links.len() == file.block_bytes.len();

    if file.kind != Some(FILE) || has_metadata || !is_whole {
        return None;
    }
    let links: Option<Vec<_>> = node
        .links
        .into_iter()
        .zip(file.block_bytes)
        .map(|(link, bytes)| Some((link.hash?, bytes)))
        .collect();
    Some(Branch {
        file_bytes: file.file_bytes.unwrap_or_default(),
        links: links?,
    })
}
