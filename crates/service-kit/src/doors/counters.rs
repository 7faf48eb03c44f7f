//! What the doors count. Every label is one of a few.

/// Why a connection was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// `connections_max` are there.
    All,
    /// `connections_per_address_max` of this address are there.
    Address,
}

impl Full {
    const fn name(self) -> &'static str {
        match self {
            Self::All => "full",
            Self::Address => "address_full",
        }
    }
}

/// Why a connection was ended from our side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dropped {
    /// No complete head in time.
    Head,
    /// Nothing was said for too long.
    Idle,
    /// No complete body in time.
    Body,
    /// Its reader took nothing for too long.
    Reader,
    /// It was idle, and no descriptor was left for somebody new.
    Room,
    /// The process stops and did not wait for it.
    Stop,
}

impl Dropped {
    const fn name(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Idle => "idle",
            Self::Body => "body",
            Self::Reader => "reader",
            Self::Room => "room",
            Self::Stop => "stop",
        }
    }
}

/// One connection more, or one less.
pub(super) fn connections_changed(by: f64) {
    metrics::gauge!("http_connections").increment(by);
}

/// A connection was not taken.
pub(super) fn refused(full: Full) {
    metrics::counter!("http_connections_refused_total", "reason" => full.name()).increment(1);
}

/// A connection could not be accepted, for example because no descriptor is left.
pub(super) fn accept_failed() {
    metrics::counter!("http_connections_refused_total", "reason" => "accept_failed").increment(1);
}

/// A connection was ended.
pub(super) fn dropped(reason: Dropped) {
    metrics::counter!("http_connections_dropped_total", "reason" => reason.name()).increment(1);
}
