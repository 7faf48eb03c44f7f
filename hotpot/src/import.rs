//! `hotpot import`: orders of another system as signed sales. What a file says is read by the crate `import`; here are
//! the command line, the keys and the nodes.

pub mod command;
mod inspect;
pub mod local;
pub mod run;
mod show;
mod till;
