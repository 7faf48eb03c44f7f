//! How many are here, in all and of each address.

use super::counters::{Full, connections_changed};
use problem::{Problem, Refusal};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The part of an IPv6 address that names a customer; the rest he can choose at will.
const NETWORK_BITS_V6: u128 = u128::MAX << 64;

/// Whom an address stands for.
fn origin_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & NETWORK_BITS_V6)),
    }
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_origin: HashMap<IpAddr, usize>,
}

/// A bounded number of places.
#[derive(Debug)]
pub(super) struct Places {
    max: usize,
    per_origin_max: usize,
    taken: Mutex<Taken>,
}

impl Places {
    pub(super) fn new(max: usize, per_origin_max: usize) -> Arc<Self> {
        Arc::new(Self {
            max,
            per_origin_max,
            taken: Mutex::default(),
        })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place until it is dropped.
    pub(super) fn take(self: &Arc<Self>, address: IpAddr) -> Result<Place, Full> {
        let origin = origin_of(address);
        let mut taken = self.taken();
        let of_origin = taken.by_origin.get(&origin).copied().unwrap_or_default();

        if taken.all >= self.max {
            return Err(Full::All);
        }
        if of_origin >= self.per_origin_max {
            return Err(Full::Address);
        }

        taken.all += 1;
        taken.by_origin.insert(origin, of_origin + 1);
        Ok(Place {
            places: Arc::clone(self),
            origin,
        })
    }

    fn give_back(&self, origin: IpAddr) {
        let mut taken = self.taken();
        taken.all = taken.all.saturating_sub(1);
        if let Some(count) = taken.by_origin.get_mut(&origin) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                taken.by_origin.remove(&origin);
            }
        }
    }
}

/// One of the places.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    origin: IpAddr,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.give_back(self.origin);
    }
}

/// A connection's place, which counts.
#[derive(Debug)]
pub(super) struct ConnectionPlace {
    _place: Place,
}

impl ConnectionPlace {
    pub(super) fn new(place: Place) -> Self {
        connections_changed(1.0);
        Self { _place: place }
    }
}

impl Drop for ConnectionPlace {
    fn drop(&mut self) {
        connections_changed(-1.0);
    }
}

/// Who asks: an extension of every request that came through a door.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// The other end of the connection; behind a reverse proxy the proxy.
    pub address: SocketAddr,
    pub(super) streams: Arc<Places>,
}

/// The place of a stream that stays open; given back when it is dropped.
#[derive(Debug)]
pub struct StreamPlace {
    _place: Place,
}

impl Visitor {
    /// A place for a stream of events, of which an address has `streams_per_address_max`; else 429.
    pub fn take_stream(&self) -> Result<StreamPlace, Refusal> {
        let full = |_| {
            Problem::new(
                429,
                "too_many_streams",
                "this address has as many streams of events open as it may have; close one",
            )
        };

        let place = self.streams.take(self.address.ip()).map_err(full)?;
        Ok(StreamPlace { _place: place })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_bounded_in_all_and_for_each_address() {
        let places = Places::new(3, 2);
        let (first, second) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());

        let kept = [places.take(first).unwrap(), places.take(first).unwrap()];
        assert_eq!(places.take(first).unwrap_err(), Full::Address);
        let other = places.take(second).unwrap();
        assert_eq!(places.take(second).unwrap_err(), Full::All);

        drop(kept);
        drop(other);
        assert!(places.taken().by_origin.is_empty());
        assert!(places.take(second).is_ok());
    }

    #[test]
    fn a_network_of_64_bits_is_one_address_and_a_mapped_one_is_its_ipv4() {
        let origin = |text: &str| origin_of(text.parse().unwrap());
        assert_eq!(origin("2001:db8:0:1::1"), origin("2001:db8:0:1:ffff::2"));
        assert_ne!(origin("2001:db8:0:1::1"), origin("2001:db8:0:2::1"));
        assert_eq!(origin("::ffff:192.0.2.1"), origin("192.0.2.1"));
    }
}
