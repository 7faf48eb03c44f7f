//! Learns of recordings that the outlet's owner, or another agent, erased on the ledger, and has the vault follow: a
//! tombstone says that nobody can read it, so the key goes.

use crate::io::clock;
use crate::io::ledger::{ErasedOnLedger, Revocations};
use recording_vault::{Vault, VaultError};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

const INTERVAL: Duration = Duration::from_secs(1);

/// Works until `stop`. A start looks at all that was ever erased: what is gone already is passed over.
pub(crate) async fn run(ledger: Arc<dyn Revocations>, vault: Arc<Vault>, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut height = 0;
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        let followed = follow(ledger.as_ref(), &vault, &mut height);
        match stop.run_until_cancelled(followed).await {
            None => return,
            Some(Ok(())) => {}
            Some(Err(error)) => {
                tracing::warn!(error = crate::error::in_full(error.as_ref()), "cannot follow erasures; trying again");
            }
        }
    }
}

/// Goes on from a height to the last erasure that is known.
async fn follow(
    ledger: &dyn Revocations,
    vault: &Arc<Vault>,
    height: &mut u64,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    loop {
        let found = ledger.erased_after(*height).await?;
        let Some(last) = found.last() else { return Ok(()) };
        let (vault, to) = (Arc::clone(vault), last.height);
        tokio::task::spawn_blocking(move || found.iter().try_for_each(|erased| erase(&vault, erased))).await??;
        *height = to;
    }
}

fn erase(vault: &Vault, erased: &ErasedOnLedger) -> Result<(), VaultError> {
    match vault.erase(&erased.cid, erased.reason, clock::now_ms()) {
        Ok(()) => {
            tracing::info!(cid = %erased.cid, reason = ?erased.reason, "erased on the ledger: the key is destroyed");
            Ok(())
        }
        Err(VaultError::Erased { .. } | VaultError::Unknown { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}
