//! The system by the user's door: the real binary with real validators, PostgreSQL and anvil, on free ports and in
//! folders of its own. Two networks run at once, since they mostly wait; tests of how long something takes run alone.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod chain;
mod described;
mod doors;
mod elections;
mod faults;
mod follower;
mod gateway;
mod image;
mod network;
mod operators;
mod orders;
mod requests;
mod snapshots;
mod tidy;
mod validators;
mod verify;
mod video;
mod wallet;
mod wires;
