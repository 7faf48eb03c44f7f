//! Sections `[agent]`, `[vault]` and `[ipfs]`: what is needed to keep recordings.

use super::Config;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The least spool: a segment of the largest kind and some more.
const SPOOL_BYTES_MIN: u64 = 64 << 20;
/// No basis allows more, as on the ledger.
const KEEP_DAYS_MAX: u32 = recording_vault::core::terms::DAYS_MAX;

/// Section `[agent]`: the key that the outlet's owner enrolled as a terminal of kind `video_agent`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AgentConfig {
    /// Encrypted keystore, mode 0600. The vault's keys are wrapped by it too: without it no recording opens.
    pub keystore_file: Option<PathBuf>,
    /// File with its passphrase, mode 0600.
    pub passphrase_file: Option<PathBuf>,
}

/// Section `[vault]`: where recordings are encrypted and wait.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VaultConfig {
    /// Holds the database and the spool: ciphertext only.
    pub dir: PathBuf,
    /// Holds the wrapped keys. A backup of it outlives the destruction of a key: make none.
    pub keys_dir: PathBuf,
    /// Bytes that may wait for the network. Default 8 GiB: about eleven hours of one camera.
    #[serde(default = "spool_bytes_max")]
    pub spool_bytes_max: u64,
    /// Days until a recording under a guest's consent is erased without a revocation, 1 to 30. Default 7.
    #[serde(default = "guest_keep_days")]
    pub guest_keep_days: u32,
}

fn spool_bytes_max() -> u64 {
    8 << 30
}

fn guest_keep_days() -> u32 {
    7
}

/// Section `[ipfs]`: one place that is given the content, and others that keep it too.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IpfsConfig {
    /// RPC API of a Kubo node, such as `http://127.0.0.1:5001`. This or `block_store_dir` is needed with a vault.
    pub kubo_url: Option<String>,
    /// A file with the bearer token of that API, if it asks for one.
    pub kubo_token_file: Option<PathBuf>,
    /// The built-in block store, where no Kubo runs: the same CIDs, served to nobody.
    pub block_store_dir: Option<PathBuf>,
    /// What it may hold. Default 64 GiB.
    pub block_store_bytes_max: u64,
    /// Services of the IPFS Pinning Service API; they fetch from the Kubo node.
    pub pinning_services: Vec<PinningConfig>,
    /// An account at Pinata.
    pub pinata: Option<PinataConfig>,
}

impl Default for IpfsConfig {
    fn default() -> Self {
        Self {
            kubo_url: None,
            kubo_token_file: None,
            block_store_dir: None,
            block_store_bytes_max: 64 << 30,
            pinning_services: Vec::new(),
            pinata: None,
        }
    }
}

/// An entry of `[[ipfs.pinning_services]]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PinningConfig {
    /// Its API, such as `https://api.pinning.example/psa`.
    pub url: String,
    /// A file with the access token.
    pub token_file: PathBuf,
    /// Multiaddresses of the Kubo node, by which the service finds it.
    #[serde(default)]
    pub origins: Vec<String>,
}

/// Section `[ipfs.pinata]`: an account at Pinata.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PinataConfig {
    /// A file with the JWT.
    pub jwt_file: PathBuf,
    /// The API. Default `https://api.pinata.cloud`.
    #[serde(default = "pinata_api")]
    pub api_url: String,
    /// Where files are uploaded. Default `https://uploads.pinata.cloud`.
    #[serde(default = "pinata_uploads")]
    pub uploads_url: String,
}

fn pinata_api() -> String {
    "https://api.pinata.cloud".into()
}

fn pinata_uploads() -> String {
    "https://uploads.pinata.cloud".into()
}

/// What is wrong in these sections.
pub(super) fn mistakes(config: &Config) -> Vec<String> {
    let mut found = match &config.vault {
        Some(vault) => of_vault(vault, config),
        None if is_given(&config.ipfs) => {
            vec!["ipfs: nothing goes there without vault.dir and vault.keys_dir".into()]
        }
        None => Vec::new(),
    };
    found.extend(of_ipfs(&config.ipfs));
    found
}

fn is_given(ipfs: &IpfsConfig) -> bool {
    ipfs.kubo_url.is_some()
        || ipfs.block_store_dir.is_some()
        || ipfs.pinata.is_some()
        || !ipfs.pinning_services.is_empty()
}

fn of_vault(vault: &VaultConfig, config: &Config) -> Vec<String> {
    let (agent, ipfs) = (&config.agent, &config.ipfs);
    let empty = |path: &Path| path.as_os_str().is_empty();

    let rules = [
        (empty(&vault.dir), "vault.dir: is missing".to_owned()),
        (empty(&vault.keys_dir), "vault.keys_dir: is missing".into()),
        (
            vault.dir == vault.keys_dir,
            "vault.keys_dir: must be another folder than vault.dir".into(),
        ),
        (
            vault.spool_bytes_max < SPOOL_BYTES_MIN,
            format!("vault.spool_bytes_max: must be {SPOOL_BYTES_MIN} or more"),
        ),
        (
            !(1..=KEEP_DAYS_MAX).contains(&vault.guest_keep_days),
            format!("vault.guest_keep_days: must be from 1 to {KEEP_DAYS_MAX}"),
        ),
        (
            agent.keystore_file.is_none(),
            "agent.keystore_file: is missing, recordings are signed with it".into(),
        ),
        (
            agent.passphrase_file.is_none(),
            "agent.passphrase_file: is missing".into(),
        ),
        (
            ipfs.kubo_url.is_some() == ipfs.block_store_dir.is_some(),
            "ipfs.kubo_url, ipfs.block_store_dir: give exactly one".into(),
        ),
    ];

    rules
        .into_iter()
        .filter_map(|(wrong, text)| wrong.then_some(text))
        .collect()
}

fn of_ipfs(ipfs: &IpfsConfig) -> Vec<String> {
    let bad_url = |url: &str| !url.starts_with("http://") && !url.starts_with("https://");

    let mut urls: Vec<(String, &str)> = Vec::new();
    urls.extend(
        ipfs.kubo_url
            .iter()
            .map(|url| ("kubo_url".into(), url.as_str())),
    );
    urls.extend(
        ipfs.pinata
            .iter()
            .map(|pinata| ("pinata.api_url".into(), pinata.api_url.as_str())),
    );
    urls.extend(
        ipfs.pinata
            .iter()
            .map(|pinata| ("pinata.uploads_url".into(), pinata.uploads_url.as_str())),
    );
    let services = ipfs.pinning_services.iter().enumerate();
    urls.extend(services.map(|(place, service)| {
        (
            format!("pinning_services[{place}].url"),
            service.url.as_str(),
        )
    }));

    let wrong = urls.into_iter().filter(|(_, url)| bad_url(url));
    let mut found: Vec<String> = wrong
        .map(|(path, _)| format!("ipfs.{path}: must begin with http:// or https://"))
        .collect();

    if !ipfs.pinning_services.is_empty() && ipfs.kubo_url.is_none() {
        found.push(
            "ipfs.pinning_services: they fetch from a Kubo node, so ipfs.kubo_url is needed".into(),
        );
    }
    if ipfs.kubo_token_file.is_some() && ipfs.kubo_url.is_none() {
        found.push("ipfs.kubo_token_file: is of no use without ipfs.kubo_url".into());
    }

    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes_of(text: &str) -> Vec<String> {
        mistakes(&serde_json::from_str(text).unwrap())
    }

    #[test]
    fn a_vault_needs_a_key_and_a_place_to_go() {
        let found = mistakes_of(
            r#"{"vault": {"dir": "v", "keys_dir": "v", "spool_bytes_max": 1, "guest_keep_days": 31}}"#,
        );
        assert_eq!(found.len(), 6, "{found:#?}");
    }

    #[test]
    fn what_is_right_is_taken() {
        let text = r#"{"agent": {"keystore_file": "a.json", "passphrase_file": "p"},
            "vault": {"dir": "v", "keys_dir": "k"},
            "ipfs": {"kubo_url": "http://127.0.0.1:5001", "pinata": {"jwt_file": "j"},
                     "pinning_services": [{"url": "https://pin.example", "token_file": "t"}]}}"#;
        assert_eq!(mistakes_of(text), Vec::<String>::new());
        assert_eq!(mistakes_of("{}"), Vec::<String>::new());
    }

    #[test]
    fn places_that_cannot_work_are_named() {
        let text = r#"{"ipfs": {"block_store_dir": "b", "kubo_token_file": "t",
            "pinning_services": [{"url": "ftp://pin.example", "token_file": "t"}]}}"#;
        let found = mistakes_of(text);
        assert_eq!(found.len(), 4, "{found:#?}");
        assert!(
            found
                .iter()
                .any(|text| text.starts_with("ipfs.pinning_services[0].url")),
            "{found:#?}"
        );
    }
}
