//! A till whose sales are signed and written as other wallets and programs do, and the part of a node that takes them
//! (`sidechain/src/http/sales.rs`): body, time, sum, signature, content that stands already.

use alloy::primitives::U256;
use alloy::sol_types::Eip712Domain;
use api_types::{SaleRequest, format_time};
use axum::body::Body;
use axum::extract::{FromRequest, Request};
use domain::eip712::DomainSeparator;
use domain::sale::{Sale, check_sum, lines_hash};
use domain::transaction::VerifiedTransaction;
use domain::{Address, B256, BuyerKind, Line, Payload, SaleId, Signature};
use problem::{JsonBody, Problem, Refusal};
use serde_json::Value;
use std::collections::BTreeMap;
use wallet::{SecretKey, address};

const CHAIN_ID: u64 = 31337;
/// 2026-11-20T12:00:00.123Z
const NOW_MS: u64 = 1_795_176_000_123;
/// The same without its milliseconds, for texts that have none.
const NOON_MS: u64 = 1_795_176_000_000;

/// What a node answered.
pub struct Answer {
    pub status: u16,
    pub code: String,
}

impl Answer {
    fn new(status: u16, code: &str) -> Self {
        Self {
            status,
            code: code.to_owned(),
        }
    }
}

impl From<&Problem> for Answer {
    fn from(problem: &Problem) -> Self {
        let code = problem.kind.rsplit(':').next().unwrap_or_default();
        Self::new(problem.status, code)
    }
}

/// A name, the statuses that are right, and the answer.
pub type Verdict = (String, &'static [u16], Answer);

/// A terminal's key, the sidechain it signs for, and what stands there.
pub struct Till {
    key: SecretKey,
    domain: DomainSeparator,
    sales_made: u8,
    recorded: BTreeMap<domain::SaleKey, B256>,
}

impl Till {
    pub fn new() -> Self {
        Self {
            key: SecretKey::from_byte_array([7; 32]).unwrap(),
            domain: DomainSeparator::transactions(CHAIN_ID, B256::repeat_byte(0xab)),
            sales_made: 0,
            recorded: BTreeMap::new(),
        }
    }

    fn tea() -> Vec<Line> {
        vec![line("ჩაი ☕", 2, 150)]
    }

    /// A new sale of these lines at a moment.
    fn sale_of(&mut self, lines: Vec<Line>, at_ms: u64) -> SaleRequest {
        self.sales_made += 1;
        let salt = B256::repeat_byte(self.sales_made);
        let sale = Sale {
            outlet: "1".parse().unwrap(),
            terminal: address(&self.key),
            sale_id: SaleId(
                [0xa0 | (self.sales_made & 0xf), self.sales_made]
                    .repeat(8)
                    .try_into()
                    .unwrap(),
            ),
            occurred_at_ms: at_ms,
            currency: "GEL".parse().unwrap(),
            total: lines
                .iter()
                .map(|line| u64::from(line.quantity) * line.unit_price)
                .sum(),
            lines_hash: lines_hash(salt, &lines),
            buyer_kind: BuyerKind::None,
            buyer: Address::ZERO,
        };

        let digest = self.domain.transaction_digest(&Payload::Sale(sale.clone()));
        SaleRequest::new(&sale, lines, salt, Signature::sign(digest, &self.key))
    }

    fn sale(&mut self) -> SaleRequest {
        self.sale_of(Self::tea(), NOW_MS)
    }

    /// A new sale as JSON, changed.
    fn changed(&mut self, change: impl Fn(&mut Value)) -> Vec<u8> {
        changed(&self.sale(), change)
    }

    /// A new sale as JSON with other text in it.
    fn replaced(&mut self, from: &str, to: &str) -> Vec<u8> {
        let text = serde_json::to_string(&self.sale()).unwrap();
        assert!(text.contains(from), "{from}: {text}");
        text.replace(from, to).into_bytes()
    }

    async fn post(&mut self, body: impl Into<Body>) -> Answer {
        let request = Request::post("/api/v1/sales").header("content-type", "application/json");
        self.take(request.body(body.into()).unwrap()).await
    }

    async fn post_with(&mut self, header: (&str, &str)) -> Answer {
        let body = self.changed(|_| {});
        let request = Request::post("/api/v1/sales").header(header.0, header.1);
        self.take(request.body(body.into()).unwrap()).await
    }

    async fn take(&mut self, request: Request) -> Answer {
        match JsonBody::<SaleRequest>::from_request(request, &()).await {
            Ok(JsonBody(sale)) => self.admit(&sale).unwrap_or_else(|refused| refused),
            Err(Refusal(problem)) => Answer::from(&*problem),
        }
    }

    fn admit(&mut self, request: &SaleRequest) -> Result<Answer, Answer> {
        let refused = |code: &str| Answer::new(422, code);

        let sale = request.sale().map_err(|_| refused("bad_field"))?;
        check_sum(&sale, &request.lines).map_err(|rejection| refused(rejection.code()))?;
        let transaction = request.transaction().map_err(|_| refused("bad_field"))?;
        let verified = VerifiedTransaction::verify(transaction, &self.domain)
            .map_err(|_| refused("bad_signature"))?;
        if verified.signer != sale.terminal {
            return Err(refused("wrong_terminal_signature"));
        }

        match self.recorded.insert(sale.key(), verified.id) {
            None => Ok(Answer::new(201, "final")),
            Some(stood) if stood == verified.id => Ok(Answer::new(200, "final")),
            Some(_) => Err(Answer::new(409, "sale_conflict")),
        }
    }
}

fn line(name: &str, quantity: u32, unit_price: u64) -> Line {
    Line {
        sku: "tea".into(),
        name: name.into(),
        quantity,
        unit_price,
    }
}

fn changed(sale: &SaleRequest, change: impl Fn(&mut Value)) -> Vec<u8> {
    let mut json = serde_json::to_value(sale).unwrap();
    change(&mut json);
    json.to_string().into_bytes()
}

fn write_hex(bytes: &[u8]) -> Value {
    format!("0x{}", hex::encode(bytes)).into()
}

/// Every variant, in the order of the script.
pub async fn verdicts(till: &mut Till) -> Vec<Verdict> {
    let mut all = signatures(till).await;
    all.extend(contents(till).await);
    all.extend(documents(till).await);
    all.extend(times(till).await);
    all
}

/// One signature as wallets write it that do not follow the letter.
async fn signatures(till: &mut Till) -> Vec<Verdict> {
    let sale = till.sale();
    let bytes = sale.signature.0;
    let (r, s, v) = (&bytes[..32], &bytes[32..64], bytes[64]);

    let parity = if v == 28 { 0x80 } else { 0 };
    let compact = [r, &[s[0] | parity], &s[1..]].concat();
    let high = SecretKey::from_byte_array(s.try_into().unwrap())
        .unwrap()
        .negate();
    let malleated = [r, &high.secret_bytes(), &[55 - v]].concat();
    let with_v = |v: u8| [&bytes[..64], &[v]].concat();

    let mut all = Vec::new();
    for (name, signature) in [
        ("v as 0 or 1 (Ledger through old MetaMask)", with_v(v - 27)),
        ("v as 37/38 (EIP-155 put into typed data)", with_v(v + 10)),
        ("64 bytes, EIP-2098", compact),
        ("the other s (malleated)", malleated),
        ("r and s zero", [&[0; 64][..], &[v]].concat()),
    ] {
        let body = changed(&sale, |json| json["signature"] = write_hex(&signature));
        all.push((name.to_owned(), &[422][..], till.post(body).await));
    }

    let bare = changed(&sale, |json| json["signature"] = hex::encode(bytes).into());
    let answer = till.post(bare).await;
    all.push(("signature without 0x".into(), &[201, 200, 422], answer));
    let body = unsalted(till);
    all.push((
        "domain without salt (a wallet that drops it)".into(),
        &[422],
        till.post(body).await,
    ));
    let body = till.changed(|_| {});
    all.push((
        "chainId as text in the domain is the same number".into(),
        &[201],
        till.post(body).await,
    ));
    all
}

/// A sale that is signed for every sidechain of this EVM chain.
fn unsalted(till: &mut Till) -> Vec<u8> {
    let chain_id = Some(U256::from(CHAIN_ID));
    let domain = Eip712Domain::new(
        Some("HotPot".into()),
        Some("1".into()),
        chain_id,
        None,
        None,
    );
    let right = std::mem::replace(&mut till.domain, DomainSeparator(domain.separator()));
    let body = till.changed(|_| {});
    till.domain = right;
    body
}

/// One content in other spellings: the same content is the same sale.
async fn contents(till: &mut Till) -> Vec<Verdict> {
    let sale = till.sale();
    let upper = |json: &mut Value, field: &str| {
        let text = json[field].as_str().unwrap();
        let digits = text.strip_prefix("0x").unwrap_or(text);
        let prefix = &text[..text.len() - digits.len()];
        json[field] = [prefix, &digits.to_uppercase()].concat().into();
    };

    let spellings: [(&str, &[u16], Vec<u8>); 8] = [
        ("untouched", &[201], changed(&sale, |_| {})),
        ("the same again, untouched", &[200], changed(&sale, |_| {})),
        (
            "sale_id in capitals",
            &[200],
            changed(&sale, |json| upper(json, "sale_id")),
        ),
        (
            "terminal in small letters",
            &[200],
            changed(&sale, |json| {
                json["terminal"] = json["terminal"].as_str().unwrap().to_lowercase().into();
            }),
        ),
        (
            "salt in capitals",
            &[200],
            changed(&sale, |json| upper(json, "lines_salt")),
        ),
        (
            "occurred_at with +04:00",
            &[200],
            changed(&sale, |json| {
                json["occurred_at"] = "2026-11-20T16:00:00.123+04:00".into();
            }),
        ),
        (
            "occurred_at with nine digits",
            &[200],
            changed(&sale, |json| {
                json["occurred_at"] = "2026-11-20T12:00:00.123999999Z".into();
            }),
        ),
        ("fields in another order", &[200], reverse_fields(&sale)),
    ];
    let mut all = Vec::new();
    for (name, expected, body) in spellings {
        let name = format!("stands already: {name}");
        all.push((name, expected, till.post(body).await));
    }
    all
}

fn reverse_fields(sale: &SaleRequest) -> Vec<u8> {
    let json = serde_json::to_value(sale).unwrap();
    let fields = json.as_object().unwrap().iter().rev();
    let fields: Vec<String> = fields
        .map(|(name, value)| format!("\"{name}\":{value}"))
        .collect();
    format!("{{{}}}", fields.join(",")).into_bytes()
}

/// JSON as other programs write it.
async fn documents(till: &mut Till) -> Vec<Verdict> {
    let total = "\"total\":300";
    let utf16 = |text: &[u8]| -> Vec<u8> {
        let text = std::str::from_utf8(text).unwrap();
        let marked = format!("\u{feff}{text}");
        marked.encode_utf16().flat_map(u16::to_le_bytes).collect()
    };
    let latin1 = |mut text: Vec<u8>| {
        let at = text.iter().position(|byte| *byte == b'#').unwrap();
        text[at] = 0xe9;
        text
    };
    let plain = |till: &mut Till| till.changed(|_| {});
    let signed = |till: &mut Till, name: &str| {
        let sale = till.sale_of(vec![line(name, 1, 300)], NOW_MS);
        changed(&sale, |_| {})
    };

    let bodies: Vec<(&str, &[u16], Vec<u8>)> = vec![
        (
            "total as 300.0",
            &[400, 422],
            till.replaced(total, "\"total\":300.0"),
        ),
        (
            "total as 3e2",
            &[400, 422],
            till.replaced(total, "\"total\":3e2"),
        ),
        (
            "total as text",
            &[422],
            till.replaced(total, "\"total\":\"300\""),
        ),
        (
            "total twice, first right then wrong",
            &[400, 422],
            till.replaced(total, "\"total\":300,\"total\":1"),
        ),
        (
            "total twice, first wrong then right",
            &[400, 422],
            till.replaced(total, "\"total\":1,\"total\":300"),
        ),
        (
            "quantity -1",
            &[422],
            till.replaced("\"quantity\":2", "\"quantity\":-1"),
        ),
        (
            "total 2^64",
            &[422],
            till.replaced(total, "\"total\":18446744073709551616"),
        ),
        (
            "byte order mark in front",
            &[201, 400],
            till.replaced("{\"outlet\"", "\u{feff}{\"outlet\""),
        ),
        (
            "text after the object",
            &[400],
            [plain(till), b"x".to_vec()].concat(),
        ),
        ("UTF-16 body", &[400, 415], utf16(&plain(till))),
        (
            "latin-1 bytes in a name",
            &[400, 422],
            latin1(till.replaced("ჩაი ☕", "th#")),
        ),
        (
            "a lone surrogate \\ud83c",
            &[400, 422],
            till.replaced("ჩაი ☕", "\\ud83c"),
        ),
        ("NUL in a name, signed", &[201, 422], signed(till, "te\0a")),
        (
            "right-to-left marks and a family emoji, signed",
            &[201],
            signed(till, "\u{202e}شاي\u{202c} 👨‍👩‍👧‍👦"),
        ),
        (
            "a name in NFD, signed in NFD",
            &[201],
            signed(till, "cafe\u{301}"),
        ),
        (
            "200 levels of [",
            &[400, 422],
            ["[".repeat(200), "]".repeat(200)].concat().into_bytes(),
        ),
        ("empty body", &[400], Vec::new()),
    ];
    let mut all = Vec::new();
    for (name, expected, body) in bodies {
        all.push((name.to_owned(), expected, till.post(body).await));
    }

    for header in [
        ("content-type", "text/plain"),
        ("content-type", "application/json; charset=UTF-8"),
        ("content-encoding", "gzip"),
        ("idempotency-key", "k"),
        ("idempotency-key", "k"),
    ] {
        let expected: &[u16] = match header {
            ("content-type", "text/plain") => &[201, 415],
            ("content-encoding", _) => &[201, 400, 415],
            _ => &[201],
        };
        let name = format!("{}: {}", header.0, header.1);
        all.push((name, expected, till.post_with(header).await));
    }
    all
}

/// Moments as other programs write them; what is signed is noon.
async fn times(till: &mut Till) -> Vec<Verdict> {
    let mut all = Vec::new();
    for (text, expected) in [
        ("2026-11-20T12:00:00", &[422][..]),
        ("2026-11-20 12:00:00Z", &[201, 422]),
        ("2026-11-20T12:00:00+0000", &[422]),
        ("2026-11-20t12:00:00z", &[201, 422]),
        ("2026-11-20T12:00:00-00:00", &[201]),
        ("2026-11-20T12:00:00+23:59", &[422]),
        ("2026-11-20X12:00:00Z", &[422]),
        ("1795176000000", &[422]),
        ("2026-06-30T23:59:60Z", &[422]),
        ("2026-11-20T24:00:00Z", &[422]),
        ("+2026-11-20T12:00:00Z", &[422]),
    ] {
        let sale = till.sale_of(Till::tea(), NOON_MS);
        assert_eq!(sale.occurred_at, format_time(NOON_MS));
        let body = changed(&sale, |json| json["occurred_at"] = text.into());
        all.push((
            format!("occurred_at {text:?}"),
            expected,
            till.post(body).await,
        ));
    }
    all
}
