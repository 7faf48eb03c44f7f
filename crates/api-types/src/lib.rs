#![doc = include_str!("../README.md")]

mod account;
mod block;
mod camera;
mod checkpoint;
mod consent;
mod event;
mod moment;
mod network;
mod openapi;
mod outlet;
mod page;
mod recording;
mod sale;
mod stage;
mod staking;
mod status;
mod supply;
mod transaction;

pub use account::{AccountAnswer, AccountOverview};
pub use block::{BlockAnswer, BlockSummary, SnapshotOffer};
pub use camera::{CameraAlert, CameraAnswer, CameraKind, CameraState, PushState, PushSwitch};
pub use checkpoint::{CheckpointAnswer, PayoutAnswer};
pub use consent::{ConsentAnswer, ConsentKind, ConsentRow};
pub use event::{AnchoredCheckpoint, BlocksEvent, EvmEvent, ResetEvent, RevertedEvent};
pub use moment::{format_moment, format_time, parse_time};
pub use network::{
    ArrowName, ArrowOverview, ArrowState, AsOf, EpochsOverview, EvmOverview, NetworkOverview,
    SidechainOverview, SystemPart,
};
pub use openapi::openapi;
pub use outlet::{OutletAnswer, TerminalAnswer};
pub use page::{Page, PageAsOf};
pub use recording::{
    ErasedAnswer, Erasure, ErasureAnswer, RecordingAnswer, RecordingProofs, RecordingRow,
};
pub use sale::{
    BatchedSale, SALES_PER_BATCH_MAX, SaleAnswer, SaleBatch, SaleDetail, SaleRequest, SaleRow,
    SaleState, ShareAnswer, ShareKind,
};
pub use stage::{SaleShare, ShareState, Stage, StageName, StageState};
pub use staking::{CandidateAnswer, EvidenceAnswer, ParametersAnswer, WaitingChangeAnswer};
pub use status::{SignedAnswer, StatusAnswer};
pub use supply::{Supply, SupplyAnswer, SupplyOverview};
pub use transaction::{TransactionAnswer, WaitFor};
