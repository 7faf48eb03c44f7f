//! Other programs: what they say, how they end, and that they end with us.

use anyhow::{Context, Result, bail, ensure};
use signal_hook::consts::{SIGINT, SIGTERM};
use std::io::{Read, Seek};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How often a program is looked at that may not take for ever.
const POLL: Duration = Duration::from_millis(100);
/// How long it may clean up before it is killed.
const GRACE: Duration = Duration::from_secs(30);

/// Runs a program to its end, its output where ours goes; an error when it fails.
pub fn run(command: &mut Command) -> Result<()> {
    ensure!(succeeds(command)?, "failed: {}", command_line(command));
    Ok(())
}

/// Runs a program to its end, its output where ours goes; whether it ended well.
pub fn succeeds(command: &mut Command) -> Result<bool> {
    let status = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("start {}", command_line(command)))?;
    Ok(status.success())
}

/// What a program writes to its standard output; an error when it fails.
pub fn read(command: &mut Command) -> Result<String> {
    let ended = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("start {}", command_line(command)))?;
    ensure!(ended.status.success(), "failed: {}", command_line(command));

    String::from_utf8(ended.stdout)
        .with_context(|| format!("read what {} says", command_line(command)))
}

/// A command as one would type it.
pub fn command_line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    words.join(" ")
}

/// That somebody pressed Ctrl-C, or sent SIGTERM. As long as one is held, neither ends us: the programs that we wait for
/// get the signal too and end, and what we have to put back is put back.
#[derive(Clone, Debug)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Listens from now on.
    pub fn listen() -> Result<Self> {
        let heard = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            signal_hook::flag::register(signal, Arc::clone(&heard)).context("listen to signals")?;
        }
        Ok(Self(heard))
    }

    fn is_heard(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// What came of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Both of its outputs, in their order.
    pub output: String,
    /// Whether it ended by itself, and well.
    pub is_good: bool,
}

/// Runs a program for so long at most. It and all that it started end before this returns; an error when we were told to
/// end.
pub fn run_within(limit: Duration, command: &mut Command, interrupt: &Interrupt) -> Result<Ended> {
    let mut output = tempfile::tempfile().context("make a file for the output")?;
    command
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output.try_clone()?)
        .process_group(0);
    let mut child = command
        .spawn()
        .with_context(|| format!("start {}", command_line(command)))?;

    let status = wait_until(Instant::now() + limit, &mut child, interrupt)?;
    let is_in_time = status.is_some();
    end_group(&mut child)?;
    if interrupt.is_heard() {
        bail!("interrupted");
    }

    let mut ended = Ended {
        output: String::new(),
        is_good: status.is_some_and(|status| status.success()),
    };
    let mut bytes = Vec::new();
    output.rewind()?;
    output.read_to_end(&mut bytes)?;
    ended.output.push_str(&String::from_utf8_lossy(&bytes));
    if !is_in_time {
        let seconds = limit.as_secs();
        ended
            .output
            .push_str(&format!("\nwrong: no end after {seconds} s"));
    }
    Ok(ended)
}

/// How it ended; none when it still runs at that time, or when we were told to end.
fn wait_until(
    end: Instant,
    child: &mut Child,
    interrupt: &Interrupt,
) -> Result<Option<ExitStatus>> {
    while Instant::now() < end && !interrupt.is_heard() {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        std::thread::sleep(POLL);
    }
    child.try_wait().context("look at a program")
}

/// Ends what is left of a program that leads a group of its own: politely, then not.
fn end_group(child: &mut Child) -> Result<()> {
    let group = format!("-{}", child.id());
    let end = Instant::now() + GRACE;

    while is_told("-TERM", &group)? {
        child.try_wait()?;
        if Instant::now() > end {
            is_told("-KILL", &group)?;
            break;
        }
        std::thread::sleep(POLL);
    }

    child.wait().context("wait for a program")?;
    Ok(())
}

/// Sends a signal to a process, or to a group when it begins with a dash; whether anybody was there.
pub fn is_told(signal: &str, whom: &str) -> Result<bool> {
    let sent = Command::new("kill")
        .args([signal, "--", whom])
        .stderr(Stdio::null())
        .status()
        .context("start kill")?;
    Ok(sent.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, limit: Duration) -> Ended {
        let mut command = Command::new("sh");
        run_within(
            limit,
            command.args(["-c", script]),
            &Interrupt(Arc::default()),
        )
        .unwrap()
    }

    #[test]
    fn both_outputs_are_kept_and_the_end_is_told() {
        let ended = shell("echo one; echo two >&2", GRACE);
        assert_eq!((ended.output.as_str(), ended.is_good), ("one\ntwo\n", true));
        assert!(!shell("exit 3", GRACE).is_good);
    }

    #[test]
    fn what_takes_too_long_ends_with_all_that_it_started() {
        let began = Instant::now();
        let ended = shell("sleep 60 & echo $!; sleep 60", Duration::from_millis(300));

        assert!(!ended.is_good && began.elapsed() < GRACE);
        assert!(
            ended.output.contains("wrong: no end after"),
            "{}",
            ended.output
        );
        let started = ended.output.lines().next().unwrap();
        assert!(!is_told("-0", started).unwrap(), "{started} still runs");
    }

    #[test]
    fn what_a_good_program_leaves_behind_ends_too() {
        let ended = shell("sleep 60 > /dev/null 2>&1 & echo $!", GRACE);
        assert!(ended.is_good);
        assert!(!is_told("-0", ended.output.trim()).unwrap());
    }

    #[test]
    fn a_program_that_fails_is_named() {
        let error = run(Command::new("false").arg("--really")).unwrap_err();
        assert_eq!(error.to_string(), "failed: false --really");
    }
}
