//! Making, listing and handing over keys.

use super::args::{DeriveArgs, ExportArgs, ImportArgs, NewArgs, ShowArgs, Unlock, Which};
use super::password;
use anyhow::{Context, Result, bail};
use std::io::{IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use wallet::{
    Cost, ExtendedPublicKey, HdPath, KeyError, Keystore, KeystoreError, Mnemonic, Opened, Role,
    Secret, SecretKey, Zeroizing,
};

/// Words in a row when they are shown.
const WORDS_IN_ROW: usize = 4;
/// What 24 words stand for; there are no longer mnemonics.
const ENTROPY_BYTES_MAX: usize = 32;
/// Lines that may be typed or pasted: each word in one of its own, with room to spare.
const TYPED_LINES_MAX: usize = 64;

/// `hotpot wallet new`.
pub fn new(args: &NewArgs) -> Result<()> {
    refuse_existing(&args.out)?;
    let password = password::fresh(&args.out, args.password_file.as_deref())?;
    let mnemonic = Mnemonic::generate(args.words)?;
    save_keystore(
        &args.out,
        &Keystore::seal_mnemonic(&mnemonic, &password, Cost::Password)?,
    )?;

    let terminal = std::io::stdout().is_terminal();
    if terminal {
        eprintln!(
            "\nWrite these words on paper, in this order. Who has them has everything; they are shown once:\n"
        );
    }

    match (terminal, args.show_mnemonic) {
        (true, _) => println!("{}", *numbered_words(&mnemonic)),
        (false, true) => println!("{}", *mnemonic.phrase()),
        (false, false) => {
            eprintln!(
                "the words are in the file; see them with: hotpot wallet export --mnemonic --print"
            )
        }
    }

    Ok(())
}

/// `hotpot wallet import`.
pub fn import(args: &ImportArgs) -> Result<()> {
    refuse_existing(&args.out)?;
    let opened = read_source(args)?;
    tell_what_is_unusual(&opened);
    let password = password::fresh(&args.out, args.password_file.as_deref())?;
    save_keystore(&args.out, &opened.seal(&password, Cost::Password)?)
}

/// `hotpot wallet derive`.
pub fn derive(args: &DeriveArgs) -> Result<()> {
    let first = args.which.index.unwrap_or(0);
    let Some(file) = &args.wallet else {
        let Some(public) = &args.from else {
            bail!("name a wallet, or a public key with --from")
        };
        return print_addresses(public, first, args.count);
    };

    let opened = open_keystore(file, &args.unlock)?;
    if let Some(out) = &args.out {
        let key = choose_key(file, &opened, &args.which)?;
        return seal_one(&key, out, args.new_password_file.as_deref());
    }

    if args.which.path.is_some() {
        println!(
            "{}",
            wallet::address(&choose_key(file, &opened, &args.which)?)
        );
        return Ok(());
    }

    let branch = args.which.role.unwrap_or_default().branch();
    let public = words_of(file, &opened)?.root()?.derive(&branch)?.public();
    if args.xpub {
        println!("{public}");
        return Ok(());
    }

    print_addresses(&public, first, args.count)
}

/// `hotpot wallet show`.
pub fn show(args: &ShowArgs) -> Result<ExitCode> {
    let mut code = ExitCode::SUCCESS;
    for path in args
        .paths
        .iter()
        .map(|path| list_files(path))
        .collect::<Result<Vec<_>>>()?
        .concat()
    {
        match wallet::read_keystore(&path) {
            Ok(keystore) => {
                let address = keystore
                    .address()
                    .map_or_else(|| format!("{:42}", "unknown"), |found| found.to_string());
                let kind = if keystore.has_mnemonic() {
                    "words"
                } else {
                    "key  "
                };
                println!("{address}  {kind}  {}", path.display());
            }
            // A folder may hold other JSON.
            Err(KeyError::Keystore { .. }) if !args.paths.contains(&path) => {}
            Err(error) => {
                eprintln!("{:#}", anyhow::Error::from(error));
                code = ExitCode::FAILURE;
            }
        }
    }
    Ok(code)
}

/// `hotpot wallet export`.
pub fn export(args: &ExportArgs) -> Result<()> {
    if let Some(out) = &args.out {
        refuse_existing(out)?;
    }
    if args.print && !args.raw && !args.mnemonic {
        bail!("--print is for --raw and --mnemonic; a keystore goes to a file, named with --out");
    }

    let opened = open_keystore(&args.key, &args.unlock)?;
    let secret = if args.mnemonic {
        let mnemonic = words_of(&args.key, &opened)?;
        if mnemonic.has_passphrase() {
            eprintln!(
                "these words have a BIP-39 passphrase, which is not shown; without it they are another wallet"
            );
        }
        mnemonic.phrase()
    } else {
        let key = choose_key(&args.key, &opened, &args.which)?;
        match &args.out {
            Some(out) if !args.raw => {
                return seal_one(&key, out, args.new_password_file.as_deref());
            }
            _ => wallet::format_key(&key),
        }
    };

    match &args.out {
        Some(out) => wallet::write_secret(out, &Zeroizing::new([secret.as_str(), "\n"].concat()))?,
        None => writeln!(std::io::stdout(), "{}", *secret)?,
    }

    Ok(())
}

/// The key that signs.
pub fn signer(file: &Path, unlock: &Unlock, which: &Which) -> Result<SecretKey> {
    choose_key(file, &open_keystore(file, unlock)?, which)
}

/// A file's content, or standard input's for `-`.
pub fn read_text(source: &Path) -> Result<Zeroizing<String>> {
    if source != Path::new("-") {
        let text = std::fs::read_to_string(source);
        return text
            .map(Zeroizing::new)
            .with_context(|| format!("read {}", source.display()));
    }
    let mut text = Zeroizing::new(String::new());
    std::io::stdin()
        .read_to_string(&mut text)
        .context("read standard input")?;
    Ok(text)
}

fn open_keystore(file: &Path, unlock: &Unlock) -> Result<Opened> {
    let keystore = wallet::read_keystore(file)?;
    let password = password::existing(file, unlock.password_file.as_deref())?;
    open_with(&keystore, &password).with_context(|| format!("key file {}", file.display()))
}

/// Who meant a password file that turns out to be empty is told so.
fn open_with(keystore: &Keystore, password: &str) -> Result<Opened> {
    let opened = keystore.open(password);
    let is_refused = matches!(opened, Err(KeystoreError::Password));
    if is_refused && password.is_empty() {
        return opened
            .context("the password is empty; if it is from a file, its first line is empty");
    }
    Ok(opened?)
}

fn choose_key(file: &Path, opened: &Opened, which: &Which) -> Result<SecretKey> {
    match which.path() {
        Some(path) => Ok(words_of(file, opened)?.key(&path)?),
        None => Ok(opened.key),
    }
}

fn words_of<'o>(file: &Path, opened: &'o Opened) -> Result<&'o Mnemonic> {
    if let Some(why) = &opened.unread_words {
        bail!("{} holds one key and no words: {why}", file.display());
    }
    let none = || {
        format!(
            "{} holds one key and no words: nothing can be derived from it",
            file.display()
        )
    };
    opened.mnemonic.as_ref().with_context(none)
}

/// Words, a hex key or a keystore.
fn read_source(args: &ImportArgs) -> Result<Opened> {
    let has_passphrase = args.ask_bip39_passphrase || args.bip39_passphrase_file.is_some();

    match source_text(args)?.parse::<Secret>()? {
        Secret::Words(mnemonic) => {
            let mnemonic = if has_passphrase {
                let given = args.bip39_passphrase_file.as_deref();
                mnemonic.with_passphrase(&password::bip39_passphrase(given)?)
            } else {
                mnemonic
            };
            Ok(Opened::from_mnemonic(mnemonic, Role::Holder.path(0))?)
        }
        _ if has_passphrase => bail!("a BIP-39 passphrase belongs to words, and these are none"),
        Secret::Key(key) => Ok(Opened::from_key(key)),
        Secret::Keystore(keystore) => open_source(args, &keystore),
    }
}

fn open_source(args: &ImportArgs, keystore: &Keystore) -> Result<Opened> {
    let given = args.source_password_file.as_deref();
    if given.is_none() && args.source.is_none() {
        bail!("name the keystore's file, and you are asked for its password");
    }

    let file = args.source.as_deref().unwrap_or(Path::new("-"));
    open_with(keystore, &password::existing(file, given)?)
}

/// What of a foreign file is not as in ours.
fn tell_what_is_unusual(opened: &Opened) {
    if let Some(why) = &opened.unread_words {
        eprintln!("only the key is imported: {why}");
    }
    if let Some(path) = &opened.path
        && *path != Role::Holder.path(0)
    {
        eprintln!("the key of the file is {path} of its words, and stays so");
    }
}

fn source_text(args: &ImportArgs) -> Result<Zeroizing<String>> {
    match args
        .source
        .as_deref()
        .filter(|source| *source != Path::new("-"))
    {
        Some(file) => Ok(wallet::read_secret(file)?),
        None if std::io::stdin().is_terminal() => ask_for_secret(),
        None => read_text(Path::new("-")),
    }
}

/// A key is one line; words may be a list of several, as they are shown and pasted back, so an empty line ends them.
fn ask_for_secret() -> Result<Zeroizing<String>> {
    let mut text = password::ask("Words or key, not shown; an empty line ends them: ")?;

    for _ in 1..TYPED_LINES_MAX {
        if is_whole(&text) {
            break;
        }
        let line = password::ask("")?;
        if line.trim().is_empty() {
            break;
        }
        text = Zeroizing::new([text.as_str(), "\n", line.as_str()].concat());
    }

    Ok(text)
}

/// Whether no further line could belong to it. Twelve words may be the first half of more.
fn is_whole(text: &str) -> bool {
    match text.parse() {
        Ok(Secret::Words(mnemonic)) => mnemonic.entropy().len() == ENTROPY_BYTES_MAX,
        Ok(Secret::Key(_) | Secret::Keystore(_)) => true,
        Err(_) => text.trim().is_empty(),
    }
}

fn seal_one(key: &SecretKey, out: &Path, password_file: Option<&Path>) -> Result<()> {
    refuse_existing(out)?;
    let password = password::fresh(out, password_file)?;
    save_keystore(out, &Keystore::seal(key, &password, Cost::Password)?)
}

/// Writes the file and prints its address.
fn save_keystore(out: &Path, keystore: &Keystore) -> Result<()> {
    wallet::write_keystore(out, keystore)?;
    if let Some(address) = keystore.address() {
        println!("{address}");
    }
    eprintln!("wrote {}", out.display());
    Ok(())
}

/// Before anybody is asked for a password in vain.
fn refuse_existing(out: &Path) -> Result<()> {
    if out.exists() {
        return Err(KeyError::Exists {
            path: out.to_owned(),
        }
        .into());
    }
    Ok(())
}

fn print_addresses(public: &ExtendedPublicKey, first: u32, count: u32) -> Result<()> {
    for index in first..first.saturating_add(count) {
        let step: HdPath = format!("m/{index}").parse()?;
        println!("{}", public.derive(&step)?.address()?);
    }
    Ok(())
}

fn list_files(path: &Path) -> Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = std::fs::read_dir(path).with_context(|| format!("list {}", path.display()))?;
    let files = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()?;
    let json =
        |file: &PathBuf| file.is_file() && file.extension().is_some_and(|ending| ending == "json");
    let mut files: Vec<_> = files.into_iter().filter(json).collect();
    files.sort();
    Ok(files)
}

/// `1 word  2 word …`, four in a row.
fn numbered_words(mnemonic: &Mnemonic) -> Zeroizing<String> {
    let phrase = mnemonic.phrase();
    let mut text = Zeroizing::new(String::with_capacity(phrase.len() * 4));
    for (index, word) in phrase.split(' ').enumerate() {
        text.push_str(&format!("{:>4} {word:<9}", index + 1));
        if (index + 1) % WORDS_IN_ROW == 0 {
            text.push('\n');
        }
    }
    text
}
