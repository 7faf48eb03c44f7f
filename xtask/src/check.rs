//! `xtask check`: what one runs before a commit.

use crate::codegen::{self, CodegenArgs};
use crate::mutants::{self, MutantsArgs};
use crate::process;
use crate::repository::Target;
use crate::tables::{self, TablesArgs};
use crate::text::{self, TextArgs};
use anyhow::Result;
use clap::Args;
use comfy_table::presets::UTF8_BORDERS_ONLY;
use comfy_table::{Cell, Color, Table};
use std::process::Command;
use std::time::{Duration, Instant};

/// What `xtask check` is told.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Leave clippy out: it takes minutes, and needs GStreamer and OpenCV.
    #[arg(long)]
    fast: bool,
    #[command(flatten)]
    target: Target,
}

/// One thing that is looked at.
struct Step {
    name: &'static str,
    run: fn(&Target) -> Result<bool>,
    is_fast: bool,
}

const STEPS: [Step; 6] = [
    Step {
        name: "format",
        run: |_| process::succeeds(Command::new("cargo").args(["fmt", "--all", "--check"])),
        is_fast: true,
    },
    Step {
        name: "text",
        run: |_| text::run(&TextArgs::default()),
        is_fast: true,
    },
    Step {
        name: "tables",
        run: |_| tables::run(&TablesArgs::checking()),
        is_fast: true,
    },
    Step {
        name: "mutants",
        run: |target| mutants::run(&MutantsArgs::checking(target.clone())),
        is_fast: true,
    },
    Step {
        name: "codegen",
        run: |target| codegen::run(&CodegenArgs::checking(target.clone())),
        is_fast: true,
    },
    Step {
        name: "clippy",
        run: |_| process::succeeds(clippy_command().args(["--", "--deny", "warnings"])),
        is_fast: false,
    },
];

/// As the layer `lint` runs it, but with the committed data about queries.
fn clippy_command() -> Command {
    let mut command = Command::new("cargo");
    command.args(["clippy", "--workspace", "--all-targets", "--quiet"]);
    command
}

/// What came of a step.
struct Judged {
    name: &'static str,
    took: Duration,
    is_good: bool,
}

/// Every step, also after one that fails, so that one run names everything; then the table.
pub fn run(args: &CheckArgs) -> Result<bool> {
    let chosen = STEPS.iter().filter(|step| step.is_fast || !args.fast);
    let judged: Vec<Judged> = chosen.map(|step| judge_step(step, &args.target)).collect();

    println!("{}", table_of(&judged));
    Ok(judged.iter().all(|one| one.is_good))
}

fn judge_step(step: &Step, target: &Target) -> Judged {
    println!("== {}", step.name);
    let began = Instant::now();

    let result = (step.run)(target);
    if let Err(error) = &result {
        eprintln!("error: {error:#}");
    }

    Judged {
        name: step.name,
        took: began.elapsed(),
        is_good: result.unwrap_or(false),
    }
}

fn table_of(judged: &[Judged]) -> Table {
    let mut table = Table::new();
    table.load_preset(UTF8_BORDERS_ONLY);
    for one in judged {
        let (verdict, color) = verdict_of(one.is_good);
        table.add_row([
            Cell::new(one.name),
            Cell::new(shown_seconds(one.took)),
            Cell::new(verdict).fg(color),
        ]);
    }
    table
}

const fn verdict_of(is_good: bool) -> (&'static str, Color) {
    if is_good {
        ("ok", Color::Green)
    } else {
        ("FAILED", Color::Red)
    }
}

fn shown_seconds(took: Duration) -> String {
    format!("{}.{} s", took.as_secs(), took.subsec_millis() / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(run: fn(&Target) -> Result<bool>) -> Step {
        Step {
            name: "a",
            run,
            is_fast: true,
        }
    }

    #[test]
    fn an_error_is_a_failure_and_no_end() {
        let target = Target::default();
        assert!(judge_step(&step(|_| Ok(true)), &target).is_good);
        assert!(!judge_step(&step(|_| Ok(false)), &target).is_good);
        assert!(!judge_step(&step(|_| anyhow::bail!("broken")), &target).is_good);
    }

    #[test]
    fn time_and_verdict_are_shown() {
        let judged = [Judged {
            name: "format",
            took: Duration::from_millis(1_250),
            is_good: false,
        }];
        let text = table_of(&judged).to_string();
        for part in ["format", "1.2 s", "FAILED"] {
            assert!(text.contains(part), "{text}");
        }
    }
}
