//! How far a stream is mirrored.

use crate::core::rows::to_bigint;
use crate::error::Error;
use crate::io::store::{Stream, Writer, from_bigint, parse_hash};
use alloy::primitives::B256;
use sqlx::postgres::PgConnection;

/// One row of `chain.cursor`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Identifies the chain: the hash of its first block, or the sidechain id.
    pub identity: B256,
    /// What of it is mirrored.
    pub scope: String,
    /// The last block written.
    pub position: u64,
    /// Its hash; `None` before the first block.
    pub hash: Option<B256>,
    /// The last block written that cannot be replaced.
    pub finalized: u64,
}

impl Writer {
    /// Where the stream stands; `None` when it was never begun.
    pub async fn cursor(&mut self) -> Result<Option<Cursor>, Error> {
        let row = sqlx::query!(
            "SELECT identity, scope, position, hash, finalized FROM chain.cursor WHERE stream = $1",
            self.stream.name()
        )
        .fetch_optional(&mut self.connection)
        .await
        .map_err(Error::store("read the cursor"))?;
        let Some(row) = row else { return Ok(None) };

        Ok(Some(Cursor {
            identity: parse_hash("cursor", &row.identity)?,
            scope: row.scope,
            position: from_bigint("cursor", row.position)?,
            hash: row
                .hash
                .map(|bytes| parse_hash("cursor", &bytes))
                .transpose()?,
            finalized: from_bigint("cursor", row.finalized)?,
        }))
    }

    /// Begins the EVM stream.
    pub async fn begin_evm(&mut self, cursor: &Cursor) -> Result<(), Error> {
        insert_cursor(&mut self.connection, self.stream, cursor).await
    }
}

/// Writes a stream's first cursor.
pub async fn insert_cursor(
    connection: &mut PgConnection,
    stream: Stream,
    cursor: &Cursor,
) -> Result<(), Error> {
    sqlx::query!(
        "INSERT INTO chain.cursor (stream, identity, scope, position, finalized) VALUES ($1, $2, $3, $4, $5)",
        stream.name(),
        cursor.identity.as_slice(),
        cursor.scope,
        to_bigint("position", cursor.position)?,
        to_bigint("finalized", cursor.finalized)?,
    )
    .execute(connection)
    .await
    .map_err(Error::store("begin the cursor"))?;
    Ok(())
}

/// One step of a stream's cursor.
#[derive(Clone, Copy, Debug)]
pub struct Move {
    /// The position that it must still have.
    pub from: u64,
    /// The position that it gets.
    pub to: u64,
    /// The hash there.
    pub hash: Option<B256>,
    /// The last final block.
    pub finalized: u64,
}

/// Moves the cursor; fails when it is not where this process left it.
pub async fn advance_cursor(
    connection: &mut PgConnection,
    stream: Stream,
    step: Move,
) -> Result<(), Error> {
    let moved = sqlx::query!(
        "UPDATE chain.cursor SET position = $3, hash = $4, finalized = $5, updated_at = now()
         WHERE stream = $1 AND position = $2",
        stream.name(),
        to_bigint("position", step.from)?,
        to_bigint("position", step.to)?,
        step.hash.as_ref().map(|hash| hash.as_slice()),
        to_bigint("finalized", step.finalized)?,
    )
    .execute(connection)
    .await
    .map_err(Error::store("move the cursor"))?;

    if moved.rows_affected() == 1 {
        Ok(())
    } else {
        Err(Error::CursorMoved {
            stream: stream.name(),
            expected: step.from,
        })
    }
}
