//! A PostgreSQL cluster for some minutes: a Unix socket in its own folder, nothing made durable.

use crate::process;
use anyhow::{Context, Result, bail};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Where Debian has a folder for each version.
const DEBIAN: &str = "/usr/lib/postgresql";
/// How long a cluster may take until it answers.
const START_S_MAX: u64 = 60;

/// A running cluster; ended when dropped, and with us however we end.
#[derive(Debug)]
pub struct Cluster {
    server: Child,
    programs: Programs,
    folder: PathBuf,
}

impl Cluster {
    /// Makes and starts one in a folder, which then belongs to who runs it.
    pub fn start(folder: &Path) -> Result<Self> {
        let programs = Programs::find()?;
        programs.give(folder)?;
        programs.make(folder)?;

        let mut cluster = Self {
            server: programs.serve(folder)?,
            programs,
            folder: folder.to_owned(),
        };
        cluster.wait_until_it_answers()?;
        Ok(cluster)
    }

    fn wait_until_it_answers(&mut self) -> Result<()> {
        let end = Instant::now() + Duration::from_secs(START_S_MAX);
        let mut asked = self.programs.command("pg_isready");
        asked.arg("--quiet").arg("--host").arg(&self.folder);

        while !process::succeeds(&mut asked)? {
            if let Some(status) = self.server.try_wait()? {
                bail!("postgres ended at once ({status}): {}", self.read_log());
            }
            if Instant::now() > end {
                let log = self.read_log();
                bail!("postgres does not answer after {START_S_MAX} s: {log}");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// Runs a file of SQL in one transaction.
    pub fn apply(&self, file: &Path) -> Result<()> {
        let mut psql = self.programs.command("psql");
        psql.arg("--host").arg(&self.folder);
        psql.args(["--username", "postgres", "--quiet", "--single-transaction"]);
        psql.args(["--set", "ON_ERROR_STOP=1", "--file"]).arg(file);
        process::run(&mut psql)
    }

    /// How programs connect.
    pub fn url(&self) -> String {
        let socket = self.folder.display().to_string().replace('/', "%2F");
        format!("postgres://postgres@{socket}/postgres")
    }

    /// The server's version without the minor one, such as `15`.
    pub fn version(&self) -> Result<String> {
        let said = process::read(self.programs.command("postgres").arg("--version"))?;
        Ok(major_version(&said).to_owned())
    }

    fn read_log(&self) -> String {
        std::fs::read_to_string(log_file(&self.folder)).unwrap_or_default()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // Sessions are ended; in a folder that is removed nothing else matters.
        let _ = process::is_told("-INT", &self.server.id().to_string());
        let _ = self.server.wait();
    }
}

/// PostgreSQL's programs, and who runs the server.
#[derive(Debug)]
struct Programs {
    /// Of the newest version that Debian has installed; none where they are in `PATH` only.
    folder: Option<PathBuf>,
    /// The server refuses to run as root, so then the user `postgres` runs it.
    is_root: bool,
}

impl Programs {
    fn find() -> Result<Self> {
        let programs = Self {
            folder: newest_folder(Path::new(DEBIAN)),
            is_root: std::fs::metadata("/proc/self")?.uid() == 0,
        };
        for name in ["initdb", "postgres", "pg_isready", "psql"] {
            process::read(programs.command(name).arg("--version")).with_context(|| {
                format!("{name} is missing: run scripts/setup (apt-get install postgresql)")
            })?;
        }
        Ok(programs)
    }

    fn path(&self, name: &str) -> PathBuf {
        let in_debian = self.folder.as_ref().map(|folder| folder.join(name));
        in_debian
            .filter(|program| program.exists())
            .unwrap_or_else(|| PathBuf::from(name))
    }

    fn command(&self, name: &str) -> Command {
        Command::new(self.path(name))
    }

    /// The same, run by who may run the server; it ends when we do.
    fn server_command(&self, name: &str, folder: &Path) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "INT"]);
        if self.is_root {
            command.args(["--reuid", "postgres", "--regid", "postgres"]);
            command.arg("--clear-groups");
        }

        // Where we are he may not look.
        command.current_dir(folder).arg("--").arg(self.path(name));
        command
    }

    fn give(&self, folder: &Path) -> Result<()> {
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755))?;
        if self.is_root {
            process::run(Command::new("chown").arg("postgres").arg(folder))?;
        }
        Ok(())
    }

    fn make(&self, folder: &Path) -> Result<()> {
        let mut initdb = self.server_command("initdb", folder);
        initdb.arg("--pgdata").arg(data_folder(folder));
        initdb.args(["--username", "postgres", "--auth", "trust", "--no-sync"]);
        initdb.args(["--encoding", "UTF8", "--locale", "C"]);
        process::read(&mut initdb)?;
        Ok(())
    }

    fn serve(&self, folder: &Path) -> Result<Child> {
        let log = std::fs::File::create(log_file(folder))?;
        let mut server = self.server_command("postgres", folder);
        server
            .arg("-D")
            .arg(data_folder(folder))
            .arg("-k")
            .arg(folder);
        server.args(["-c", "listen_addresses=", "-c", "fsync=off"]);

        server
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("start postgres")
    }
}

fn data_folder(folder: &Path) -> PathBuf {
    folder.join("cluster")
}

fn log_file(folder: &Path) -> PathBuf {
    folder.join("log")
}

/// `15/bin`, if nothing newer is beside it.
fn newest_folder(debian: &Path) -> Option<PathBuf> {
    let versions = std::fs::read_dir(debian).ok()?.flatten();
    let numbers = versions.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let newest = numbers.max()?;
    Some(debian.join(newest.to_string()).join("bin"))
}

/// `15` of `postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)`.
fn major_version(said: &str) -> &str {
    let version = said.split_whitespace().nth(2).unwrap_or("?");
    version.split('.').next().unwrap_or(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read() {
        let said = "postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)\n";
        assert_eq!(major_version(said), "15");
        assert_eq!(major_version("postgres (PostgreSQL) 18beta1\n"), "18beta1");
        assert_eq!(major_version(""), "?");
    }

    #[test]
    fn versions_are_numbers() {
        let debian = tempfile::tempdir().unwrap();
        assert_eq!(newest_folder(debian.path()), None);

        for name in ["9", "15", "common"] {
            std::fs::create_dir(debian.path().join(name)).unwrap();
        }
        let newest = debian.path().join("15/bin");
        assert_eq!(newest_folder(debian.path()), Some(newest));
    }
}
