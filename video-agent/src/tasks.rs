//! What runs again and again: read, decide, act.

pub(crate) mod anonymise;
pub(crate) mod broadcast;
pub(crate) mod camera;
pub(crate) mod erasures;
pub(crate) mod gauges;
pub(crate) mod look;
pub(crate) mod measure;
pub(crate) mod output;
pub(crate) mod push;
pub(crate) mod session;
