//! Learns of guests who took their consent back, and has the vault destroy what was recorded under them.
//!
//! The gate stops a camera when nothing permits it any more; it does not say why. Here the ledger is asked for the
//! consents themselves: those in use every second, all others that something is kept under in turn, so that a
//! revocation counts that came after the consent's end, or while the agent was off.

use crate::io::clock;
use crate::io::ledger::Revocations;
use crate::io::vault::VaultSink;
use domain::B256;
use recording_vault::Vault;
use recording_vault::ledger::LedgerError;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

const INTERVAL: Duration = Duration::from_secs(1);
/// Consents that are not in use and asked for in one round.
const OTHERS: usize = 4;

/// Works until `stop`.
pub(crate) async fn run(
    ledger: Arc<dyn Revocations>,
    vault: Arc<Vault>,
    sink: Arc<VaultSink>,
    stop: CancellationToken,
) {
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut others = Others { vault: Arc::clone(&vault), last: None };
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        let mut consents = sink.current();
        consents.extend(others.next());
        consents.sort_unstable();
        consents.dedup();
        for consent in consents {
            let looked = look(ledger.as_ref(), &vault, consent);
            match stop.run_until_cancelled(looked).await {
                None => return,
                Some(Ok(())) => {}
                Some(Err(error)) => {
                    tracing::warn!(%consent, error = crate::error::in_full(&error), "nobody says whether it is revoked");
                    // Nobody would say more of the next one.
                    break;
                }
            }
        }
    }
}

/// All consents that something is kept under, again and again.
struct Others {
    vault: Arc<Vault>,
    last: Option<B256>,
}

impl Others {
    fn next(&mut self) -> Vec<B256> {
        let mut found = Vec::new();
        for _ in 0..OTHERS {
            match self.vault.consent_after(self.last) {
                Ok(next) => self.last = next,
                Err(error) => tracing::error!(error = crate::error::in_full(&error), "the vault's consents"),
            }
            let Some(next) = self.last else { break };
            found.push(next);
        }
        found
    }
}

async fn look(ledger: &dyn Revocations, vault: &Arc<Vault>, consent: B256) -> Result<(), LedgerError> {
    if is_forgotten(vault, consent) || !ledger.is_taken_back(consent).await? {
        return Ok(());
    }
    let (vault, now_ms) = (Arc::clone(vault), clock::now_ms());
    match tokio::task::spawn_blocking(move || vault.revoke(consent, now_ms)).await {
        Ok(Ok(count)) => tracing::info!(%consent, count, "revoked: the keys are destroyed, the recordings go"),
        Ok(Err(error)) => {
            tracing::error!(%consent, error = crate::error::in_full(&error), "cannot destroy keys; trying again");
        }
        Err(error) => tracing::error!(%consent, %error, "the vault's task died; trying again"),
    }
    Ok(())
}

/// Whether the vault did what a revocation asks for. If it cannot say, it is asked for again.
fn is_forgotten(vault: &Vault, consent: B256) -> bool {
    vault.is_revoked(consent).unwrap_or(false)
}
