//! `xtask mutants`: is each protection missed by the test about it?

mod list;
mod places;
mod tree;

use crate::process::{self, Ended, Interrupt};
use crate::repository::Target;
use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use list::{Mutant, Test};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tree::Tree;

/// The validators are built anew for every mutant.
const BUILD_S_MAX: u64 = 1_800;
/// A test that hangs has failed.
const TEST_S_MAX: u64 = 420;
/// In lines that say why a test failed.
const TELLING: [&str; 4] = ["panicked", "SAFETY", "FAIL ", "wrong "];

/// What `xtask mutants` is told.
#[derive(Debug, Args)]
pub struct MutantsArgs {
    /// Run nothing: only whether each text that is taken out stands exactly once where it should.
    #[arg(long)]
    check: bool,
    /// Only protections whose name has one of these in it.
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    #[command(flatten)]
    target: Target,
}

impl MutantsArgs {
    /// Only whether each text is there.
    pub const fn checking(target: Target) -> Self {
        Self {
            check: true,
            names: Vec::new(),
            target,
        }
    }
}

/// Checks the list, or runs it: each test has to pass with every protection first. Some minutes for each.
pub fn run(args: &MutantsArgs) -> Result<bool> {
    let all = list::read()?;
    let mutants = list::choose(&all, &args.names);
    ensure!(
        !mutants.is_empty(),
        "no protection has one of {:?} in its name",
        args.names
    );

    if args.check {
        return are_in_place(&mutants);
    }
    let run = Run {
        tree: Tree::copy(&args.target, &all)?,
        interrupt: Interrupt::listen()?,
    };
    run.judge(&mutants)
}

fn are_in_place(mutants: &[Mutant]) -> Result<bool> {
    let mut stale = 0;
    for mutant in mutants {
        stale += usize::from(is_stale(mutant, Path::new(""))?);
    }

    if stale == 0 {
        let count = mutants.len();
        println!("mutants: the texts of all {count} stand where they should");
    }
    Ok(stale == 0)
}

/// Whether a text to change does not stand exactly once where it should; says which.
fn is_stale(mutant: &Mutant, root: &Path) -> Result<bool> {
    let mut stale = Vec::new();
    for place in &mutant.places {
        let source = read_source(&root.join(&place.file))?;
        if places::find(&source, &place.text).len() != 1 {
            stale.push(place.file.display().to_string());
        }
    }

    if !stale.is_empty() {
        let (name, files) = (&mutant.name, stale.join(", "));
        println!("STALE     {name}: its text does not stand exactly once in {files}");
    }
    Ok(!stale.is_empty())
}

fn read_source(file: &Path) -> Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("read {}", file.display()))
}

/// Mutants at work in a copy.
struct Run {
    tree: Tree,
    interrupt: Interrupt,
}

impl Run {
    fn judge(&self, mutants: &[Mutant]) -> Result<bool> {
        let tests = list::tests_of(mutants);
        if let Some(output) = self.build(&tests)? {
            bail!("it does not compile with every protection in place\n{output}");
        }

        if !self.are_sound(&tests)? {
            return Ok(false);
        }

        let mut killed = 0;
        for mutant in mutants {
            killed += usize::from(self.is_killed(mutant)?);
        }
        let all = mutants.len();
        println!("{killed} of {all} protections are missed by a test when they are gone");
        Ok(killed == all)
    }

    /// A test that fails all the same says nothing.
    fn are_sound(&self, tests: &[&Test]) -> Result<bool> {
        let mut sound = 0;
        for test in tests {
            let ended = self.run(test)?;
            let passed = has_passed(test, &ended);
            sound += usize::from(passed);
            if !passed {
                let (words, end) = (test.command().join(" "), last_part(&ended.output));
                println!(
                    "UNSOUND   {words} fails, or does not run, with every protection in place\n{end}"
                );
            }
        }

        if sound == tests.len() {
            println!("{sound} tests pass with every protection in place");
        }
        Ok(sound == tests.len())
    }

    /// Takes the protection out, runs its tests, puts it back; says what came of it.
    fn is_killed(&self, mutant: &Mutant) -> Result<bool> {
        if is_stale(mutant, self.tree.root())? {
            return Ok(false);
        }

        let _taken_out = self.tree.take_out(mutant)?;
        let tests = list::tests_of(std::slice::from_ref(mutant));
        if let Some(output) = self.build(&tests)? {
            let name = &mutant.name;
            println!("BROKEN    {name}: does not compile\n{output}");
            return Ok(false);
        }

        // Every test is run, also after one that did not miss it.
        let mut missed = 0;
        for test in &mutant.tests {
            missed += usize::from(self.is_missed(&mutant.name, test)?);
        }
        Ok(missed == mutant.tests.len())
    }

    /// Whether this test fails without the protection, and with what words.
    fn is_missed(&self, name: &str, test: &Test) -> Result<bool> {
        let ended = self.run(test)?;
        if ended.is_good {
            println!("SURVIVED  {name}: {test}");
            return Ok(false);
        }

        println!("killed    {name}: {test}");
        for line in telling_lines(&ended.output) {
            println!("            {line}");
        }
        Ok(true)
    }

    /// What these tests run; what the compiler says when it does not compile.
    fn build(&self, tests: &[&Test]) -> Result<Option<String>> {
        let needs: BTreeSet<&[&str]> = tests.iter().map(|test| test.build()).collect();
        for words in needs {
            let built = self.run_command(words, BUILD_S_MAX)?;
            if !built.is_good {
                return Ok(Some(built.output));
            }
        }
        Ok(None)
    }

    fn run(&self, test: &Test) -> Result<Ended> {
        let words = test.command();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.run_command(&words, TEST_S_MAX)
    }

    fn run_command(&self, words: &[&str], seconds: u64) -> Result<Ended> {
        let (program, arguments) = words.split_first().context("a command has a program")?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(self.tree.root())
            .env("CARGO_TARGET_DIR", self.tree.target());
        process::run_within(Duration::from_secs(seconds), &mut command, &self.interrupt)
    }
}

/// `cargo test` is content when no test has the name that it was given.
fn has_passed(test: &Test, ended: &Ended) -> bool {
    let has_run = match test {
        Test::Story(_) | Test::Unit(_) => ended.output.contains("test result: ok. 1 passed"),
        Test::Chaos { .. } => true,
    };
    ended.is_good && has_run
}

/// Three lines at most, none longer than a screen is wide.
fn telling_lines(output: &str) -> Vec<String> {
    output
        .lines()
        .filter(|line| TELLING.iter().any(|word| line.contains(word)))
        .map(|line| line.trim().chars().take(200).collect())
        .take(3)
        .collect()
}

fn last_part(output: &str) -> &str {
    let begin = output.len().saturating_sub(2_000);
    let begin = (begin..output.len()).find(|place| output.is_char_boundary(*place));
    begin.map_or(output, |begin| &output[begin..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(output: &str, is_good: bool) -> Ended {
        Ended {
            output: output.to_owned(),
            is_good,
        }
    }

    #[test]
    fn a_test_that_did_not_run_has_not_passed() {
        let unit = Test::Unit("a::b".to_owned());
        let one = "test result: ok. 1 passed; 0 failed";
        assert!(has_passed(&unit, &ended(one, true)));
        assert!(!has_passed(&unit, &ended(one, false)));
        assert!(!has_passed(
            &unit,
            &ended("test result: ok. 0 passed; 0 failed", true)
        ));
    }

    #[test]
    fn what_a_failure_says_is_cut_to_three_lines() {
        let output =
            "running\n  thread panicked at a\nSAFETY b\nwrong c\nFAIL d\nnothing of interest\n";
        assert_eq!(
            telling_lines(output),
            ["thread panicked at a", "SAFETY b", "wrong c"]
        );
    }

    #[test]
    fn the_end_of_a_long_output_begins_with_a_whole_sign() {
        let long = "ü".repeat(2_000) + "end";
        assert!(last_part(&long).ends_with("end") && last_part(&long).len() <= 2_000);
        assert_eq!(last_part("short"), "short");
        assert_eq!(last_part(""), "");
    }
}
