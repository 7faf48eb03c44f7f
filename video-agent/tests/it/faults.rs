//! What an agent does when the ledger, IPFS or the disk is away: it records what it may and loses nothing that it took.

use crate::chain::{Chain, KITCHEN, Running};
use crate::world::PATIENCE;
use domain::TerminalKind;
use domain::crypto::address_of_secret;
use local_services::{Kubo, KuboOptions};
use serde_json::json;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use video_agent::Config;

async fn chain() -> Chain {
    let chain = Chain::start().await;
    chain
        .enrol(address_of_secret(&chain.agent), TerminalKind::VideoAgent)
        .await;
    chain.basis().await;
    chain
}

impl Running {
    async fn until_state(&self, expected: &str) {
        let started = Instant::now();
        while self.state(KITCHEN).await != expected {
            assert!(
                started.elapsed() < PATIENCE,
                "{} and not {expected}",
                self.state(KITCHEN).await
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// All that is held now goes to the end of its way, in one row without a hole.
    async fn all_arrive(&self, chain: &Chain) {
        let count = self.recordings(KITCHEN).await.len();
        let done = self.until(KITCHEN, "done", count).await;
        let mut sequences: Vec<u64> = done
            .iter()
            .map(|one| one["sequence"].as_u64().unwrap())
            .collect();
        sequences.sort_unstable();
        assert_eq!(sequences, (0..sequences.len() as u64).collect::<Vec<_>>());
        for shown in &done {
            assert_eq!(chain.stands(shown).await.erased, None);
        }
    }
}

/// The line to a node, which can be cut.
struct Line {
    from: SocketAddr,
    to: String,
    carrying: JoinHandle<()>,
}

impl Line {
    async fn to(chain: &Chain) -> Self {
        let from = SocketAddr::from(([127, 0, 0, 1], local_services::free_port().unwrap()));
        let to = chain.node.base().trim_start_matches("http://").to_owned();
        let mut line = Self {
            from,
            to,
            carrying: tokio::spawn(async {}),
        };
        line.mend().await;
        line
    }

    fn url(&self) -> String {
        format!("http://{}", self.from)
    }

    fn cut(&self) {
        self.carrying.abort();
    }

    async fn mend(&mut self) {
        let (listener, to) = (TcpListener::bind(self.from).await.unwrap(), self.to.clone());
        self.carrying = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((mut near, _)) = listener.accept().await {
                let to = to.clone();
                connections.spawn(async move {
                    let mut far = TcpStream::connect(to).await?;
                    tokio::io::copy_bidirectional(&mut near, &mut far).await
                });
            }
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_node_nothing_is_recorded_and_what_was_arrives_later() {
    let chain = chain().await;
    let mut line = Line::to(&chain).await;
    let mut value = serde_json::to_value(chain.agent_config()).unwrap();
    value["cameras"] = json!([{"camera": KITCHEN, "kind": "chef", "test": "ball"}]);
    value["node"] = json!({"urls": [line.url()]});
    let agent = Running::start(serde_json::from_value(value).unwrap()).await;
    agent.until(KITCHEN, "done", 1).await;
    let down = Instant::now();
    line.cut();
    agent.until_state("waiting").await;
    println!(
        "the camera stopped {:?} after the line was cut",
        down.elapsed()
    );
    assert!(down.elapsed() < Duration::from_millis(2_500));
    // What the last second brought is there, encrypted.
    let held = agent.recordings(KITCHEN).await.len();
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(
        agent.recordings(KITCHEN).await.len(),
        held,
        "something was recorded that nobody allowed"
    );
    line.mend().await;
    agent.until_state("live").await;
    agent.all_arrive(&chain).await;
    agent.stop().await;
    chain.stop().await;
}

fn programs() -> Vec<PathBuf> {
    let home = service_kit::config::environment_variable("HOME").map(PathBuf::from);
    home.map(|home| home.join(".cache/hotpot/bin"))
        .into_iter()
        .collect()
}

fn with_kubo(chain: &Chain, url: &str) -> Config {
    let mut value = serde_json::to_value(chain.agent_config()).unwrap();
    value["cameras"] = json!([{"camera": KITCHEN, "kind": "chef", "test": "ball"}]);
    value["ipfs"] = json!({ "kubo_url": url });
    serde_json::from_value(value).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn without_ipfs_recordings_wait_encrypted_and_arrive_when_it_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let port = local_services::free_port().unwrap();
    let options = KuboOptions {
        dir: folder.path().join("kubo"),
        port,
        programs: programs(),
    };
    if options.program().is_none() {
        eprintln!(
            "SKIPPED: Kubo going away is not tested; the program ipfs is not here (scripts/test builds it)"
        );
        return;
    }
    let kubo = Kubo::start(&options).await.unwrap();
    let chain = chain().await;
    let agent = Running::start(with_kubo(&chain, &kubo.url())).await;
    agent.until(KITCHEN, "done", 1).await;
    kubo.stop().await.unwrap();
    let waiting = agent.until(KITCHEN, "encrypted", 3).await;
    assert_eq!(
        agent.state(KITCHEN).await,
        "live",
        "the camera does not depend on IPFS"
    );
    for shown in &waiting {
        let cid = shown["cid"].as_str().unwrap().parse().unwrap();
        assert_eq!(
            chain.node.recording(cid).await.unwrap(),
            None,
            "it is reported before it is pinned"
        );
    }
    let kubo = Kubo::start(&options).await.unwrap();
    agent.all_arrive(&chain).await;
    agent.stop().await;
    kubo.stop().await.unwrap();
    chain.stop().await;
}

/// A file system of a few megabytes.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: &Path) -> Option<Self> {
        std::fs::create_dir_all(at).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=12m", "tmpfs"])
            .arg(at)
            .output();
        mounted
            .is_ok_and(|output| output.status.success())
            .then(|| Self(at.to_owned()))
    }

    /// Takes all room there is.
    fn fill(&self) {
        let file = std::fs::File::create(self.0.join("ballast")).unwrap();
        while std::io::Write::write_all(&mut &file, &[1; 4096]).is_ok() {}
    }

    fn empty(&self) {
        std::fs::remove_file(self.0.join("ballast")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_full_disk_the_camera_is_down_and_what_was_taken_is_kept() {
    let chain = chain().await;
    let Some(disk) = SmallDisk::mount(&chain.path("vault")) else {
        eprintln!("SKIPPED: a full disk is not tested; mounting one needs root");
        return chain.stop().await;
    };
    let agent = Running::start(chain.agent_config()).await;
    agent.until(KITCHEN, "done", 1).await;
    disk.fill();
    agent.until_state("down").await;
    let reason = agent.get("/api/v1/cameras").await.unwrap()[0]["reason"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(reason.contains("No space left"), "{reason}");
    disk.empty();
    agent.until_state("live").await;
    let held = agent.recordings(KITCHEN).await.len();
    agent.until(KITCHEN, "done", held + 1).await;
    agent.all_arrive(&chain).await;
    agent.stop().await;
    chain.stop().await;
}
