//! The right to write a stream: a lock of the very session that the writes go through, so that whoever loses the
//! lock has lost the connection too.

use crate::error::Error;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection};
use std::time::Duration;

/// First half of the keys of our advisory locks; the second is the stream.
const LOCK_CLASS: i32 = 0x4348;
/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The chain that a task follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// The contracts' events.
    Evm,
    /// The sidechain's blocks.
    Sidechain,
}

impl Stream {
    /// Its name in the database, in logs and in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Evm => "evm",
            Self::Sidechain => "sidechain",
        }
    }

    const fn lock_key(self) -> i32 {
        match self {
            Self::Evm => 1,
            Self::Sidechain => 2,
        }
    }
}

/// The one writer of a stream, as long as its session lives.
#[derive(Debug)]
pub struct Writer {
    pub(super) connection: PgConnection,
    pub(super) stream: Stream,
}

impl Writer {
    /// Connects and takes the stream's lock; `None` when another process holds it.
    pub async fn acquire(
        options: &PgConnectOptions,
        stream: Stream,
    ) -> Result<Option<Self>, Error> {
        let late = |_| Error::Store {
            action: "connect",
            source: sqlx::Error::PoolTimedOut,
        };
        let connected = tokio::time::timeout(CONNECT_TIMEOUT, options.connect())
            .await
            .map_err(late)?;
        let mut connection = connected.map_err(Error::store("connect"))?;

        let key = stream.lock_key();
        let locked = sqlx::query_scalar!(
            r#"SELECT pg_try_advisory_lock($1::int, $2::int) AS "locked!""#,
            LOCK_CLASS,
            key
        )
        .fetch_one(&mut connection)
        .await
        .map_err(Error::store("take the writer's lock"))?;
        if locked {
            return Ok(Some(Self { connection, stream }));
        }

        connection
            .close()
            .await
            .map_err(Error::store("disconnect"))?;
        Ok(None)
    }
}
