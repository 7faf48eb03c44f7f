//! CIDs that other implementations give with the same parameters. Those of more than a few bytes are from the
//! JavaScript importer (ipfs-unixfs-importer 17.1.1: cidVersion 1, rawLeaves, chunks of 262144, balanced, 174 links).

use ipfs::unixfs::{cid_of, cut};

/// Bytes without a pattern, from xorshift64*.
pub fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) as u8
    };
    (0..length).map(|_| next()).collect()
}

/// (content, CID)
pub fn all() -> Vec<(Vec<u8>, &'static str)> {
    vec![
        (
            vec![0; 100_000],
            "bafkreierslbfw42pzow34mw23quarhda3mhdt6imyigofzlth5lsmgwmbq",
        ),
        (
            noise(1, 200_000),
            "bafkreietc4kmubydzj3xveqrohtzyomdibnq62lovq6mgnhmictv6l3qt4",
        ),
        (
            noise(2, 5 * 1024 * 1024 + 123),
            "bafybeigxqrzt2qfpznqaja27w7gdrla5qpo5grcxmodyitszy6x3udwtfa",
        ),
        // As many leaves as a node has links, and two levels of nodes.
        (
            vec![0; 174 * 256 * 1024],
            "bafybeibxsa3ioclowpaq7b6gxl65gzqneopfr3fnhedak6sqr4bjz5lnyq",
        ),
        (
            vec![0; 60 * 1024 * 1024 + 7],
            "bafybeihbeylpnjbkvooo7tzyvk6xr4zzt4mfcj4e742yvwsyfyrqriwcru",
        ),
        // Plain SHA-256.
        (
            b"hello world".to_vec(),
            "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e",
        ),
        (
            Vec::new(),
            "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku",
        ),
    ]
}

#[test]
fn content_has_the_cid_that_others_give() {
    for (content, cid) in all() {
        assert_eq!(cid_of(&content).to_string(), cid, "{} bytes", content.len());
        assert_eq!(cut(&content).root.to_string(), cid);
    }
}

#[test]
fn a_tree_of_two_levels_has_the_expected_shape() {
    let dag = cut(&noise(1, 60 * 1024 * 1024 + 7));
    // 241 leaves, two nodes over them, one root.
    assert_eq!(dag.blocks.len(), 244);
    assert_eq!(cut(&noise(1, 5 * 1024 * 1024 + 123)).blocks.len(), 22);
}
