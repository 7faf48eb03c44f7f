//! The read model.

use crate::config::Database;
use domain::Genesis;
use problem::{Problem, Refusal};
use read_model::network::Pulse;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{PgPool, Postgres, Transaction};
use std::time::Duration;
use tokio::sync::OnceCell;

/// How long a request waits for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);

/// Why the read model did not answer.
#[derive(Debug, thiserror::Error)]
pub enum MirrorError {
    /// Postgres is away, slow or damaged.
    #[error("the read model does not answer")]
    Database(#[from] sqlx::Error),
    /// The indexer never wrote to it.
    #[error("the read model is empty: the indexer has not begun")]
    Empty,
}

impl From<MirrorError> for Refusal {
    fn from(error: MirrorError) -> Self {
        match error {
            MirrorError::Empty => Problem::new(503, "mirror_empty", error.to_string()).into(),
            MirrorError::Database(source) => {
                tracing::error!(error = %source, "the read model does not answer");
                let detail = "the read model does not answer; ask again, or ask a node";
                Problem::new(503, "mirror_unavailable", detail).into()
            }
        }
    }
}

/// Connections that only read.
#[derive(Debug)]
pub struct Mirror {
    pool: PgPool,
    /// One connection apart: whether the database answers has to be seen also while all others are busy.
    watching: PgPool,
    genesis: OnceCell<Genesis>,
}

impl Mirror {
    /// Connects when first asked, so that the gateway starts before its database.
    pub fn new(options: PgConnectOptions, config: &Database) -> Self {
        let timeout_ms = config.statement_timeout_ms.to_string();
        let options = options.application_name("gateway").options([
            ("default_transaction_read_only", "on"),
            ("statement_timeout", timeout_ms.as_str()),
        ]);
        let pool = |connections_max| {
            PgPoolOptions::new()
                .max_connections(connections_max)
                .acquire_timeout(ACQUIRE_TIMEOUT)
        };

        Self {
            watching: pool(1).connect_lazy_with(options.clone()),
            pool: pool(config.connections_max).connect_lazy_with(options),
            genesis: OnceCell::new(),
        }
    }

    /// How old is what came along each way, as the indexer says.
    pub async fn pulse(&self) -> Result<Pulse, MirrorError> {
        let mut connection = self.watching.acquire().await?;
        Ok(read_model::network::read_pulse(&mut connection).await?)
    }

    /// The pool, for a listener.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// One moment of everything.
    pub async fn snapshot(&self) -> Result<Transaction<'static, Postgres>, MirrorError> {
        Ok(read_model::begin_snapshot(&self.pool).await?)
    }

    /// The genesis of the mirrored sidechain.
    pub async fn genesis(&self) -> Result<&Genesis, MirrorError> {
        let read = || async {
            let mut connection = self.pool.acquire().await?;
            read_model::network::read_genesis(&mut connection)
                .await?
                .ok_or(MirrorError::Empty)
        };
        self.genesis.get_or_try_init(read).await
    }
}
