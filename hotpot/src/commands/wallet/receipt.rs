//! `hotpot wallet receipt` and `claim`.

use super::args::{ClaimArgs, ReceiptArgs};
use super::draft::Signed;
use super::keys;
use super::network::Network;
use super::sign::print_or_send;
use anyhow::{Context, Result, bail};
use domain::transaction::ClaimReceipt;
use domain::{Payload, Signature, SignedTransaction};
use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};
use std::io::IsTerminal;
use std::path::Path;
use wallet::{ReceiptCode, Zeroizing, receipt_key};

/// Black on white, whatever the terminal's colours are; and back.
const PAPER: &str = "\x1b[30;107m";
const RESET: &str = "\x1b[0m";

/// `hotpot wallet receipt`.
pub async fn receipt(args: &ReceiptArgs) -> Result<()> {
    let terminal = keys::signer(&args.terminal, &args.unlock, &args.which)?;
    let code = ReceiptCode {
        sidechain_id: match args.network.sidechain_id {
            Some(given) if args.network.node.is_none() => given,
            _ => Network::of(&args.network).await?.sidechain_id,
        },
        outlet: args.outlet,
        sale_id: args.sale_id,
        key: receipt_key(&terminal, args.sale_id.0),
    };

    let text = code.to_text();
    if !args.text {
        println!(
            "{}\n\nOutlet {}, sale {}\n",
            *draw_qr_code(&text)?,
            args.outlet,
            args.sale_id
        );
    }

    println!("{}", *text);
    Ok(())
}

/// `hotpot wallet claim`.
pub async fn claim(args: &ClaimArgs) -> Result<()> {
    let text = match args.code.as_str() {
        "-" => keys::read_text(Path::new("-"))?,
        code => Zeroizing::new(code.to_owned()),
    };
    let code: ReceiptCode = text.parse()?;

    let network = Network::of(&args.network).await?;
    if code.sidechain_id != network.sidechain_id {
        bail!(
            "the receipt is of sidechain {}, this network is {}",
            code.sidechain_id,
            network.sidechain_id
        );
    }

    let claim = ClaimReceipt {
        outlet: code.outlet,
        sale_id: code.sale_id,
        wallet: args.wallet,
    };
    let payload = Payload::ClaimReceipt(claim);
    let signature = Signature::sign(network.domain.transaction_digest(&payload), &code.key);

    print_or_send(
        &Signed::Other(SignedTransaction { payload, signature }),
        &network,
        args.send,
    )
    .await
}

/// A QR code of letters: two modules in a character. Medium correction, because receipts get crumpled.
fn draw_qr_code(text: &str) -> Result<Zeroizing<String>> {
    let code =
        QrCode::with_error_correction_level(text, EcLevel::M).context("the code does not fit")?;
    let image = Zeroizing::new(code.render::<Dense1x2>().build());
    if !std::io::stdout().is_terminal() {
        return Ok(image);
    }
    let lines: Vec<String> = image
        .lines()
        .map(|line| format!("{PAPER}{line}{RESET}"))
        .collect();
    Ok(Zeroizing::new(lines.join("\n")))
}
