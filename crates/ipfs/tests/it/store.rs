use crate::vectors::noise;
use ipfs::{BlockStore, Cid, Codec, IpfsError, unixfs};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const ROOM: u64 = 64 << 20;

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap().flatten() {
        if entry.path().is_dir() {
            found.extend(files(&entry.path()))
        } else {
            found.push(entry.path())
        }
    }
    found
}

#[test]
fn content_survives_a_new_start_and_goes_with_its_pin() {
    let dir = tempfile::tempdir().unwrap();
    let (kept, dropped) = (noise(1, 700_000), noise(2, 700_000));
    let store = BlockStore::open(dir.path(), ROOM).unwrap();
    let (one, two) = (store.add(&kept).unwrap(), store.add(&dropped).unwrap());
    assert_eq!(store.add(&kept).unwrap(), one);
    assert!(matches!(
        BlockStore::open(dir.path(), ROOM),
        Err(IpfsError::Locked { .. })
    ));
    let bytes = store.bytes();
    drop(store);

    let store = BlockStore::open(dir.path(), ROOM).unwrap();
    assert_eq!(store.bytes(), bytes);
    assert_eq!(store.read(&one, 700_000).unwrap(), kept);
    assert!(matches!(
        store.read(&one, 699_999),
        Err(IpfsError::ContentTooLarge { .. })
    ));
    assert_eq!(store.collect_garbage().unwrap().blocks, 0);
    store.unpin(&two).unwrap();
    store.unpin(&two).unwrap();
    let collected = store.collect_garbage().unwrap();
    assert_eq!(collected.blocks, 4);
    assert_eq!(store.bytes(), bytes - collected.bytes);
    assert!(matches!(
        store.read(&two, 700_000),
        Err(IpfsError::Missing { .. })
    ));
    assert!(store.pin(&two).is_err() && !store.is_pinned(&two));
    assert_eq!(store.read(&one, 700_000).unwrap(), kept);
    assert_eq!(
        store.pins().unwrap().into_iter().collect::<Vec<Cid>>(),
        [one]
    );
    // No byte of what was collected lies anywhere.
    let part = &dropped[300_000..300_064];
    for file in files(dir.path()) {
        assert!(
            !std::fs::read(&file)
                .unwrap()
                .windows(64)
                .any(|window| window == part),
            "{}",
            file.display()
        );
    }
}

#[test]
fn a_full_store_takes_nothing_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let store = BlockStore::open(dir.path(), 1_000_000).unwrap();
    let first = store.add(&noise(1, 700_000)).unwrap();
    let error = store.add(&noise(2, 700_000)).unwrap_err();
    assert!(
        error.is_retryable() && error.to_string().contains("of 1000000 bytes"),
        "{error}"
    );
    assert_eq!(store.add(&noise(1, 700_000)).unwrap(), first);
    store.unpin(&first).unwrap();
    store.collect_garbage().unwrap();
    assert_eq!(store.bytes(), 0);
    store.add(&noise(2, 700_000)).unwrap();
}

#[test]
fn damage_is_found_and_repaired_by_adding_again() {
    let dir = tempfile::tempdir().unwrap();
    let content = noise(1, 700_000);
    let store = BlockStore::open(dir.path(), ROOM).unwrap();
    let root = store.add(&content).unwrap();
    let (leaf, _) = unixfs::cut(&content).blocks[1].clone();
    let path = files(dir.path())
        .into_iter()
        .find(|path| path.ends_with(leaf.to_string()))
        .unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[7] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    assert!(matches!(
        store.read(&root, 700_000),
        Err(IpfsError::Damaged { .. })
    ));
    assert_eq!(store.add(&content).unwrap(), root);
    assert_eq!(store.read(&root, 700_000).unwrap(), content);
}

#[test]
fn a_damaged_node_stops_the_collection() {
    let dir = tempfile::tempdir().unwrap();
    let store = BlockStore::open(dir.path(), ROOM).unwrap();
    let root = store.add(&noise(1, 700_000)).unwrap();
    let path = files(dir.path())
        .into_iter()
        .find(|path| {
            path.ends_with(root.to_string())
                && path.parent().unwrap().parent().unwrap().ends_with("blocks")
        })
        .unwrap();
    std::fs::write(path, b"nothing").unwrap();
    assert!(matches!(
        store.collect_garbage(),
        Err(IpfsError::Damaged { .. })
    ));
    assert_eq!(files(&dir.path().join("blocks")).len(), 4);
}

#[test]
fn what_a_crash_left_unfinished_is_removed() {
    let dir = tempfile::tempdir().unwrap();
    drop(BlockStore::open(dir.path(), ROOM).unwrap());
    std::fs::write(dir.path().join("unfinished/half"), b"half").unwrap();
    let store = BlockStore::open(dir.path(), ROOM).unwrap();
    assert!(!dir.path().join("unfinished/half").exists());
    assert_eq!(store.bytes(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn what_is_added_is_read(seed: u64, length in 0usize..1_500_000) {
        let dir = tempfile::tempdir().unwrap();
        let store = BlockStore::open(dir.path(), ROOM).unwrap();
        let content = noise(seed, length);
        let root = store.add(&content).unwrap();
        prop_assert_eq!(store.read(&root, length).unwrap(), content);
    }
}

proptest! {
    /// A stranger's blocks: nodes with any links and sizes, any bytes.
    #[test]
    fn hostile_trees_give_an_error_and_never_more_than_asked_for(
        leaves in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..4),
        nodes in prop::collection::vec(prop::collection::vec((any::<prop::sample::Index>(), 0u64..60), 0..5), 1..6),
        total in 0u64..200,
        max in 0usize..200,
    ) {
        let mut blocks: BTreeMap<Cid, Vec<u8>> = BTreeMap::new();
        let mut known: Vec<Cid> = Vec::new();
        for leaf in leaves {
            let cid = Cid::of_block(Codec::Raw, &leaf);
            known.push(cid);
            blocks.insert(cid, leaf);
        }
        for links in nodes {
            let node = node(&links.iter().map(|(index, bytes)| (*index.get(&known), *bytes)).collect::<Vec<_>>(), total);
            let cid = Cid::of_block(Codec::DagPb, &node);
            known.push(cid);
            blocks.insert(cid, node);
        }
        for root in &known {
            let read = unixfs::read(root, max, |cid| blocks.get(cid).cloned().ok_or(IpfsError::Missing { cid: *cid }));
            if let Ok(content) = read {
                prop_assert!(content.len() <= max);
            }
        }
    }

    #[test]
    fn any_bytes_as_a_node_give_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let cid = Cid::of_block(Codec::DagPb, &bytes);
        let read = unixfs::read(&cid, 1 << 20, |asked| {
            if *asked == cid { Ok(bytes.clone()) } else { Err(IpfsError::Missing { cid: *asked }) }
        });
        prop_assert!(read.is_err() || read.unwrap().is_empty());
    }
}

/// A dag-pb node of a UnixFS file, as protobuf.
fn node(links: &[(Cid, u64)], total: u64) -> Vec<u8> {
    let field = |tag: u8, bytes: &[u8]| [&[tag, bytes.len() as u8], bytes].concat();
    let mut unixfs = vec![0x08, 2, 0x18, total as u8 & 0x7f];
    for (_, bytes) in links {
        unixfs.extend_from_slice(&[0x20, *bytes as u8]);
    }
    let mut node = Vec::new();
    for (cid, bytes) in links {
        node.extend(field(
            0x12,
            &[
                field(0x0a, cid.as_bytes()),
                field(0x12, b""),
                vec![0x18, *bytes as u8],
            ]
            .concat(),
        ));
    }
    node.extend(field(0x0a, &unixfs));
    node
}
