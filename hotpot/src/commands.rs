//! One file for each command, with its arguments.

pub mod genesis;
pub mod migrate;
pub mod node_status;
pub mod openapi;
pub mod up;
pub mod wallet;
