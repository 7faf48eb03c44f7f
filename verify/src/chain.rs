//! The sidechain, checked as a stranger would: every block from the genesis on, in every copy of it.

use crate::ledger_rows::LedgerRows;
use crate::nodes::{Copy, Found, Node};
use crate::report::Report;
use anyhow::Result;
use domain::checkpoint::SignedCheckpoint;
use domain::ledger::EpochCheckpoint;
use domain::sale::check_lines;
use domain::transaction::VerifiedTransaction;
use domain::{
    B256, Block, CommitCertificate, Event, Executed, Genesis, Ledger, Payload, SignedTransaction,
    ValidatorSet, keccak256,
};
use indicatif::ProgressBar;
use sidechain::core::unindexed::TURNS;
use std::collections::BTreeMap;

/// What the blocks lead to.
pub struct Chain {
    /// The state after the last block that could be checked.
    pub ledger: Ledger,
    /// Checkpoints by epoch.
    pub checkpoints: BTreeMap<u64, EpochCheckpoint>,
    /// Whether every block of every copy was reached. If not, nothing that follows from blocks can be compared.
    pub is_complete: bool,
    /// What a mirror must hold that is as far as was asked for.
    pub rows: LedgerRows,
    hashes: Vec<B256>,
    /// Sets by the first height that they are in force at.
    validators: BTreeMap<u64, ValidatorSet>,
}

/// A block that may be believed.
struct Checked {
    copy: Copy,
    block: Block,
    executed: Executed,
}

/// The causes of an error, in one line.
fn join_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// Certificate of the validators in force, header, every signature, every rule. The ledger stays as it is.
fn check_copy(ledger: &Ledger, copy: Copy) -> Result<Checked, String> {
    let block = Block::decode(&copy.raw).map_err(|error| join_causes(&error))?;
    let (height, hash) = (ledger.next_height(), block.header.hash());

    let certificate =
        copy.certificate
            .verify(ledger.sidechain_id(), height, hash, ledger.validators());
    certificate.map_err(|error| format!("its certificate does not hold: {error}"))?;

    let mut verify = |transaction: &SignedTransaction, domain: &_| {
        VerifiedTransaction::verify(transaction.clone(), domain)
    };
    let executed = ledger
        .execute(&block, &mut verify)
        .map_err(|error| join_causes(&error))?;

    Ok(Checked {
        copy,
        block,
        executed,
    })
}

impl Chain {
    fn new(genesis: Genesis) -> Result<Self> {
        let rows = LedgerRows::new(&genesis);
        let validators = BTreeMap::from([(genesis.first_height, genesis.validators.clone())]);
        let ledger = Ledger::new(genesis)?;
        Ok(Self {
            ledger,
            checkpoints: BTreeMap::new(),
            is_complete: false,
            rows,
            hashes: Vec::new(),
            validators,
        })
    }

    /// Height of the last block that could be checked.
    pub fn height(&self) -> u64 {
        self.ledger.height()
    }

    /// Hash of a checked block.
    pub fn hash(&self, height: u64) -> Option<B256> {
        let place = height.checked_sub(self.ledger.genesis().first_height)?;
        self.hashes.get(usize::try_from(place).ok()?).copied()
    }

    /// Whether a certificate makes a checked block final.
    pub fn verify_certificate(
        &self,
        height: u64,
        certificate: &CommitCertificate,
    ) -> Result<(), String> {
        let validators = self
            .validators
            .range(..=height)
            .next_back()
            .map(|(_, set)| set);
        let (Some(hash), Some(validators)) = (self.hash(height), validators) else {
            return Err("there is no such block".to_owned());
        };

        certificate
            .verify(self.ledger.sidechain_id(), height, hash, validators)
            .map_err(|error| error.to_string())
    }

    fn commit(&mut self, checked: Checked, mirrored: bool) {
        if mirrored {
            self.rows
                .add(&checked.block, &checked.copy.raw, &checked.executed);
        }

        for event in &checked.executed.events {
            if let Event::EpochClosed {
                epoch,
                checkpoint: Some(closed),
            } = event
            {
                self.checkpoints.insert(*epoch, (**closed).clone());
            }
        }

        self.hashes.push(checked.executed.block_hash);
        self.ledger.commit(checked.executed);

        let validators = self.ledger.validators();
        if self
            .validators
            .last_key_value()
            .is_none_or(|(_, last)| last != validators)
        {
            self.validators
                .insert(self.ledger.next_height(), validators.clone());
        }
    }
}

/// Executes every block that any copy holds; compares the copies on the way. `mirror_height`: how far a mirror is.
pub async fn replay(
    genesis: Genesis,
    nodes: &[Node],
    mirror_height: u64,
    report: &mut Report,
    bar: &ProgressBar,
) -> Result<Chain> {
    let mut chain = Chain::new(genesis)?;
    let last = nodes.iter().map(|node| node.last_height).max().unwrap_or(0);
    bar.set_length((last + 1).saturating_sub(chain.ledger.next_height()));

    while chain.ledger.next_height() <= last {
        let height = chain.ledger.next_height();
        let copies = read_copies(nodes, height, report).await?;
        let Some(checked) = believe_copy(&chain, copies, report) else {
            report.fact(
                "blocks",
                format!("no copy of block {height} holds; {height} to {last} were not checked"),
            );
            break;
        };

        look_up_transactions(&chain, nodes, &checked, report);
        let is_recording = |event: &&Event| matches!(event, Event::RecordingPinned { .. });
        report.count(
            "recordings",
            checked.executed.events.iter().filter(is_recording).count() as u64,
        );

        chain.commit(checked, height <= mirror_height);
        if !chain.ledger.conserves() {
            report.fact(
                format!("block {height}"),
                "units appear or vanish: the law of conservation is broken",
            );
        }

        report.count("blocks", 1);
        bar.inc(1);
        tokio::task::yield_now().await;
    }

    chain.is_complete = !chain.ledger.is_fresh() && chain.height() == last;
    Ok(chain)
}

/// The copies of a block; what is missing or damaged is noted.
async fn read_copies(
    nodes: &[Node],
    height: u64,
    report: &mut Report,
) -> Result<Vec<(String, Copy)>> {
    let mut copies = Vec::new();
    for node in nodes.iter().filter(|node| node.last_height >= height) {
        report.count("copies of blocks", 1);
        match node.block(height).await? {
            Found::There(copy) => copies.push((node.name.clone(), copy)),
            Found::Missing(what) => report.fact(&node.name, format!("{what} {height} is missing")),
            Found::Damaged(what) => report.fact(&node.name, what),
        }
    }
    Ok(copies)
}

/// The first copy that holds; every other one must be the same.
fn believe_copy(
    chain: &Chain,
    copies: Vec<(String, Copy)>,
    report: &mut Report,
) -> Option<Checked> {
    let height = chain.ledger.next_height();
    let mut believed: Option<Checked> = None;

    for (name, copy) in copies {
        let place = format!("{name}, block {height}");
        match &believed {
            Some(checked) => compare_copy(chain, checked, &place, &copy, report),
            None => match check_copy(&chain.ledger, copy) {
                Ok(checked) => {
                    report.count("transactions", checked.block.transactions.len() as u64);
                    believed = Some(checked);
                }
                Err(what) => report.fact(place, what),
            },
        }
    }

    believed
}

fn compare_copy(chain: &Chain, believed: &Checked, place: &str, copy: &Copy, report: &mut Report) {
    report.same(
        place,
        "keccak256 of its bytes",
        keccak256(&believed.copy.raw),
        keccak256(&copy.raw),
    );

    let ledger = &chain.ledger;
    let hash = believed.executed.block_hash;
    let held = copy.certificate.verify(
        ledger.sidechain_id(),
        ledger.next_height(),
        hash,
        ledger.validators(),
    );
    if let Err(error) = held {
        report.fact(place, format!("its certificate does not hold: {error}"));
    }
}

/// Each store must find each transaction, and its lines, where it has them, must be what was signed.
fn look_up_transactions(chain: &Chain, nodes: &[Node], checked: &Checked, report: &mut Report) {
    let height = checked.block.header.height;
    for transaction in &checked.block.transactions {
        let id = transaction.id(chain.ledger.domain());
        for node in nodes.iter().filter(|node| node.last_height >= height) {
            look_up(node, transaction, id, height, report);
        }
    }
}

fn look_up(
    node: &Node,
    transaction: &SignedTransaction,
    id: B256,
    height: u64,
    report: &mut Report,
) {
    match node.transaction_height(id) {
        None => {}
        Some(Found::There(found)) => report.same(
            &node.name,
            &format!("height of transaction {id}"),
            height,
            found,
        ),
        // Those of the last blocks are known again when the node starts.
        Some(Found::Missing(_)) if node.last_height < height + TURNS => {}
        Some(Found::Missing(_)) => {
            report.fact(&node.name, format!("transaction {id} is not in the index"))
        }
        Some(Found::Damaged(what)) => report.fact(&node.name, what),
    }
    let Payload::Sale(sale) = &transaction.payload else {
        return;
    };
    match node.lines(height, sale.key()) {
        // Lines are erasable.
        None | Some(Found::Missing(_)) => {}
        Some(Found::There((salt, lines))) => {
            report.count("lines of sales", 1);
            if let Err(rejection) = check_lines(sale, salt, &lines) {
                report.fact(
                    &node.name,
                    format!(
                        "lines of sale {} of outlet {}: {rejection}",
                        sale.sale_id, sale.outlet
                    ),
                );
            }
        }
        Some(Found::Damaged(what)) => report.fact(&node.name, what),
    }
}

/// Compares every node's checkpoints with what the blocks lead to. Every epoch up to `anchored` needs a quorum.
pub async fn check_checkpoints(
    chain: &Chain,
    nodes: &[Node],
    anchored: u64,
    report: &mut Report,
) -> Result<()> {
    for (epoch, closed) in &chain.checkpoints {
        report.count("checkpoints", 1);
        let mut has_quorum = false;
        for node in nodes
            .iter()
            .filter(|node| node.last_height >= closed.checkpoint.last_height)
        {
            let place = format!("{}, epoch {epoch}", node.name);
            has_quorum |= check_checkpoint(chain, node, &place, closed, report).await?;
        }

        if !has_quorum && *epoch <= anchored {
            report.fact(
                format!("epoch {epoch}"),
                "it is anchored, but no node holds signatures of more than two thirds",
            );
        }
    }

    Ok(())
}

async fn check_checkpoint(
    chain: &Chain,
    node: &Node,
    place: &str,
    closed: &EpochCheckpoint,
    report: &mut Report,
) -> Result<bool> {
    let epoch = closed.checkpoint.epoch;
    let has_quorum = match node.checkpoint(epoch).await? {
        Some(Found::There(signed)) => check_signatures(chain, place, closed, &signed, report),
        other => {
            report_unreadable(report, place, other);
            false
        }
    };

    compare_found(
        report,
        place,
        "what it pays",
        node.chunks(epoch).await?,
        &closed.settlement.chunks(),
    );
    compare_found(
        report,
        place,
        "hashes of its blocks",
        node.block_hashes(epoch),
        &closed.block_hashes,
    );
    compare_found(
        report,
        place,
        "its recordings",
        node.recording_leaves(epoch),
        &closed.recording_leaves,
    );

    Ok(has_quorum)
}

fn report_unreadable<T>(report: &mut Report, place: &str, found: Option<Found<T>>) {
    match found {
        None | Some(Found::There(_)) => {}
        Some(Found::Missing(what)) => report.fact(place, format!("{what} is missing")),
        Some(Found::Damaged(what)) => report.fact(place, what),
    }
}

fn compare_found<T: PartialEq>(
    report: &mut Report,
    place: &str,
    what: &str,
    found: Option<Found<T>>,
    expected: &T,
) {
    match found {
        Some(Found::There(found)) if found == *expected => {}
        Some(Found::There(_)) => report.fact(place, format!("{what}: not what the blocks lead to")),
        other => report_unreadable(report, place, other),
    }
}

/// The checkpoint itself and every signature under it; says whether they make a quorum.
fn check_signatures(
    chain: &Chain,
    place: &str,
    closed: &EpochCheckpoint,
    found: &SignedCheckpoint,
    report: &mut Report,
) -> bool {
    compare_fields(place, closed, found, report);

    let digest = closed.digest(chain.ledger.genesis().evm_chain_id);
    let mut good = SignedCheckpoint {
        signatures: Vec::new(),
        ..found.clone()
    };
    good.validators.clone_from(&closed.validators);

    for signature in &found.signatures {
        report.count("checkpoint signatures", 1);
        if !good.add(digest, *signature) {
            report.fact(
                place,
                format!("the signature of {} does not hold", signature.validator),
            );
        }
    }

    good.has_quorum()
}

fn compare_fields(
    place: &str,
    closed: &EpochCheckpoint,
    found: &SignedCheckpoint,
    report: &mut Report,
) {
    let (expected, checkpoint) = (&closed.checkpoint, &found.checkpoint);

    report.same(
        place,
        "sidechain id",
        expected.sidechain_id,
        checkpoint.sidechain_id,
    );
    report.same(place, "epoch", expected.epoch, checkpoint.epoch);
    report.same(
        place,
        "first height",
        expected.first_height,
        checkpoint.first_height,
    );
    report.same(
        place,
        "last height",
        expected.last_height,
        checkpoint.last_height,
    );

    report.same(
        place,
        "blocks root",
        expected.blocks_root,
        checkpoint.blocks_root,
    );
    report.same(
        place,
        "state root",
        expected.state_root,
        checkpoint.state_root,
    );
    report.same(
        place,
        "payout root",
        expected.payout_root,
        checkpoint.payout_root,
    );
    report.same(
        place,
        "recordings root",
        expected.recordings_root,
        checkpoint.recordings_root,
    );

    report.same(
        place,
        "total released",
        expected.total_released,
        checkpoint.total_released,
    );
    report.same(
        place,
        "next validators' hash",
        expected.next_validators_hash,
        checkpoint.next_validators_hash,
    );

    report.same(place, "anchor", closed.anchor, found.anchor);
    report.same(
        place,
        "validators",
        closed.validators.hash(),
        found.validators.hash(),
    );
    report.same(
        place,
        "next validators",
        closed.next_validators.hash(),
        found.next_validators.hash(),
    );
}
