//! Every signature of a walk is made by the command `hotpot wallet`, as its users would.

use crate::actor::{Actor, Key};
use crate::draft::Draft;
use crate::network::Network;
use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use wallet::{Cost, Keystore, Mnemonic};

/// The keystore of a walk, in its folder.
const WALLET: &str = "wallet.json";
/// Beside it lies its password, where `hotpot wallet` finds it.
const PASSPHRASE: &str = "passphrase";
/// Later than any walk.
const APPROVED_UNTIL: &str = "2100-01-01T00:00:00Z";

/// The keys of a walk, and the program that signs with them.
#[derive(Debug)]
pub struct Signer {
    hotpot: PathBuf,
    folder: PathBuf,
    keys: PathBuf,
    node: String,
    addresses: BTreeMap<Actor, String>,
}

impl Signer {
    /// Makes a wallet in a folder.
    pub fn new(hotpot: &Path, network: &Network, folder: &Path) -> Result<Self> {
        make_wallet(folder)?;
        let mut signer = Self {
            hotpot: hotpot.canonicalize().context("the program hotpot")?,
            folder: folder.to_owned(),
            keys: network.folder().join("keys"),
            node: network.node().to_owned(),
            addresses: BTreeMap::new(),
        };

        for who in Actor::OF_THE_WALLET {
            let words = [vec!["derive".into(), WALLET.into()], which(who)].concat();
            signer.addresses.insert(who, signer.run(&words, "")?);
        }
        Ok(signer)
    }

    /// An actor's account.
    pub fn address(&self, who: Actor) -> Result<&str> {
        let address = self.addresses.get(&who);
        address
            .map(String::as_str)
            .with_context(|| format!("{who} has no key in the wallet"))
    }

    /// A transaction, signed.
    pub fn sign(&self, who: Actor, draft: &Draft) -> Result<String> {
        let words = [self.at_node("sign -"), self.key(who)].concat();
        self.run(&words, &draft.to_text())
    }

    /// The fields of the registrar's approval.
    pub fn approve(&self, outlet: u64, owner: Actor) -> Result<Value> {
        let owner = self.address(owner)?;
        let told = format!("approve --outlet {outlet} --owner {owner}");
        let until = vec!["--expires-at".into(), APPROVED_UNTIL.into()];
        let words = [self.at_node(&told), self.key(Actor::Registrar), until].concat();
        Ok(serde_json::from_str(&self.run(&words, "")?)?)
    }

    /// A claim of what is on a receipt: what the guest's phone makes of the code that the till printed.
    pub fn claim(&self, till: Actor, outlet: u64, sale_id: &str, wallet: Actor) -> Result<String> {
        let told = format!("receipt --text --terminal {WALLET} --outlet {outlet}");
        let sale = vec!["--sale-id".into(), sale_id.into()];
        let code = self.run(&[self.at_node(&told), which(till), sale].concat(), "")?;

        let wallet = self.address(wallet)?;
        self.run(&self.at_node(&format!("claim - --wallet {wallet}")), &code)
    }

    /// A guest's consent to a camera, seen by a till; what shows whose it is lies in a file named after it.
    pub fn consent(&self, name: &str, seen_by: Actor, outlet: u64, camera: u64) -> Result<String> {
        let Key::Wallet { index, .. } = seen_by.key() else {
            bail!("{seen_by} is no till");
        };
        let told = format!(
            "consent --witness {WALLET} --witness-index {index} --guest {WALLET} --outlet {outlet} \
             --camera {camera} --purpose recording --salt-file {name}.salt.json"
        );
        let table = vec!["--reference".into(), format!("table {camera}")];
        let words = [self.at_node(&told), which(Actor::Guest), table].concat();
        self.run(&words, "")
    }

    fn at_node(&self, words: &str) -> Vec<String> {
        let words = words.split_whitespace().map(str::to_owned);
        let node = ["--node".into(), self.node.clone()];
        words.chain(node).collect()
    }

    fn key(&self, who: Actor) -> Vec<String> {
        let file = match who.key() {
            Key::Network => self.keys.join(format!("{who}.json")).display().to_string(),
            Key::Wallet { .. } => WALLET.into(),
        };
        [vec!["--key".into(), file], which(who)].concat()
    }

    /// What `hotpot wallet …` prints.
    fn run(&self, words: &[String], input: &str) -> Result<String> {
        let mut child = Command::new(&self.hotpot)
            .arg("wallet")
            .args(words)
            .current_dir(&self.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("start {}", self.hotpot.display()))?;
        let mut stdin = child.stdin.take().context("no standard input")?;
        // A command that reads nothing may be gone already.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);

        let output = child.wait_with_output()?;
        let error = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success(),
            "hotpot wallet {}: {error}",
            words.join(" ")
        );
        Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
    }
}

/// Under a random password, so that the keystore may be quick to open: it is opened for each signature.
fn make_wallet(folder: &Path) -> Result<()> {
    let password = Mnemonic::generate(24)?.phrase();
    let keystore = Keystore::seal_mnemonic(&Mnemonic::generate(12)?, &password, Cost::Random)?;
    wallet::write_secret(&folder.join(PASSPHRASE), &password)?;
    Ok(wallet::write_keystore(&folder.join(WALLET), &keystore)?)
}

/// Which key of the wallet.
fn which(who: Actor) -> Vec<String> {
    match who.key() {
        Key::Network => Vec::new(),
        Key::Wallet { role, index } => ["--role", role, "--index", &index.to_string()]
            .map(str::to_owned)
            .into(),
    }
}
