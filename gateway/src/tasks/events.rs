//! Reads what the indexer tells once and hands it to every reader of `/api/v1/events`.

use crate::io::mirror::{Mirror, MirrorError};
use api_types::{AsOf, BlocksEvent, EvmEvent, ResetEvent, RevertedEvent};
use read_model::events::{self, CHANNEL, Event, What};
use read_model::sales::{Filter, find_sales};
use read_model::{begin_snapshot, network};
use serde::Serialize;
use sqlx::postgres::PgListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

/// Messages that a reader may be behind before it has to read from the database.
const BEHIND_MAX: usize = 256;
/// Events read from the database at once.
const BATCH: i64 = 100;
/// A reader who missed more asks for everything again, which is cheaper.
const MISSED_MAX: u64 = 2_000;
/// The newest sales that a message holds.
const LATEST_MAX: i64 = 20;
/// How often the database is asked although nothing was announced.
const LOOK_INTERVAL: Duration = Duration::from_secs(2);
/// Pause after the database did not answer.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// A message as readers get it.
#[derive(Clone, Debug)]
pub struct Told {
    /// The SSE id, by which a reader resumes; ascending.
    pub id: u64,
    /// `blocks`, `evm`, `reverted` or `reset`.
    pub name: &'static str,
    /// JSON on one line.
    pub data: String,
}

/// Where readers get their messages from.
#[derive(Debug)]
pub struct Hub {
    mirror: Arc<Mirror>,
    sender: broadcast::Sender<Arc<Told>>,
    /// The last message handed out; [`UNKNOWN`] until the database was asked.
    last: AtomicU64,
}

/// No id yet.
const UNKNOWN: u64 = u64::MAX;

impl Hub {
    /// A hub without messages.
    pub fn new(mirror: Arc<Mirror>) -> Self {
        Self {
            mirror,
            sender: broadcast::Sender::new(BEHIND_MAX),
            last: AtomicU64::new(UNKNOWN),
        }
    }

    /// Messages from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Told>> {
        self.sender.subscribe()
    }

    /// The id that a reader without a position of its own starts after.
    pub async fn now(&self) -> Result<u64, MirrorError> {
        match self.last.load(Ordering::Acquire) {
            UNKNOWN => Ok(
                events::kept(&mut *begin_snapshot(self.mirror.pool()).await?)
                    .await?
                    .1,
            ),
            last => Ok(last),
        }
    }

    /// What a reader who was away missed after an id, one batch; empty when nothing. A `reset` when some of it is
    /// not kept any more, or when the id is not of this database.
    pub async fn missed(&self, id: u64) -> Result<Vec<Arc<Told>>, MirrorError> {
        let mut moment = self.mirror.snapshot().await?;
        let (first, last) = events::kept(&mut moment).await?;
        if id.saturating_add(1) < first || id > last || last - id > MISSED_MAX {
            let told = Told::new(last, "reset", &ResetEvent { after: id });
            return Ok(vec![Arc::new(told)]);
        }
        let mut told = Vec::new();
        for event in events::after(&mut moment, id, BATCH).await? {
            told.push(Arc::new(describe_event(&mut moment, event).await?));
        }
        Ok(told)
    }

    /// Hands out what is new.
    async fn step(&self) -> Result<usize, MirrorError> {
        let mut last = self.last.load(Ordering::Acquire);
        if last == UNKNOWN {
            last = self.now().await?;
            self.last.store(last, Ordering::Release);
        }
        let told = self.missed(last).await?;
        for message in &told {
            self.last.store(message.id, Ordering::Release);
            // Nobody listens: nothing to do.
            let _ = self.sender.send(Arc::clone(message));
        }
        Ok(told.len())
    }
}

impl Told {
    /// A message; what it holds always is JSON.
    fn new(id: u64, name: &'static str, event: &impl Serialize) -> Self {
        let data = serde_json::to_string(event).unwrap_or_default();
        Self { id, name, data }
    }
}

async fn describe_event(
    moment: &mut sqlx::PgConnection,
    event: Event,
) -> Result<Told, MirrorError> {
    let as_of = network::as_of(&mut *moment).await?;
    let Event { id, what, from, to } = event;

    Ok(match what {
        What::Blocks => Told::new(id, "blocks", &blocks_event(moment, from, to, as_of).await?),
        What::Evm => Told::new(id, "evm", &evm_event(moment, from, to, as_of).await?),
        What::Reverted => Told::new(id, "reverted", &RevertedEvent { from, to, as_of }),
    })
}

async fn blocks_event(
    moment: &mut sqlx::PgConnection,
    from: u64,
    to: u64,
    as_of: AsOf,
) -> Result<BlocksEvent, MirrorError> {
    let (sales, transactions) = events::block_counts(&mut *moment, from, to).await?;
    let filter = Filter {
        outlet: None,
        before: Some((to + 1, 0)),
        from_height: Some(from),
    };
    let latest = if sales > 0 {
        find_sales(moment, filter, LATEST_MAX).await?
    } else {
        Vec::new()
    };

    Ok(BlocksEvent {
        from,
        to,
        sales,
        transactions,
        latest,
        as_of,
    })
}

async fn evm_event(
    moment: &mut sqlx::PgConnection,
    from: u64,
    to: u64,
    as_of: AsOf,
) -> Result<EvmEvent, MirrorError> {
    let (checkpoints, payouts) = events::evm_counts(&mut *moment, from, to).await?;

    Ok(EvmEvent {
        from,
        to,
        finalized: as_of.evm_finalized_block,
        checkpoints,
        payouts,
        as_of,
    })
}

/// Hands out messages until it is stopped; a database that is away is waited for.
pub async fn run(hub: Arc<Hub>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        if let Err(error) = follow_channel(&hub, &stop).await {
            tracing::warn!(%error, "events stop until the read model answers again");
            let _ = tokio::time::timeout(RETRY_PAUSE, stop.cancelled()).await;
        }
    }
}

async fn follow_channel(hub: &Hub, stop: &CancellationToken) -> Result<(), MirrorError> {
    let mut listener = PgListener::connect_with(hub.mirror.pool()).await?;
    listener.listen(CHANNEL).await?;
    loop {
        while hub.step().await? > 0 {}
        tokio::select! {
            announced = tokio::time::timeout(LOOK_INTERVAL, listener.recv()) => {
                if let Ok(lost) = announced { lost?; }
            }
            () = stop.cancelled() => return Ok(()),
        }
    }
}
