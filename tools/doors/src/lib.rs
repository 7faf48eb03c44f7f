#![doc = include_str!("../README.md")]

mod actor;
mod door;
mod draft;
mod network;
mod refund;
mod report;
mod signer;
mod story;
mod supply;
mod walk;

use anyhow::Result;
use network::{Network, wait_for};
use std::ops::AddAssign;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use walk::Walk;

/// Before a copy of the books is looked at again.
const BOOKS_PAUSE: Duration = Duration::from_millis(300);

/// Which doors of a network are walked through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Through {
    /// The gateway's, which passes on to a node.
    Gateway,
    /// A node's own.
    Node,
}

impl Through {
    /// Both, in the order of a whole walk.
    pub const ALL: [Self; 2] = [Self::Gateway, Self::Node];
}

/// What is walked.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The folder of a running `hotpot up`.
    pub data_dir: PathBuf,
    /// The program that signs.
    pub hotpot: PathBuf,
    /// One walk for each.
    pub through: Vec<Through>,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Doors walked through.
    pub doors: usize,
    /// Those that were not as written, and copies of the books that differ.
    pub wrong: usize,
}

impl AddAssign for Verdict {
    fn add_assign(&mut self, more: Self) {
        self.doors += more.doors;
        self.wrong += more.wrong;
    }
}

/// Walks through every door, prints each, and says how many were not as written.
pub fn run(plan: &Plan) -> Result<Verdict> {
    let started = Instant::now();
    let network = Network::read(&plan.data_dir)?;
    let mut verdict = Verdict::default();

    for through in &plan.through {
        let (name, base) = match through {
            Through::Gateway => ("gateway", network.gateway()),
            Through::Node => ("node", network.other_node()),
        };
        let mut walk = Walk::new(&network, &plan.hotpot, name, base)?;
        story::tell(&mut walk)?;
        verdict += walk.verdict();
    }
    verdict.wrong += books_that_differ(&network)?;

    let (doors, wrong) = (verdict.doors, verdict.wrong);
    let seconds = started.elapsed().as_secs();
    report::say(&format!("{doors} doors, {wrong} wrong, {seconds} s"));
    Ok(verdict)
}

/// Every copy of the books has to say the same; some follow a moment later.
fn books_that_differ(network: &Network) -> Result<usize> {
    report::group("All nodes and the gateway have the same supply");
    network.come_to_rest()?;

    let mut differ = 0;
    for url in network.all() {
        let (mut found, mut wanted) = (String::new(), String::new());
        let same = wait_for(BOOKS_PAUSE, || {
            wanted = supply::books(&network.supply()?);
            found = supply::books(&network.supply_at(url)?);
            Ok((found == wanted).then_some(()))
        })?;
        report::books(url, &found, &wanted);
        differ += usize::from(same.is_none());
    }
    Ok(differ)
}
