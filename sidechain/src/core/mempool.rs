//! Transactions that wait for a block: bounded, deduplicated, fair between outlets.

use domain::limits::{BLOCK_BYTES_MAX, TRANSACTION_BYTES_MAX};
use domain::transaction::VerifiedTransaction;
use domain::{Address, B256, Line, OutletId, Payload, Signature, SignedTransaction};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Bytes of transactions that a proposer puts into a block: some 2,000 sales. Far more fit, but if a validator had to
/// check each of their signatures while everybody waits, a busy machine would not be done before the round is over.
const BLOCK_TRANSACTION_BYTES_MAX: usize = 400_000;
const _: () = assert!(
    BLOCK_TRANSACTION_BYTES_MAX < BLOCK_BYTES_MAX - 64 * 1024,
    "header and certificate need room"
);

/// Bytes of a line beside its texts.
const LINE_BYTES: usize = 64;

/// The lines of a sale and their salt: beside the transaction, never in a block.
pub type SaleLines = (B256, Vec<Line>);

/// A transaction that was admitted.
#[derive(Clone, Debug)]
pub struct Pending {
    /// Its signature was checked; the ledger may still refuse it.
    pub transaction: Arc<VerifiedTransaction>,
    /// Lines of a sale.
    pub lines: Option<Arc<SaleLines>>,
}

impl Pending {
    /// Bytes that it takes in a block, and altogether with its lines.
    fn sizes(&self) -> (usize, usize) {
        // Counting cannot fail.
        let block =
            borsh::object_length(&self.transaction.transaction).unwrap_or(TRANSACTION_BYTES_MAX);
        let line = |line: &Line| line.sku.len() + line.name.len() + LINE_BYTES;
        let lines = self
            .lines
            .as_ref()
            .map_or(0, |lines| lines.1.iter().map(line).sum());
        (block, block + lines)
    }
}

/// Whose turn it is: each outlet has a queue for its sales, one for its guests' consents and one for its recordings,
/// and each account one for everything else. A consent is signed by a key made for this once: were turns by
/// key, one terminal with a thousand keys would have a thousand turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Lane {
    Account(Address),
    Outlet(OutletId),
    Consents(OutletId),
    Recordings(OutletId),
}

fn lane_of(transaction: &VerifiedTransaction) -> Lane {
    match &transaction.transaction.payload {
        Payload::Sale(sale) => Lane::Outlet(sale.outlet),
        Payload::RecordConsent(consent) => Lane::Consents(consent.outlet),
        Payload::PinRecording(recording) => Lane::Recordings(recording.outlet),
        Payload::EraseRecording(recording) => Lane::Recordings(recording.outlet),
        _ => Lane::Account(transaction.signer),
    }
}

/// Who offers a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Somebody who waits for an answer here.
    Client,
    /// A peer, which answers for it. Peers may fill the pool twice over: what is refused here comes in a block all the
    /// same, and then its signature is checked while everybody waits for the votes.
    Peer,
}

/// How much more peers may fill.
const PEER_SHARE: usize = 2;

/// Bounds of the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct MempoolLimits {
    /// Transactions held when no further one is taken from clients; from peers twice as many.
    pub count_max: usize,
    /// Their bytes, lines included; likewise.
    pub bytes_max: usize,
}

impl Default for MempoolLimits {
    fn default() -> Self {
        Self {
            count_max: 8_000,
            bytes_max: 64 * 1024 * 1024,
        }
    }
}

/// What became of an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offered {
    /// It was taken and waits now.
    Added,
    /// Was waiting already.
    Known,
    /// No room: try again later.
    Full,
}

#[derive(Debug)]
struct Entry {
    pending: Pending,
    /// Its place in the lane.
    number: u64,
    block_bytes: usize,
    all_bytes: usize,
}

/// Transactions that wait for a block: by lane, within a lane in the order in which they came.
#[derive(Debug, Default)]
pub struct Mempool {
    limits: MempoolLimits,
    entries: HashMap<B256, Entry>,
    /// Ids by signature: to find the same transaction again without hashing it.
    signed: HashMap<Signature, B256>,
    /// Ids by the order of their arrival.
    lanes: BTreeMap<Lane, BTreeMap<u64, B256>>,
    bytes: usize,
    arrived: u64,
}

impl Mempool {
    /// An empty pool.
    pub fn new(limits: MempoolLimits) -> Self {
        Self {
            limits,
            ..Self::default()
        }
    }

    /// How many transactions wait.
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

    /// Whether there is no room for what has so many bytes.
    pub fn is_full(&self, source: Source, bytes: usize) -> bool {
        let share = if source == Source::Peer {
            PEER_SHARE
        } else {
            1
        };
        self.entries.len() >= self.limits.count_max.saturating_mul(share)
            || self.bytes + bytes > self.limits.bytes_max.saturating_mul(share)
    }

    /// The very same transaction, content and signature, as it was verified; `None` if it does not wait.
    pub fn find_same(&self, transaction: &SignedTransaction) -> Option<Arc<VerifiedTransaction>> {
        let entry = self.entries.get(self.signed.get(&transaction.signature)?)?;
        let known = &entry.pending.transaction;
        (known.transaction == *transaction).then(|| Arc::clone(known))
    }

    /// Adds a transaction unless it is known or the pool is full.
    pub fn offer(&mut self, pending: Pending, source: Source) -> Offered {
        let id = pending.transaction.id;
        if self.entries.contains_key(&id) {
            return Offered::Known;
        }

        let (block_bytes, all_bytes) = pending.sizes();
        if self.is_full(source, all_bytes) {
            return Offered::Full;
        }

        self.arrived += 1;
        self.lanes
            .entry(lane_of(&pending.transaction))
            .or_default()
            .insert(self.arrived, id);
        self.bytes += all_bytes;
        self.signed
            .insert(pending.transaction.transaction.signature, id);
        self.entries.insert(
            id,
            Entry {
                pending,
                number: self.arrived,
                block_bytes,
                all_bytes,
            },
        );

        Offered::Added
    }

    /// Forgets a transaction: it is in a block, or never will be.
    pub fn remove(&mut self, id: B256) -> Option<Pending> {
        let Entry {
            pending,
            number,
            all_bytes,
            ..
        } = self.entries.remove(&id)?;

        self.bytes -= all_bytes;
        self.signed
            .remove(&pending.transaction.transaction.signature);

        let lane = lane_of(&pending.transaction);
        if let Some(queue) = self.lanes.get_mut(&lane) {
            queue.remove(&number);
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
        let mut queues: Vec<_> = self.lanes.values().map(BTreeMap::values).collect();

        while !queues.is_empty() {
            queues.retain_mut(|queue| {
                let Some(entry) = queue.next().and_then(|id| self.entries.get(id)) else {
                    return false;
                };
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
    use domain::consent::Purposes;
    use domain::transaction::{FullSettlement, RecordConsent};

    fn pending(account: u8, nonce: u64) -> Pending {
        let payload = Payload::FullSettlement(FullSettlement { nonce });
        let mut signature = [0; 65];
        signature[0] = account;
        signature[1..9].copy_from_slice(&nonce.to_be_bytes());
        let transaction = SignedTransaction {
            payload,
            signature: Signature(signature),
        };
        let mut id = [0u8; 32];
        id[0] = account;
        id[24..].copy_from_slice(&nonce.to_be_bytes());
        let signer = Address::repeat_byte(account);
        Pending {
            transaction: Arc::new(VerifiedTransaction {
                transaction,
                id: id.into(),
                signer,
            }),
            lines: None,
        }
    }

    #[test]
    fn lanes_take_turns_and_keep_their_order() {
        let mut pool = Mempool::new(MempoolLimits::default());
        for nonce in 1..=3 {
            assert_eq!(
                pool.offer(pending(1, nonce), Source::Client),
                Offered::Added
            );
        }
        pool.offer(pending(2, 1), Source::Client);
        let order: Vec<(u8, u8)> = pool
            .candidates()
            .iter()
            .map(|t| (t.id[0], t.id[31]))
            .collect();
        assert_eq!(order, [(1, 1), (2, 1), (1, 2), (1, 3)]);
    }

    #[test]
    fn a_thousand_keys_of_one_outlet_share_its_turn() {
        let mut pool = Mempool::new(MempoolLimits::default());
        let consent = |key: u8, outlet: u64| {
            let mut pending = pending(key, outlet);
            let mut verified = (*pending.transaction).clone();
            verified.transaction.payload = Payload::RecordConsent(RecordConsent {
                outlet,
                camera: 1,
                purposes: Purposes::Recording,
                commitment: B256::ZERO,
                guest: verified.signer,
                until_ms: 1,
                witness: Address::ZERO,
                witness_signature: verified.transaction.signature,
            });
            pending.transaction = Arc::new(verified);
            pending
        };
        for key in 1..=50 {
            pool.offer(consent(key, 1), Source::Client);
        }
        pool.offer(consent(51, 2), Source::Client);
        pool.offer(pending(52, 1), Source::Client);
        let first: Vec<u8> = pool.candidates().iter().take(3).map(|t| t.id[0]).collect();
        assert_eq!(first, [52, 1, 51]);
    }

    #[test]
    fn the_pool_is_bounded_and_knows_what_it_holds() {
        let mut pool = Mempool::new(MempoolLimits {
            count_max: 2,
            bytes_max: 1_000,
        });
        assert_eq!(pool.offer(pending(1, 1), Source::Client), Offered::Added);
        assert_eq!(pool.offer(pending(1, 1), Source::Client), Offered::Known);
        assert_eq!(pool.offer(pending(1, 2), Source::Client), Offered::Added);
        assert_eq!(pool.offer(pending(1, 3), Source::Client), Offered::Full);
        assert!(pool.remove(pending(1, 1).transaction.id).is_some());
        assert_eq!(pool.offer(pending(1, 3), Source::Client), Offered::Added);
        assert_eq!(pool.len(), 2);
    }

    #[test]
    fn the_same_is_found_again_and_nothing_else() {
        let mut pool = Mempool::new(MempoolLimits::default());
        let known = pending(1, 1);
        pool.offer(known.clone(), Source::Client);
        let same = &known.transaction.transaction;
        assert_eq!(pool.find_same(same).unwrap().id, known.transaction.id);
        let other = &pending(1, 2).transaction.transaction;
        assert!(pool.find_same(other).is_none());
        let forged = SignedTransaction {
            signature: same.signature,
            ..other.clone()
        };
        assert!(
            pool.find_same(&forged).is_none(),
            "the signature alone is not enough"
        );
        pool.remove(known.transaction.id);
        assert!(pool.find_same(same).is_none());
    }

    #[test]
    fn peers_may_fill_it_twice_over() {
        let mut pool = Mempool::new(MempoolLimits {
            count_max: 1,
            bytes_max: 1_000,
        });
        assert_eq!(pool.offer(pending(1, 1), Source::Client), Offered::Added);
        assert!(pool.is_full(Source::Client, 0) && !pool.is_full(Source::Peer, 0));
        assert_eq!(pool.offer(pending(1, 2), Source::Client), Offered::Full);
        assert_eq!(pool.offer(pending(1, 2), Source::Peer), Offered::Added);
        assert_eq!(pool.offer(pending(1, 3), Source::Peer), Offered::Full);
    }

    #[test]
    fn what_is_removed_from_the_middle_leaves_the_order_of_the_rest() {
        let mut pool = Mempool::new(MempoolLimits::default());
        for nonce in 1..=4 {
            pool.offer(pending(1, nonce), Source::Client);
        }
        pool.remove(pending(1, 2).transaction.id);
        let order: Vec<u8> = pool.candidates().iter().map(|t| t.id[31]).collect();
        assert_eq!(order, [1, 3, 4]);
    }

    #[test]
    fn removing_everything_leaves_nothing_behind() {
        let mut pool = Mempool::new(MempoolLimits::default());
        pool.offer(pending(1, 1), Source::Client);
        pool.remove(pending(1, 1).transaction.id);
        assert!(
            pool.is_empty() && pool.lanes.is_empty() && pool.signed.is_empty() && pool.bytes == 0
        );
    }
}
