use crate::vectors::noise;
use ipfs::car::{Reader, Writer};
use ipfs::{BlockStore, Cid, IpfsError, unixfs};
use proptest::prelude::*;

fn archive(content: &[u8]) -> (Cid, Vec<u8>) {
    let dag = unixfs::cut(content);
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes, &[dag.root]).unwrap();
    for (cid, block) in &dag.blocks {
        writer.block(cid, block).unwrap();
    }
    (dag.root, bytes)
}

/// Everything of an archive, and what stopped it.
fn read(bytes: &[u8]) -> (Vec<(Cid, Vec<u8>)>, Option<IpfsError>) {
    let mut blocks = Vec::new();
    let mut reader = match Reader::new(bytes) {
        Ok(reader) => reader,
        Err(error) => return (blocks, Some(error)),
    };
    loop {
        match reader.block() {
            Ok(Some(block)) => blocks.push(block),
            Ok(None) => return (blocks, None),
            Err(error) => return (blocks, Some(error)),
        }
    }
}

#[test]
fn the_header_is_what_the_specification_says() {
    let (root, bytes) = archive(b"hello world");
    // {"roots": [CID], "version": 1} in DAG-CBOR, behind its length.
    let mut expected = vec![58, 0xa2, 0x65];
    expected.extend_from_slice(b"roots");
    expected.extend_from_slice(&[0x81, 0xd8, 0x2a, 0x58, 0x25, 0x00]);
    expected.extend_from_slice(root.as_bytes());
    expected.push(0x67);
    expected.extend_from_slice(b"version");
    expected.push(1);
    assert_eq!(bytes[..59], expected);
    assert_eq!(bytes[59], 36 + 11);
}

#[test]
fn a_store_is_exported_and_imported() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let content = noise(3, 700_000);
    let from = BlockStore::open(one.path(), 1 << 20).unwrap();
    let root = from.add(&content).unwrap();
    let mut bytes = Vec::new();
    from.export_car(&root, &mut bytes).unwrap();
    let to = BlockStore::open(two.path(), 1 << 20).unwrap();
    assert_eq!(to.import_car(bytes.as_slice()).unwrap(), [root]);
    assert_eq!(to.read(&root, 1 << 20).unwrap(), content);
    assert!(to.is_pinned(&root));
    // A whole block less: the root is not pinned.
    let three = tempfile::tempdir().unwrap();
    let partial = BlockStore::open(three.path(), 1 << 20).unwrap();
    let mut cut = Vec::new();
    let mut writer = Writer::new(&mut cut, &[root]).unwrap();
    writer.block(&root, &from.block(&root).unwrap()).unwrap();
    assert!(matches!(
        partial.import_car(cut.as_slice()),
        Err(IpfsError::Missing { .. })
    ));
    assert!(!partial.is_pinned(&root));
}

#[test]
fn lengths_are_bounded_before_anything_is_allocated() {
    let (_, mut bytes) = archive(b"x");
    bytes.extend_from_slice(&[0xff, 0xff, 0xff, 0xff, 0x0f]);
    let (_, error) = read(&bytes);
    assert!(error.unwrap().to_string().contains("expected at most"));
    assert!(
        read(&[0xff; 16])
            .1
            .unwrap()
            .to_string()
            .contains("too many bytes")
    );
    assert!(
        read(&[0x80, 0x00])
            .1
            .unwrap()
            .to_string()
            .contains("needless zeros")
    );
    assert!(read(&[]).1.unwrap().to_string().contains("empty"));
}

proptest! {
    #[test]
    fn what_is_written_is_read(seed: u64, length in 0usize..900_000) {
        let content = noise(seed, length);
        let (root, bytes) = archive(&content);
        let (blocks, error) = read(&bytes);
        prop_assert!(error.is_none());
        prop_assert_eq!(Reader::new(bytes.as_slice()).unwrap().roots().to_vec(), [root]);
        prop_assert_eq!(blocks, unixfs::cut(&content).blocks);
    }

    #[test]
    fn any_bytes_give_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        for (cid, block) in read(&bytes).0 {
            prop_assert!(cid.matches(&block));
        }
    }

    #[test]
    fn a_flipped_bit_is_noticed_or_harmless(seed: u64, at in 0usize..2_000, bit in 0u8..8) {
        let (root, mut bytes) = archive(&noise(seed, 1_900));
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        let (blocks, error) = read(&bytes);
        let roots = Reader::new(bytes.as_slice()).map(|reader| reader.roots().to_vec());
        prop_assert!(error.is_some() || blocks.iter().all(|(cid, block)| cid.matches(block)));
        // A changed root names something that is not in the file.
        prop_assert!(error.is_some() || roots.unwrap() != [root]);
    }

    #[test]
    fn a_cut_archive_ends_with_an_error_or_between_blocks(seed: u64, keep in 0usize..2_000) {
        let (_, bytes) = archive(&noise(seed, 1_900));
        let (blocks, error) = read(&bytes[..keep % bytes.len()]);
        prop_assert!(error.is_some() || blocks.is_empty());
    }
}
