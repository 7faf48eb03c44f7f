//! What runs again and again: read, decide, act. A step may be cut off anywhere and repeated.

pub(crate) mod collect;
pub(crate) mod confirm;
pub(crate) mod context;
pub(crate) mod lock;
pub(crate) mod relay;
pub(crate) mod send;
pub(crate) mod submit;
