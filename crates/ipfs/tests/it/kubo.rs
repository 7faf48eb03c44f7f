//! A real Kubo: private repository, no peers. Without its binary these tests say so and pass.

use crate::vectors::{self, noise};
use ipfs::{Backend, BlockStore, IpfsError, PinState, unixfs};
use local_services::{KuboOptions, free_port};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where `setup_kubo` of scripts/lib/common.sh puts the program.
fn programs() -> Vec<PathBuf> {
    let home = service_kit::config::environment_variable("HOME");
    home.map(|home| PathBuf::from(home).join(".cache/hotpot/bin"))
        .into_iter()
        .collect()
}

/// A node, if the program is here.
pub async fn start(dir: &Path) -> Option<(local_services::Kubo, ipfs::Kubo)> {
    let options = KuboOptions {
        dir: dir.to_owned(),
        port: free_port().unwrap(),
        programs: programs(),
    };
    if options.program().is_none() {
        println!("SKIPPED: Kubo is not here; setup_kubo of scripts/lib/common.sh builds it");
        return None;
    }
    let node = local_services::Kubo::start(&options).await.unwrap();
    let client = ipfs::Kubo::new(&node.url(), None).unwrap();
    Some((node, client))
}

#[tokio::test]
async fn kubo_the_built_in_store_and_the_vectors_name_content_alike() {
    let dir = tempfile::tempdir().unwrap();
    let Some((node, kubo)) = start(dir.path()).await else {
        return;
    };
    let store = BlockStore::open(&dir.path().join("store"), 1 << 30).unwrap();
    let chunk = unixfs::CHUNK_BYTES;
    let lengths = [
        1,
        750_000,
        chunk - 1,
        chunk,
        chunk + 1,
        2 * chunk,
        174 * chunk,
        174 * chunk + 1,
        5 * 1024 * 1024 + 123,
    ];
    let mut contents: Vec<(Vec<u8>, Option<&str>)> = lengths
        .iter()
        .map(|length| (noise(*length as u64, *length), None))
        .collect();
    contents.extend(
        vectors::all()
            .into_iter()
            .map(|(content, cid)| (content, Some(cid))),
    );
    for (content, vector) in contents {
        let ours = store.add(&content).unwrap();
        // An error if Kubo named it otherwise.
        assert_eq!(
            kubo.add(&content).await.unwrap(),
            ours,
            "{} bytes",
            content.len()
        );
        assert!(vector.is_none_or(|vector| vector == ours.to_string()));
        assert_eq!(kubo.cat(&ours, content.len()).await.unwrap(), content);
        // And block by block.
        for (cid, _) in unixfs::cut(&content).blocks.iter().take(3) {
            assert!(kubo.has(cid).await.unwrap(), "{cid}");
        }
    }
    assert!(kubo.id().await.unwrap().agent.starts_with("kubo/"));
    node.stop().await.unwrap();
}

#[tokio::test]
async fn pins_hold_content_and_a_collection_takes_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let Some((node, kubo)) = start(dir.path()).await else {
        return;
    };
    let (kept, dropped) = (
        kubo.add(&noise(1, 700_000)).await.unwrap(),
        kubo.add(&noise(2, 700_000)).await.unwrap(),
    );
    assert!(kubo.is_pinned(&kept).await.unwrap());
    kubo.pin(&kept).await.unwrap();
    assert!(
        kubo.pins()
            .await
            .unwrap()
            .is_superset(&[kept, dropped].into())
    );
    kubo.unpin(&dropped).await.unwrap();
    kubo.unpin(&dropped).await.unwrap();
    assert!(!kubo.is_pinned(&dropped).await.unwrap());
    assert!(kubo.has(&dropped).await.unwrap());
    kubo.collect_garbage().await.unwrap();
    assert!(!kubo.has(&dropped).await.unwrap());
    assert_eq!(kubo.cat(&kept, 700_000).await.unwrap(), noise(1, 700_000));
    assert!(matches!(
        kubo.cat(&kept, 699_999).await,
        Err(IpfsError::ContentTooLarge { .. })
    ));
    node.stop().await.unwrap();
}

#[tokio::test]
async fn kubo_and_the_built_in_store_are_the_same_behind_the_verbs() {
    let dir = tempfile::tempdir().unwrap();
    let store = BlockStore::open(&dir.path().join("store"), 1 << 20).unwrap();
    let mut backends = vec![Backend::BuiltIn(Arc::new(store))];
    let started = start(dir.path()).await;
    backends.extend(started.iter().map(|(_, kubo)| Backend::Kubo(kubo.clone())));
    let content = noise(5, 300_000);
    for backend in backends {
        let cid = unixfs::cid_of(&content);
        assert_eq!(backend.state(&cid).await.unwrap(), PinState::Absent);
        assert_eq!(backend.add(content.clone(), "five").await.unwrap(), cid);
        assert_eq!(backend.add(content.clone(), "five").await.unwrap(), cid);
        assert_eq!(backend.pin(&cid, "five").await.unwrap(), PinState::Pinned);
        assert_eq!(backend.read(&cid, 300_000).await.unwrap(), content);
        backend.release(&cid).await.unwrap();
        backend.collect_garbage().await.unwrap();
        assert_eq!(backend.state(&cid).await.unwrap(), PinState::Absent);
    }
}

#[tokio::test]
async fn kubo_imports_our_archives_and_we_import_its() {
    let dir = tempfile::tempdir().unwrap();
    let Some((node, kubo)) = start(dir.path()).await else {
        return;
    };
    let (first, second) = (noise(8, 900_000), noise(9, 900_000));
    let store = BlockStore::open(&dir.path().join("store"), 1 << 24).unwrap();
    let root = store.add(&first).unwrap();
    let mut archive = Vec::new();
    store.export_car(&root, &mut archive).unwrap();
    std::fs::write(dir.path().join("ours.car"), archive).unwrap();
    let ipfs = |arguments: &[&str]| {
        let api = format!(
            "/ip4/127.0.0.1/tcp/{}",
            node.url().rsplit(':').next().unwrap()
        );
        let program = programs()[0].join("ipfs");
        std::process::Command::new(program)
            .args(["--api", &api])
            .args(arguments)
            .output()
            .unwrap()
    };
    let imported = ipfs(&[
        "dag",
        "import",
        dir.path().join("ours.car").to_str().unwrap(),
    ]);
    assert!(imported.status.success(), "{imported:?}");
    assert_eq!(kubo.cat(&root, 900_000).await.unwrap(), first);
    let theirs = kubo.add(&second).await.unwrap();
    let exported = ipfs(&["dag", "export", &theirs.to_string()]);
    assert_eq!(
        store.import_car(exported.stdout.as_slice()).unwrap(),
        [theirs]
    );
    assert_eq!(store.read(&theirs, 900_000).unwrap(), second);
    node.stop().await.unwrap();
}
