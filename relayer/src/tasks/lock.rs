//! Waits for the signer's lock. While another relayer holds it, this one is its hot standby.

use crate::error::Error;
use crate::io::store::Store;
use alloy::primitives::Address;
use service_kit::error::in_full;
use service_kit::{Secret, http::Readiness};
use std::time::Duration;

const RETRY_INTERVAL: Duration = Duration::from_millis(500);
const RETRY_INTERVAL_MAX: Duration = Duration::from_secs(10);

/// Whose lock, and where.
pub(crate) struct Claim<'a> {
    pub(crate) database_url: &'a Secret,
    pub(crate) chain_id: u64,
    pub(crate) anchor: Address,
    pub(crate) signer: Address,
}

/// Returns once the lock is held; a database that is away is waited for.
pub(crate) async fn acquire(claim: &Claim<'_>, readiness: &Readiness) -> Store {
    let mut wait = RETRY_INTERVAL;
    loop {
        let error = match wait_in_line(claim, readiness).await {
            Ok(store) => return store,
            Err(error) => in_full(&error),
        };
        tracing::warn!(error, "no lock yet");
        readiness.set(Err(error));
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(RETRY_INTERVAL_MAX);
    }
}

async fn wait_in_line(claim: &Claim<'_>, readiness: &Readiness) -> Result<Store, Error> {
    let url = claim.database_url.expose();
    let mut store = Store::connect(url, claim.chain_id, claim.anchor, claim.signer).await?;
    while !store.try_lock().await? {
        readiness.set(Err("another relayer holds the signer's lock".into()));
        tokio::time::sleep(RETRY_INTERVAL).await;
    }
    Ok(store)
}
