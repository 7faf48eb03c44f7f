//! A whole state as bytes, and back.
//!
//! The bytes are canonical: nodes with the same state have the same ones. Both directions name every field, so that a
//! new one cannot be forgotten.

use super::Ledger;
use super::index::VideoIndex;
use super::sales::Sales;
use super::shared::Shared;
use super::state::{Account, Core};
use super::tables::Tables;
use crate::genesis::{Genesis, GenesisError};
use crate::outlet::{Outlet, OutletId, Terminal};
use alloy_primitives::{Address, B256};
use borsh::{BorshDeserialize, BorshSerialize};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};

/// The version of the format, raised with every change of what a state holds.
pub const SNAPSHOT_VERSION: u16 = 3;

/// Why bytes are not a state of this chain.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the message says what each field is")]
pub enum SnapshotError {
    #[error(transparent)]
    Genesis(#[from] GenesisError),
    #[error("a snapshot of format {found}, expected {SNAPSHOT_VERSION}")]
    Version { found: u16 },
    #[error("a snapshot of sidechain {found}, expected {expected}")]
    OtherChain { expected: B256, found: B256 },
    #[error("malformed snapshot")]
    Malformed(#[source] std::io::Error),
    #[error("a snapshot with {found} hashes of blocks without a checkpoint, expected {expected}")]
    UncoveredBlocks { expected: u64, found: usize },
}

/// What stands before the state.
#[derive(BorshSerialize, BorshDeserialize)]
struct Preamble {
    version: u16,
    sidechain_id: B256,
}

/// Everything that does not follow from the genesis.
#[derive(BorshSerialize, BorshDeserialize)]
struct State<'a> {
    head_hash: B256,
    state_digest: B256,
    core: Cow<'a, Core>,
    accounts: Cow<'a, BTreeMap<Address, Account>>,
    outlets: Cow<'a, BTreeMap<OutletId, Outlet>>,
    terminals: Cow<'a, BTreeMap<Address, Terminal>>,
    sales: Cow<'a, Sales>,
    accruals: Cow<'a, Shared<(u64, Address), u64>>,
    receipts: Cow<'a, Shared<u64, u64>>,
    approvals: Cow<'a, BTreeSet<B256>>,
    to_settle: Cow<'a, BTreeSet<Address>>,
    tables: Cow<'a, Tables>,
    uncovered_blocks: Cow<'a, [B256]>,
    uncovered_recordings: Cow<'a, [B256]>,
}

impl Ledger {
    /// The canonical bytes of this state.
    pub fn export(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        // Writing to a vector cannot fail.
        let _ = self.export_to(&mut bytes);
        bytes
    }

    /// Writes the canonical bytes of this state.
    pub fn export_to(&self, writer: &mut impl Write) -> std::io::Result<()> {
        let Self {
            genesis: _,
            sidechain_id,
            domain: _,
            head_hash,
            state_digest,
            core,
            accounts,
            outlets,
            terminals,
            sales,
            accruals,
            receipts,
            approvals,
            to_settle,
            tables,
            uncovered_blocks,
            uncovered_recordings,
            index: _,
        } = self;

        let state = State {
            head_hash: *head_hash,
            state_digest: *state_digest,
            core: Cow::Borrowed(core),
            accounts: Cow::Borrowed(accounts),
            outlets: Cow::Borrowed(outlets),
            terminals: Cow::Borrowed(terminals),
            sales: Cow::Borrowed(sales),
            accruals: Cow::Borrowed(accruals),
            receipts: Cow::Borrowed(receipts),
            approvals: Cow::Borrowed(approvals),
            to_settle: Cow::Borrowed(to_settle),
            tables: Cow::Borrowed(tables),
            uncovered_blocks: Cow::Borrowed(uncovered_blocks),
            uncovered_recordings: Cow::Borrowed(uncovered_recordings),
        };

        (
            Preamble {
                version: SNAPSHOT_VERSION,
                sidechain_id: *sidechain_id,
            },
            state,
        )
            .serialize(writer)
    }

    /// The state that [`Ledger::export`] wrote. It is believed: the caller has to know where the bytes come from.
    pub fn import(genesis: Genesis, bytes: impl Read) -> Result<Self, SnapshotError> {
        genesis.check()?;
        let (sidechain_id, domain) = (genesis.sidechain_id(), genesis.domain());

        let state = read_state(sidechain_id, bytes)?;
        let State {
            head_hash,
            state_digest,
            core,
            accounts,
            outlets,
            terminals,
            sales,
            accruals,
            receipts,
            approvals,
            to_settle,
            tables,
            uncovered_blocks,
            uncovered_recordings,
        } = state;
        check_uncovered(&core, &uncovered_blocks)?;

        Ok(Self {
            genesis,
            sidechain_id,
            domain,
            head_hash,
            state_digest,
            core: core.into_owned(),
            accounts: accounts.into_owned(),
            outlets: outlets.into_owned(),
            terminals: terminals.into_owned(),
            sales: sales.into_owned(),
            accruals: accruals.into_owned(),
            receipts: receipts.into_owned(),
            approvals: approvals.into_owned(),
            to_settle: to_settle.into_owned(),
            index: VideoIndex::from_tables(&tables),
            tables: tables.into_owned(),
            uncovered_blocks: uncovered_blocks.into_owned(),
            uncovered_recordings: uncovered_recordings.into_owned(),
        })
    }
}

/// Bytes that end early, or late, are refused; lists are believed no further than there are bytes for them.
fn read_state(expected: B256, mut bytes: impl Read) -> Result<State<'static>, SnapshotError> {
    let preamble = Preamble::deserialize_reader(&mut bytes);
    let Preamble {
        version,
        sidechain_id,
    } = preamble.map_err(SnapshotError::Malformed)?;

    if version != SNAPSHOT_VERSION {
        return Err(SnapshotError::Version { found: version });
    }
    if sidechain_id != expected {
        return Err(SnapshotError::OtherChain {
            expected,
            found: sidechain_id,
        });
    }

    State::try_from_reader(&mut bytes).map_err(SnapshotError::Malformed)
}

/// The next checkpoint is made of these hashes, one for each height.
fn check_uncovered(core: &Core, blocks: &[B256]) -> Result<(), SnapshotError> {
    let expected = core
        .height
        .saturating_add(1)
        .saturating_sub(core.uncovered_from);
    if blocks.len() as u64 == expected {
        return Ok(());
    }
    Err(SnapshotError::UncoveredBlocks {
        expected,
        found: blocks.len(),
    })
}
