//! Says how each chain's node and the database answer: to `/readyz`, and in the database to whoever reads the mirror.

use crate::core::pulse::Beat;
use crate::error::with_causes;
use crate::io::store::{PulseRow, Stream, write_pulse};
use crate::pulse::Pulse;
use crate::tasks::health::Health;
use sqlx::PgPool;
use std::convert::Infallible;
use std::time::Duration;

/// Between two looks,
const PAUSE: Duration = Duration::from_secs(2);
/// and while this process follows nothing yet: readers wait for the first word.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// A database that takes longer to take one row does not answer.
const WRITE_TIMEOUT: Duration = Duration::from_secs(5);
/// The task's name for the database in readiness answers.
const DATABASE: &str = "PostgreSQL";

/// The task's name for a chain in readiness answers.
const fn source_name(stream: Stream) -> &'static str {
    match stream {
        Stream::Evm => "EVM node",
        Stream::Sidechain => "sidechain nodes",
    }
}

/// Says so for ever. `evm_interval_max`: how long the EVM chain's head may stay the same.
pub async fn run(
    pool: PgPool,
    pulse: Pulse,
    health: Health,
    evm_interval_max: Option<Duration>,
) -> Infallible {
    loop {
        let evm = tell_of(&pool, &pulse, &health, Stream::Evm, evm_interval_max).await;
        let sidechain = tell_of(&pool, &pulse, &health, Stream::Sidechain, None).await;

        let pause = if evm || sidechain { PAUSE } else { FIRST_PAUSE };
        tokio::time::sleep(pause).await;
    }
}

/// A stream that another process follows is for that one to tell of: then this says nothing, and answers false.
async fn tell_of(
    pool: &PgPool,
    pulse: &Pulse,
    health: &Health,
    stream: Stream,
    interval_max: Option<Duration>,
) -> bool {
    let now = pulse.now();
    let Some(beat) = pulse.beat(stream) else {
        health.set(source_name(stream), Ok(()));
        health.set(DATABASE, Ok(()));
        return false;
    };
    health.set(
        source_name(stream),
        beat.trouble(now, interval_max).map_or(Ok(()), Err),
    );

    let write = write_pulse(pool, stream, row_of(&beat, now, interval_max));
    let written = match tokio::time::timeout(WRITE_TIMEOUT, write).await {
        Ok(written) => written.map_err(|error| with_causes(&error)),
        Err(_) => Err(format!("no answer for {} s", WRITE_TIMEOUT.as_secs())),
    };
    health.set(DATABASE, written);
    true
}

fn row_of(beat: &Beat, now: Duration, interval_max: Option<Duration>) -> PulseRow {
    let age = |moment: Duration| now.saturating_sub(moment);
    PulseRow {
        answered: beat.answered.map(age),
        in_step: beat.in_step.map(age),
        stands_still: beat.stands_still(now, interval_max),
    }
}
