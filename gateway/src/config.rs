//! What the gateway needs to know.

use crate::core::choice::Choice;
use serde::{Deserialize, Serialize};
use service_kit::Secret;
use service_kit::database::DatabaseConfig;
use service_kit::doors::DoorLimits;
use service_kit::mistakes::{ConfigMistakes, refuse_mistakes};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Everything, by section.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The read model.
    pub database: Database,
    /// Nodes of the sidechain, for what the database does not hold.
    pub node: Node,
    /// The public listener, for pages and API.
    pub http: Http,
    /// What the pages are told, such as a block explorer.
    pub web: Web,
    /// The outlets' video agents.
    pub video: Video,
}

/// Section `[database]`: where the indexer's rows are read.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Database {
    /// `postgres://…`; a user that may only read is enough. Give this or `url_file`.
    pub url: Secret,
    /// A file that holds the URL, so that it appears in no process list.
    pub url_file: Option<PathBuf>,
    /// Connections held at most, beside one that looks whether the database answers. Default 8.
    pub connections_max: u32,
    /// After this PostgreSQL gives a query up, milliseconds: it would go on for a reader who is long gone. Default 5000.
    pub statement_timeout_ms: u32,
}

impl Default for Database {
    fn default() -> Self {
        Self {
            url: Secret::default(),
            url_file: None,
            connections_max: 8,
            statement_timeout_ms: 5_000,
        }
    }
}

/// Section `[node]`: where transactions go and live answers come from.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Node {
    /// Base URLs of nodes of the sidechain; the next one is asked when one does not answer, and two have to agree on who
    /// may look at cameras. Default `["http://127.0.0.1:7000"]`.
    pub urls: Vec<String>,
    /// How the first node of a request is chosen: `least_connections`, `round_robin` or `weight`. Default
    /// `least_connections`.
    pub choice: Choice,
    /// How often each of `urls` is the first one with `choice = "weight"`, in their order. Default 1 for each.
    pub weights: Vec<u32>,
}

impl Default for Node {
    fn default() -> Self {
        Self {
            urls: vec!["http://127.0.0.1:7000".into()],
            choice: Choice::default(),
            weights: Vec::new(),
        }
    }
}

/// Section `[http]`: the public listener and its limit.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    /// Where everything but perhaps the metrics is served. Default `127.0.0.1:8080`; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where `/metrics` is served instead of there. Without it, it is shown at `listen` if that is on loopback, and else
    /// nowhere.
    pub metrics_listen: Option<SocketAddr>,
    /// What strangers may take.
    pub limits: DoorLimits,
    /// Readers of `/api/v1/events` at once. Default 10000.
    pub event_readers_max: usize,
    /// Origins, such as `https://shop.example`, whose pages may send sales and transactions through a browser, and
    /// read what comes of it. Every page may read; the gateway's own may do everything. Default none.
    pub write_origins: Vec<String>,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            metrics_listen: None,
            limits: DoorLimits::default(),
            event_readers_max: 10_000,
            write_origins: Vec::new(),
        }
    }
}

/// Section `[web]`: what the pages are told about this deployment.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Web {
    /// A block explorer's address of an EVM transaction with `{tx}` in place of its hash, such as
    /// `https://etherscan.io/tx/{tx}`. Without it the pages show hashes alone.
    pub explorer: Option<String>,
}

/// Section `[video]`: the agents that are reached through this gateway.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Video {
    /// Agents whose cameras and previews outlets' owners may look at through this gateway.
    pub agents: Vec<VideoAgent>,
}

/// One `[[video.agents]]`: an outlet and its agent.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VideoAgent {
    /// The outlet's number.
    pub outlet: u64,
    /// The agent's base URL, such as `http://127.0.0.1:7600`; nobody but this gateway needs to reach it.
    pub url: String,
}

impl Config {
    /// Checks everything that can be checked without asking anybody.
    pub fn check(&self) -> Result<(), ConfigMistakes> {
        let bad_node = |url: &String| !url.starts_with("http://") && !url.starts_with("https://");
        let bad_agent = |agent: &VideoAgent| bad_node(&agent.url);
        let bad_explorer = |url: &String| !url.starts_with("https://") || !url.contains("{tx}");

        let bad_origin = |origin: &String| !is_origin(origin);

        let rules = [
            self.database.location().missing_url(),
            (
                self.database.connections_max < 2,
                "database.connections_max: must be at least 2",
            ),
            (
                self.database.statement_timeout_ms == 0,
                "database.statement_timeout_ms: must be at least 1",
            ),
            (
                self.node.has_bad_weights(),
                "node.weights: one of at least 1 for each of node.urls, or none",
            ),
            (
                self.node.urls.is_empty(),
                "node.urls: at least one node is required",
            ),
            (
                self.node.urls.iter().any(bad_node),
                "node.urls: each must begin with http:// or https://",
            ),
            (
                self.video.agents.iter().any(bad_agent),
                "video.agents: each url must begin with http:// or https://",
            ),
            (
                self.web.explorer.iter().any(bad_explorer),
                "web.explorer: must begin with https:// and hold {tx}",
            ),
            (
                self.http.write_origins.iter().any(bad_origin),
                "http.write_origins: each is scheme://host or scheme://host:port, without a slash at its end",
            ),
        ];

        refuse_mistakes(rules.into_iter().chain(self.http.limits.mistakes()))
    }
}

/// Whether browsers would send this text as an origin.
fn is_origin(text: &str) -> bool {
    let host = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));

    host.is_some_and(|host| {
        let is_odd = |letter: char| letter.is_whitespace() || "/?#@*".contains(letter);
        !host.is_empty() && !host.contains(is_odd)
    })
}

impl Node {
    fn has_bad_weights(&self) -> bool {
        let is_other_length = self.weights.len() != self.urls.len();
        !self.weights.is_empty() && (is_other_length || self.weights.contains(&0))
    }
}

impl Database {
    /// Where it is.
    pub fn location(&self) -> DatabaseConfig {
        DatabaseConfig {
            url: self.url.clone(),
            url_file: self.url_file.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_mistakes_are_reported_at_once() {
        let mut config = Config::default();
        config.node.urls.clear();
        config.web.explorer = Some("javascript:alert(1)".into());
        config.video.agents.push(VideoAgent {
            outlet: 1,
            url: "127.0.0.1:7300".into(),
        });
        config.http.write_origins = vec!["https://shop.example/".into()];
        config.http.limits.connections_max = 0;
        let mistakes = config.check().unwrap_err().mistakes;
        assert_eq!(mistakes.len(), 6, "{mistakes:?}");
    }

    #[test]
    fn weights_belong_to_one_node_each() {
        let node = |weights: &[u32]| Node {
            urls: vec!["http://a".into(), "http://b".into()],
            weights: weights.to_vec(),
            ..Node::default()
        };
        assert!(!node(&[]).has_bad_weights());
        assert!(!node(&[3, 1]).has_bad_weights());
        assert!(node(&[3]).has_bad_weights());
        assert!(node(&[3, 0]).has_bad_weights());
    }
}
