//! Compares what the anchor accepted with what the blocks lead to.

use crate::error::with_causes;
use crate::io::store::checkpoint_disagreements;
use crate::metrics;
use crate::tasks::health::Health;
use sqlx::PgPool;
use std::convert::Infallible;
use std::time::Duration;

/// The task's name in readiness answers.
pub const NAME: &str = "checkpoints";
/// Between two comparisons.
const PAUSE: Duration = Duration::from_secs(1);

/// Compares for ever.
pub async fn run(pool: PgPool, health: Health) -> Infallible {
    loop {
        health.set(NAME, audit_checkpoints(&pool).await);
        tokio::time::sleep(PAUSE).await;
    }
}

async fn audit_checkpoints(pool: &PgPool) -> Result<(), String> {
    let (count, first_epoch) = checkpoint_disagreements(pool)
        .await
        .map_err(|error| with_causes(&error))?;
    metrics::checkpoint_disagreements(count);

    match first_epoch {
        None => Ok(()),
        Some(epoch) => {
            tracing::error!(
                count,
                epoch,
                "an anchored checkpoint is not what the blocks lead to"
            );
            Err(format!(
                "{count} anchored checkpoints are not what the blocks lead to, the first is epoch {epoch}"
            ))
        }
    }
}
