//! Signs orders with the terminals' keys and sends them to the nodes.

use super::map::Map;
use super::orders::{Order, Orders, Rejected, group_rows};
use super::rows;
use anyhow::{Context, Result, bail};
use client::{ClientError, NodeClient, OutletAnswer, Problem, SaleRequest};
use domain::crypto::address_of_secret;
use domain::eip712::DomainSeparator;
use domain::limits::SALE_LATE_MS_MAX;
use domain::sale::lines_hash;
use domain::{Address, B256, BuyerKind, Genesis, OutletId, Payload, Sale, Signature, TerminalKind};
use futures::{StreamExt, stream};
use local_network::{Keys, Registrations};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;
use wallet::{SecretKey, lines_salt, receipt_key};

/// Sales under way at once.
const IN_FLIGHT: usize = 128;
/// How long one sale is tried while no node answers; nodes may be restarting.
const SEND_TIMEOUT: Duration = Duration::from_secs(300);
/// How long a node may be behind the block that registered the outlets.
const CATCH_UP_TIMEOUT: Duration = Duration::from_secs(10);
/// Pause before a sale is sent again.
const RETRY_PAUSE: Duration = Duration::from_millis(250);
/// Made times reach back at most this far, so that none is too late on arrival.
const SPREAD_MS_MAX: u64 = SALE_LATE_MS_MAX - 3_600_000;

/// Where orders go and how fast.
#[derive(Clone, Debug)]
pub struct Target {
    /// The network's folder.
    pub data_dir: PathBuf,
    pub nodes: Vec<NodeClient>,
    pub genesis: Genesis,
    /// Sales a second; `None` = as fast as they become final.
    pub rate: Option<u32>,
}

/// How far an import is; read by the status display while it runs.
#[derive(Debug, Default)]
pub struct Progress {
    /// Orders to send.
    pub total: AtomicU64,
    /// Answered 201: final now.
    pub new: AtomicU64,
    /// Answered 200: stood already.
    pub known: AtomicU64,
    /// Refused, by the file's reader or by the network.
    pub rejected: AtomicU64,
}

/// How an import ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Sales that were answered 201: this import brought them in.
    pub new: u64,
    /// Sales that were answered 200: they stood already.
    pub known: u64,
    /// Refused; listed in `rejected_file`.
    pub rejected: u64,
    /// Where refused orders are listed, if there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejected_file: Option<PathBuf>,
}

/// Reads a file through its map. With `strict`, one bad order refuses the whole file before anything is sent.
pub fn read_orders(file: &Path, map: &Map, strict: bool) -> Result<Orders> {
    let orders = group_rows(map, rows::read(file)?);
    if let (true, Some(first)) = (strict, orders.rejected.first()) {
        bail!(
            "{}: {} orders are bad, nothing is sent (--strict); the first: line {}, field {}, found {:?}, allowed: {}",
            file.display(),
            orders.rejected.len(),
            first.line.unwrap_or(0),
            first.field,
            first.found,
            first.allowed
        );
    }

    Ok(orders)
}

/// Made times by order: kept in the data folder, so that a second import signs the same content, and an order that
/// was added to the file since gets a time of its own.
fn made_times(data_dir: &Path, map: &Map, orders: &[Order]) -> Result<BTreeMap<String, u64>> {
    let path = import_dir(data_dir)?.join(format!("{}.times.json", file_name(&map.source)));
    let mut times: BTreeMap<String, u64> = match std::fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .with_context(|| format!("{} is damaged", path.display()))?,
        Err(_) => BTreeMap::new(),
    };

    let new: Vec<&Order> = orders
        .iter()
        .filter(|order| order.occurred_at_ms.is_none() && !times.contains_key(&order.id))
        .collect();
    if new.is_empty() {
        return Ok(times);
    }

    let step_ms = map.time.step_ms.min(SPREAD_MS_MAX / new.len() as u64);
    let first_ms = service_kit::clock::now_ms().saturating_sub(step_ms * new.len() as u64);
    times.extend(
        (0u64..)
            .zip(new)
            .map(|(place, order)| (order.id.clone(), first_ms + step_ms * place)),
    );

    service_kit::files::write_atomically(&path, &serde_json::to_vec(&times)?)?;
    Ok(times)
}

fn import_dir(data_dir: &Path) -> Result<PathBuf> {
    let dir = data_dir.join("import");
    std::fs::create_dir_all(&dir)?;
    Ok(dir)
}

/// A name that is safe as a file's.
fn file_name(name: &str) -> String {
    name.chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '-' {
                c
            } else {
                '_'
            }
        })
        .collect()
}

/// Signs all good orders of a file with the keys of the data folder.
pub fn sign_orders(
    target: &Target,
    keys: &Keys,
    map: &Map,
    orders: &[Order],
) -> Result<Vec<(Order, SaleRequest)>> {
    let times = made_times(&target.data_dir, map, orders)?;
    let domain = target.genesis.domain();

    let mut terminals: BTreeMap<OutletId, SecretKey> = BTreeMap::new();
    for outlet in &map.outlets {
        terminals.insert(outlet.id, keys.terminal(outlet.id)?);
    }
    let wallets = (0..map.buyer.wallets)
        .map(|number| keys.guest(number))
        .collect::<Result<Vec<Address>>>()?;

    let sign = |order: &Order| {
        let terminal = terminals
            .get(&order.outlet)
            .context("an order of an outlet that the map does not have")?;
        let made = times.get(&order.id).copied().unwrap_or_default();
        let occurred_at_ms = order.occurred_at_ms.unwrap_or(made);
        Ok((
            order.clone(),
            sign_order(order, map, occurred_at_ms, terminal, &wallets, &domain),
        ))
    };

    orders.iter().map(sign).collect()
}

fn sign_order(
    order: &Order,
    map: &Map,
    occurred_at_ms: u64,
    terminal: &SecretKey,
    wallets: &[Address],
    domain: &DomainSeparator,
) -> SaleRequest {
    let salt = B256::from(lines_salt(terminal, order.sale_id.0));
    let wallet = order
        .wallet
        .and_then(|number| wallets.get(usize::try_from(number).ok()?));
    let (buyer_kind, buyer) = match wallet {
        Some(wallet) => (BuyerKind::Wallet, *wallet),
        None => (
            BuyerKind::Receipt,
            address_of_secret(&receipt_key(terminal, order.sale_id.0)),
        ),
    };

    let sale = Sale {
        outlet: order.outlet,
        terminal: address_of_secret(terminal),
        sale_id: order.sale_id,
        occurred_at_ms,
        currency: map.currency,
        total: order.total,
        lines_hash: lines_hash(salt, &order.lines),
        buyer_kind,
        buyer,
    };

    let digest = domain.transaction_digest(&Payload::Sale(sale.clone()));
    SaleRequest::new(
        &sale,
        order.lines.clone(),
        salt,
        Signature::sign(digest, terminal),
    )
}

/// Imports a whole file: registers outlets and terminals that are missing, sends all sales, lists what was refused.
pub async fn import_file(
    target: &Target,
    keys: &Keys,
    file: &Path,
    map: &Map,
    strict: bool,
    progress: &Arc<Progress>,
) -> Result<Report> {
    let orders = read_orders(file, map, strict)?;

    progress.total.fetch_add(
        (orders.good.len() + orders.rejected.len()) as u64,
        Ordering::Relaxed,
    );
    progress
        .rejected
        .fetch_add(orders.rejected.len() as u64, Ordering::Relaxed);

    ensure_outlets(target, keys, map).await?;
    let signed = sign_orders(target, keys, map, &orders.good)?;

    let mut rejected = orders.rejected;
    let mut report = Report::default();
    for outcome in send_all(target, signed, progress).await {
        match outcome? {
            Sent::New => report.new += 1,
            Sent::Known => report.known += 1,
            Sent::Refused(refused) => rejected.push(refused),
        }
    }

    report.rejected = rejected.len() as u64;
    report.rejected_file = list_rejected(target, file, &rejected)?;
    Ok(report)
}

enum Sent {
    New,
    Known,
    Refused(Rejected),
}

async fn send_all(
    target: &Target,
    signed: Vec<(Order, SaleRequest)>,
    progress: &Arc<Progress>,
) -> Vec<Result<Sent>> {
    let start = Instant::now();
    let period = target.rate.map(|rate| Duration::from_secs(1) / rate.max(1));
    stream::iter((0u32..).zip(signed))
        .then(|(number, sale)| async move {
            if let Some(period) = period {
                tokio::time::sleep_until(start + period * number).await;
            }
            (number, sale)
        })
        .map(|(number, (order, sale))| {
            let (nodes, progress) = (target.nodes.clone(), Arc::clone(progress));
            // A task each, so that slow answers do not hold up the sending.
            tokio::spawn(async move {
                send_sale(&nodes, number as usize, &order, &sale, &progress).await
            })
        })
        .buffer_unordered(IN_FLIGHT)
        .map(|joined| joined.context("a sender died").and_then(|sent| sent))
        .collect()
        .await
}

/// Sends one sale until a node says what became of it; the same request again is harmless.
async fn send_sale(
    nodes: &[NodeClient],
    number: usize,
    order: &Order,
    sale: &SaleRequest,
    progress: &Progress,
) -> Result<Sent> {
    let deadline = Instant::now() + SEND_TIMEOUT;
    let (mut unsure, mut behind_since) = (false, None);
    for attempt in 0.. {
        let node = &nodes[(number + attempt) % nodes.len()];
        match node.post_sale(sale).await {
            Ok((is_new, _)) => {
                // After an unknown outcome, "stood already" may be this very request.
                let counter = if is_new || unsure {
                    &progress.new
                } else {
                    &progress.known
                };
                counter.fetch_add(1, Ordering::Relaxed);
                return Ok(if is_new || unsure {
                    Sent::New
                } else {
                    Sent::Known
                });
            }
            Err(ClientError::Problem(problem))
                if may_be_behind(&problem) && catches_up(&mut behind_since) =>
            {
                tokio::time::sleep(RETRY_PAUSE).await;
            }
            Err(error) if error.is_retryable() => {
                unsure = true;
                if Instant::now() > deadline {
                    return Err(error)
                        .with_context(|| format!("order {}: no node answers", order.id));
                }
                tokio::time::sleep(RETRY_PAUSE).await;
            }
            Err(ClientError::Problem(problem)) => {
                progress.rejected.fetch_add(1, Ordering::Relaxed);
                let field = problem
                    .errors
                    .first()
                    .map(|error| error.pointer.clone())
                    .unwrap_or_default();
                return Ok(Sent::Refused(Rejected {
                    order: Some(order.id.clone()),
                    line: None,
                    field: field.trim_start_matches('/').into(),
                    found: format!("status {}", problem.status),
                    allowed: problem.detail,
                }));
            }
            Err(error) => return Err(error).with_context(|| format!("order {}", order.id)),
        }
    }
    bail!("order {} was never sent", order.id)
}

/// The outlet and its terminal are in the ledger, or nothing would be sent: a node that does not know them has not seen
/// that block yet, and will.
fn may_be_behind(problem: &Problem) -> bool {
    ["unknown_outlet", "unknown_terminal"]
        .iter()
        .any(|code| problem.kind.ends_with(code))
}

/// Whether a node that is behind may still catch up, counted from when it was first seen to be.
fn catches_up(since: &mut Option<Instant>) -> bool {
    since.get_or_insert_with(Instant::now).elapsed() < CATCH_UP_TIMEOUT
}

fn list_rejected(target: &Target, file: &Path, rejected: &[Rejected]) -> Result<Option<PathBuf>> {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let path = import_dir(&target.data_dir)?.join(format!("{name}.rejected"));
    if rejected.is_empty() {
        // A list of an earlier import would be a lie now.
        let _ = std::fs::remove_file(&path);
        return Ok(None);
    }
    let mut out = std::io::BufWriter::new(std::fs::File::create(&path)?);
    for rejection in rejected {
        serde_json::to_writer(&mut out, rejection)?;
        out.write_all(b"\n")?;
    }
    out.flush()?;
    Ok(Some(path))
}

/// Registers the map's outlets and their terminals, as far as they are missing.
pub async fn ensure_outlets(target: &Target, keys: &Keys, map: &Map) -> Result<()> {
    let registrations = Registrations {
        nodes: &target.nodes,
        genesis: &target.genesis,
        keys,
    };
    registrations
        .until_it_stands(|node| register_missing(registrations, node, map))
        .await
}

async fn register_missing(
    registrations: Registrations<'_>,
    node: NodeClient,
    map: &Map,
) -> Result<()> {
    let keys = registrations.keys;
    let known = node.outlets().await?;
    for spec in &map.outlets {
        let owner = address_of_secret(&keys.owner(spec.id)?);
        let terminal = address_of_secret(&keys.terminal(spec.id)?);
        let found = known.iter().find(|outlet| outlet.outlet == spec.id);
        match found {
            None => {
                registrations
                    .register_outlet(&node, &map.opening(spec), owner)
                    .await?;
            }
            Some(outlet) => check_outlet(outlet, owner, map)?,
        }

        let enrolled = found.is_some_and(|outlet| {
            outlet
                .terminals
                .iter()
                .any(|known| known.address == terminal)
        });
        if !enrolled {
            registrations
                .register_terminal(&node, spec.id, terminal, TerminalKind::Physical)
                .await?;
        }
    }
    Ok(())
}

fn check_outlet(outlet: &OutletAnswer, owner: Address, map: &Map) -> Result<()> {
    let id = outlet.outlet;
    if outlet.owner != owner {
        bail!(
            "outlet {id} is owned by {}, the key of this folder is {owner}",
            outlet.owner
        );
    }

    if outlet.currency != map.currency {
        bail!(
            "outlet {id} sells in {}, the map says {}",
            outlet.currency,
            map.currency
        );
    }

    Ok(())
}
