//! The one public HTTP door: serves the pages, answers what needs both chains from the read model, and hands everything
//! else on to the nodes. It holds no key and writes nothing to the read model. See `docs/GATEWAY.md`.
//!
//! | Folder | Holds |
//! |---|---|
//! | `core/` | decisions: how far a sale has come, which node is asked, who is away; pure |
//! | `io/` | one adapter per outside thing: the nodes, the read model, the pages inside the binary |
//! | `tasks/` | one loop a file: tell readers what the indexer tells, look who answers |
//! | `http/` | one resource a file |

mod app;
mod config;
mod core;
mod http;
mod io;
mod tasks;

pub use crate::core::choice::Choice;
pub use app::run;
pub use config::{Config, Database, Http, Node, Video, VideoAgent, Web};
