//! Ports that stay free until their service binds them.

use std::hash::{BuildHasher, RandomState};
use std::io::{Error, ErrorKind, Result};
use std::net::TcpListener;
use std::ops::Range;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Below the range (32768 and up on Linux) from which the system gives ports to outgoing connections: one from there may
/// be taken before the service binds it, or while it restarts.
const PORTS: Range<u16> = 16_384..32_768;

/// Where the search goes on. Each process begins elsewhere, so that two that run side by side seldom meet.
static NEXT: LazyLock<AtomicU64> =
    LazyLock::new(|| AtomicU64::new(RandomState::new().hash_one(std::process::id())));

/// A TCP port that is free on loopback right now; this process gives none twice before it has given all others.
pub fn free_port() -> Result<u16> {
    let tried = PORTS
        .map(|_| next_candidate())
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    tried.ok_or_else(|| {
        Error::new(
            ErrorKind::AddrInUse,
            format!("no free port in {PORTS:?} on 127.0.0.1"),
        )
    })
}

fn next_candidate() -> u16 {
    let place = NEXT.fetch_add(1, Ordering::Relaxed) % u64::from(PORTS.end - PORTS.start);
    // The place is smaller than the range.
    PORTS.start + u16::try_from(place).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn ports_are_free_different_and_none_that_a_connection_could_take() {
        let ports: BTreeSet<u16> = (0..200).map(|_| free_port().unwrap()).collect();
        assert_eq!(ports.len(), 200);
        assert!(ports.iter().all(|port| PORTS.contains(port)));
        let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap();
        let lowest: u16 = range.split_whitespace().next().unwrap().parse().unwrap();
        assert!(
            PORTS.end <= lowest,
            "outgoing connections take ports from {lowest} on"
        );
    }

    #[test]
    fn a_taken_port_is_passed_over() {
        let taken = TcpListener::bind(("127.0.0.1", free_port().unwrap()))
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        assert!((0..200).all(|_| free_port().unwrap() != taken));
    }
}
