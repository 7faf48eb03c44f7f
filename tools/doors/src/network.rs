//! The running network: where its doors are, and what its first node says of the ledger.

use anyhow::{Context, Result, bail, ensure};
use api_types::{SaleAnswer, StatusAnswer, SupplyAnswer};
use reqwest::blocking::{Client, RequestBuilder};
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long the network may take for anything.
pub const PATIENCE: Duration = Duration::from_secs(180);
/// Between two questions for what is not there yet.
const PAUSE: Duration = Duration::from_millis(200);
/// Shorter, since it is asked for at each door: another node's block comes a moment later.
const BLOCK_PAUSE: Duration = Duration::from_millis(20);

/// What is needed of `network.json`.
#[derive(Deserialize)]
struct NetworkFile {
    nodes: Vec<Service>,
    gateway: Service,
}

#[derive(Deserialize)]
struct Service {
    http: String,
}

/// A network that somebody started with `hotpot up`.
#[derive(Clone, Debug)]
pub struct Network {
    folder: PathBuf,
    nodes: Vec<String>,
    gateway: String,
    epoch_blocks: u64,
    http: Client,
}

/// What a door said.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub text: String,
}

impl Answer {
    /// The body as JSON; null when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// The height of the block that this door led to.
    pub fn height(&self) -> Option<u64> {
        self.json().get("height")?.as_u64()
    }

    /// The reason of a refusal: the end of `urn:hotpot:problem:…`.
    pub fn code(&self) -> Option<String> {
        let json = self.json();
        let kind = json.get("type")?.as_str()?;
        let code = kind.strip_prefix("urn:hotpot:problem:")?;
        code.rsplit(':').next().map(str::to_owned)
    }
}

impl Network {
    /// Reads the folder of a network, and asks it for the length of an epoch.
    pub fn read(folder: &Path) -> Result<Self> {
        let file = read_file(&folder.join("network.json"))?;
        ensure!(file.nodes.len() > 1, "the network has fewer than two nodes");
        let http = Client::builder().timeout(PATIENCE).no_proxy().build()?;
        let mut network = Self {
            folder: folder.canonicalize()?,
            nodes: file.nodes.into_iter().map(|node| node.http).collect(),
            gateway: file.gateway.http,
            epoch_blocks: 0,
            http,
        };

        let genesis: Value = network.ask("/api/v1/genesis")?;
        let blocks = genesis.pointer("/epoch_length/blocks");
        let blocks = blocks.and_then(Value::as_u64).filter(|blocks| *blocks > 0);
        network.epoch_blocks = blocks.context("epochs are not counted in blocks")?;
        Ok(network)
    }

    /// Its folder, absolute.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The node that says what came of it all.
    pub fn node(&self) -> &str {
        &self.nodes[0]
    }

    /// A node that has to hear of it from the others, or to tell them.
    pub fn other_node(&self) -> &str {
        &self.nodes[1]
    }

    /// The gateway.
    pub fn gateway(&self) -> &str {
        &self.gateway
    }

    /// Who keeps a copy of the books.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        let gateway = std::iter::once(&self.gateway);
        self.nodes.iter().chain(gateway).map(String::as_str)
    }

    /// Asks for a URL.
    pub fn get(&self, url: &str) -> Result<Answer> {
        answer(self.http.get(url).header(ACCEPT, "application/json"))
    }

    /// Sends JSON, or what is to pass for it, to a URL.
    pub fn post(&self, url: &str, text: &str) -> Result<Answer> {
        let json = "application/json";
        let request = self.http.post(url).header(ACCEPT, json);
        answer(request.header(CONTENT_TYPE, json).body(text.to_owned()))
    }

    /// The id of a transaction that is final already: the first node answers with it when it is sent again.
    pub fn id_of_transaction(&self, text: &str) -> Result<String> {
        let answer = self.post(&format!("{}/api/v1/transactions", self.node()), text)?;
        let json = answer.json();
        let id = json.get("id").and_then(Value::as_str).map(str::to_owned);
        id.with_context(|| format!("{} is no answer with an id", answer.text))
    }

    /// What the first node says of itself, ready or not.
    pub fn status(&self) -> Result<StatusAnswer> {
        let answer = self.get(&format!("{}/readyz", self.node()))?;
        serde_json::from_str(&answer.text).context("the status of a node is not understood")
    }

    /// A sale as the first node knows it.
    pub fn sale(&self, outlet: u64, id: &str) -> Result<SaleAnswer> {
        self.ask(&format!("/api/v1/sales/{outlet}/{id}"))
    }

    /// Where all units are, says the first node.
    pub fn supply(&self) -> Result<SupplyAnswer> {
        self.ask("/api/v1/supply")
    }

    /// Where all units are, says this one.
    pub fn supply_at(&self, base: &str) -> Result<SupplyAnswer> {
        self.read_json(&format!("{base}/api/v1/supply"))
    }

    /// Waits for a block at the first node.
    pub fn wait_for_height(&self, height: u64) -> Result<()> {
        let reached = || Ok((self.supply()?.height >= height).then_some(()));
        let missing = || format!("{} does not reach height {height}", self.node());
        wait_for(BLOCK_PAUSE, reached)?.with_context(missing)
    }

    /// Waits until nothing is pending and the epoch has just begun: then what follows comes before its end.
    pub fn come_to_rest(&self) -> Result<()> {
        let rests = || Ok(self.rests()?.then_some(()));
        wait_for(PAUSE, rests)?.context("the network does not come to rest")
    }

    fn rests(&self) -> Result<bool> {
        let status = self.status()?;
        let begun = status.height % self.epoch_blocks < self.epoch_blocks / 2;
        Ok(begun && !status.busy && self.supply()?.pending == 0)
    }

    fn ask<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.read_json(&format!("{}{path}", self.node()))
    }

    fn read_json<T: DeserializeOwned>(&self, url: &str) -> Result<T> {
        let answer = self.get(url)?;
        if answer.status != 200 {
            bail!("{url} answers {}: {}", answer.status, answer.text);
        }
        serde_json::from_str(&answer.text).with_context(|| format!("{url} is not understood"))
    }
}

/// Asks until there is something; none when it takes too long.
pub fn wait_for<T>(
    pause: Duration,
    mut ask: impl FnMut() -> Result<Option<T>>,
) -> Result<Option<T>> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let found = ask()?;
        if found.is_some() || Instant::now() > deadline {
            return Ok(found);
        }
        std::thread::sleep(pause);
    }
}

fn read_file(file: &Path) -> Result<NetworkFile> {
    let text = std::fs::read_to_string(file).with_context(|| {
        let file = file.display();
        format!("{file} is missing: is hotpot up running on this folder?")
    })?;
    serde_json::from_str(&text).with_context(|| format!("{} is damaged", file.display()))
}

fn answer(request: RequestBuilder) -> Result<Answer> {
    let answer = request.send()?;
    Ok(Answer {
        status: answer.status().as_u16(),
        text: answer.text()?,
    })
}
