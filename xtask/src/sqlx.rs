//! `xtask sqlx`: `.sqlx/`, the data against which queries are checked when no database is at hand.

mod cluster;
mod touched;

use crate::process::{self, Interrupt};
use crate::repository;
use anyhow::{Context, Result, ensure};
use clap::Args;
use cluster::Cluster;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use touched::Touched;

/// What the macros that check a query are called; sqlx's own name stands before it.
const QUERY_MACROS: &str = "::query[a-z_]*!";
/// Where their data are committed.
const COMMITTED: &str = ".sqlx";
/// How long a build from nothing may take.
const CARGO_MAX: Duration = Duration::from_secs(3_600);
/// The version of PostgreSQL that they are committed from.
const COMMITTED_BY: &str = "15";

/// What `xtask sqlx` is told.
#[derive(Debug, Args)]
pub struct SqlxArgs {
    /// Change nothing: run clippy over the whole workspace meanwhile, and fail when what is committed is not what the
    /// queries need.
    #[arg(long)]
    check: bool,
}

/// Starts a private PostgreSQL cluster, applies `migrations/`, has the compiler check every query against it, and writes
/// or compares what it found.
pub fn run(args: &SqlxArgs) -> Result<bool> {
    let interrupt = Interrupt::listen()?;
    let roots = crate_roots()?;
    let work = tempfile::Builder::new()
        .prefix("sqlx-prepare.")
        .tempdir()
        .context("make a folder for the cluster")?;
    let fresh = work.path().join("fresh");
    std::fs::create_dir(&fresh)?;

    let cluster = Cluster::start(work.path())?;
    for migration in list_migrations(Path::new("migrations"))? {
        cluster.apply(&migration)?;
    }

    let compare = if args.check {
        compare_committed
    } else {
        commit_fresh
    };
    let is_good = compare(&cluster, &fresh, &roots, &interrupt)?;
    if is_good {
        println!("{} queries are checked", read_folder(&fresh)?.len());
    }
    Ok(is_good)
}

/// The macros run when a crate is compiled, so the roots of those that hold queries have to be looked at again.
fn crate_roots() -> Result<BTreeSet<PathBuf>> {
    let files = repository::list_files_with(&format!("sqlx{QUERY_MACROS}"), "*/src/*.rs")
        .context("find the crates that hold queries")?;
    let roots: BTreeSet<PathBuf> = files.iter().filter_map(|file| root_of(file)).collect();
    ensure!(!roots.is_empty(), "no crate holds a query");
    Ok(roots)
}

fn root_of(file: &Path) -> Option<PathBuf> {
    let source = file.ancestors().find(|folder| folder.ends_with("src"))?;
    Some(source.join("lib.rs"))
}

/// In their order; what takes one back is left out.
fn list_migrations(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.to_string_lossy();
        if name.ends_with(".sql") && !name.ends_with(".down.sql") {
            found.push(std::path::absolute(&path)?);
        }
    }

    found.sort();
    Ok(found)
}

/// Clippy's results are kept apart from what is built, so afterwards the crates are as old as before.
fn compare_committed(
    cluster: &Cluster,
    fresh: &Path,
    roots: &BTreeSet<PathBuf>,
    interrupt: &Interrupt,
) -> Result<bool> {
    let touched = Touched::touch(roots)?;
    let mut clippy = cargo_asking(cluster, fresh);
    clippy
        .args(["clippy", "--workspace", "--all-targets", "--quiet"])
        .args(["--", "--deny", "warnings"]);
    run_cargo(&mut clippy, interrupt)?;
    drop(touched);

    let differences = find_differences(&read_folder(Path::new(COMMITTED))?, &read_folder(fresh)?);
    for difference in &differences {
        eprintln!("{COMMITTED}/{difference}");
    }
    if !differences.is_empty() {
        let version = cluster.version()?;
        eprintln!(
            "error: {COMMITTED}/ is not what the queries need, by PostgreSQL {version} (committed: {COMMITTED_BY}): \
             run scripts/sqlx-prepare and commit it"
        );
    }
    Ok(differences.is_empty())
}

fn commit_fresh(
    cluster: &Cluster,
    fresh: &Path,
    roots: &BTreeSet<PathBuf>,
    interrupt: &Interrupt,
) -> Result<bool> {
    let touched = Touched::touch(roots)?;
    let mut cargo = cargo_asking(cluster, fresh);
    cargo.args(["check", "--workspace", "--all-targets", "--quiet"]);
    run_cargo(&mut cargo, interrupt)?;

    replace_files(Path::new(COMMITTED), &read_folder(fresh)?)?;

    // The next build has to look into what is committed now.
    touched.keep();
    Touched::touch(roots)?.keep();
    Ok(true)
}

/// Shows what it says once it has ended; an error when it fails, or when we are told to end.
fn run_cargo(cargo: &mut Command, interrupt: &Interrupt) -> Result<()> {
    let ended = process::run_within(CARGO_MAX, cargo, interrupt)?;
    eprint!("{}", ended.output);
    ensure!(ended.is_good, "failed: {}", process::command_line(cargo));
    Ok(())
}

/// Cargo, with macros that ask the cluster and leave what they heard in a folder.
fn cargo_asking(cluster: &Cluster, fresh: &Path) -> Command {
    let mut command = Command::new("cargo");
    command
        .env("SQLX_OFFLINE", "false")
        .env("SQLX_OFFLINE_DIR", fresh)
        .env("DATABASE_URL", cluster.url());
    command
}

/// Name → content of each file.
fn read_folder(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        files.insert(name, std::fs::read(entry.path())?);
    }
    Ok(files)
}

fn replace_files(folder: &Path, files: &BTreeMap<String, Vec<u8>>) -> Result<()> {
    ensure!(!files.is_empty(), "the compiler has checked no query");

    for name in read_folder(folder)?.keys() {
        std::fs::remove_file(folder.join(name))?;
    }
    for (name, content) in files {
        std::fs::write(folder.join(name), content)?;
    }
    Ok(())
}

/// What is there once too often, missing, or of another content.
fn find_differences(
    committed: &BTreeMap<String, Vec<u8>>,
    fresh: &BTreeMap<String, Vec<u8>>,
) -> Vec<String> {
    let names: BTreeSet<&String> = committed.keys().chain(fresh.keys()).collect();
    names
        .into_iter()
        .filter_map(|name| match (committed.get(name), fresh.get(name)) {
            (Some(_), None) => Some(format!("{name} is of no query")),
            (None, Some(_)) => Some(format!("{name} is missing")),
            (before, now) => (before != now).then(|| format!("{name} is of another schema")),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(names: &[(&str, &str)]) -> BTreeMap<String, Vec<u8>> {
        let owned = names.iter().map(|(name, content)| {
            let content = content.as_bytes().to_vec();
            ((*name).to_owned(), content)
        });
        owned.collect()
    }

    #[test]
    fn a_crate_is_compiled_from_its_root() {
        let root = |file: &str| root_of(Path::new(file));
        let expected = Some(PathBuf::from("indexer/src/lib.rs"));
        assert_eq!(root("indexer/src/io/store/notify.rs"), expected);
        assert_eq!(root("indexer/src/lib.rs"), expected);
        assert_eq!(root("indexer/build.rs"), None);
    }

    #[test]
    fn every_kind_of_difference_is_named() {
        let committed = files(&[("gone", ""), ("other", "before"), ("same", "same")]);
        let fresh = files(&[("new", ""), ("other", "now"), ("same", "same")]);

        assert_eq!(
            find_differences(&committed, &fresh),
            [
                "gone is of no query",
                "new is missing",
                "other is of another schema"
            ]
        );
        assert!(find_differences(&fresh, &fresh).is_empty());
    }

    #[test]
    fn migrations_come_in_order_without_what_takes_them_back() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["0002_b.sql", "0001_a.sql", "0001_a.down.sql", "README.md"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }

        let found = list_migrations(folder.path()).unwrap();
        let names: Vec<_> = found.iter().filter_map(|path| path.file_name()).collect();
        assert_eq!(names, ["0001_a.sql", "0002_b.sql"]);
    }

    #[test]
    fn what_was_committed_is_replaced_but_never_by_nothing() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("old"), "").unwrap();
        assert!(replace_files(folder.path(), &files(&[])).is_err());

        let fresh = files(&[("new", "content")]);
        replace_files(folder.path(), &fresh).unwrap();
        assert_eq!(read_folder(folder.path()).unwrap(), fresh);
    }
}
