//! What the mirror's tables of the sidechain must hold, from blocks and the events of executing them.

use crate::rows::{Comparison, Value, bytes, number, text, time};
use crate::tables;
use domain::consent::{Consent, Grounds};
use domain::ledger::{EpochCheckpoint, Supply};
use domain::limits::GENESIS_UNITS;
use domain::recording::{Erased, Pinned};
use domain::sale::{Beneficiary, NotIssued, Share};
use domain::transaction::RegisterOutlet;
use domain::{
    Address, B256, Block, BuyerKind, Event, Executed, Genesis, OutletId, Payload, RefundId, Sale,
    SaleKey,
};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// The tables, growing block by block.
#[derive(Debug)]
pub struct LedgerRows {
    /// After which block.
    height: u64,
    supply: Supply,
    sidechain: Comparison,
    blocks: Comparison,
    outlets: Comparison,
    terminals: Comparison,
    sales: Comparison,
    shares: Comparison,
    claims: Comparison,
    refunds: Comparison,
    refund_shares: Comparison,
    releases: Comparison,
    checkpoints: Comparison,
    consents: Comparison,
    recordings: Comparison,
}

/// The name that an enum has in JSON, which is the one in SQL.
fn json_name(value: impl Serialize) -> Value {
    serde_json::to_value(value).ok()?.as_str().map(Into::into)
}

fn sale_key(key: SaleKey) -> [Value; 2] {
    [number(key.outlet), bytes(key.sale_id.0)]
}

/// How many rows of a block there are so far.
#[derive(Default)]
struct Places {
    sales: u64,
    consents: u64,
    recordings: u64,
}

/// A block that is being turned into rows, with what was signed by what the events name.
struct At<'a> {
    height: u64,
    sales: BTreeMap<SaleKey, &'a Sale>,
    registrations: BTreeMap<OutletId, &'a RegisterOutlet>,
}

impl<'a> At<'a> {
    fn new(block: &'a Block) -> Self {
        let mut at = Self {
            height: block.header.height,
            sales: BTreeMap::new(),
            registrations: BTreeMap::new(),
        };

        for transaction in &block.transactions {
            match &transaction.payload {
                Payload::Sale(sale) => {
                    at.sales.insert(sale.key(), sale);
                }
                Payload::RegisterOutlet(found) => {
                    at.registrations.insert(found.outlet, found);
                }
                _ => {}
            }
        }

        at
    }
}

impl LedgerRows {
    /// What a mirror holds before the first block.
    pub fn new(genesis: &Genesis) -> Self {
        let mut rows = Self {
            height: genesis.first_height - 1,
            supply: Supply {
                issued: GENESIS_UNITS,
                released: GENESIS_UNITS,
                ..Supply::default()
            },
            sidechain: Comparison::new(&tables::SIDECHAIN),
            blocks: Comparison::new(&tables::SIDECHAIN_BLOCK),
            outlets: Comparison::new(&tables::OUTLET),
            terminals: Comparison::new(&tables::TERMINAL),
            sales: Comparison::new(&tables::SALE),
            shares: Comparison::new(&tables::SALE_SHARE),
            claims: Comparison::new(&tables::RECEIPT_CLAIM),
            refunds: Comparison::new(&tables::REFUND),
            refund_shares: Comparison::new(&tables::REFUND_SHARE),
            releases: Comparison::new(&tables::RELEASE),
            checkpoints: Comparison::new(&tables::EPOCH_CHECKPOINT),
            consents: Comparison::new(&tables::CONSENT),
            recordings: Comparison::new(&tables::RECORDING),
        };
        rows.sidechain.should_hold(vec![
            bytes(genesis.sidechain_id()),
            text("true"),
            // Writing to a vector cannot fail.
            bytes(borsh::to_vec(genesis).unwrap_or_default()),
            number(genesis.evm_chain_id),
            number(genesis.first_height),
            number(GENESIS_UNITS),
        ]);
        rows.release(
            genesis.first_height - 1,
            genesis.founder,
            [GENESIS_UNITS, 0, 0],
        );
        rows
    }

    /// All tables, to be compared.
    pub fn into_tables(self) -> [Comparison; 14] {
        [
            supply_row(self.height, &self.supply),
            self.sidechain,
            self.blocks,
            self.outlets,
            self.terminals,
            self.sales,
            self.shares,
            self.claims,
            self.refunds,
            self.refund_shares,
            self.releases,
            self.checkpoints,
            self.consents,
            self.recordings,
        ]
    }

    /// Adds what a block did.
    pub fn add(&mut self, block: &Block, raw: &[u8], executed: &Executed) {
        let header = &block.header;
        (self.height, self.supply) = (header.height, executed.supply());

        self.blocks.should_hold(vec![
            number(header.height),
            bytes(executed.block_hash),
            bytes(header.parent_hash),
            time(header.time_ms),
            bytes(header.proposer),
            number(block.transactions.len()),
            bytes(Sha256::digest(raw)),
        ]);

        let at = At::new(block);
        let mut places = Places::default();
        for event in &executed.events {
            self.add_event(&at, &mut places, event);
        }
    }

    fn add_event(&mut self, at: &At<'_>, places: &mut Places, event: &Event) {
        match event {
            Event::OutletRegistered { outlet, .. } => self.outlet(at, *outlet),
            Event::TerminalRegistered {
                outlet,
                terminal,
                kind,
            } => {
                self.terminals.should_hold(vec![
                    bytes(terminal),
                    number(outlet),
                    json_name(kind),
                    number(at.height),
                    None,
                ]);
            }
            Event::TerminalRevoked { terminal, .. } => {
                self.terminals
                    .change(&[bytes(terminal)], "revoked_height", number(at.height));
            }
            Event::SaleRecorded {
                key,
                tx_id,
                issued,
                not_issued,
                shares,
            } => {
                self.sale(at, places.sales, *key, *tx_id, *issued, *not_issued);
                self.shares(*key, shares);
                places.sales += 1;
            }
            Event::ReceiptClaimed { key, wallet, units } => {
                let [outlet, sale] = sale_key(*key);
                self.claims.should_hold(vec![
                    outlet,
                    sale,
                    bytes(wallet),
                    number(units),
                    number(at.height),
                ]);
            }
            Event::Refunded {
                key,
                refund_id,
                tx_id,
                amount,
                reversed,
                owner,
                debt,
            } => {
                let sums = [*amount, reversed.iter().sum(), *debt];
                self.refund(at.height, *key, *refund_id, *tx_id, sums, *owner);
                self.refund_shares(*key, *refund_id, reversed);
            }
            Event::Released {
                account,
                units,
                debt_paid,
                bonded,
            } => {
                self.release(at.height, *account, [*units, *debt_paid, *bonded]);
            }
            Event::EpochClosed {
                checkpoint: Some(closed),
                ..
            } => self.checkpoint(at.height, closed),
            Event::ConsentRecorded { id, consent } => {
                self.consent(places.consents, *id, consent);
                places.consents += 1;
            }
            Event::ConsentRevoked { id, by, at_ms } => {
                let key = [bytes(id)];
                self.consents.change(&key, "revoked_at", time(*at_ms));
                self.consents.change(&key, "revoked_by", bytes(by));
                self.consents
                    .change(&key, "revoked_height", number(at.height));
            }
            Event::RecordingPinned { tx_id, pinned } => {
                self.recording(places.recordings, *tx_id, pinned);
                places.recordings += 1;
            }
            Event::RecordingErased { erased } => self.erasure(erased),
            Event::EpochClosed {
                checkpoint: None, ..
            }
            | Event::PayoutRequested { .. }
            | Event::FullSettlementRequested
            | Event::AnchorProposed { .. }
            | Event::AnchorBound { .. }
            | Event::AnchorVoid { .. }
            | Event::BondingSet { .. }
            | Event::UnbondingStarted { .. }
            | Event::Unbonded { .. }
            | Event::ValidatorRegistered { .. }
            | Event::HeartbeatSeen { .. }
            | Event::Unjailed { .. }
            | Event::ValidatorPunished { .. }
            | Event::ValidatorsElected { .. }
            | Event::ChangeProposed { .. }
            | Event::ChangeCancelled { .. }
            | Event::ParametersChanged { .. }
            | Event::ReceiptsExpired { .. }
            | Event::PoolShared { .. } => {}
        }
    }

    fn outlet(&mut self, at: &At<'_>, outlet: OutletId) {
        let Some(signed) = at.registrations.get(&outlet) else {
            return;
        };

        self.outlets.should_hold(vec![
            number(outlet),
            bytes(signed.owner),
            json_name(signed.kind),
            text(signed.city.as_str()),
            text(signed.currency.as_str()),
            number(signed.quota_per_day),
            number(signed.terminal_quota_per_day),
            number(at.height),
        ]);
    }

    fn sale(
        &mut self,
        at: &At<'_>,
        place: u64,
        key: SaleKey,
        id: B256,
        issued: u64,
        not_issued: Option<NotIssued>,
    ) {
        let Some(sale) = at.sales.get(&key) else {
            return;
        };

        let [outlet, sale_id] = sale_key(key);
        self.sales.should_hold(vec![
            outlet,
            sale_id,
            bytes(id),
            number(at.height),
            number(place),
            bytes(sale.terminal),
            time(sale.occurred_at_ms),
            text(sale.currency.as_str()),
            number(sale.total),
            bytes(sale.lines_hash),
            json_name(sale.buyer_kind),
            (sale.buyer_kind != BuyerKind::None)
                .then(|| bytes(sale.buyer))
                .flatten(),
            number(issued),
            not_issued.and_then(json_name),
        ]);
    }

    fn shares(&mut self, key: SaleKey, shares: &[Share]) {
        for (place, share) in shares.iter().enumerate() {
            let (kind, account) = match share.to {
                Beneficiary::Account(account) => ("account", bytes(account)),
                Beneficiary::Receipt(receipt) | Beneficiary::Claimed { receipt, .. } => {
                    ("receipt", bytes(receipt))
                }
                Beneficiary::Pool => ("pool", None),
            };

            let [outlet, sale] = sale_key(key);
            self.shares.should_hold(vec![
                outlet,
                sale,
                number(place),
                text(kind),
                account,
                number(share.units),
            ]);
        }
    }

    /// `sums`: amount, reversed units, debt.
    fn refund(
        &mut self,
        height: u64,
        key: SaleKey,
        refund: RefundId,
        id: B256,
        sums: [u64; 3],
        owner: Address,
    ) {
        let [outlet, sale] = sale_key(key);
        let [amount, reversed, debt] = sums.map(number);
        let refund = bytes(refund.0);

        self.refunds.should_hold(vec![
            outlet,
            sale,
            refund,
            bytes(id),
            number(height),
            amount,
            reversed,
            debt,
            bytes(owner),
        ]);
    }

    fn refund_shares(&mut self, key: SaleKey, refund: RefundId, reversed: &[u64]) {
        for (place, units) in reversed.iter().enumerate().filter(|(_, units)| **units > 0) {
            let [outlet, sale] = sale_key(key);
            self.refund_shares.should_hold(vec![
                outlet,
                sale,
                bytes(refund.0),
                number(place),
                number(units),
            ]);
        }
    }

    /// `units`: released, paid as debt, bonded.
    fn release(&mut self, height: u64, account: Address, units: [u64; 3]) {
        let [released, debt_paid, bonded] = units.map(number);
        self.releases.should_hold(vec![
            number(height),
            bytes(account),
            released,
            debt_paid,
            bonded,
        ]);
    }

    fn consent(&mut self, place: u64, id: B256, consent: &Consent) {
        let grounds = match consent.grounds {
            Grounds::Guest {
                commitment,
                guest,
                witness,
                ..
            } => [
                bytes(commitment),
                bytes(guest),
                bytes(witness),
                None,
                None,
                None,
            ],
            Grounds::Basis {
                notice_hash,
                retention_days,
                owner,
                ..
            } => [
                None,
                None,
                None,
                bytes(notice_hash),
                number(retention_days),
                bytes(owner),
            ],
        };

        let place = [
            bytes(id),
            number(consent.height),
            number(place),
            text(consent.kind()),
        ];
        let camera = [
            number(consent.outlet),
            number(consent.camera),
            number(consent.purposes() as u8),
        ];
        let times = [
            time(consent.recorded_at_ms),
            time(consent.until_ms),
            None,
            None,
            None,
        ];

        self.consents.should_hold(
            place
                .into_iter()
                .chain(camera)
                .chain(grounds)
                .chain(times)
                .collect(),
        );
    }

    fn recording(&mut self, place: u64, id: B256, pinned: &Pinned) {
        self.recordings.should_hold(vec![
            bytes(pinned.cid.as_bytes()),
            bytes(id),
            number(pinned.height),
            number(place),
            number(pinned.outlet),
            number(pinned.camera),
            bytes(pinned.consent),
            bytes(pinned.manifest_hash),
            number(pinned.sequence),
            time(pinned.started_at_ms),
            time(pinned.ended_at_ms),
            bytes(pinned.agent),
            None,
            None,
            None,
            None,
        ]);
    }

    fn erasure(&mut self, erased: &Erased) {
        let key = [bytes(erased.cid.as_bytes())];
        self.recordings
            .change(&key, "erased_height", number(erased.height));
        self.recordings
            .change(&key, "erased_at", time(erased.time_ms));
        self.recordings.change(&key, "erased_by", bytes(erased.by));
        self.recordings
            .change(&key, "erase_reason", json_name(erased.reason));
    }

    fn checkpoint(&mut self, height: u64, closed: &EpochCheckpoint) {
        let checkpoint = &closed.checkpoint;
        self.checkpoints.should_hold(vec![
            number(checkpoint.epoch),
            number(height),
            bytes(closed.anchor),
            number(checkpoint.first_height),
            number(checkpoint.last_height),
            bytes(checkpoint.blocks_root),
            bytes(checkpoint.state_root),
            bytes(checkpoint.payout_root),
            bytes(checkpoint.recordings_root),
            number(checkpoint.total_released),
            bytes(checkpoint.next_validators_hash),
            number(closed.settlement.payouts().len()),
        ]);
    }
}

/// The one row that says where all units are.
fn supply_row(height: u64, supply: &Supply) -> Comparison {
    let Supply {
        issued,
        reversed,
        released,
        pending,
        receipts,
        pool,
        debt,
        bonded,
        slashed,
        sales,
    } = *supply;

    let figures = [
        height, issued, reversed, released, pending, receipts, pool, debt, bonded, slashed, sales,
    ];

    let mut table = Comparison::new(&tables::SUPPLY);
    table.should_hold(
        [text("true")]
            .into_iter()
            .chain(figures.map(number))
            .collect(),
    );
    table
}
