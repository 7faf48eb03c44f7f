//! Starts our own services as processes and starts them again when they end.

use crate::network_file::NetworkFile;
use anyhow::Result;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Pause before a service that ended is started again; doubles while it ends at once.
const RESTART_PAUSE: Duration = Duration::from_millis(200);
/// The longest such pause.
const RESTART_PAUSE_MAX: Duration = Duration::from_secs(5);
/// A service that ran this long starts again without a longer pause.
const STEADY: Duration = Duration::from_secs(10);
/// How long a service may take to stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// A service of ours. Each of them stops when its standard input closes.
#[derive(Clone, Debug)]
pub struct Service {
    /// As in `network.json`.
    pub name: String,
    /// The program; none is this very one.
    pub program: Option<PathBuf>,
    /// The arguments on its command line.
    pub arguments: Vec<OsString>,
    /// Where its log goes.
    pub log: PathBuf,
}

/// Keeps all services of a network running until it is stopped.
pub struct Supervisor {
    stop: CancellationToken,
    tasks: TaskTracker,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    pids: BTreeMap<String, u32>,
    network: Option<(PathBuf, NetworkFile)>,
}

impl Shared {
    fn write(&mut self) -> std::io::Result<()> {
        let Some((path, network)) = &mut self.network else {
            return Ok(());
        };
        for (service, pid) in &self.pids {
            network.set_pid(service, *pid);
        }
        let text = serde_json::to_vec_pretty(network)?;
        service_kit::files::write_atomically(path, &text)
    }
}

impl Supervisor {
    /// Supervises until `stop`.
    pub fn new(stop: CancellationToken) -> Self {
        Self {
            stop: stop.child_token(),
            tasks: TaskTracker::new(),
            shared: Arc::default(),
        }
    }

    /// Starts a service and keeps it running.
    pub fn start(&self, service: Service) {
        let (stop, shared) = (self.stop.clone(), Arc::clone(&self.shared));
        self.tasks.spawn(keep_running(service, shared, stop));
    }

    /// Begins to keep `network.json` up to date.
    pub fn write_network(&self, network: NetworkFile) -> Result<()> {
        let folder = network
            .database_url_file
            .parent()
            .map(PathBuf::from)
            .unwrap_or_default();
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        shared.network = Some((NetworkFile::path(&folder), network));
        Ok(shared.write()?)
    }

    /// Puts a process id into `network.json`.
    pub fn note_pid(&self, name: &str, pid: u32) {
        note_pid(&self.shared, name, pid);
    }

    /// Stops all services and waits for them.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

async fn keep_running(service: Service, shared: Arc<Mutex<Shared>>, stop: CancellationToken) {
    let mut pause = RESTART_PAUSE;
    loop {
        let started = tokio::time::Instant::now();
        match spawn_service(&service) {
            Ok(child) => {
                note_pid(&shared, &service.name, child.id().unwrap_or(0));
                let stopped = wait_for_end(child, &service, &stop).await;
                note_pid(&shared, &service.name, 0);
                if stopped {
                    return;
                }
            }
            Err(error) => tracing::error!(service = service.name, %error, "cannot start"),
        }

        pause = if started.elapsed() > STEADY {
            RESTART_PAUSE
        } else {
            (pause * 2).min(RESTART_PAUSE_MAX)
        };

        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// The program that is running, even when its file was replaced by a newer build in the meantime: all services of a
/// network are of one build.
fn this_program() -> std::io::Result<PathBuf> {
    let running = PathBuf::from("/proc/self/exe");
    if running.exists() {
        Ok(running)
    } else {
        std::env::current_exe()
    }
}

fn spawn_service(service: &Service) -> std::io::Result<Child> {
    let log = std::fs::File::options()
        .create(true)
        .append(true)
        .open(&service.log)?;
    let mut command = match &service.program {
        Some(program) => Command::new(program),
        None => Command::new(this_program()?),
    };
    if service.program.is_none() {
        command.arg0("hotpot");
    }
    command
        .args(&service.arguments)
        // It stops by itself when this process is gone, however it went.
        .arg("--stop-on-stdin-close")
        .stdin(Stdio::piped())
        .stdout(log.try_clone()?)
        .stderr(log)
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
}

/// Waits for the end of a service; true when that was our wish.
async fn wait_for_end(mut child: Child, service: &Service, stop: &CancellationToken) -> bool {
    // Held here, because waiting for a child closes what it still holds of its input.
    let input = child.stdin.take();
    tokio::select! {
        status = child.wait() => {
            tracing::warn!(service = service.name, ?status, log = %service.log.display(), "ended, starting again");
            false
        }
        () = stop.cancelled() => {
            // Closing its input is the request to stop.
            drop(input);
            if tokio::time::timeout(STOP_TIMEOUT, child.wait()).await.is_err() {
                let _ = child.kill().await;
            }
            true
        }
    }
}

fn note_pid(shared: &Mutex<Shared>, name: &str, pid: u32) {
    let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
    shared.pids.insert(name.to_owned(), pid);
    if let Err(error) = shared.write() {
        tracing::error!(%error, "cannot write network.json");
    }
}
