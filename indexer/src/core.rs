//! Decisions: pure, no clock, no network, no SQL.

pub mod choice;
pub mod logs;
pub mod plan;
pub mod pulse;
pub mod range;
pub mod receipts;
pub mod replica;
pub mod rows;
