//! One function for each parser of bytes that come from outside. It must neither panic nor allocate without a bound;
//! what it accepts must mean one thing only, which is checked where the parser has a writer.
//!
//! `tests/replay.rs` gives the corpus and changed copies of it to every target in `scripts/test`;
//! `libfuzzer/` gives it whatever libFuzzer thinks of, by `scripts/fuzz`.

mod ipfs_content;
mod json;
mod keys;
mod ledger;
mod network;
mod recordings;

/// A parser of outside bytes, by the name that its corpus folder has.
pub struct Target {
    /// Folder in `corpus/`, argument of `scripts/fuzz`.
    pub name: &'static str,
    /// Panics when the parser is wrong.
    pub run: fn(&[u8]),
}

/// All of them, by name.
pub const TARGETS: &[Target] = &[
    target("block", ledger::block),
    target("car", ipfs_content::car),
    target("cid", ipfs_content::cid),
    target("consensus", network::consensus),
    target("envelope", recordings::envelope),
    target("evm_answer", json::evm_answer),
    target("exchange", network::exchange),
    target("key_text", keys::text),
    target("keystore", keys::keystore),
    target("manifest", recordings::manifest),
    target("node_answer", json::node_answer),
    target("recording_proof", json::recording_proof),
    target("sale_proof", json::sale_proof),
    target("sale_request", json::sale_request),
    target("transaction", ledger::transaction),
    target("unixfs", ipfs_content::unixfs),
];

const fn target(name: &'static str, run: fn(&[u8])) -> Target {
    Target { name, run }
}

/// The target of this name.
pub fn find_target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
