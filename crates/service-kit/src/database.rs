//! `[database]`, as every service that needs PostgreSQL reads it.

use crate::Secret;
use serde::{Deserialize, Serialize};
use std::io::{Error, ErrorKind};
use std::path::PathBuf;

/// Where the database is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseConfig {
    /// `postgres://…`. Give this or `url_file`.
    pub url: Secret,
    /// A file that holds the URL, so that it appears in no process list.
    pub url_file: Option<PathBuf>,
}

impl DatabaseConfig {
    /// What [`Self::read_url`] would not find; a rule for [`crate::mistakes::refuse_mistakes`].
    pub fn missing_url(&self) -> (bool, &'static str) {
        let is_missing = self.url.expose().is_empty() && self.url_file.is_none();

        (is_missing, "database: give url or url_file")
    }

    /// The URL, out of its file if it is there. Two different ones are an error: nobody could say which is meant.
    pub fn read_url(&self) -> Result<Secret, Error> {
        let Some(file) = &self.url_file else {
            return Ok(self.url.clone());
        };
        let content = std::fs::read_to_string(file).map_err(|error| {
            let what = format!("database.url_file {}: {error}", file.display());
            Error::new(error.kind(), what)
        })?;

        let from_file = Secret::new(content.trim());
        if !self.url.expose().is_empty() && self.url != from_file {
            let what = "database.url and database.url_file differ; remove one";
            return Err(Error::new(ErrorKind::InvalidInput, what));
        }
        Ok(from_file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(url: &str, url_file: Option<PathBuf>) -> DatabaseConfig {
        let url = Secret::new(url);
        DatabaseConfig { url, url_file }
    }

    #[test]
    fn the_url_comes_from_one_place() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("url");
        std::fs::write(&file, "postgres://a\n").unwrap();

        let found = |config: DatabaseConfig| config.read_url().map(|url| url.expose().to_owned());
        assert_eq!(found(config("postgres://b", None)).unwrap(), "postgres://b");
        assert_eq!(
            found(config("", Some(file.clone()))).unwrap(),
            "postgres://a"
        );
        assert_eq!(
            found(config("postgres://a", Some(file.clone()))).unwrap(),
            "postgres://a"
        );
        assert!(found(config("postgres://b", Some(file))).is_err());

        assert!(config("", None).missing_url().0);
        assert!(found(config("", Some(folder.path().join("none")))).is_err());
    }
}
