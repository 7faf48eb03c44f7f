//! A Kubo node of a local network: its own repository, no peers, loopback only, and no routing.

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use service_kit::config::find_program;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;
use tokio::process::{Child, Command};

/// How long Kubo may take to answer after its start.
const START_TIMEOUT: Duration = Duration::from_secs(60);
/// How long it may take to close its repository.
const STOP_TIMEOUT: Duration = Duration::from_secs(20);
/// How often that is looked at.
const POLL: Duration = Duration::from_millis(50);

/// What to start.
#[derive(Clone, Debug)]
pub struct KuboOptions {
    /// Holds `repository/` and `kubo.log`.
    pub dir: PathBuf,
    /// Loopback port of the RPC API.
    pub port: u16,
    /// Where to look for the program before `PATH`.
    pub programs: Vec<PathBuf>,
}

impl KuboOptions {
    /// The program, if there is one: then a local network uses it, else the built-in block store.
    pub fn program(&self) -> Option<PathBuf> {
        find_program("ipfs", &self.programs)
    }
}

/// A running Kubo; killed when dropped.
#[derive(Debug)]
pub struct Kubo {
    child: Child,
    port: u16,
}

impl Kubo {
    /// Makes the repository on first use, starts Kubo on it and waits until it answers.
    pub async fn start(options: &KuboOptions) -> Result<Self> {
        let program = options
            .program()
            .context("ipfs (Kubo) is not installed: see setup_kubo in scripts/lib")?;
        std::fs::create_dir_all(&options.dir)?;
        let repository = options.dir.canonicalize()?.join("repository");

        crate::orphan::stop("--repo-dir", &repository)
            .await
            .context("stop the Kubo that runs on this folder")?;
        if !repository.join("config").exists() {
            init_repository(&program, &repository).await?;
        }
        keep_private(&repository.join("config"), options.port)?;

        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(options.dir.join("kubo.log"))?;
        let mut daemon = kubo_command(&program, &repository);
        daemon.args(["daemon", "--offline", "--migrate"]);
        daemon
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .process_group(0);

        let child = daemon.spawn().context("start ipfs")?;
        let mut kubo = Self {
            child,
            port: options.port,
        };
        kubo.wait_until_it_answers().await?;
        Ok(kubo)
    }

    async fn wait_until_it_answers(&mut self) -> Result<()> {
        let deadline = tokio::time::Instant::now() + START_TIMEOUT;
        loop {
            if let Some(status) = self.child.try_wait()? {
                bail!(
                    "ipfs ended at once ({status}); is port {} taken? See kubo.log",
                    self.port
                );
            }

            if tokio::net::TcpStream::connect(("127.0.0.1", self.port))
                .await
                .is_ok()
            {
                return Ok(());
            }

            if tokio::time::Instant::now() > deadline {
                bail!("ipfs does not answer on port {}", self.port);
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// The RPC API.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The process id, as long as it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().ok().flatten().is_some()
    }

    /// Stops it; the repository is closed on the way out.
    pub async fn stop(mut self) -> Result<()> {
        if let Some(pid) = self.child.id() {
            Command::new("kill")
                .args(["-INT", &pid.to_string()])
                .status()
                .await?;
        }

        if tokio::time::timeout(STOP_TIMEOUT, self.child.wait())
            .await
            .is_err()
        {
            self.child.kill().await?;
        }

        Ok(())
    }
}

fn kubo_command(program: &Path, repository: &Path) -> Command {
    let mut command = Command::new(program);
    // Said once for the arguments, by which an orphan is found, and once for what reads the variable only.
    command
        .arg("--repo-dir")
        .arg(repository)
        .env("IPFS_PATH", repository)
        .env("IPFS_TELEMETRY", "off");
    command
}

async fn init_repository(program: &Path, repository: &Path) -> Result<()> {
    std::fs::create_dir_all(repository)?;
    let mut init = kubo_command(program, repository);
    let Output { status, stderr, .. } = init
        .args(["init", "--empty-repo"])
        .output()
        .await
        .context("run ipfs init")?;

    if !status.success() {
        bail!(
            "ipfs init failed ({status}): {}",
            String::from_utf8_lossy(&stderr)
        );
    }

    Ok(())
}

/// Nobody is called, nobody can call, and nothing is looked up elsewhere. Written at each start: the port may change.
fn keep_private(config: &Path, port: u16) -> Result<()> {
    let mut value: Value =
        serde_json::from_slice(&std::fs::read(config)?).context("read Kubo's config")?;

    value["Addresses"]["API"] = json!(format!("/ip4/127.0.0.1/tcp/{port}"));
    value["Addresses"]["Gateway"] = json!([]);
    value["Addresses"]["Swarm"] = json!([]);
    value["Bootstrap"] = json!([]);
    value["Routing"]["Type"] = json!("none");
    value["Provide"]["Enabled"] = json!(false);
    value["Discovery"]["MDNS"]["Enabled"] = json!(false);
    value["Swarm"]["DisableNatPortMap"] = json!(true);
    value["AutoTLS"]["Enabled"] = json!(false);
    value["AutoConf"]["Enabled"] = json!(false);
    value["DNS"]["Resolvers"] = json!({});
    value["Plugins"]["Plugins"]["telemetry"]["Disabled"] = json!(true);

    std::fs::write(config, serde_json::to_vec_pretty(&value)?).context("write Kubo's config")
}
