//! What a backend says of a pin.

/// Whether a backend keeps something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PinState {
    /// It was not told to.
    Absent,
    /// It is about to; that is no promise.
    Pending,
    /// It keeps it.
    Pinned,
    /// It gave up, and why.
    Failed(String),
}
