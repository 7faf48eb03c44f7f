//! `hotpot wallet witness`: the till's answer to the request that a guest's phone shows.

use super::args::WitnessArgs;
use super::keys;
use super::network::Network;
use anyhow::{Context, Result, bail};
use client::format_time;
use comfy_table::Table;
use comfy_table::presets::UTF8_BORDERS_ONLY;
use domain::B256;
use domain::consent::{Purpose, Purposes};
use domain::eip712::WitnessedConsent;
use domain::limits::CONSENT_MS_MAX;
use local_network::consent::witnessed_consent;
use service_kit::clock::now_ms;
use std::path::Path;
use std::str::FromStr;

const HEAD: &str = "HOTPOT-CONSENT:1";

/// What a guest asks a terminal to witness, and on which chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Request {
    sidechain_id: B256,
    consent: WitnessedConsent,
}

/// `HOTPOT-CONSENT:1/CHAIN/OUTLET/CAMERA/PURPOSES/COMMITMENT/GUEST/UNTIL`, in any case.
impl FromStr for Request {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let upper = text.trim().to_ascii_uppercase();
        let parts: Vec<&str> = upper.split('/').collect();
        let [
            HEAD,
            chain,
            outlet,
            camera,
            purposes,
            commitment,
            guest,
            until,
        ] = parts[..]
        else {
            bail!(
                "the code on the guest's phone is {HEAD} and seven parts, each after a slash; scan it again"
            );
        };

        let consent = WitnessedConsent {
            outlet: parse_part("outlet", outlet)?,
            camera: parse_part("camera", camera)?,
            purposes: purposes_of(purposes)?,
            commitment: parse_part("commitment", commitment)?,
            guest: parse_part("guest", guest)?,
            until_ms: parse_part("until", until)?,
        };

        Ok(Self {
            sidechain_id: parse_part("chain", chain)?,
            consent,
        })
    }
}

fn parse_part<T: FromStr<Err: std::error::Error + Send + Sync + 'static>>(
    what: &str,
    text: &str,
) -> Result<T> {
    text.parse()
        .with_context(|| format!("the {what} in the guest's code, {text:?}"))
}

fn purposes_of(text: &str) -> Result<Purposes> {
    match text {
        "1" => Ok(Purposes::Recording),
        "2" => Ok(Purposes::Stream),
        "3" => Ok(Purposes::Both),
        _ => bail!("the purposes in the guest's code are 1, 2 or 3, found {text:?}"),
    }
}

/// `hotpot wallet witness`.
pub async fn witness(args: &WitnessArgs) -> Result<()> {
    let text = match args.code.as_str() {
        "-" => keys::read_text(Path::new("-"))?.to_string(),
        code => code.to_owned(),
    };
    let request: Request = text.parse()?;
    check_consent(&request.consent, args, now_ms())?;

    let till = keys::signer(&args.key, &args.unlock, &args.which)?;
    let network = Network::of(&args.network).await?;
    if request.sidechain_id != network.sidechain_id {
        bail!(
            "the request is of sidechain {}, this network is {}",
            request.sidechain_id,
            network.sidechain_id
        );
    }

    eprintln!("{}", terms_table(&request.consent));
    let seen = witnessed_consent(&request.consent, &till, &network.domain);
    let answer = format!(
        "HOTPOT-WITNESS:1/{:x}/{}",
        seen.witness,
        hex::encode(seen.witness_signature.0)
    );
    println!("{}", answer.to_uppercase());
    Ok(())
}

/// A till answers for its own outlet, and for what a block would take.
fn check_consent(consent: &WitnessedConsent, args: &WitnessArgs, now_ms: u64) -> Result<()> {
    if args.outlet.is_some_and(|outlet| outlet != consent.outlet) {
        bail!(
            "the guest asks for outlet {}, expected {:?}: nothing was signed",
            consent.outlet,
            args.outlet
        );
    }

    let max_ms = now_ms.saturating_add(CONSENT_MS_MAX);
    if consent.until_ms <= now_ms || consent.until_ms > max_ms {
        let (until, max) = (format_time(consent.until_ms), format_time(max_ms));
        bail!(
            "the consent would end at {until}; it must end after now and by {max}: nothing was signed"
        );
    }

    Ok(())
}

/// For the eyes of whoever stands at the table.
fn terms_table(consent: &WitnessedConsent) -> Table {
    let words: Vec<&str> = consent
        .purposes
        .words()
        .into_iter()
        .map(Purpose::word)
        .collect();

    let rows = [
        ["outlet".to_owned(), consent.outlet.to_string()],
        ["camera".into(), consent.camera.to_string()],
        ["for".into(), words.join(" and ")],
        ["until".into(), format_time(consent.until_ms)],
        ["guest".into(), consent.guest.to_string()],
    ];

    let mut table = Table::new();
    table.load_preset(UTF8_BORDERS_ONLY).add_rows(rows);
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn code() -> String {
        format!(
            "{HEAD}/{}/1/7/3/{}/{}/1700003600000",
            "B3".repeat(32),
            "A4".repeat(32),
            "B2".repeat(20)
        )
    }

    #[test]
    fn the_code_of_the_page_is_read() {
        let request: Request = format!(" {}\n", code().to_lowercase()).parse().unwrap();
        assert_eq!(request.sidechain_id, B256::repeat_byte(0xb3));
        let consent = request.consent;
        assert_eq!(
            (consent.outlet, consent.camera, consent.purposes),
            (1, 7, Purposes::Both)
        );
        assert_eq!(
            (consent.commitment, consent.until_ms),
            (B256::repeat_byte(0xa4), 1_700_003_600_000)
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (from, to, expected) in [
            ("/7/3/", "/x/3/", "camera"),
            ("/7/3/", "/7/4/", "purposes"),
            ("/1700003600000", "/soon", "until"),
            ("CONSENT:1", "CONSENT:2", "seven parts"),
            ("/1700003600000", "", "seven parts"),
        ] {
            let error = format!(
                "{:#}",
                code().replace(from, to).parse::<Request>().unwrap_err()
            );
            assert!(error.contains(expected), "{error}");
        }
    }

    proptest! {
        #[test]
        fn any_text_gives_a_request_or_an_error(text in ".{0,300}", cut in 0usize..260) {
            let _ = text.parse::<Request>();
            let code = code();
            let _ = code[..cut.min(code.len())].parse::<Request>();
        }
    }
}
