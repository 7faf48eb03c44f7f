//! One loop a file.

pub mod events;
