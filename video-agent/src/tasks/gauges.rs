//! Shows what waits and how much room is left.

use crate::io::disk;
use crate::metrics;
use recording_vault::Vault;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const INTERVAL: Duration = Duration::from_secs(5);

/// Looks until `stop`.
pub(crate) async fn run(vault: Arc<Vault>, dir: PathBuf, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(INTERVAL);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        set_gauges(&vault, &dir);
    }
}

fn set_gauges(vault: &Vault, dir: &std::path::Path) {
    match vault
        .waiting()
        .and_then(|waiting| Ok((waiting, vault.erasures_waiting()?)))
    {
        Ok(((bytes, uploads), erasures)) => {
            metrics::waiting(bytes, vault.spool_bytes_max(), uploads, erasures)
        }
        Err(error) => tracing::error!(
            error = service_kit::error::in_full(&error),
            "the vault cannot be read"
        ),
    }

    match disk::free(dir) {
        Ok((free, total)) => metrics::disk(free, total),
        Err(error) => {
            tracing::error!(%error, dir = %dir.display(), "cannot see how much room is left")
        }
    }
}
