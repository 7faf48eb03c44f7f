//! Passwords: from a file or from the terminal, never from the command line or the environment.

use anyhow::{Context, Result, bail};
use std::path::Path;
use wallet::Zeroizing;

/// MetaMask asks for the same.
const CHARACTERS_MIN: usize = 8;
/// The name of the file that `hotpot up` puts beside its keys.
const BESIDE: &str = "passphrase";

/// The password of an existing file; may be empty.
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
    // An editor's byte order mark is invisible, so nobody could type this password again.
    let password = Zeroizing::new(password.trim_start_matches('\u{feff}').to_owned());

    if password.chars().count() < CHARACTERS_MIN {
        bail!("a new password has at least {CHARACTERS_MIN} characters");
    }
    if given.is_none() && *ask("Once more: ")? != *password {
        bail!("the two passwords differ; nothing was written");
    }
    Ok(password)
}

/// The passphrase of BIP-39 that words have; asked for twice, since any passphrase leads to some wallet.
pub fn bip39_passphrase(given: Option<&Path>) -> Result<Zeroizing<String>> {
    let passphrase = match given {
        Some(file) => from_file(file)?,
        None => ask("BIP-39 passphrase of the words: ")?,
    };
    let passphrase = Zeroizing::new(passphrase.trim_start_matches('\u{feff}').to_owned());

    if passphrase.is_empty() {
        bail!("the BIP-39 passphrase is empty; words without one are imported without the option");
    }
    if given.is_none() && *ask("Once more: ")? != *passphrase {
        bail!("the two passphrases differ; nothing was written");
    }
    Ok(passphrase)
}

/// Asks on the terminal, without showing what is typed.
pub fn ask(question: &str) -> Result<Zeroizing<String>> {
    let answer = rpassword::prompt_password(question);
    answer
        .map(Zeroizing::new)
        .context("there is no terminal to ask for a password: name a file with --password-file")
}

/// An empty password is one: geth lets people press Enter twice.
fn from_file(file: &Path) -> Result<Zeroizing<String>> {
    let text = wallet::read_secret(file).context("password file")?;
    Ok(Zeroizing::new(wallet::first_line(&text).to_owned()))
}
