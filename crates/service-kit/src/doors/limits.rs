//! `[http.limits]`: what strangers may take of a process.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Section `[http.limits]` of every service. Times are milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DoorLimits {
    /// Connections at once; whoever comes then is answered 503 and closed. Each costs a descriptor, and about 25 kB once
    /// it has asked something (`scripts/bench doors`). Default 16384.
    pub connections_max: usize,
    /// Those of one IPv4 address, or of one IPv6 network of 64 bits; more are answered 429 and closed. Behind a reverse
    /// proxy everybody comes from its address: set it to `connections_max` there, and limit in the proxy. Default 1024.
    pub connections_per_address_max: usize,
    /// Streams of events of one address. Raise it behind a reverse proxy as well. Default 64.
    pub streams_per_address_max: usize,
    /// From the first byte of a request to the end of its head. Default 10000.
    pub head_timeout_ms: u64,
    /// How long a connection may say nothing between requests, or before the first. Default 75000.
    pub idle_timeout_ms: u64,
    /// The longest pause within a request's body. Default 10000.
    pub body_pause_ms: u64,
    /// A request's body in whole; then 408. Default 30000.
    pub body_timeout_ms: u64,
    /// How long a reader may take nothing of an answer that waits for it. Default 20000.
    pub write_stall_ms: u64,
    /// How long a stop waits for requests under way; never for a client that keeps us waiting. Default 5000.
    pub stop_grace_ms: u64,
    /// A request's body, where its route allows no more; then 413. Default 1048576.
    pub body_bytes_max: usize,
    /// A request's line and headers; then 431. At least 8192. Default 65536.
    pub head_bytes_max: usize,
}

impl Default for DoorLimits {
    fn default() -> Self {
        Self {
            connections_max: 16_384,
            connections_per_address_max: 1_024,
            streams_per_address_max: 64,
            head_timeout_ms: 10_000,
            idle_timeout_ms: 75_000,
            body_pause_ms: 10_000,
            body_timeout_ms: 30_000,
            write_stall_ms: 20_000,
            stop_grace_ms: 5_000,
            body_bytes_max: 1024 * 1024,
            head_bytes_max: HEAD_BYTES_DEFAULT,
        }
    }
}

const HEAD_BYTES_DEFAULT: usize = 64 * 1024;
/// hyper takes no smaller buffer.
pub(super) const HEAD_BYTES_MIN: usize = 8 * 1024;

impl DoorLimits {
    /// What cannot be meant; rules for [`crate::mistakes::refuse_mistakes`].
    pub fn mistakes(&self) -> [(bool, &'static str); 4] {
        let counts = [
            self.connections_max,
            self.connections_per_address_max,
            self.streams_per_address_max,
            self.body_bytes_max,
        ];
        let times = [
            self.head_timeout_ms,
            self.idle_timeout_ms,
            self.body_pause_ms,
            self.body_timeout_ms,
            self.write_stall_ms,
        ];

        [
            (
                counts.contains(&0),
                "http.limits: connections_max, connections_per_address_max, streams_per_address_max and body_bytes_max must be at least 1",
            ),
            (
                times.contains(&0),
                "http.limits: each time but stop_grace_ms must be at least 1",
            ),
            (
                self.body_pause_ms > self.body_timeout_ms,
                "http.limits.body_pause_ms: must not be longer than body_timeout_ms",
            ),
            (
                self.head_bytes_max < HEAD_BYTES_MIN,
                "http.limits.head_bytes_max: must be at least 8192",
            ),
        ]
    }

    pub(super) fn head_timeout(&self) -> Duration {
        Duration::from_millis(self.head_timeout_ms)
    }

    pub(super) fn idle_timeout(&self) -> Duration {
        Duration::from_millis(self.idle_timeout_ms)
    }

    pub(super) fn body_pause(&self) -> Duration {
        Duration::from_millis(self.body_pause_ms)
    }

    pub(super) fn body_timeout(&self) -> Duration {
        Duration::from_millis(self.body_timeout_ms)
    }

    pub(super) fn write_stall(&self) -> Duration {
        Duration::from_millis(self.write_stall_ms)
    }

    pub(super) fn stop_grace(&self) -> Duration {
        Duration::from_millis(self.stop_grace_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mistakes::refuse_mistakes;

    #[test]
    fn the_defaults_are_allowed_and_zeros_are_not() {
        assert!(refuse_mistakes(DoorLimits::default().mistakes()).is_ok());

        let wrong = DoorLimits {
            connections_max: 0,
            idle_timeout_ms: 0,
            body_pause_ms: 40_000,
            head_bytes_max: 100,
            ..DoorLimits::default()
        };
        let refused = refuse_mistakes(wrong.mistakes()).unwrap_err();
        assert_eq!(refused.mistakes.len(), 4, "{refused}");
    }
}
