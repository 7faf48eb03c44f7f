//! Transactions that wait for a block: bounded, deduplicated, fair between outlets.

use domain::limits::BLOCK_BYTES_MAX;
use domain::transaction::VerifiedTransaction;
use domain::{Address, B256, Line, OutletId, Payload};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

/// Bytes of a block that transactions may fill; the rest is header and certificate.
const BLOCK_TRANSACTION_BYTES_MAX: usize = BLOCK_BYTES_MAX - 64 * 1024;

/// Bytes of a line beside its texts.
const LINE_BYTES: usize = 64;

/// The lines of a sale and their salt: beside the transaction, never in a block.
pub type SaleLines = (B256, Vec<Line>);

/// A transaction that was admitted.
#[derive(Clone, Debug)]
pub struct Pending {
    /// Signature checked.
    pub transaction: Arc<VerifiedTransaction>,
    /// Lines of a sale.
    pub lines: Option<Arc<SaleLines>>,
}

impl Pending {
    /// Bytes that it takes in a block, and altogether with its lines.
    fn sizes(&self) -> (usize, usize) {
        let block = self.transaction.transaction.encode().len();
        let line = |line: &Line| line.sku.len() + line.name.len() + LINE_BYTES;
        let lines = self.lines.as_ref().map_or(0, |lines| lines.1.iter().map(line).sum());
        (block, block + lines)
    }
}

/// Whose turn it is: each outlet, and each account for everything else, has a queue of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Lane {
    Account(Address),
    Outlet(OutletId),
}

fn lane(transaction: &VerifiedTransaction) -> Lane {
    match &transaction.transaction.payload {
        Payload::Sale(sale) => Lane::Outlet(sale.outlet),
        _ => Lane::Account(transaction.signer),
    }
}

/// Bounds of the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct MempoolLimits {
    /// Transactions held.
    pub count_max: usize,
    /// Their bytes, lines included.
    pub bytes_max: usize,
}

impl Default for MempoolLimits {
    fn default() -> Self {
        Self { count_max: 8_000, bytes_max: 64 * 1024 * 1024 }
    }
}

/// What became of an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offered {
    /// Now waiting.
    Added,
    /// Was waiting already.
    Known,
    /// No room: try again later.
    Full,
}

#[derive(Debug)]
struct Entry {
    pending: Pending,
    block_bytes: usize,
    all_bytes: usize,
}

/// The pool.
#[derive(Debug, Default)]
pub struct Mempool {
    limits: MempoolLimits,
    entries: HashMap<B256, Entry>,
    lanes: BTreeMap<Lane, VecDeque<B256>>,
    bytes: usize,
}

impl Mempool {
    /// An empty pool.
    pub fn new(limits: MempoolLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Transactions waiting.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Their bytes, lines included.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// One waiting transaction.
    pub fn get(&self, id: B256) -> Option<&Pending> {
        self.entries.get(&id).map(|entry| &entry.pending)
    }

    /// Adds a transaction unless it is known or the pool is full.
    pub fn offer(&mut self, pending: Pending) -> Offered {
        let id = pending.transaction.id;
        if self.entries.contains_key(&id) {
            return Offered::Known;
        }
        let (block_bytes, all_bytes) = pending.sizes();
        if self.entries.len() >= self.limits.count_max || self.bytes + all_bytes > self.limits.bytes_max {
            return Offered::Full;
        }
        self.lanes.entry(lane(&pending.transaction)).or_default().push_back(id);
        self.bytes += all_bytes;
        self.entries.insert(id, Entry { pending, block_bytes, all_bytes });
        Offered::Added
    }

    /// Forgets a transaction: it is in a block, or never will be.
    pub fn remove(&mut self, id: B256) -> Option<Pending> {
        let Entry { pending, all_bytes, .. } = self.entries.remove(&id)?;
        self.bytes -= all_bytes;
        let lane = lane(&pending.transaction);
        if let Some(queue) = self.lanes.get_mut(&lane) {
            queue.retain(|queued| *queued != id);
            if queue.is_empty() {
                self.lanes.remove(&lane);
            }
        }
        Some(pending)
    }

    /// What the next block should try, one of each lane in turn, as far as a block holds. Nothing is removed.
    pub fn candidates(&self) -> Vec<Arc<VerifiedTransaction>> {
        let mut room = BLOCK_TRANSACTION_BYTES_MAX;
        let mut chosen = Vec::new();
        let mut queues: Vec<_> = self.lanes.values().map(|queue| queue.iter()).collect();
        while !queues.is_empty() {
            queues.retain_mut(|queue| {
                let Some(entry) = queue.next().and_then(|id| self.entries.get(id)) else { return false };
                if entry.block_bytes > room {
                    return false;
                }
                room -= entry.block_bytes;
                chosen.push(Arc::clone(&entry.pending.transaction));
                true
            });
        }
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::crypto::Signature;
    use domain::transaction::{FullSettlement, SignedTransaction};

    fn pending(account: u8, nonce: u64) -> Pending {
        let payload = Payload::FullSettlement(FullSettlement { nonce });
        let transaction = SignedTransaction { payload, signature: Signature([0; 65]) };
        let mut id = [0u8; 32];
        id[0] = account;
        id[24..].copy_from_slice(&nonce.to_be_bytes());
        let signer = Address::repeat_byte(account);
        Pending { transaction: Arc::new(VerifiedTransaction { transaction, id: id.into(), signer }), lines: None }
    }

    #[test]
    fn lanes_take_turns_and_keep_their_order() {
        let mut pool = Mempool::new(MempoolLimits::default());
        for nonce in 1..=3 {
            assert_eq!(pool.offer(pending(1, nonce)), Offered::Added);
        }
        pool.offer(pending(2, 1));
        let order: Vec<(u8, u8)> = pool.candidates().iter().map(|t| (t.id[0], t.id[31])).collect();
        assert_eq!(order, [(1, 1), (2, 1), (1, 2), (1, 3)]);
    }

    #[test]
    fn the_pool_is_bounded_and_knows_what_it_holds() {
        let mut pool = Mempool::new(MempoolLimits { count_max: 2, bytes_max: 1_000 });
        assert_eq!(pool.offer(pending(1, 1)), Offered::Added);
        assert_eq!(pool.offer(pending(1, 1)), Offered::Known);
        assert_eq!(pool.offer(pending(1, 2)), Offered::Added);
        assert_eq!(pool.offer(pending(1, 3)), Offered::Full);
        assert!(pool.remove(pending(1, 1).transaction.id).is_some());
        assert_eq!(pool.offer(pending(1, 3)), Offered::Added);
        assert_eq!(pool.len(), 2);
    }

    #[test]
    fn removing_everything_leaves_nothing_behind() {
        let mut pool = Mempool::new(MempoolLimits::default());
        pool.offer(pending(1, 1));
        pool.remove(pending(1, 1).transaction.id);
        assert!(pool.is_empty() && pool.lanes.is_empty() && pool.bytes == 0);
    }
}
