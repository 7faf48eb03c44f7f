//! Passwords: from a file or from the terminal, never from the command line or the environment.

use anyhow::{Context, Result, bail};
use std::path::Path;
use wallet::Zeroizing;

/// MetaMask asks for the same.
const CHARACTERS_MIN: usize = 8;
/// The name of the file that `hotpot up` puts beside its keys.
const BESIDE: &str = "passphrase";

/// The password of an existing file.
pub fn existing(keystore: &Path, given: Option<&Path>) -> Result<Zeroizing<String>> {
    let beside = keystore.with_file_name(BESIDE);
    match given {
        Some(file) => from_file(file),
        None if beside.is_file() => from_file(&beside),
        None => ask(&format!("Password of {}: ", keystore.display())),
    }
}

/// The password of a file that is to be made; asked for twice.
pub fn fresh(keystore: &Path, given: Option<&Path>) -> Result<Zeroizing<String>> {
    let password = match given {
        Some(file) => from_file(file)?,
        None => ask(&format!("New password of {}: ", keystore.display()))?,
    };
    if password.chars().count() < CHARACTERS_MIN {
        bail!("a new password has at least {CHARACTERS_MIN} characters");
    }
    if given.is_none() && *ask("Once more: ")? != *password {
        bail!("the two passwords differ; nothing was written");
    }
    Ok(password)
}

/// Asks on the terminal, without showing what is typed.
pub fn ask(question: &str) -> Result<Zeroizing<String>> {
    let answer = rpassword::prompt_password(question);
    answer
        .map(Zeroizing::new)
        .context("there is no terminal to ask for a password: name a file with --password-file")
}

fn from_file(file: &Path) -> Result<Zeroizing<String>> {
    let text = wallet::read_secret(file).context("password file")?;
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() {
        bail!("password file {}: its first line is empty", file.display());
    }
    Ok(Zeroizing::new(line.to_owned()))
}
