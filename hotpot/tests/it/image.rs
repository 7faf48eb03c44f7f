//! Whether the container images can be built, as far as that shows without Docker: what `.dockerignore` lets through
//! has to be a workspace that cargo takes, hold every file that `hotpot` is made of, and what the Dockerfile copies.

use crate::network::{hotpot, repository};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Made in another stage of the Dockerfile and copied from there.
const BUILT_BEFORE: &str = "web_interfaces/dist";

/// One line of `.dockerignore`; the last one that fits a path decides.
enum Rule {
    /// `*`: nothing goes to the builder but what a later line names.
    LeaveAll,
    /// `!PATH`: this file, or all in this folder.
    Take(PathBuf),
    /// `PATH`: not this file or folder.
    Leave(PathBuf),
    /// `**/NAME`: nothing of this name at any depth.
    LeaveName(String),
}

impl Rule {
    fn parse(line: &str) -> Self {
        let plain = |path: &str| {
            let known = !path.contains(['*', '?', '[', '\\']);
            assert!(known, ".dockerignore: this test does not know {line:?}");
            PathBuf::from(path)
        };

        match (line, line.strip_prefix('!'), line.strip_prefix("**/")) {
            ("*", _, _) => Self::LeaveAll,
            (_, Some(path), _) => Self::Take(plain(path)),
            (_, _, Some(name)) => Self::LeaveName(plain(name).display().to_string()),
            (path, None, None) => Self::Leave(plain(path)),
        }
    }

    /// Whether the path is taken; none when the rule is not about it.
    fn decide(&self, path: &Path) -> Option<bool> {
        match self {
            Self::LeaveAll => Some(false),
            Self::Take(folder) => path.starts_with(folder).then_some(true),
            Self::Leave(folder) => path.starts_with(folder).then_some(false),
            Self::LeaveName(name) => path
                .iter()
                .any(|part| part == name.as_str())
                .then_some(false),
        }
    }
}

fn rules() -> Vec<Rule> {
    let text = std::fs::read_to_string(repository().join(".dockerignore")).unwrap();
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(Rule::parse)
        .collect()
}

fn is_taken(rules: &[Rule], path: &Path) -> bool {
    let last = rules.iter().rev().find_map(|rule| rule.decide(path));
    last.unwrap_or(true)
}

/// Every file that git knows, or will know of.
fn files() -> Vec<PathBuf> {
    let output = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(repository())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.split_terminator('\0').map(PathBuf::from).collect()
}

#[test]
fn what_goes_to_the_builder_is_a_workspace_that_cargo_takes() {
    let context = tempfile::tempdir().unwrap();
    let rules = rules();
    for file in files().iter().filter(|file| is_taken(&rules, file)) {
        let (from, to) = (repository().join(file), context.path().join(file));
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(&from, &to).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
    }

    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .current_dir(context.path())
        .output()
        .unwrap();

    let error = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "the image cannot be built from what .dockerignore lets through: {error}"
    );
}

#[test]
fn every_file_that_hotpot_is_made_of_goes_to_the_builder() {
    let made_of = PathBuf::from(hotpot().get_program()).with_extension("d");
    let text = std::fs::read_to_string(&made_of).unwrap();
    let (_, sources) = text.trim().split_once(": ").unwrap();
    let rules = rules();

    // Read by macros, of which cargo does not know.
    let asked = files();
    let asked = asked.iter().filter(|file| file.starts_with(".sqlx"));
    assert!(asked.clone().count() > 10, "there are few files in .sqlx");
    for file in asked {
        assert!(
            is_taken(&rules, file),
            ".dockerignore leaves out {}",
            file.display()
        );
    }

    let mut ours = 0;
    for source in sources.replace("\\ ", "\0").split(' ') {
        let source = PathBuf::from(source.replace('\0', " "));
        let Ok(relative) = source.strip_prefix(repository()) else {
            continue;
        };
        ours += 1;
        let taken = is_taken(&rules, relative) || relative.starts_with(BUILT_BEFORE);
        assert!(taken, ".dockerignore leaves out {}", relative.display());
    }

    assert!(
        ours > 100,
        "{} names {ours} files of this repository",
        made_of.display()
    );
}

#[test]
fn what_the_dockerfile_copies_is_there_and_goes_to_the_builder() {
    let text = std::fs::read_to_string(repository().join("Dockerfile")).unwrap();
    let rules = rules();
    let copies = text.lines().filter_map(|line| line.strip_prefix("COPY "));

    let mut seen = 0;
    for copy in copies.filter(|copy| !copy.starts_with("--from")) {
        let words: Vec<&str> = copy.split_whitespace().collect();
        for source in &words[..words.len() - 1] {
            let path = repository().join(source);
            assert!(
                path.exists(),
                "the Dockerfile copies {source}, which is not here"
            );
            let taken = *source == "." || is_taken(&rules, Path::new(source));
            assert!(
                taken,
                "the Dockerfile copies {source}, which .dockerignore leaves out"
            );
            seen += 1;
        }
    }
    assert!(seen > 5, "the Dockerfile copies {seen} things");
}
