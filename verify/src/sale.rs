//! `hotpot verify-sale`: the proof of one sale, for someone who trusts nobody.

mod steps;

use alloy::network::Ethereum;
use alloy::providers::{Provider, RootProvider};
use alloy::rpc::types::BlockId;
use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use client::Problem;
use comfy_table::Table;
use comfy_table::presets::UTF8_BORDERS_ONLY;
use contract_bindings::{CheckpointAnchor, FranchiseToken};
use domain::Address;
use domain::proof::SaleProof;
use serde_json::json;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use steps::{OnChain, Step, Verdict, judge_steps};

/// `hotpot verify-sale`.
#[derive(Clone, Debug, Args)]
pub struct VerifySaleArgs {
    /// The proof, as `GET /api/v1/sales/OUTLET/SALE_ID/proof` answers; `-` reads standard input.
    pub file: PathBuf,
    /// Ask this EVM node what the contracts keep.
    #[arg(long, value_name = "URL")]
    pub evm_rpc: Option<String>,
    /// The anchor that you know, from the documentation or a block explorer; without it the file's own is believed.
    #[arg(long, value_name = "ADDRESS")]
    pub anchor: Option<Address>,
    /// The token that you know.
    #[arg(long, value_name = "ADDRESS")]
    pub token: Option<Address>,
    /// At which block the contracts are asked.
    #[arg(long, value_enum, default_value_t = At::Latest)]
    pub at: At,
    /// One JSON object on standard output.
    #[arg(long)]
    pub json: bool,
}

/// A block of the EVM chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum At {
    /// The newest.
    Latest,
    /// The newest that no reorganisation can replace.
    Finalized,
}

/// Exit code when the file or the EVM node could not be read.
const NOT_CHECKED: u8 = 2;
/// Exit code when nothing was compared with the contracts.
const NOT_COMPARED: u8 = 3;

/// Runs what was typed.
pub async fn run(args: VerifySaleArgs) -> Result<ExitCode> {
    match verify_sale(&args).await {
        Ok(code) => Ok(code),
        Err(error) => {
            let error = service_kit::scrub_text(&format!("{error:#}"));
            if args.json {
                println!(
                    "{}",
                    json!({"type": "summary", "ok": false, "error": error})
                );
            }
            eprintln!("hotpot: it could not be checked: {error}");
            Ok(ExitCode::from(NOT_CHECKED))
        }
    }
}

async fn verify_sale(args: &VerifySaleArgs) -> Result<ExitCode> {
    let proof =
        parse_proof(&read_input(&args.file)?).with_context(|| args.file.display().to_string())?;
    let on_chain = match &args.evm_rpc {
        Some(url) => Some(
            ask_evm_node(url, args, &proof)
                .await
                .with_context(|| format!("ask the EVM node {url}"))?,
        ),
        None => None,
    };

    let steps = judge_steps(&proof, on_chain.as_ref());
    let notes = notes(args);

    if args.json {
        println!("{}", json_summary(&proof, &steps, &notes));
    } else {
        print_steps(&proof, &steps, &notes);
    }

    Ok(exit_code(&steps))
}

fn exit_code(steps: &[Step]) -> ExitCode {
    if has_verdict(steps, Verdict::Broken) {
        ExitCode::FAILURE
    } else if has_verdict(steps, Verdict::NotCompared) {
        ExitCode::from(NOT_COMPARED)
    } else {
        ExitCode::SUCCESS
    }
}

fn has_verdict(steps: &[Step], verdict: Verdict) -> bool {
    steps.iter().any(|step| step.verdict == verdict)
}

fn read_input(file: &Path) -> Result<String> {
    if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin()
            .read_to_string(&mut text)
            .context("read standard input")?;
        return Ok(text);
    }
    std::fs::read_to_string(file).with_context(|| format!("read {}", file.display()))
}

/// The proof, or why the text is none; a node's refusal that was saved in its place is told.
fn parse_proof(text: &str) -> Result<SaleProof> {
    if let Ok(problem) = serde_json::from_str::<Problem>(text) {
        bail!("this is a refusal, not a proof: {}", problem.detail);
    }
    serde_json::from_str(text).context(
        "not the proof of a sale; expected what GET /api/v1/sales/OUTLET/SALE_ID/proof answers",
    )
}

async fn ask_evm_node(url: &str, args: &VerifySaleArgs, proof: &SaleProof) -> Result<OnChain> {
    let provider = RootProvider::<Ethereum>::new_http(url.parse().context("it is not a URL")?);
    let at = match args.at {
        At::Latest => BlockId::latest(),
        At::Finalized => BlockId::finalized(),
    };
    let (token, anchor) = (
        args.token.unwrap_or(proof.token),
        args.anchor.unwrap_or(proof.anchor),
    );

    let chain_id = provider.get_chain_id().await?;
    let mut on_chain = OnChain {
        chain_id,
        anchor,
        token,
        ..OnChain::default()
    };

    for contract in [anchor, token] {
        if provider
            .get_code_at(contract)
            .block_id(at)
            .await?
            .is_empty()
        {
            on_chain.absent.push(contract);
        }
    }

    if on_chain.absent.is_empty() {
        ask_contracts(&provider, at, proof, &mut on_chain).await?;
    }

    Ok(on_chain)
}

async fn ask_contracts(
    provider: &RootProvider<Ethereum>,
    at: BlockId,
    proof: &SaleProof,
    on_chain: &mut OnChain,
) -> Result<()> {
    let anchor = CheckpointAnchor::new(on_chain.anchor, provider);
    let token = FranchiseToken::new(on_chain.token, provider);

    on_chain.sidechain_id = anchor
        .sidechainId()
        .block(at)
        .call()
        .await
        .context("sidechainId() of the anchor")?;
    on_chain.anchor_token = anchor
        .token()
        .block(at)
        .call()
        .await
        .context("token() of the anchor")?;

    let epochs = proof
        .payouts
        .iter()
        .map(|payout| payout.epoch)
        .chain([proof.checkpoint.epoch]);
    for epoch in epochs {
        let kept = anchor
            .commitmentOf(epoch)
            .block(at)
            .call()
            .await
            .context("commitmentOf() of the anchor")?;
        on_chain.commitments.insert(epoch, kept);
    }

    for payout in &proof.payouts {
        let account = payout.payout.account;
        let issued = token
            .issuedTo(account)
            .block(at)
            .call()
            .await
            .context("issuedTo() of the token")?;
        on_chain.issued.insert(account, issued);
    }

    Ok(())
}

/// What whoever reads the verdict must know.
fn notes(args: &VerifySaleArgs) -> Vec<&'static str> {
    let mut notes = Vec::new();
    if args.evm_rpc.is_none() {
        notes.push(
            "anchor and payout were not compared with the contract: without --evm-rpc this proves nothing, \
             for anybody can make a file that agrees with itself",
        );
    }

    if args.anchor.is_none() {
        notes.push(
            "the anchor's address is the file's own; give the one that you know with --anchor",
        );
    }

    notes
}

fn json_summary(proof: &SaleProof, steps: &[Step], notes: &[&str]) -> serde_json::Value {
    json!({
        "type": "summary",
        "ok": !has_verdict(steps, Verdict::Broken) && !has_verdict(steps, Verdict::NotCompared),
        "compared_with_contract": !has_verdict(steps, Verdict::NotCompared),
        "sale": proof.sale(),
        "height": proof.header.height,
        "epoch": proof.checkpoint.epoch,
        "steps": steps,
        "notes": notes,
    })
}

fn print_steps(proof: &SaleProof, steps: &[Step], notes: &[&str]) {
    if let Some(sale) = proof.sale() {
        println!("sale      {} of outlet {}", sale.sale_id, sale.outlet);
        println!(
            "total     {} {}, in the currency's smallest unit",
            sale.total, sale.currency
        );
        println!(
            "time      {}, by the terminal's clock",
            client::format_time(sale.occurred_at_ms)
        );
        println!("terminal  {}", sale.terminal);
    }

    let mut table = Table::new();
    table.load_preset(UTF8_BORDERS_ONLY);
    for step in steps {
        let mark = match step.verdict {
            Verdict::Holds => "✓",
            Verdict::Broken => "✗",
            Verdict::NotCompared | Verdict::NotChecked => "?",
            Verdict::NotPaidYet => "–",
        };

        table.add_row([
            mark.to_owned(),
            step.step.to_string(),
            step.detail.replace("; ", "\n"),
        ]);
    }
    println!("{table}");

    for note in notes {
        println!("note      {note}");
    }

    println!("{}", final_verdict(steps));
}

fn final_verdict(steps: &[Step]) -> String {
    let broken = steps.iter().find(|step| step.verdict == Verdict::Broken);
    match broken {
        Some(step) => format!("NOT PROVED: the step {} does not hold", step.step),
        None if has_verdict(steps, Verdict::NotCompared) => "NOT PROVED: the contract was not asked".to_owned(),
        None if has_verdict(steps, Verdict::NotPaidYet) => "proved: the sale is anchored; it is not paid yet".to_owned(),
        None => "proved: the sale is anchored; the accounts named in the file were paid what it says, up to that epoch"
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_proof_is_refused_in_clear_words() {
        let error = |text: &str| format!("{:#}", parse_proof(text).unwrap_err());
        assert!(
            error("garbage").starts_with("not the proof of a sale"),
            "{}",
            error("garbage")
        );
        assert!(error("{}").contains("missing field"), "{}", error("{}"));
        let refusal = r#"{"type":"urn:hotpot:problem:not_found","title":"not found","status":404,"detail":"ask again later"}"#;
        assert_eq!(
            error(refusal),
            "this is a refusal, not a proof: ask again later"
        );
    }

    proptest! {
        #[test]
        fn no_text_is_mistaken_for_a_proof(text in ".*") {
            prop_assert!(parse_proof(&text).is_err());
        }
    }
}
