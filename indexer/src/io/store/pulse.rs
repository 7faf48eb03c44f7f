//! How each chain is followed, for readers of the mirror.

use crate::error::Error;
use crate::io::store::Stream;
use sqlx::PgPool;
use std::time::Duration;

/// One row of `pulse`, with ages in place of times: the database has its own clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PulseRow {
    /// Since a node last answered; what an earlier process wrote stays while there is none.
    pub answered: Option<Duration>,
    /// Since the mirror last had everything; likewise.
    pub in_step: Option<Duration>,
    /// Whether the head has not grown for longer than allowed.
    pub stands_still: bool,
}

/// Says how a stream is followed now.
pub async fn write_pulse(pool: &PgPool, stream: Stream, row: PulseRow) -> Result<(), Error> {
    let to_ms = |age: Duration| i64::try_from(age.as_millis()).unwrap_or(i64::MAX);

    sqlx::query!(
        "INSERT INTO chain.pulse AS p (stream, written_at, answered_at, in_step_at, stands_still)
         VALUES ($1, clock_timestamp(), clock_timestamp() - $2::bigint * interval '1 millisecond',
                 clock_timestamp() - $3::bigint * interval '1 millisecond', $4)
         ON CONFLICT (stream) DO UPDATE SET
             written_at = EXCLUDED.written_at,
             answered_at = COALESCE(EXCLUDED.answered_at, p.answered_at),
             in_step_at = COALESCE(EXCLUDED.in_step_at, p.in_step_at),
             stands_still = EXCLUDED.stands_still",
        stream.name(),
        row.answered.map(to_ms),
        row.in_step.map(to_ms),
        row.stands_still
    )
    .execute(pool)
    .await
    .map_err(Error::store("write the pulse"))?;

    Ok(())
}
