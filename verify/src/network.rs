//! `hotpot verify`: everything that a network holds, computed anew and compared.

use crate::args::VerifyArgs;
use crate::chain::{self, Chain};
use crate::contracts;
use crate::database::{self, Cursor, Mirror};
use crate::evm::{Evm, Scope};
use crate::evm_facts::{Facts, Head};
use crate::evm_rows::EvmRows;
use crate::ledger_rows;
use crate::report::Report;
use crate::rows::Comparison;
use crate::source::Network;
use crate::tables;
use anyhow::{Context, Result, anyhow, bail};
use comfy_table::Table;
use comfy_table::presets::UTF8_BORDERS_ONLY;
use domain::Address;
use indicatif::{ProgressBar, ProgressStyle};
use std::collections::BTreeSet;
use std::process::ExitCode;

/// Exit code when something could not be checked.
const NOT_CHECKED: u8 = 2;

/// Runs what was typed.
pub async fn run(args: VerifyArgs) -> Result<ExitCode> {
    match verify_network(&args).await {
        Ok(report) => show_report(&args, &report),
        Err(error) => {
            let error = service_kit::scrub_text(&format!("{error:#}"));
            if args.json {
                println!(
                    "{}",
                    serde_json::json!({"type": "summary", "ok": false, "error": error})
                );
            }
            eprintln!("hotpot: it could not be checked: {error}");
            Ok(ExitCode::from(NOT_CHECKED))
        }
    }
}

async fn verify_network(args: &VerifyArgs) -> Result<Report> {
    let mut report = Report::default();
    // From here on a signal does not end the process: what was started must be stopped.
    let stop = service_kit::shutdown::token(false)?;
    let mut network = Network::open(args, &mut report).await?;
    let checked = tokio::select! {
        checked = check_network(&mut network, &mut report) => checked,
        () = stop.cancelled() => Err(anyhow!("stopped before the end")),
    };
    network.close().await?;
    checked?;
    check_is_not_empty(&report)?;
    Ok(report)
}

/// The mirror first, then the contracts, then the nodes: whatever one of them holds, those after it held before. All of
/// them may go on meanwhile.
async fn check_network(network: &mut Network, report: &mut Report) -> Result<()> {
    let mut mirror = match &network.database_url {
        Some(url) => Some(Mirror::open(url).await?),
        None => None,
    };
    let cursors = match &mut mirror {
        Some(mirror) => Some(read_cursors(mirror).await?),
        None => None,
    };
    let seen = match &network.evm {
        Some((url, scope)) => Some((*scope, evm_head(url, *scope).await?)),
        None => None,
    };

    for node in &mut network.nodes {
        node.refresh().await?;
    }

    let mirror_height = cursors
        .as_ref()
        .map_or(0, |(sidechain, _)| sidechain.position);

    let bar = progress_bar("blocks of the sidechain");
    let mut chain = chain::replay(
        network.genesis.clone(),
        &network.nodes,
        mirror_height,
        report,
        &bar,
    )
    .await?;
    bar.finish_and_clear();

    let facts = match seen {
        Some((scope, (evm, head))) => Some((
            scope,
            check_contracts(&evm, head, scope, &chain, report).await?,
        )),
        None => None,
    };

    let anchored = facts.as_ref().map_or(0, |(_, facts)| facts.contracts.epoch);
    chain::check_checkpoints(&chain, &network.nodes, anchored, report).await?;

    if let (Some(mut mirror), Some((sidechain, evm)), Some((scope, facts))) =
        (mirror, cursors, facts)
    {
        sidechain_tables(&mut mirror, &sidechain, &mut chain, report).await?;
        evm_tables(&mut mirror, &evm, scope, &facts, report).await?;
        mirror.close().await?;
    }

    Ok(())
}

async fn read_cursors(mirror: &mut Mirror) -> Result<(Cursor, Cursor)> {
    database::check_schema(mirror).await?;
    let begun = "the mirror was never begun: did the indexer run?";
    let sidechain = mirror.cursor("sidechain").await?.context(begun)?;
    Ok((sidechain, mirror.cursor("evm").await?.context(begun)?))
}

/// The EVM node, and how far its chain is.
async fn evm_head(url: &str, scope: Scope) -> Result<(Evm, Head)> {
    let evm = Evm::connect(url, scope)?;
    let (chain_id, absent, head) = evm.head().await?;
    if let Some(contract) = absent.first() {
        bail!(
            "the EVM node ({url}, chain {chain_id}) has no contract at {contract}: is it another chain?"
        );
    }
    Ok((evm, head))
}

async fn check_contracts(
    evm: &Evm,
    head: Head,
    scope: Scope,
    chain: &Chain,
    report: &mut Report,
) -> Result<Facts> {
    let accounts: BTreeSet<Address> = chain
        .ledger
        .accounts()
        .map(|(account, _)| account)
        .collect();
    let epochs: Vec<u64> = chain.checkpoints.keys().copied().collect();

    let bar = progress_bar("blocks of the EVM");
    let facts = evm.read(head, &accounts, &epochs, &bar).await?;
    bar.finish_and_clear();

    if chain.is_complete {
        contracts::check(chain, scope, &facts, report);
    } else {
        report.fact(
            "contracts",
            "they were not compared, because not every block could be checked",
        );
    }

    Ok(facts)
}

async fn sidechain_tables(
    mirror: &mut Mirror,
    cursor: &Cursor,
    chain: &mut Chain,
    report: &mut Report,
) -> Result<()> {
    let place = "table chain.cursor, key (sidechain)";
    report.same(
        place,
        "identity",
        chain.ledger.sidechain_id(),
        cursor.identity,
    );
    report.same(place, "finalized", cursor.position, cursor.finalized);

    if chain.is_complete && cursor.position > chain.height() {
        report.fact(
            place,
            format!(
                "position is {}, the last block is {}",
                cursor.position,
                chain.height()
            ),
        );
    } else if let Some(hash) = chain.hash(cursor.position) {
        report.same(place, "hash", hash, cursor.hash.unwrap_or_default());
    }

    if cursor.position < chain.height() {
        report.notes.push(format!(
            "the mirror is at height {} of {}",
            cursor.position,
            chain.height()
        ));
    }

    if !chain.is_complete {
        report.fact(
            "tables of the sidechain",
            "they were not compared, because not every block could be checked",
        );
        return Ok(());
    }

    for (height, certificate) in mirror.certificates().await? {
        let held = certificate.ok_or_else(|| "it cannot be decoded".to_owned());
        if let Err(what) =
            held.and_then(|certificate| chain.verify_certificate(height, &certificate))
        {
            report.fact(
                format!("table chain.sidechain_block, key ({height})"),
                format!("certificate: {what}"),
            );
        }
    }

    let rows = std::mem::replace(
        &mut chain.rows,
        ledger_rows::LedgerRows::new(chain.ledger.genesis()),
    );
    compare_tables(mirror, rows.into_tables(), report).await
}

async fn evm_tables(
    mirror: &mut Mirror,
    cursor: &Cursor,
    scope: Scope,
    facts: &Facts,
    report: &mut Report,
) -> Result<()> {
    let place = "table chain.cursor, key (evm)";
    let expected = format!(
        "token {}, anchor {}, from block {}",
        scope.token, scope.anchor, scope.first_block
    );

    report.same(place, "identity", facts.genesis_hash, cursor.identity);
    report.same(place, "scope", expected, cursor.scope.clone());

    let head = facts.blocks.last().map_or(0, |block| block.number);
    match facts
        .blocks
        .iter()
        .find(|block| block.number == cursor.position)
    {
        Some(block) => report.same(place, "hash", block.hash, cursor.hash.unwrap_or_default()),
        None if cursor.position > head => {
            report.fact(
                place,
                format!("position is {}, the last block is {head}", cursor.position),
            );
        }
        None => {}
    }

    let final_block = facts
        .finalized
        .map_or(cursor.position, |finalized| finalized.min(cursor.position));
    if cursor.finalized > final_block {
        report.fact(
            place,
            format!(
                "finalized is {}, the last final block is {final_block}",
                cursor.finalized
            ),
        );
    }

    if cursor.position < head {
        report.notes.push(format!(
            "the mirror is at EVM block {} of {head}",
            cursor.position
        ));
    }

    let rows = EvmRows::new(facts, cursor.position, cursor.finalized);
    compare_tables(mirror, rows.into_tables(), report).await
}

async fn compare_tables<const N: usize>(
    mirror: &mut Mirror,
    tables: [Comparison; N],
    report: &mut Report,
) -> Result<()> {
    for mut comparison in tables {
        let name = comparison.table().name;
        mirror.compare(&mut comparison).await?;
        let (rows, differences) = comparison.finish();

        report.count("tables", 1);
        report.count("rows", rows);
        report.count(name, rows);
        report.differences.extend(differences);
    }

    Ok(())
}

/// A check that checked nothing must not look green.
fn check_is_not_empty(report: &Report) -> Result<()> {
    if report.counted("blocks") == 0 && report.differences.is_empty() {
        bail!("there is no block to check");
    }
    let tables = tables::ALL.len() as u64;
    let (compared, rows) = (report.counted("tables"), report.counted("rows"));
    if compared != 0 && report.differences.is_empty() && (compared != tables || rows == 0) {
        bail!("{compared} of {tables} tables were compared, with {rows} rows");
    }
    Ok(())
}

fn progress_bar(what: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(0).with_message(what);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} {msg}  {per_sec}  {eta}")
    {
        bar.set_style(style);
    }
    bar
}

fn show_report(args: &VerifyArgs, report: &Report) -> Result<ExitCode> {
    let ok = report.differences.is_empty();
    if args.json {
        println!("{}", serde_json::to_string(&report.summary())?);
    } else {
        print_report(report);
    }
    Ok(if ok {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn print_report(report: &Report) {
    let mut table = Table::new();
    table
        .load_preset(UTF8_BORDERS_ONLY)
        .set_header(["checked", "how many"]);

    for (what, count) in report.checked() {
        table.add_row([(*what).to_owned(), count.to_string()]);
    }
    println!("{table}");

    for note in &report.notes {
        println!("note     {note}");
    }
    for difference in &report.differences {
        println!("DIFFERS  {difference}");
    }

    match report.differences.len() {
        0 if report.counted("tables") == 0 => {
            println!("all that was checked agrees; no database was compared")
        }
        0 => println!("all of it is true: blocks, contracts and database agree"),
        1 => println!("1 difference"),
        count => println!("{count} differences"),
    }
}
