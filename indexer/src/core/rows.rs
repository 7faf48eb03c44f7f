//! What becomes of a checked sidechain block in the read model.

use crate::core::replica::Checked;
use crate::error::Error;
use domain::certificate::CommitCertificate;
use domain::consent::{Consent, Grounds};
use domain::ledger::EpochCheckpoint;
use domain::recording::{Cid, EraseReason, Erased, Pinned};
use domain::sale::{Beneficiary, NotIssued, Share};
use domain::transaction::RegisterOutlet;
use domain::{
    Address, B256, BuyerKind, Event, OutletId, OutletKind, Payload, Sale, SaleKey,
    SignedTransaction, TerminalKind,
};
use std::collections::BTreeMap;

/// Rows of one or more blocks.
#[derive(Debug, Default)]
pub struct Rows {
    /// Blocks, heights ascending.
    pub blocks: Vec<BlockRow>,
    /// Outlets registered in these blocks.
    pub outlets: Vec<OutletRow>,
    /// Terminals enrolled in these blocks.
    pub terminals: Vec<TerminalRow>,
    /// Terminals revoked, each with the height.
    pub revocations: Vec<(Address, i64)>,
    /// Sales, in the order of their blocks.
    pub sales: Vec<SaleRow>,
    /// The shares that those sales were split into.
    pub shares: Vec<ShareRow>,
    /// Receipts claimed, each with the wallet.
    pub claims: Vec<ClaimRow>,
    /// Refunds, of these sales or of earlier ones.
    pub refunds: Vec<RefundRow>,
    /// What they took back, by share.
    pub refund_shares: Vec<RefundShareRow>,
    /// Units released at the end of an epoch, by account.
    pub releases: Vec<ReleaseRow>,
    /// Closed epochs with a checkpoint.
    pub checkpoints: Vec<CheckpointRow>,
    /// Consents and legal bases.
    pub consents: Vec<ConsentRow>,
    /// Their ends, by somebody.
    pub consent_revocations: Vec<ConsentRevocationRow>,
    /// Recordings pinned on the ledger.
    pub recordings: Vec<RecordingRow>,
    /// Tombstones of recordings, pinned here or before.
    pub erasures: Vec<ErasureRow>,
}

/// One row of `sidechain_block`.
#[derive(Debug)]
pub struct BlockRow {
    pub height: i64,
    pub hash: B256,
    pub parent_hash: B256,
    pub time_ms: i64,
    pub proposer: Address,
    pub transactions: i64,
    pub raw: Vec<u8>,
    pub certificate: Vec<u8>,
}

/// One row of `outlet`.
#[derive(Debug)]
pub struct OutletRow {
    pub outlet: i64,
    pub owner: Address,
    pub kind: &'static str,
    pub city: String,
    pub currency: String,
    pub quota_per_day: i64,
    pub terminal_quota_per_day: i64,
    pub height: i64,
}

/// One row of `terminal`.
#[derive(Debug)]
pub struct TerminalRow {
    pub terminal: Address,
    pub outlet: i64,
    pub kind: &'static str,
    pub height: i64,
}

/// One row of `sale`.
#[derive(Debug)]
pub struct SaleRow {
    pub outlet: i64,
    pub sale_id: [u8; 16],
    pub tx_id: B256,
    pub height: i64,
    pub place: i64,
    pub terminal: Address,
    pub occurred_at_ms: i64,
    pub currency: String,
    pub total: i64,
    pub lines_hash: B256,
    pub buyer_kind: &'static str,
    pub buyer: Option<Address>,
    pub issued: i64,
    pub not_issued: Option<&'static str>,
}

/// One row of `sale_share`.
#[derive(Debug)]
pub struct ShareRow {
    pub outlet: i64,
    pub sale_id: [u8; 16],
    pub place: i64,
    pub kind: &'static str,
    pub account: Option<Address>,
    pub units: i64,
}

/// One row of `receipt_claim`.
#[derive(Debug)]
pub struct ClaimRow {
    pub outlet: i64,
    pub sale_id: [u8; 16],
    pub wallet: Address,
    pub units: i64,
    pub height: i64,
}

/// One row of `refund`.
#[derive(Debug)]
pub struct RefundRow {
    pub outlet: i64,
    pub sale_id: [u8; 16],
    pub refund_id: [u8; 16],
    pub tx_id: B256,
    pub height: i64,
    pub amount: i64,
    pub reversed: i64,
    pub debt: i64,
    pub owner: Address,
}

/// One row of `refund_share`.
#[derive(Debug)]
pub struct RefundShareRow {
    pub outlet: i64,
    pub sale_id: [u8; 16],
    pub refund_id: [u8; 16],
    pub place: i64,
    pub units: i64,
}

/// One row of `release`.
#[derive(Debug)]
pub struct ReleaseRow {
    pub height: i64,
    pub account: Address,
    pub units: i64,
    pub debt_paid: i64,
    pub bonded: i64,
}

/// One row of `epoch_checkpoint`.
#[derive(Debug)]
pub struct CheckpointRow {
    pub epoch: i64,
    pub height: i64,
    pub anchor: Address,
    pub first_height: i64,
    pub last_height: i64,
    pub blocks_root: B256,
    pub state_root: B256,
    pub payout_root: B256,
    pub recordings_root: B256,
    pub total_released: u128,
    pub next_validators_hash: B256,
    pub payouts: i64,
}

/// One row of `consent`.
#[derive(Debug)]
pub struct ConsentRow {
    pub id: B256,
    pub height: i64,
    pub place: i64,
    pub kind: &'static str,
    pub outlet: i64,
    pub camera: i64,
    pub purposes: i64,
    pub commitment: Option<B256>,
    pub guest: Option<Address>,
    pub witness: Option<Address>,
    pub notice_hash: Option<B256>,
    pub retention_days: Option<i64>,
    pub owner: Option<Address>,
    pub recorded_at_ms: i64,
    pub until_ms: i64,
}

/// What a revocation changes in a row of `consent`.
#[derive(Debug)]
pub struct ConsentRevocationRow {
    pub id: B256,
    pub at_ms: i64,
    pub by: Address,
    pub height: i64,
}

/// One row of `recording`.
#[derive(Debug)]
pub struct RecordingRow {
    pub cid: Cid,
    pub tx_id: B256,
    pub height: i64,
    pub place: i64,
    pub outlet: i64,
    pub camera: i64,
    pub consent: B256,
    pub manifest_hash: B256,
    pub sequence: i64,
    pub started_at_ms: i64,
    pub ended_at_ms: i64,
    pub agent: Address,
}

/// What an erasure changes in a row of `recording`.
#[derive(Debug)]
pub struct ErasureRow {
    pub cid: Cid,
    pub height: i64,
    pub at_ms: i64,
    pub by: Address,
    pub reason: &'static str,
}

/// A number for a BIGINT column.
pub fn to_bigint(field: &'static str, value: u64) -> Result<i64, Error> {
    i64::try_from(value).map_err(|_| Error::TooLarge { field })
}

fn len_to_bigint(field: &'static str, value: usize) -> Result<i64, Error> {
    i64::try_from(value).map_err(|_| Error::TooLarge { field })
}

/// How many rows there were before a block: places are counted from there.
#[derive(Clone, Copy)]
struct Before {
    sales: usize,
    consents: usize,
    recordings: usize,
}

impl Rows {
    /// Adds a block with everything that happened in it.
    pub fn add(&mut self, checked: &Checked) -> Result<(), Error> {
        let header = &checked.block.header;
        let height = to_bigint("height", header.height)?;

        self.blocks.push(BlockRow {
            height,
            hash: checked.executed.block_hash,
            parent_hash: header.parent_hash,
            time_ms: to_bigint("time", header.time_ms)?,
            proposer: header.proposer,
            transactions: len_to_bigint("transactions", checked.block.transactions.len())?,
            raw: checked.source.raw.clone(),
            certificate: encode_certificate(&checked.source.certificate),
        });

        let signed = Signed::of(&checked.block.transactions);
        let before = Before {
            sales: self.sales.len(),
            consents: self.consents.len(),
            recordings: self.recordings.len(),
        };
        for event in &checked.executed.events {
            self.add_event(height, before, &signed, event)?;
        }

        Ok(())
    }

    fn add_event(
        &mut self,
        height: i64,
        before: Before,
        signed: &Signed<'_>,
        event: &Event,
    ) -> Result<(), Error> {
        match event {
            Event::OutletRegistered { outlet, .. } => {
                if let Some(registration) = signed.registrations.get(outlet) {
                    self.outlets.push(outlet_row(height, registration)?);
                }
            }
            Event::TerminalRegistered {
                outlet,
                terminal,
                kind,
            } => {
                let (outlet, kind) = (to_bigint("outlet", *outlet)?, terminal_kind(*kind));
                self.terminals.push(TerminalRow {
                    terminal: *terminal,
                    outlet,
                    kind,
                    height,
                });
            }
            Event::TerminalRevoked { terminal, .. } => self.revocations.push((*terminal, height)),
            Event::SaleRecorded {
                key,
                tx_id,
                issued,
                not_issued,
                shares,
            } => {
                if let Some(sale) = signed.sales.get(key) {
                    let place = len_to_bigint("sales of a block", self.sales.len() - before.sales)?;
                    let issued = to_bigint("issued", *issued)?;

                    self.sales
                        .push(sale_row(height, place, *tx_id, sale, issued, *not_issued)?);
                    self.add_shares(*key, shares)?;
                }
            }
            Event::ReceiptClaimed { key, wallet, units } => self.claims.push(ClaimRow {
                outlet: to_bigint("outlet", key.outlet)?,
                sale_id: key.sale_id.0,
                wallet: *wallet,
                units: to_bigint("units", *units)?,
                height,
            }),
            Event::Refunded { .. } => self.add_refund(height, event)?,
            Event::Released {
                account,
                units,
                debt_paid,
                bonded,
            } => self.releases.push(ReleaseRow {
                height,
                account: *account,
                units: to_bigint("units", *units)?,
                debt_paid: to_bigint("debt paid", *debt_paid)?,
                bonded: to_bigint("bonded", *bonded)?,
            }),
            Event::EpochClosed {
                checkpoint: Some(checkpoint),
                ..
            } => {
                self.checkpoints.push(checkpoint_row(height, checkpoint)?);
            }
            Event::ConsentRecorded { id, consent } => {
                let place =
                    len_to_bigint("consents of a block", self.consents.len() - before.consents)?;
                self.consents.push(consent_row(place, *id, consent)?);
            }
            Event::ConsentRevoked { id, by, at_ms } => {
                let at_ms = to_bigint("revoked at", *at_ms)?;
                self.consent_revocations.push(ConsentRevocationRow {
                    id: *id,
                    at_ms,
                    by: *by,
                    height,
                });
            }
            Event::RecordingPinned { tx_id, pinned } => {
                let place = len_to_bigint(
                    "recordings of a block",
                    self.recordings.len() - before.recordings,
                )?;
                self.recordings.push(recording_row(place, *tx_id, pinned)?);
            }
            Event::RecordingErased { erased } => self.erasures.push(erasure_row(erased)?),
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

        Ok(())
    }

    fn add_refund(&mut self, height: i64, event: &Event) -> Result<(), Error> {
        let Event::Refunded {
            key,
            refund_id,
            tx_id,
            amount,
            reversed,
            owner,
            debt,
        } = event
        else {
            return Ok(());
        };

        let (outlet, sale_id, refund_id) =
            (to_bigint("outlet", key.outlet)?, key.sale_id.0, refund_id.0);

        self.refunds.push(RefundRow {
            outlet,
            sale_id,
            refund_id,
            tx_id: *tx_id,
            height,
            amount: to_bigint("amount", *amount)?,
            reversed: to_bigint("reversed", reversed.iter().sum())?,
            debt: to_bigint("debt", *debt)?,
            owner: *owner,
        });

        for (place, units) in reversed.iter().enumerate().filter(|(_, units)| **units > 0) {
            let (place, units) = (len_to_bigint("shares", place)?, to_bigint("units", *units)?);
            self.refund_shares.push(RefundShareRow {
                outlet,
                sale_id,
                refund_id,
                place,
                units,
            });
        }

        Ok(())
    }

    fn add_shares(&mut self, key: SaleKey, shares: &[Share]) -> Result<(), Error> {
        for (place, share) in shares.iter().enumerate() {
            let (kind, account) = beneficiary_columns(share.to);
            self.shares.push(ShareRow {
                outlet: to_bigint("outlet", key.outlet)?,
                sale_id: key.sale_id.0,
                place: len_to_bigint("shares", place)?,
                kind,
                account,
                units: to_bigint("units", share.units)?,
            });
        }
        Ok(())
    }
}

/// Canonical bytes of a certificate. Writing to a vector cannot fail.
pub fn encode_certificate(certificate: &CommitCertificate) -> Vec<u8> {
    borsh::to_vec(certificate).unwrap_or_default()
}

/// What was signed, by what the events name.
#[derive(Default)]
struct Signed<'a> {
    sales: BTreeMap<SaleKey, &'a Sale>,
    registrations: BTreeMap<OutletId, &'a RegisterOutlet>,
}

impl<'a> Signed<'a> {
    fn of(transactions: &'a [SignedTransaction]) -> Self {
        let mut signed = Self::default();
        for transaction in transactions {
            match &transaction.payload {
                Payload::Sale(sale) => {
                    signed.sales.insert(sale.key(), sale);
                }
                Payload::RegisterOutlet(found) => {
                    signed.registrations.insert(found.outlet, found);
                }
                _ => {}
            }
        }

        signed
    }
}

fn outlet_row(height: i64, registration: &RegisterOutlet) -> Result<OutletRow, Error> {
    Ok(OutletRow {
        outlet: to_bigint("outlet", registration.outlet)?,
        owner: registration.owner,
        kind: outlet_kind(registration.kind),
        city: registration.city.clone(),
        currency: registration.currency.to_string(),
        quota_per_day: registration.quota_per_day.into(),
        terminal_quota_per_day: registration.terminal_quota_per_day.into(),
        height,
    })
}

fn sale_row(
    height: i64,
    place: i64,
    tx_id: B256,
    sale: &Sale,
    issued: i64,
    not_issued: Option<NotIssued>,
) -> Result<SaleRow, Error> {
    Ok(SaleRow {
        outlet: to_bigint("outlet", sale.outlet)?,
        sale_id: sale.sale_id.0,
        tx_id,
        height,
        place,
        terminal: sale.terminal,
        occurred_at_ms: to_bigint("occurred at", sale.occurred_at_ms)?,
        currency: sale.currency.to_string(),
        total: to_bigint("total", sale.total)?,
        lines_hash: sale.lines_hash,
        buyer_kind: sale.buyer_kind.name(),
        buyer: (sale.buyer_kind != BuyerKind::None).then_some(sale.buyer),
        issued,
        not_issued: not_issued.map(not_issued_reason),
    })
}

fn checkpoint_row(height: i64, closed: &EpochCheckpoint) -> Result<CheckpointRow, Error> {
    let checkpoint = &closed.checkpoint;

    Ok(CheckpointRow {
        epoch: to_bigint("epoch", checkpoint.epoch)?,
        height,
        anchor: closed.anchor,
        first_height: to_bigint("first height", checkpoint.first_height)?,
        last_height: to_bigint("last height", checkpoint.last_height)?,
        blocks_root: checkpoint.blocks_root,
        state_root: checkpoint.state_root,
        payout_root: checkpoint.payout_root,
        recordings_root: checkpoint.recordings_root,
        total_released: checkpoint.total_released,
        next_validators_hash: checkpoint.next_validators_hash,
        payouts: len_to_bigint("payouts", closed.settlement.payouts().len())?,
    })
}

fn consent_row(place: i64, id: B256, consent: &Consent) -> Result<ConsentRow, Error> {
    let row = ConsentRow {
        id,
        height: to_bigint("height", consent.height)?,
        place,
        kind: consent.kind(),
        outlet: to_bigint("outlet", consent.outlet)?,
        camera: to_bigint("camera", consent.camera)?,
        purposes: i64::from(consent.purposes() as u8),
        commitment: None,
        guest: None,
        witness: None,
        notice_hash: None,
        retention_days: None,
        owner: None,
        recorded_at_ms: to_bigint("recorded at", consent.recorded_at_ms)?,
        until_ms: to_bigint("until", consent.until_ms)?,
    };

    Ok(match consent.grounds {
        Grounds::Guest {
            commitment,
            guest,
            witness,
            ..
        } => ConsentRow {
            commitment: Some(commitment),
            guest: Some(guest),
            witness: Some(witness),
            ..row
        },
        Grounds::Basis {
            notice_hash,
            retention_days,
            owner,
            ..
        } => {
            let retention_days = Some(retention_days.into());
            ConsentRow {
                notice_hash: Some(notice_hash),
                retention_days,
                owner: Some(owner),
                ..row
            }
        }
    })
}

fn recording_row(place: i64, tx_id: B256, pinned: &Pinned) -> Result<RecordingRow, Error> {
    Ok(RecordingRow {
        cid: pinned.cid,
        tx_id,
        height: to_bigint("height", pinned.height)?,
        place,
        outlet: to_bigint("outlet", pinned.outlet)?,
        camera: to_bigint("camera", pinned.camera)?,
        consent: pinned.consent,
        manifest_hash: pinned.manifest_hash,
        sequence: to_bigint("sequence", pinned.sequence)?,
        started_at_ms: to_bigint("started at", pinned.started_at_ms)?,
        ended_at_ms: to_bigint("ended at", pinned.ended_at_ms)?,
        agent: pinned.agent,
    })
}

fn erasure_row(erased: &Erased) -> Result<ErasureRow, Error> {
    Ok(ErasureRow {
        cid: erased.cid,
        height: to_bigint("height", erased.height)?,
        at_ms: to_bigint("erased at", erased.time_ms)?,
        by: erased.by,
        reason: erase_reason(erased.reason),
    })
}

const fn erase_reason(reason: EraseReason) -> &'static str {
    match reason {
        EraseReason::Revoked => "revoked",
        EraseReason::Retention => "retention",
        EraseReason::Request => "request",
        EraseReason::Other => "other",
    }
}

const fn outlet_kind(kind: OutletKind) -> &'static str {
    match kind {
        OutletKind::OwnerOperated => "owner_operated",
        OutletKind::Franchised => "franchised",
    }
}

const fn terminal_kind(kind: TerminalKind) -> &'static str {
    match kind {
        TerminalKind::Physical => "physical",
        TerminalKind::Gateway => "gateway",
        TerminalKind::VideoAgent => "video_agent",
    }
}

const fn not_issued_reason(not_issued: NotIssued) -> &'static str {
    match not_issued {
        NotIssued::BelowMinimum => "below_minimum",
        NotIssued::OutletQuota => "outlet_quota",
        NotIssued::TerminalQuota => "terminal_quota",
        NotIssued::OwnerDebt => "owner_debt",
    }
}

const fn beneficiary_columns(to: Beneficiary) -> (&'static str, Option<Address>) {
    match to {
        Beneficiary::Account(account) => ("account", Some(account)),
        Beneficiary::Receipt(receipt) | Beneficiary::Claimed { receipt, .. } => {
            ("receipt", Some(receipt))
        }
        Beneficiary::Pool => ("pool", None),
    }
}
