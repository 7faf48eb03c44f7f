//! Configuration in four layers, later wins: defaults in code, environment (`HOTPOT__SECTION__KEY`), TOML file,
//! command line (`--set section.key=value`). The environment is read here and nowhere else. What the founders' documents
//! call otherwise is translated in between.

mod names;

use crate::mistakes::ConfigMistakes;
use ::config::{Map, Source, Value};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};

/// Where a service's configuration comes from, as arguments that every service takes.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Sources {
    /// TOML file; its values win over the environment's.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// One value by its path, such as `http.listen=127.0.0.1:7000`; wins over everything.
    #[arg(long = "set", value_name = "PATH=VALUE", value_parser = path_and_value)]
    pub set: Vec<(String, String)>,
    /// Stop when standard input closes: a supervisor holds it open as long as it lives.
    #[arg(long)]
    pub stop_on_stdin_close: bool,
}

/// Why a configuration is refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A value is missing, unknown or of the wrong type; the cause names its path and layer.
    #[error("configuration{}", in_file(file))]
    Invalid {
        /// The file that took part.
        file: Option<PathBuf>,
        /// What is wrong where.
        #[source]
        source: ::config::ConfigError,
    },
    /// The file is no TOML.
    #[error("configuration{}: {place}", in_file(file))]
    Syntax {
        /// The file.
        file: Option<PathBuf>,
        /// Line and column; not what stands there.
        place: String,
    },
    /// Names of the documents that stand for nothing here.
    #[error(transparent)]
    Names(#[from] ConfigMistakes),
}

fn in_file(file: &Option<PathBuf>) -> String {
    let shown = file.as_ref().map(|file| format!(" ({})", file.display()));
    shown.unwrap_or_default()
}

/// What a service was told.
#[derive(Clone, Debug)]
pub struct Loaded<T> {
    /// Its own configuration.
    pub config: T,
    /// How much is logged, `trace` to `error`; without it the service's default holds.
    pub log_level: Option<String>,
}

fn path_and_value(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .map(|(path, value)| (path.to_owned(), value.to_owned()))
        .ok_or_else(|| format!("expected PATH=VALUE, found {text:?}"))
}

/// Reads a configuration; `defaults` is the first layer.
pub fn load_config<T: Serialize + DeserializeOwned>(
    defaults: &T,
    sources: &Sources,
) -> Result<Loaded<T>, ConfigError> {
    let named = |error| name_file(error, sources.config.as_deref());
    let defaults = ::config::Config::try_from(defaults).map_err(named)?;
    let given = read_given(sources).map_err(named)?;
    let table = defaults.collect().map_err(named)?;

    let translated = names::translate(given, &table, &environment_variable);
    let names::Translated { given, log_level } =
        translated.map_err(|mistakes| ConfigMistakes { mistakes })?;

    let config = ::config::Config::builder()
        .add_source(defaults)
        .add_source(Given(given))
        .build()
        .and_then(::config::Config::try_deserialize)
        .map_err(named)?;
    Ok(Loaded { config, log_level })
}

/// The parser of TOML shows the line that it does not understand, which may hold a password.
fn name_file(error: ::config::ConfigError, file: Option<&Path>) -> ConfigError {
    let file = file.map(Path::to_owned);
    match error {
        ::config::ConfigError::FileParse { cause, .. } => {
            let said = cause.to_string();
            let place = said.lines().next().unwrap_or_default().to_owned();
            ConfigError::Syntax { file, place }
        }
        source => ConfigError::Invalid { file, source },
    }
}

/// All layers above the defaults.
fn read_given(sources: &Sources) -> Result<Map<String, Value>, ::config::ConfigError> {
    let environment = ::config::Environment::with_prefix("HOTPOT")
        .prefix_separator("__")
        .separator("__");
    let mut builder = ::config::Config::builder().add_source(environment);

    if let Some(file) = &sources.config {
        builder = builder.add_source(::config::File::from(file.as_path()));
    }
    for (path, value) in &sources.set {
        builder = builder.set_override(path, value.as_str())?;
    }
    builder.build()?.collect()
}

/// A layer of values that know where they came from.
#[derive(Clone, Debug)]
struct Given(Map<String, Value>);

impl Source for Given {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ::config::ConfigError> {
        Ok(self.0.clone())
    }
}

/// An environment variable, for tools that start other programs.
#[allow(
    clippy::disallowed_methods,
    reason = "the one place that reads the environment"
)]
pub fn environment_variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Finds a program: in `PATH`, then in further folders.
pub fn find_program(name: &str, further: &[PathBuf]) -> Option<PathBuf> {
    let path = environment_variable("PATH").unwrap_or_default();
    let is_file = |candidate: &PathBuf| Path::is_file(candidate);
    further
        .iter()
        .map(|folder| folder.join(name))
        .chain(path.split(':').map(|folder| Path::new(folder).join(name)))
        .find(is_file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Config {
        port: u16,
        join: bool,
    }

    fn load_text(text: &str, set: &[(&str, &str)]) -> Result<Loaded<Config>, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("service.toml");
        std::fs::write(&file, text).unwrap();
        let owned = |(path, value): &(&str, &str)| ((*path).to_owned(), (*value).to_owned());
        let sources = Sources {
            config: Some(file),
            set: set.iter().map(owned).collect(),
            ..Sources::default()
        };
        load_config(&Config::default(), &sources)
    }

    #[test]
    fn the_command_line_wins_over_the_file_and_texts_become_what_is_wanted() {
        let loaded = load_text("port = 1\njoin = false", &[("port", "2"), ("join", "true")]);
        let expected = Config {
            port: 2,
            join: true,
        };
        assert_eq!(loaded.unwrap().config, expected);
    }

    #[test]
    fn a_broken_file_is_named_with_its_line_and_not_with_what_stands_there() {
        let error = load_text("port = 1\npassword = \"s3cret", &[]).unwrap_err();
        let said = format!("{error} {error:?}");
        assert!(
            said.contains("service.toml") && said.contains("line 2"),
            "{said}"
        );
        assert!(!said.contains("s3cret"), "{said}");
    }
}
