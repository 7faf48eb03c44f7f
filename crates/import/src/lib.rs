//! Orders of other systems as signed sales. Its first rule: money is never guessed.
//!
//! Pure: [`map`] (what the columns mean), [`number`] and [`moment`] (what a cell says), [`row_kind`] (what a row is),
//! [`order`] (rows to a sale, a refund, or why not), [`inspect`] (a map from a file), [`sign`].
//! I/O: [`mod@file`] and [`plan`] read a file in passes, [`times`] keeps made times, [`compare`] and [`send`] talk to nodes.
//!
//! ```
//! use import::{Item, Map, Plan};
//! use std::sync::atomic::AtomicU64;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let map = Map::from_toml(
//!     r#"
//!     source = "till-1"
//!     group_by = "receipt"
//!     currency = "GEL"
//!     [columns]
//!     name = ["item"]
//!     quantity = "qty"
//!     unit_price = "price"
//!     [[outlets]]
//!     id = 1
//!     city = "Tbilisi"
//!     kind = "owner_operated"
//!     "#,
//! )?;
//! # let folder = tempfile::tempdir()?;
//! let path = folder.path().join("orders.csv");
//! std::fs::write(&path, "receipt;item;qty;price\n7;Khinkali;5;1,60\n7;Tea;1;3,00\n")?;
//!
//! // The separator follows from the columns of the map, the comma from all numbers of the file.
//! let plan = Plan::read(&path, &map, &AtomicU64::new(0))?;
//! let mut totals = Vec::new();
//! plan.for_each_item(|item| {
//!     if let Item::Sale(order) = item {
//!         totals.push(order.total);
//!     }
//!     Ok(())
//! })?;
//! assert_eq!(totals, [1100]);
//! # Ok(())
//! # }
//! ```

pub mod compare;
mod delimited;
pub mod file;
pub mod inspect;
mod json;
mod layout;
mod lines;
pub mod map;
pub mod moment;
pub mod number;
pub mod order;
pub mod plan;
pub mod preset;
pub mod preview;
mod propose;
pub mod row_kind;
pub mod send;
pub mod sign;
mod sums;
mod text;
pub mod times;

pub use compare::{Standing, compare_with_network};
pub use file::FileError;
pub use map::{Map, MapError};
pub use number::format_money;
pub use order::{Item, LeftOut, Order, Rejected, Return};
pub use plan::Plan;
pub use preview::Preview;
pub use send::{Destination, Pass, Progress, SendError, Signed, send_all, sign_all};
pub use sign::Signer;
pub use times::MadeTimes;
