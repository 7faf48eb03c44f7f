//! The schedule: every sale at its intended time, whatever became of those before it.

use crate::cli::SalesArgs;
use crate::http::Door;
use crate::journal::{Entry, Journal};
use crate::network::Network;
use crate::report::{Recorder, Report, Run, Sent, micros};
use crate::sales::{Factory, Signed, SignedSale};
use crate::{outlets, sales, send};
use anyhow::{Context, Result};
use service_kit::clock::now_ms;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;
use tokio::sync::mpsc::Receiver;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// So many seconds of sales are signed ahead.
const SIGN_AHEAD_S: u64 = 90;
const NANOS: u64 = 1_000_000_000;

/// Sends, measures, shows; true when every sale was acknowledged.
pub async fn run(args: &SalesArgs) -> Result<bool> {
    let stop = CancellationToken::new();
    let interrupted = stop.clone();
    tokio::spawn(async move { tokio::signal::ctrl_c().await.map(|()| interrupted.cancel()) });

    let network = Network::read(&args.network)?;
    let genesis = network.nodes[0]
        .genesis()
        .await
        .context("ask a node for the genesis")?;
    let terminals = outlets::ensure(&network, args.outlets, args.terminals).await?;
    let doors = doors(args, &network)?;
    let (nodes, seed, count) = (
        doors.len(),
        args.seed.unwrap_or_else(now_ms),
        terminals.len(),
    );
    let factory = Factory::new(terminals, genesis.domain(), seed)?;
    let rate = u64::from(args.rate);
    let total = rate * u64::from(args.warmup + args.seconds);
    let Signed { sales, each, ahead } = sales::sign(factory, total, rate * SIGN_AHEAD_S).await?;

    let journal = args.journal.as_deref().map(Journal::open).transpose()?;
    let schedule = Schedule::new(args, doors, journal.as_ref().map(Journal::sender))?;
    let (sent, blocks) = tokio::join!(
        schedule.send_all(sales, total, &stop),
        schedule.count_blocks(network, &stop)
    );
    // The journal ends when the last sender of entries is gone.
    let recorder = schedule.answers.recorder;
    drop(schedule.answers.journal);
    let run = Run {
        rate: args.rate,
        seed,
        nodes,
        terminals: count,
        sent,
        blocks,
        sign_us: micros(each),
        signed_ahead: ahead,
        journaled: journal.map(Journal::close).transpose()?,
    };
    print_report(
        args,
        &recorder
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .report(run),
    )
}

/// Where sales are sent.
fn doors(args: &SalesArgs, network: &Network) -> Result<Arc<[Door]>> {
    if args.through.is_empty() {
        let bases = network.nodes.iter().map(|node| Door::new(node.base()));
        return bases.collect();
    }
    args.through.iter().map(|base| Door::new(base)).collect()
}

fn print_report(args: &SalesArgs, report: &Report) -> Result<bool> {
    if args.json {
        println!("{}", serde_json::to_string(report)?);
    } else {
        println!("{}", report.table());
    }
    Ok(report.is_complete())
}

/// Where answers go.
#[derive(Clone)]
struct Answers {
    recorder: Arc<Mutex<Recorder>>,
    journal: Option<mpsc::Sender<Entry>>,
    measured_from: Instant,
}

impl Answers {
    fn recorder(&self) -> MutexGuard<'_, Recorder> {
        self.recorder.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn offered(&self, intended: Instant) {
        if intended >= self.measured_from {
            self.recorder().offered();
        }
    }

    fn take(&self, intended: Instant, outcome: send::Outcome) {
        let now = Instant::now();
        let entry = match outcome {
            Ok(entry) => entry,
            Err(failure) => return self.recorder().failed(failure),
        };
        let at = now.checked_duration_since(self.measured_from);
        let due = intended.checked_duration_since(self.measured_from);
        self.recorder().acknowledged(now - intended, at, due);
        if let Some(journal) = &self.journal {
            // Fails only when the writer has died, which closing the journal says.
            let _ = journal.send(entry);
        }
    }
}

struct Schedule {
    answers: Answers,
    start: Instant,
    end: Instant,
    rate: u64,
    retry: bool,
    in_flight_max: usize,
    batch: usize,
    nodes: Arc<[Door]>,
}

/// A sale and its intended time.
type Due = (Instant, SignedSale);

impl Schedule {
    fn new(
        args: &SalesArgs,
        nodes: Arc<[Door]>,
        journal: Option<mpsc::Sender<Entry>>,
    ) -> Result<Self> {
        let start = Instant::now();
        let measured_from = start + Duration::from_secs(args.warmup.into());
        let recorder = Arc::new(Mutex::new(Recorder::new(args.seconds, args.stretch)?));

        Ok(Self {
            answers: Answers {
                recorder,
                journal,
                measured_from,
            },
            start,
            end: measured_from + Duration::from_secs(args.seconds.into()),
            rate: args.rate.into(),
            retry: args.retry,
            in_flight_max: args.in_flight_max as usize,
            batch: args.batch as usize,
            nodes,
        })
    }

    /// When a sale is to be sent.
    fn intended(&self, number: u64) -> Instant {
        let whole = Duration::from_secs(number / self.rate);
        self.start + whole + Duration::from_nanos(number % self.rate * NANOS / self.rate)
    }

    /// Sends everything or until it is stopped, then waits for the answers.
    async fn send_all(
        &self,
        mut sales: Receiver<SignedSale>,
        total: u64,
        stop: &CancellationToken,
    ) -> Sent {
        let under_way = TaskTracker::new();
        let room = Arc::new(Semaphore::new(self.in_flight_max));
        let mut sent = Sent::default();
        let mut group = Vec::with_capacity(self.batch);
        let mut places: Option<OwnedSemaphorePermit> = None;

        for number in 0..total {
            let intended = self.intended(number);
            tokio::select! {
                () = stop.cancelled() => break,
                () = sleep_until(intended) => {}
            }

            let Some(sale) = sales.recv().await else {
                break;
            };
            self.answers.offered(intended);

            let Ok(place) = Arc::clone(&room).try_acquire_owned() else {
                sent.in_flight_bound_reached = true;
                self.answers.take(intended, Err("no_room_in_flight".into()));
                continue;
            };

            group.push((intended, sale));
            match &mut places {
                Some(places) => places.merge(place),
                None => places = Some(place),
            }
            sent.late_us_max = sent.late_us_max.max(micros(intended.elapsed()));
            sent.in_flight_max = sent
                .in_flight_max
                .max(self.in_flight_max - room.available_permits());

            if group.len() == self.batch {
                under_way.spawn(self.send(
                    number as usize / self.batch,
                    std::mem::take(&mut group),
                    places.take(),
                ));
            }
        }

        if !group.is_empty() {
            under_way.spawn(self.send(0, group, places));
        }

        let end = if stop.is_cancelled() {
            Instant::now().min(self.end)
        } else {
            self.end
        };
        sent.seconds = end
            .saturating_duration_since(self.answers.measured_from)
            .as_secs();

        under_way.close();
        under_way.wait().await;
        sent
    }

    fn send(
        &self,
        number: usize,
        group: Vec<Due>,
        places: Option<OwnedSemaphorePermit>,
    ) -> impl Future<Output = ()> + Send + use<> {
        let (nodes, answers, retry) = (Arc::clone(&self.nodes), self.answers.clone(), self.retry);

        async move {
            let (intended, sales): (Vec<Instant>, Vec<SignedSale>) = group.into_iter().unzip();
            let outcomes = match sales.as_slice() {
                [sale] if retry => vec![send::until_acknowledged(&nodes, number, sale).await],
                [sale] => vec![send::once(&nodes, number, sale).await],
                sales => send::batch(&nodes, number, sales).await,
            };

            for (intended, outcome) in intended.into_iter().zip(outcomes) {
                answers.take(intended, outcome);
            }
            drop(places);
        }
    }

    /// Blocks from the beginning of the measuring to its end.
    async fn count_blocks(&self, network: Network, stop: &CancellationToken) -> u64 {
        sleep_until(self.answers.measured_from).await;
        let before = network.height().await;
        tokio::select! {
            () = stop.cancelled() => {}
            () = sleep_until(self.end) => {}
        }
        match (before, network.height().await) {
            (Ok(before), Ok(after)) => after.saturating_sub(before),
            _ => 0,
        }
    }
}
