//! `hotpot node status`: how running nodes are.

use anyhow::Result;
use clap::Args;
use client::{NodeClient, StatusAnswer};
use comfy_table::presets::UTF8_BORDERS_ONLY;
use comfy_table::{Attribute, Cell, Color, Table};
use domain::Address;
use futures::future::join_all;
use local_network::NetworkFile;
use serde_json::{Value, json};
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// `hotpot node status`.
#[derive(Clone, Debug, Args)]
pub struct NodeStatusArgs {
    /// The folder of a network that `hotpot up` runs: all its nodes.
    #[arg(long, default_value = ".hotpot", conflicts_with = "node")]
    pub data_dir: PathBuf,
    /// Ask these nodes instead. Repeatable.
    #[arg(long, value_name = "URL")]
    pub node: Vec<String>,
    /// Look again every second, until Ctrl-C.
    #[arg(long)]
    pub watch: bool,
    /// One JSON object a look on standard output.
    #[arg(long)]
    pub json: bool,
}

/// A node that takes longer to answer counts as down.
const PATIENCE: Duration = Duration::from_secs(3);
/// How often `--watch` looks.
const INTERVAL: Duration = Duration::from_secs(1);
/// A node this many blocks behind the highest one is shown as behind: another one may just have come.
const BEHIND_MIN: u64 = 3;
/// A validator that signed a smaller share of the last blocks, in percent, is shown as absent.
const SIGNED_PERCENT_MIN: usize = 95;
const COLUMNS: [&str; 10] = [
    "node",
    "state",
    "height",
    "round",
    "validator",
    "power",
    "signed",
    "mempool",
    "epoch",
    "version",
];

/// A node with its name.
struct Asked {
    name: String,
    client: NodeClient,
}

/// What a node answered, or why it did not.
struct Seen {
    name: String,
    url: String,
    answer: Result<StatusAnswer, String>,
}

impl Seen {
    fn is_ready(&self) -> bool {
        self.answer.as_ref().is_ok_and(|status| status.ready)
    }

    fn reason(&self) -> Option<&str> {
        match &self.answer {
            Ok(status) => status.reason.as_deref(),
            Err(reason) => Some(reason),
        }
    }
}

/// Looks once, or again and again.
pub async fn run(args: &NodeStatusArgs) -> Result<ExitCode> {
    let nodes = nodes_to_ask(args)?;
    loop {
        let seen = join_all(nodes.iter().map(ask_status)).await;
        print_answers(args, &seen);

        if !args.watch {
            return Ok(if seen.iter().all(Seen::is_ready) {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            });
        }

        tokio::time::sleep(INTERVAL).await;
    }
}

fn nodes_to_ask(args: &NodeStatusArgs) -> Result<Vec<Asked>> {
    if !args.node.is_empty() {
        let named = |url: &String| Asked {
            name: url.clone(),
            client: NodeClient::new(url),
        };
        return Ok(args.node.iter().map(named).collect());
    }

    let network = NetworkFile::read(&args.data_dir)?;
    let named = |(number, url): (usize, &String)| Asked {
        name: format!("node-{number}"),
        client: NodeClient::new(url),
    };

    Ok(network
        .nodes
        .iter()
        .map(|entry| &entry.http)
        .enumerate()
        .map(named)
        .collect())
}

async fn ask_status(node: &Asked) -> Seen {
    let answer = match tokio::time::timeout(PATIENCE, node.client.status()).await {
        Ok(answer) => answer.map_err(|error| format!("{:#}", anyhow::Error::new(error))),
        Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
    };
    Seen {
        name: node.name.clone(),
        url: node.client.base().to_owned(),
        answer,
    }
}

fn print_answers(args: &NodeStatusArgs, seen: &[Seen]) {
    if args.json {
        println!(
            "{}",
            json!({"type": "status", "nodes": seen.iter().map(as_json).collect::<Vec<_>>()})
        );
        return;
    }
    if args.watch && std::io::stdout().is_terminal() {
        // To the upper left corner of an empty screen.
        print!("\x1b[H\x1b[2J");
    }
    println!("{}", status_table(seen));
    for node in seen {
        if let Some(reason) = node.reason() {
            println!("{}: {reason}", node.name);
        }
    }
}

/// What the node said, with its name, URL and whether it answers.
fn as_json(seen: &Seen) -> Value {
    let mut value = match &seen.answer {
        Ok(status) => json!(status),
        Err(reason) => json!({"ready": false, "reason": reason}),
    };
    value["node"] = json!(seen.name);
    value["url"] = json!(seen.url);
    value["answers"] = json!(seen.answer.is_ok());
    value
}

fn status_table(seen: &[Seen]) -> Table {
    let highest = seen
        .iter()
        .filter_map(|node| node.answer.as_ref().ok())
        .map(|status| status.height)
        .max();
    let mut table = Table::new();
    table.load_preset(UTF8_BORDERS_ONLY);
    table.set_header(COLUMNS.map(|column| Cell::new(column).add_attribute(Attribute::Bold)));
    for node in seen {
        table.add_row(status_row(node, highest.unwrap_or(0)));
    }
    table
}

fn status_row(seen: &Seen, highest: u64) -> Vec<Cell> {
    let Ok(status) = &seen.answer else {
        return vec![
            Cell::new(&seen.name),
            Cell::new("down")
                .fg(Color::Red)
                .add_attribute(Attribute::Bold),
        ];
    };

    let state = if status.ready {
        ("ready", Color::Green)
    } else {
        ("not ready", Color::Red)
    };
    let is_behind = status.height + BEHIND_MIN <= highest;

    vec![
        Cell::new(&seen.name),
        Cell::new(state.0)
            .fg(state.1)
            .add_attribute(Attribute::Bold),
        coloured_cell(status.height.to_string(), is_behind),
        coloured_cell(status.round.to_string(), status.round > 0),
        Cell::new(
            status
                .validator
                .map_or_else(|| "follows".into(), short_address),
        ),
        coloured_cell(power_text(status), status.power_online < status.power_total),
        coloured_cell(signed_text(status), is_absent(status)),
        Cell::new(status.mempool),
        Cell::new(format!(
            "{}, {} signed",
            status.epoch, status.checkpointed_epoch
        )),
        Cell::new(&status.version),
    ]
}

fn short_address(address: Address) -> String {
    let text = format!("{address:#x}");
    format!("{}…{}", &text[..6], &text[text.len() - 4..])
}

fn coloured_cell(text: String, warns: bool) -> Cell {
    let cell = Cell::new(text);
    if warns { cell.fg(Color::Yellow) } else { cell }
}

/// Its own, and what was online of all.
fn power_text(status: &StatusAnswer) -> String {
    format!(
        "{}, {} of {} online",
        status.power, status.power_online, status.power_total
    )
}

fn signed_text(status: &StatusAnswer) -> String {
    status.signed.map_or_else(String::new, |signed| {
        format!("{} of {}", signed.signed, signed.blocks)
    })
}

fn is_absent(status: &StatusAnswer) -> bool {
    status
        .signed
        .is_some_and(|signed| signed.signed * 100 < signed.blocks * SIGNED_PERCENT_MIN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use client::SignedAnswer;

    fn seen(name: &str, height: u64, signed: usize) -> Seen {
        let status = json!({
            "ready": true, "validator": null, "sidechain_id": format!("0x{}", "11".repeat(32)), "height": height,
            "epoch": 3, "checkpointed_epoch": 2, "mempool": 5, "busy": false,
        });
        let status: StatusAnswer = serde_json::from_value(status).unwrap();
        let signed = Some(SignedAnswer {
            signed,
            blocks: 100,
        });
        Seen {
            name: name.into(),
            url: "http://a".into(),
            answer: Ok(StatusAnswer { signed, ..status }),
        }
    }

    fn down() -> Seen {
        Seen {
            name: "node-9".into(),
            url: "http://b".into(),
            answer: Err("no answer".into()),
        }
    }

    #[test]
    fn the_table_has_a_row_for_each_node_even_one_that_is_down() {
        let text = status_table(&[seen("node-0", 12, 100), down()]).to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert!(
            lines[3].contains("node-0")
                && lines[3].contains("100 of 100")
                && lines[3].contains("3, 2 signed")
        );
        assert!(
            lines[4].contains("node-9") && lines[4].contains("down"),
            "{text}"
        );
    }

    #[test]
    fn a_validator_is_absent_below_95_percent() {
        let absent = |signed| is_absent(seen("node-0", 1, signed).answer.as_ref().unwrap());
        assert!(!absent(95) && absent(94));
    }

    #[test]
    fn json_says_of_each_node_whether_it_answers_and_is_ready() {
        let (well, ill) = (as_json(&seen("node-0", 12, 100)), as_json(&down()));
        assert_eq!(
            (&well["answers"], &well["ready"], &well["height"]),
            (&json!(true), &json!(true), &json!(12))
        );
        assert_eq!(
            (&ill["answers"], &ill["ready"], &ill["reason"]),
            (&json!(false), &json!(false), &json!("no answer"))
        );
    }
}
