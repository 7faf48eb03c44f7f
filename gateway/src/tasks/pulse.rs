//! Looks every second how nodes and database answer, and keeps `/readyz` true to it.

use crate::core::arrows::{Sight, check_ready};
use crate::io::mirror::Mirror;
use crate::io::nodes::Nodes;
use read_model::network::Pulse;
use service_kit::http::Readiness;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Between two looks.
const INTERVAL: Duration = Duration::from_secs(1);
/// A database that takes longer does not answer.
const READ_TIMEOUT: Duration = Duration::from_secs(3);

/// What was last seen, for readiness and for whoever asks how the network is.
#[derive(Debug)]
pub struct Watcher {
    nodes: Arc<Nodes>,
    mirror: Arc<Mirror>,
    /// What the database said, and when.
    said: Mutex<Option<(Instant, Pulse)>>,
}

impl Watcher {
    /// Nothing was seen yet.
    pub fn new(nodes: Arc<Nodes>, mirror: Arc<Mirror>) -> Self {
        Self {
            nodes,
            mirror,
            said: Mutex::new(None),
        }
    }

    /// What was last seen, as ages.
    pub fn sight(&self) -> Sight {
        let said = *self.said.lock().unwrap_or_else(PoisonError::into_inner);
        Sight {
            nodes: self.nodes.last_answer_age(),
            nodes_ready: self.nodes.agreed().is_some_and(|agreed| agreed.ready),
            database: said.map(|(at, pulse)| (at.elapsed(), pulse)),
        }
    }

    /// Looks at everything once. A database that does not answer leaves what it said before, which grows old.
    async fn look(&self) {
        let read = tokio::time::timeout(READ_TIMEOUT, self.mirror.pulse());
        let ((), read) = tokio::join!(self.nodes.look(), read);

        if let Ok(Ok(pulse)) = read {
            let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
            *said = Some((Instant::now(), pulse));
        }
    }
}

/// Looks for ever.
pub async fn run(watcher: Arc<Watcher>, readiness: Readiness) {
    loop {
        watcher.look().await;
        readiness.set(check_ready(&watcher.sight()));
        tokio::time::sleep(INTERVAL).await;
    }
}
