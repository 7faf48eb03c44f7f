//! What this gateway saw of the sales that came through it lately. In memory: it is for showing, nothing depends on it.

use crate::core::stages::Seen;
use api_types::SaleRequest;
use domain::{B256, SaleKey};
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use time::OffsetDateTime;

/// Sales remembered; the oldest is forgotten first.
const SALES_MAX: usize = 10_000;

/// A sale that came through.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The digest that its terminal signed.
    pub id: B256,
    /// As it was sent, but without its lines.
    pub request: SaleRequest,
    /// When it came, and when a node said that it is final.
    pub seen: Seen,
}

#[derive(Debug, Default)]
struct Inner {
    sales: HashMap<SaleKey, Entry>,
    order: VecDeque<SaleKey>,
}

/// Remembers the last sales that came through this gateway; in memory only, and the oldest is forgotten first.
#[derive(Debug, Default)]
pub struct Journal(Mutex<Inner>);

fn sale_key(request: &SaleRequest) -> SaleKey {
    SaleKey {
        outlet: request.outlet,
        sale_id: request.sale_id,
    }
}

impl Journal {
    /// Notes that a sale arrived; the caller has checked its terminal's signature. One that arrives again keeps its
    /// first time.
    pub fn note_received(&self, id: B256, mut request: SaleRequest) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = sale_key(&request);
        if inner.sales.contains_key(&key) {
            return;
        }

        if inner.order.len() >= SALES_MAX
            && let Some(oldest) = inner.order.pop_front()
        {
            inner.sales.remove(&oldest);
        }

        // What was sold is nobody's business here.
        request.lines = Vec::new();
        let seen = Seen {
            received: Some(OffsetDateTime::now_utc()),
            finalized: None,
        };
        inner.order.push_back(key);
        inner.sales.insert(key, Entry { id, request, seen });
    }

    /// Notes that a node answered that a sale is final.
    pub fn note_finalized(&self, key: SaleKey, id: B256) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = inner.sales.get_mut(&key).filter(|entry| entry.id == id) {
            entry
                .seen
                .finalized
                .get_or_insert_with(OffsetDateTime::now_utc);
        }
    }

    /// Forgets a sale that the nodes did not take: it is not on its way.
    pub fn forget_refused(&self, key: SaleKey, id: B256) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if inner
            .sales
            .get(&key)
            .is_some_and(|entry| entry.id == id && entry.seen.finalized.is_none())
        {
            inner.sales.remove(&key);
            inner.order.retain(|kept| *kept != key);
        }
    }

    /// What is known of a sale.
    pub fn find(&self, key: SaleKey) -> Option<Entry> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .sales
            .get(&key)
            .cloned()
    }
}
