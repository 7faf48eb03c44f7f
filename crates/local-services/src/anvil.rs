//! An anvil node that saves its state.

use anyhow::{Context, Result, bail};
use service_kit::config::find_program;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};

/// How long anvil may take to answer after its start.
const START_TIMEOUT: Duration = Duration::from_secs(20);

/// A program whose port is taken ends within this.
const SETTLE_PAUSE: Duration = Duration::from_millis(300);

/// What to start.
#[derive(Clone, Debug)]
pub struct AnvilOptions {
    /// Holds `state.json` and `anvil.log`.
    pub dir: PathBuf,
    /// The port of its JSON-RPC on loopback.
    pub port: u16,
    /// Chain id; 31337 is anvil's own.
    pub chain_id: u64,
    /// Time between blocks; `None` mines a block per transaction.
    pub block_time: Option<Duration>,
    /// `finalized` stands two of these behind the head.
    pub slots_in_an_epoch: u64,
    /// Where to look for the program before `PATH`.
    pub programs: Vec<PathBuf>,
}

/// A running anvil; killed when dropped, with the processes that it started: the npm package's program is a script
/// around the real one.
#[derive(Debug)]
pub struct Anvil {
    child: Child,
    port: u16,
}

impl Anvil {
    /// Starts anvil on the state that an earlier one left in `dir`, and waits until it answers.
    pub async fn start(options: &AnvilOptions) -> Result<Self> {
        let program = find_program("anvil", &options.programs)
            .context("anvil is not installed: run scripts/setup")?;
        std::fs::create_dir_all(&options.dir)?;
        let state = options.dir.join("state.json");
        crate::orphan::stop("--state", &state)
            .await
            .context("stop the anvil that runs on this folder")?;
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(options.dir.join("anvil.log"))?;
        let mut command = Command::new(program);
        command
            .args([
                "--host",
                "127.0.0.1",
                "--silent",
                "--state-interval",
                "1",
                "--order",
                "fees",
            ])
            .args([
                "--port",
                &options.port.to_string(),
                "--chain-id",
                &options.chain_id.to_string(),
            ])
            .args([
                "--slots-in-an-epoch",
                &options.slots_in_an_epoch.to_string(),
            ])
            .arg("--state")
            .arg(&state);
        if let Some(time) = options.block_time {
            // In seconds, with a fraction.
            let (seconds, millis) = (time.as_secs(), time.subsec_millis());
            command.args(["--block-time", &format!("{seconds}.{millis:03}")]);
        }
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .process_group(0);
        let child = command.spawn().context("start anvil")?;
        let mut anvil = Self {
            child,
            port: options.port,
        };
        anvil.wait_until_it_answers().await?;
        Ok(anvil)
    }

    async fn wait_until_it_answers(&mut self) -> Result<()> {
        let deadline = tokio::time::Instant::now() + START_TIMEOUT;
        loop {
            // First: another program may answer on this port.
            if let Some(status) = self.child.try_wait()? {
                bail!(
                    "anvil ended at once ({status}); is port {} taken? See anvil.log",
                    self.port
                );
            }
            if tokio::net::TcpStream::connect(("127.0.0.1", self.port))
                .await
                .is_ok()
            {
                tokio::time::sleep(SETTLE_PAUSE).await;
                if self.child.try_wait()?.is_none() {
                    return Ok(());
                }
                continue;
            }
            if tokio::time::Instant::now() > deadline {
                bail!("anvil does not answer on port {}", self.port);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// JSON-RPC over HTTP.
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

    /// Stops it; the state is saved on the way out.
    pub async fn stop(mut self) -> Result<()> {
        if let Some(pid) = self.child.id() {
            let pid = pid.to_string();
            Command::new("kill").args(["-INT", &pid]).status().await?;
        }
        if tokio::time::timeout(START_TIMEOUT, self.child.wait())
            .await
            .is_err()
        {
            self.child.kill().await?;
        }
        Ok(())
    }
}

impl Drop for Anvil {
    fn drop(&mut self) {
        // It leads a process group of its own.
        if let Some(pid) = self.child.id() {
            let _ = std::process::Command::new("kill")
                .args(["-KILL", "--", &format!("-{pid}")])
                .status();
        }
    }
}
