//! One import: what it would do, and then doing it.

use anyhow::{Context, Result};
use domain::{Address, OutletId};
use import::{
    Destination, MadeTimes, Map, Pass, Plan, Preview, Progress, Rejected, SendError, Signer,
    send_all,
};
use serde::Serialize;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Who signs, where it goes, and where an import keeps its files.
#[derive(Debug)]
pub struct Source {
    /// The tills' keys.
    pub signer: Arc<Signer>,
    /// Nodes and rate.
    pub destination: Destination,
    /// For made times and lists of refused orders.
    pub state_dir: PathBuf,
    /// The network's folder, where outlets that are missing are registered; none: they must stand.
    pub registrar: Option<crate::import::local::Registrar>,
}

/// What an import would do.
#[derive(Debug)]
pub struct Look {
    /// The file, read once.
    pub plan: Arc<Plan>,
    /// Its sums and refusals.
    pub preview: Preview,
    /// Times of earlier imports and those that are made now.
    pub times: Arc<MadeTimes>,
}

impl Look {
    /// Sales first, and refunds if there are any.
    pub const fn passes(&self) -> &'static [Pass] {
        if self.preview.returns > 0 {
            &[Pass::Sales, Pass::Returns]
        } else {
            &[Pass::Sales]
        }
    }
}

/// How an import ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Sales and refunds that were answered 201: this import brought them in.
    pub new: u64,
    /// Those that were answered 200: they stood already.
    pub known: u64,
    /// Orders that were refused; listed in `rejected_file`.
    pub rejected: u64,
    /// Where refused orders are listed, if there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejected_file: Option<PathBuf>,
}

/// Reads a whole file and says what an import would do. Nothing is written.
pub async fn look_at(
    file: &Path,
    map: Map,
    source: &Source,
    progress: &Arc<Progress>,
) -> Result<Look> {
    let times = MadeTimes::read(&times_file(&source.state_dir, &map))?;
    let (path, progress) = (file.to_owned(), Arc::clone(progress));
    let looking = tokio::task::spawn_blocking(move || look_through(&path, &map, times, &progress));

    looking
        .await
        .context("the reader died")?
        .with_context(|| format!("{}: nothing is imported", file.display()))
}

fn look_through(path: &Path, map: &Map, mut times: MadeTimes, progress: &Progress) -> Result<Look> {
    let now_ms = service_kit::clock::now_ms();
    let plan = Plan::read(path, map, &progress.rows)?;
    let mut preview = Preview::read(&plan, &times, now_ms)?;
    times.make(&preview.without_time, map.time.step_ms, now_ms);
    preview.without_time = Vec::new();

    Ok(Look {
        plan: Arc::new(plan),
        preview,
        times: Arc::new(times),
    })
}

/// Registers what is missing, keeps the made times, then sends all sales and all refunds.
pub async fn send_orders(look: &Look, source: &Source, progress: &Arc<Progress>) -> Result<Report> {
    if let Some(registrar) = &source.registrar {
        registrar.ensure_outlets(look.plan.map()).await?;
    }
    std::fs::create_dir_all(&source.state_dir)?;
    look.times
        .write(&times_file(&source.state_dir, look.plan.map()))?;

    let preview = &look.preview;
    let orders = preview.sales + preview.returns + preview.rejected;
    progress.total.fetch_add(orders, Ordering::Relaxed);
    let before = (
        progress.new.load(Ordering::Relaxed),
        progress.known.load(Ordering::Relaxed),
    );

    let mut list = RejectedList::new(&source.state_dir, look.plan.table().path());
    send_passes(look, source, progress, &mut list).await?;
    list.finish()?;

    Ok(Report {
        new: progress.new.load(Ordering::Relaxed) - before.0,
        known: progress.known.load(Ordering::Relaxed) - before.1,
        rejected: list.count,
        rejected_file: list.written(),
    })
}

async fn send_passes(
    look: &Look,
    source: &Source,
    progress: &Arc<Progress>,
    list: &mut RejectedList,
) -> Result<(), anyhow::Error> {
    for pass in look.passes() {
        let mut failed = None;
        let sent: Result<(), SendError> = send_all(
            &look.plan,
            &source.signer,
            &look.times,
            *pass,
            &source.destination,
            progress,
            |rejected| failed = failed.take().or(list.add(&rejected).err()),
        )
        .await;
        sent?;
        if let Some(error) = failed {
            return Err(error.into());
        }
    }

    Ok(())
}

/// The file that lists refused orders, a JSON object a line; made with the first one.
struct RejectedList {
    path: PathBuf,
    out: Option<std::io::BufWriter<std::fs::File>>,
    count: u64,
}

impl RejectedList {
    fn new(state_dir: &Path, file: &Path) -> Self {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let path = state_dir.join(format!("{name}.rejected"));
        // A list of an earlier import would be a lie now.
        let _ = std::fs::remove_file(&path);
        Self {
            path,
            out: None,
            count: 0,
        }
    }

    fn add(&mut self, rejected: &Rejected) -> std::io::Result<()> {
        let out = match &mut self.out {
            Some(out) => out,
            None => self
                .out
                .insert(std::io::BufWriter::new(std::fs::File::create(&self.path)?)),
        };
        self.count += 1;
        serde_json::to_writer(&mut *out, rejected)?;
        out.write_all(b"\n")
    }

    fn finish(&mut self) -> std::io::Result<()> {
        match &mut self.out {
            Some(out) => out.flush(),
            None => Ok(()),
        }
    }

    fn written(&self) -> Option<PathBuf> {
        self.out.is_some().then(|| self.path.clone())
    }
}

fn times_file(state_dir: &Path, map: &Map) -> PathBuf {
    state_dir.join(format!("{}.times", safe_name(&map.source)))
}

/// A name that is safe as a file's.
fn safe_name(name: &str) -> String {
    let is_safe = |c: char| c.is_ascii_alphanumeric() || c == '-';
    name.chars()
        .map(|c| if is_safe(c) { c } else { '_' })
        .collect()
}

/// Outlets, as nodes know them, that a till may sell for.
pub fn outlet_of_till(
    outlets: &[client::OutletAnswer],
    till: Address,
) -> Option<(OutletId, &client::OutletAnswer)> {
    let sells = |outlet: &&client::OutletAnswer| {
        let mut terminals = outlet.terminals.iter();
        terminals.any(|terminal| terminal.address == till)
    };
    let found = outlets.iter().find(sells);
    found.map(|outlet| (outlet.outlet, outlet))
}
