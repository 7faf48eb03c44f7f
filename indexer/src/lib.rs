//! The read model's writer: mirrors the EVM contracts' events and the sidechain's blocks into Postgres, exactly,
//! through crashes and reorganisations. What readers ask of it stands in `crates/read-model`.
//!
//! | Folder | Holds |
//! |---|---|
//! | `core/` | decisions: what to do next, whether an answer can be believed, what becomes a row; pure |
//! | `io/` | one adapter per outside thing: the EVM node, the sidechain's nodes, Postgres (`io/store/`) |
//! | `tasks/` | one loop a file: follow the EVM, follow the sidechain, compare the two, say how each answers |

mod app;
mod config;
mod core;
mod error;
mod io;
mod metrics;
mod pulse;
mod tasks;

pub use app::run;
pub use config::{Blockchain, Config, Http, Node};
#[doc(hidden)]
pub use io::evm::read_every_answer;
