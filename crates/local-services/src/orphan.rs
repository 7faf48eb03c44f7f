//! Processes that an owner left behind when it was killed with -9.

use anyhow::{Result, bail};
use std::path::Path;
use std::time::Duration;
use tokio::process::Command;

/// How long such a process may take to stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(20);
/// How often that is looked at.
const POLL: Duration = Duration::from_millis(50);

/// Stops every process that was started with `flag value`: it works on a folder that is ours.
pub async fn stop(flag: &str, value: &Path) -> Result<()> {
    let deadline = tokio::time::Instant::now() + STOP_TIMEOUT;
    let mut asked = false;

    loop {
        let left = started_with(flag, &value.display().to_string());
        if left.is_empty() {
            return Ok(());
        }

        if !asked {
            tracing::warn!(?left, folder = %value.display(), "stopping what an earlier run left behind");
            Command::new("kill")
                .arg("-INT")
                .args(&left)
                .status()
                .await?;
            asked = true;
        }

        if tokio::time::Instant::now() > deadline {
            bail!(
                "processes {left:?} do not stop; they work on {}",
                value.display()
            );
        }
        tokio::time::sleep(POLL).await;
    }
}

fn started_with(flag: &str, value: &str) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };

    let matches = |entry: &std::fs::DirEntry| {
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let arguments: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
        arguments
            .windows(2)
            .any(|pair| pair[0] == flag.as_bytes() && pair[1] == value.as_bytes())
    };
    let pid = |entry: std::fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    let is_process = |pid: &String| pid.bytes().all(|byte| byte.is_ascii_digit());

    entries
        .flatten()
        .filter(matches)
        .map(pid)
        .filter(is_process)
        .collect()
}
