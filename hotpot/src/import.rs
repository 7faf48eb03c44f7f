//! `hotpot import`: orders of another system become signed sales.
//!
//! Pure: [`map`] (what the columns mean), [`rows`] (bytes to rows), [`money`], [`orders`] (rows to sales).
//! I/O: [`run`] (keys, network, report).

pub mod command;
pub mod map;
pub mod money;
pub mod orders;
pub mod rows;
pub mod run;
