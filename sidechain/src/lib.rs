//! sidechain
