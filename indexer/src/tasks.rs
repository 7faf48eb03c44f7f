//! One loop a file: read, decide, act. The step is a function, the loop only repeats it.

pub mod audit;
pub mod evm;
pub mod health;
pub mod pace;
pub mod pulse;
pub mod sidechain;

use crate::config::Config;
use crate::error::Error;
use crate::io::store::{Stream, Writer};
use crate::pulse::Pulse;
use health::Health;
use sqlx::postgres::PgConnectOptions;
use std::sync::Arc;
use std::time::Duration;

/// How often a standby asks for the writer's lock.
const STANDBY_PAUSE: Duration = Duration::from_millis(500);

/// What every task needs.
#[derive(Clone, Debug)]
pub struct Context {
    /// The configuration, checked at the start.
    pub config: Arc<Config>,
    /// Where rows go.
    pub database: PgConnectOptions,
    /// What `/readyz` says.
    pub health: Health,
    /// What is heard of each chain's node.
    pub pulse: Pulse,
}

impl Context {
    /// Waits until this process is the one writer of a stream.
    async fn become_writer(&self, stream: Stream) -> Result<Writer, Error> {
        loop {
            if let Some(writer) = Writer::acquire(&self.database, stream).await? {
                self.pulse.note_writer(stream, true);
                return Ok(writer);
            }
            self.pulse.note_writer(stream, false);
            self.health.set(
                stream.name(),
                Err("standby: another indexer writes this stream".into()),
            );
            tokio::time::sleep(STANDBY_PAUSE).await;
        }
    }
}
