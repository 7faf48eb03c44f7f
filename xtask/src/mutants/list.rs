//! `list.toml`: what is taken out, and which tests have to miss it.

use anyhow::{Context, Result};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;

const LIST: &str = include_str!("list.toml");

const BUILD_PROGRAMS: [&str; 7] = [
    "cargo",
    "build",
    "--quiet",
    "--workspace",
    "--bins",
    "--test",
    "it",
];
const BUILD_UNITS: [&str; 6] = [
    "cargo",
    "test",
    "--quiet",
    "--workspace",
    "--no-run",
    "--lib",
];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    mutants: Vec<Mutant>,
}

/// A protection, what it is taken out by, and the tests that must each miss it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mutant {
    /// Part of the system, and what is wrong then.
    pub name: String,
    /// Every one of them has to fail.
    pub tests: Vec<Test>,
    /// Where the protection stands.
    pub places: Vec<Place>,
}

/// A text and what comes in its stead.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// From the repository's root.
    pub file: PathBuf,
    /// Stands there exactly once, however a formatter breaks it.
    pub text: String,
    /// What is written instead.
    pub replacement: String,
}

/// A test by its name, or a kind of fault.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Test {
    /// Of `tests/it` of any crate.
    Story(String),
    /// Beside the code of any crate.
    Unit(String),
    /// Faults under load, and what is asked of the chain afterwards.
    Chaos {
        /// As `scripts/chaos chain --only` knows it.
        kind: String,
        /// How many of them.
        times: u32,
    },
}

impl Test {
    /// How it is run, from the repository's root.
    pub fn command(&self) -> Vec<String> {
        let cargo = "cargo test --quiet --workspace";
        let words = match self {
            Self::Story(name) => format!("{cargo} --test it -- --include-ignored --exact {name}"),
            Self::Unit(name) => format!("{cargo} --lib -- --exact {name}"),
            Self::Chaos { kind, times } => {
                format!("scripts/chaos chain --only {kind} --kills {times} --seed 1")
            }
        };

        words.split(' ').map(str::to_owned).collect()
    }
}

impl Test {
    /// How what it runs is built. The whole workspace is chosen: a package on its own would be built with other
    /// features. Of its test programs only those of one kind: all of them take twice as long.
    pub const fn build(&self) -> &'static [&'static str] {
        match self {
            Self::Story(_) | Self::Chaos { .. } => &BUILD_PROGRAMS,
            Self::Unit(_) => &BUILD_UNITS,
        }
    }
}

impl fmt::Display for Test {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Story(name) | Self::Unit(name) => formatter.write_str(name),
            Self::Chaos { .. } => formatter.write_str(&self.command().join(" ")),
        }
    }
}

/// The whole list.
pub fn read() -> Result<Vec<Mutant>> {
    let list: List = toml::from_str(LIST).context("read xtask/src/mutants/list.toml")?;
    Ok(list.mutants)
}

/// Those whose name has one of the parts in it; without a part all of them.
pub fn choose(mutants: &[Mutant], parts: &[String]) -> Vec<Mutant> {
    let is_chosen = |name: &str| parts.is_empty() || parts.iter().any(|part| name.contains(part));
    mutants
        .iter()
        .filter(|mutant| is_chosen(&mutant.name))
        .cloned()
        .collect()
}

/// Each test once.
pub fn tests_of(mutants: &[Mutant]) -> Vec<&Test> {
    let tests: BTreeSet<&Test> = mutants.iter().flat_map(|mutant| &mutant.tests).collect();
    tests.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mutant_has_a_name_of_its_own_a_place_and_a_test() {
        let mutants = read().unwrap();
        let names: BTreeSet<&str> = mutants.iter().map(|mutant| mutant.name.as_str()).collect();

        assert!(mutants.len() >= 49, "{} mutants", mutants.len());
        assert_eq!(names.len(), mutants.len());
        for mutant in &mutants {
            let is_whole = !mutant.places.is_empty() && !mutant.tests.is_empty();
            assert!(is_whole, "{}", mutant.name);
        }
    }

    #[test]
    fn a_part_of_the_name_is_enough_to_be_chosen() {
        let mutants = read().unwrap();
        let chosen = choose(&mutants, &["guard: ".to_owned(), "clock".to_owned()]);

        assert!(chosen.len() > 5 && chosen.len() < mutants.len());
        assert_eq!(choose(&mutants, &[]).len(), mutants.len());
        assert!(choose(&mutants, &["no such thing".to_owned()]).is_empty());
    }

    #[test]
    fn a_test_is_named_and_run() {
        let chaos = Test::Chaos {
            kind: "disk_error".to_owned(),
            times: 8,
        };
        let run = "scripts/chaos chain --only disk_error --kills 8 --seed 1";
        assert_eq!(chaos.command().join(" "), run);
        assert_eq!(chaos.to_string(), run);

        let story = Test::Story("chain::a".to_owned());
        assert_eq!(story.to_string(), "chain::a");
        assert_eq!(story.command().last().unwrap(), "chain::a");
    }
}
