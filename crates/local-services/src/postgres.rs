//! A private PostgreSQL cluster, made with the system's binaries: socket only, run by an unprivileged user when we
//! are root.

use anyhow::{Context, Result, bail};
use service_kit::config::find_program;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;
use tokio::process::{Child, Command};

/// How long a cluster may take to accept connections (recovery after a kill included).
const START_TIMEOUT: Duration = Duration::from_secs(60);
/// The longest path of a Unix socket is 107 bytes; the rest is Postgres' own file name.
const SOCKET_FOLDER_BYTES_MAX: usize = 85;
/// The user that runs the cluster when we are root.
const UNPRIVILEGED_USERS: [&str; 2] = ["postgres", "nobody"];

/// A running cluster; killed when dropped.
#[derive(Debug)]
pub struct Postgres {
    child: Child,
    socket: PathBuf,
}

impl Postgres {
    /// Makes the cluster in `dir` on first use, starts it and waits until it accepts connections.
    pub async fn start(dir: &Path) -> Result<Self> {
        std::fs::create_dir_all(dir)?;
        let dir = dir.canonicalize()?;
        let programs = Programs::find()?;
        let data = dir.join("data");
        let socket = socket_folder(&dir);

        for folder in [&data, &socket] {
            std::fs::create_dir_all(folder)?;
            programs.give(folder)?;
        }

        crate::orphan::stop("-D", &data)
            .await
            .context("stop the PostgreSQL that runs on this folder")?;
        if !data.join("PG_VERSION").exists() {
            programs.initdb(&data).await?;
        }

        let child = programs.postgres(&data, &socket, &dir.join("postgres.log"))?;
        let mut cluster = Self { child, socket };
        cluster.wait_until_ready(&programs).await?;
        Ok(cluster)
    }

    async fn wait_until_ready(&mut self, programs: &Programs) -> Result<()> {
        let deadline = tokio::time::Instant::now() + START_TIMEOUT;
        loop {
            let check = Command::new(&programs.pg_isready)
                .arg("-q")
                .arg("-h")
                .arg(&self.socket)
                .status()
                .await?;
            if check.success() {
                return Ok(());
            }

            if let Some(status) = self.child.try_wait()? {
                bail!("postgres ended at once ({status}); see postgres.log");
            }
            if tokio::time::Instant::now() > deadline {
                bail!("postgres does not accept connections; see postgres.log");
            }

            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Connection URL of a database of this cluster; `postgres` always exists.
    pub fn url(&self, database: &str) -> String {
        let socket = self.socket.display().to_string().replace('/', "%2F");
        format!("postgres://postgres@{socket}/{database}")
    }

    /// The process id, as long as it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().ok().flatten().is_some()
    }

    /// Stops it cleanly: sessions are ended, a checkpoint is written.
    pub async fn stop(mut self) -> Result<()> {
        if let Some(pid) = self.child.id() {
            Command::new("kill")
                .args(["-INT", &pid.to_string()])
                .status()
                .await?;
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

/// Next to the data when the path is short enough for a socket, else in the temporary folder.
fn socket_folder(dir: &Path) -> PathBuf {
    let beside = dir.join("run");
    if beside.as_os_str().len() <= SOCKET_FOLDER_BYTES_MAX {
        return beside;
    }
    let inode = std::fs::metadata(dir).map_or(0, |metadata| metadata.ino());
    std::env::temp_dir().join(format!("hotpot-postgres-{inode}"))
}

struct Programs {
    initdb: PathBuf,
    postgres: PathBuf,
    pg_isready: PathBuf,
    /// Set when we are root: who runs the cluster.
    user: Option<User>,
}

struct User {
    uid: u32,
    gid: u32,
}

impl Programs {
    fn find() -> Result<Self> {
        let folders = debian_folders();
        let program = |name: &str| {
            find_program(name, &folders)
                .with_context(|| format!("{name} is not installed: apt-get install postgresql"))
        };
        Ok(Self {
            initdb: program("initdb")?,
            postgres: program("postgres")?,
            pg_isready: program("pg_isready")?,
            user: unprivileged_user()?,
        })
    }

    /// The unprivileged user owns what Postgres writes.
    fn give(&self, folder: &Path) -> Result<()> {
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))?;
        if let Some(user) = &self.user {
            std::os::unix::fs::chown(folder, Some(user.uid), Some(user.gid))?;
        }
        Ok(())
    }

    /// A command run by the unprivileged user, who may pass through folders that are closed to others:
    /// the cluster lies in a folder of mode 0700.
    fn command(&self, program: &Path) -> Command {
        let Some(user) = &self.user else {
            return Command::new(program);
        };

        let mut command = Command::new("setpriv");
        command
            .args([
                "--reuid",
                &user.uid.to_string(),
                "--regid",
                &user.gid.to_string(),
                "--clear-groups",
            ])
            .args([
                "--inh-caps",
                "+dac_read_search",
                "--ambient-caps",
                "+dac_read_search",
            ])
            .arg(program);

        command
    }

    async fn initdb(&self, data: &Path) -> Result<()> {
        let mut command = self.command(&self.initdb);
        command.arg("-D").arg(data).args([
            "-U",
            "postgres",
            "--auth=trust",
            "-E",
            "UTF8",
            "--locale=C",
        ]);

        let Output { status, stderr, .. } = command.output().await.context("run initdb")?;
        if !status.success() {
            bail!(
                "initdb failed ({status}): {}",
                String::from_utf8_lossy(&stderr)
            );
        }

        Ok(())
    }

    fn postgres(&self, data: &Path, socket: &Path, log: &Path) -> Result<Child> {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(log)?;

        let mut command = self.command(&self.postgres);
        command
            .arg("-D")
            .arg(data)
            .arg("-k")
            .arg(socket)
            .args(["-c", "listen_addresses="]);
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .process_group(0);

        command.spawn().context("start postgres")
    }
}

fn debian_folders() -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir("/usr/lib/postgresql") else {
        return Vec::new();
    };
    let mut folders: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .collect();
    folders.sort();
    folders.reverse();
    folders
}

fn unprivileged_user() -> Result<Option<User>> {
    if std::fs::metadata("/proc/self")?.uid() != 0 {
        return Ok(None);
    }
    let passwd = std::fs::read_to_string("/etc/passwd")?;
    let user = |name: &str| passwd.lines().find_map(|line| parse_user(line, name));
    UNPRIVILEGED_USERS
        .iter()
        .find_map(|name| user(name))
        .map(Some)
        .context("no user postgres or nobody in /etc/passwd")
}

fn parse_user(line: &str, name: &str) -> Option<User> {
    let mut fields = line.split(':');
    if fields.next() != Some(name) {
        return None;
    }
    let uid = fields.nth(1)?.parse().ok()?;
    let gid = fields.next()?.parse().ok()?;
    Some(User { uid, gid })
}
