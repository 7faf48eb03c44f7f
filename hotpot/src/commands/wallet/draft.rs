//! A transaction as JSON without its signature. Knows no type of transaction but the sale, which comes with its lines.

use anyhow::{Context, Result, bail};
use client::SaleRequest;
use domain::eip712::DomainSeparator;
use domain::{Address, Payload, SaleId, Signature, SignedTransaction};
use serde_json::{Map, Value, json};
use wallet::{SecretKey, lines_salt, receipt_key};

/// Takes a place until it is signed.
const UNSIGNED: Signature = Signature([0; 65]);

/// What is to be signed.
pub enum Draft {
    /// A sale with its lines, for `POST /api/v1/sales`.
    Sale(SaleRequest),
    /// Anything else, for `POST /api/v1/transactions`.
    Other(Payload),
    /// Complete but for its nonce.
    NeedsNonce(Map<String, Value>),
}

/// What was signed.
pub enum Signed {
    /// A sale with its lines.
    Sale(SaleRequest),
    /// Any other transaction, for `POST /api/v1/transactions`.
    Other(SignedTransaction),
}

impl Draft {
    /// Reads what a person or a program wrote; fills in what the key decides.
    pub fn read(text: &str, key: &SecretKey) -> Result<Self> {
        let fields: Map<String, Value> =
            serde_json::from_str(text).context("expected one JSON object")?;
        if fields.contains_key("signature") {
            bail!("it has a signature already: remove the field to sign it anew");
        }

        if fields.contains_key("lines") {
            return complete_sale(fields, key).map(Self::Sale);
        }

        match parse_payload(fields.clone()) {
            Ok(payload) => Ok(Self::Other(payload)),
            Err(_)
                if !fields.contains_key("nonce")
                    && parse_payload(with_nonce(fields.clone(), 0)).is_ok() =>
            {
                Ok(Self::NeedsNonce(fields))
            }
            Err(error) => Err(error),
        }
    }

    /// Signs; a draft that needs a nonce gets this one.
    pub fn sign(self, key: &SecretKey, domain: &DomainSeparator, nonce: u64) -> Result<Signed> {
        let payload = match self {
            Self::Sale(mut request) => {
                let content = Payload::Sale(request.sale().map_err(anyhow::Error::msg)?);
                request.signature = Signature::sign(domain.transaction_digest(&content), key);
                return Ok(Signed::Sale(request));
            }
            Self::Other(payload) => payload,
            Self::NeedsNonce(fields) => parse_payload(with_nonce(fields, nonce))?,
        };
        let signature = Signature::sign(domain.transaction_digest(&payload), key);
        Ok(Signed::Other(SignedTransaction { payload, signature }))
    }
}

impl Signed {
    /// The body of the request, in one line.
    pub fn to_json(&self) -> Result<String> {
        Ok(match self {
            Self::Sale(sale) => serde_json::to_string(sale)?,
            Self::Other(transaction) => serde_json::to_string(transaction)?,
        })
    }
}

fn parse_payload(fields: Map<String, Value>) -> Result<Payload> {
    serde_json::from_value(Value::Object(fields)).context("not a transaction of docs/PROTOCOL.md")
}

fn with_nonce(mut fields: Map<String, Value>, nonce: u64) -> Map<String, Value> {
    fields.insert("nonce".into(), json!(nonce));
    fields
}

fn complete_sale(mut fields: Map<String, Value>, key: &SecretKey) -> Result<SaleRequest> {
    let signer = wallet::address(key);
    if let Some(kind) = fields.remove("type").filter(|kind| kind != "sale") {
        bail!("only a sale has lines, found type {kind}");
    }

    let id = fields
        .get("sale_id")
        .and_then(Value::as_str)
        .and_then(|id| id.parse::<SaleId>().ok());
    if let Some(SaleId(id)) = id {
        fill_missing(&mut fields, "lines_salt", || {
            json!(domain::B256::from(lines_salt(key, id)))
        });
        if fields
            .get("buyer_kind")
            .is_some_and(|kind| kind == "receipt")
        {
            fill_missing(&mut fields, "buyer", || {
                json!(wallet::address(&receipt_key(key, id)))
            });
        }
    }

    fill_missing(&mut fields, "terminal", || json!(signer));
    fields.insert("signature".into(), json!(UNSIGNED));

    let request: SaleRequest =
        serde_json::from_value(Value::Object(fields)).context("not a sale of docs/PROTOCOL.md")?;
    check_sale(&request, signer)?;
    Ok(request)
}

fn fill_missing(fields: &mut Map<String, Value>, name: &str, value: impl FnOnce() -> Value) {
    if !fields.contains_key(name) {
        fields.insert(name.to_owned(), value());
    }
}

fn check_sale(request: &SaleRequest, signer: Address) -> Result<()> {
    if request.terminal != signer {
        bail!(
            "the sale names terminal {}, but the key is of {signer}",
            request.terminal
        );
    }
    let sale = request
        .sale()
        .map_err(anyhow::Error::msg)
        .context("occurred_at")?;
    domain::sale::check_lines(&sale, request.lines_salt, &request.lines)
        .context("the lines of the sale")
}
