//! Follows the ledger to what has to go: recordings that the outlet's owner or another agent erased there, and consents
//! that guests took back. A tombstone says that nobody can read it, so the key goes.
//!
//! A start looks at all that there ever was: what is gone already is passed over.

use crate::io::ledger::{ErasedOnLedger, ErasureFeed, Left};
use recording_vault::{Vault, VaultError};
use service_kit::clock;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

const INTERVAL: Duration = Duration::from_secs(1);

type Outcome = Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// Works until `stop`.
pub(crate) async fn run(ledger: Arc<dyn ErasureFeed>, vault: Arc<Vault>, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);

    let mut followed = Followed {
        ledger,
        vault,
        left_ms: 0,
        erased_height: 0,
    };

    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        for outcome in [
            stop.run_until_cancelled(followed.revocations()).await,
            stop.run_until_cancelled(followed.erasures()).await,
        ] {
            if let Some(Err(error)) = outcome {
                tracing::warn!(
                    error = service_kit::error::in_full(error.as_ref()),
                    "cannot follow the ledger; trying again"
                );
            }
        }
    }
}

/// How far it is.
struct Followed {
    ledger: Arc<dyn ErasureFeed>,
    vault: Arc<Vault>,
    left_ms: u64,
    erased_height: u64,
}

impl Followed {
    async fn revocations(&mut self) -> Outcome {
        loop {
            let found = self.ledger.left_after(self.left_ms).await?;
            let Some(last) = found.last() else {
                return Ok(());
            };
            let (vault, to) = (Arc::clone(&self.vault), last.revoked_at_ms);
            tokio::task::spawn_blocking(move || {
                found
                    .iter()
                    .try_for_each(|left| forget_consent(&vault, left))
            })
            .await??;
            self.left_ms = to;
        }
    }

    async fn erasures(&mut self) -> Outcome {
        loop {
            let found = self.ledger.erased_after(self.erased_height).await?;
            let Some(last) = found.last() else {
                return Ok(());
            };
            let (vault, to) = (Arc::clone(&self.vault), last.height);
            tokio::task::spawn_blocking(move || {
                found
                    .iter()
                    .try_for_each(|erased| erase_recording(&vault, erased))
            })
            .await??;
            self.erased_height = to;
        }
    }
}

/// What others allowed while this guest was in the picture goes with it. That comes first: once the revocation is noted,
/// a start passes it over.
fn forget_consent(vault: &Vault, left: &Left) -> Result<(), VaultError> {
    if vault.is_revoked(left.consent)? {
        return Ok(());
    }
    let now_ms = clock::now_ms();
    let shared = vault.erase_shared(left.camera, left.from_ms, left.to_ms, now_ms)?;
    let own = vault.revoke(left.consent, now_ms)?;
    tracing::info!(consent = %left.consent, own, shared, "revoked: the keys are destroyed, the recordings go");
    Ok(())
}

fn erase_recording(vault: &Vault, erased: &ErasedOnLedger) -> Result<(), VaultError> {
    match vault.erase(&erased.cid, erased.reason, clock::now_ms()) {
        Ok(()) => {
            tracing::info!(cid = %erased.cid, reason = ?erased.reason, "erased on the ledger: the key is destroyed");
            Ok(())
        }
        Err(VaultError::Erased { .. } | VaultError::Unknown { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}
