//! Which addresses everybody may be sent to.

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use url::{Host, Url};

/// Whether an address is on the public internet: not of this machine, its network, a cloud's metadata, or a range that
/// leads there under another name. Ranges of IANA's special-purpose registries, and what clouds reach their own host by.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = match a {
        0 | 10 | 127 => true,
        100 => (64..128).contains(&b),
        // Azure's host and its metadata, at an address that looks public.
        168 => address == Ipv4Addr::new(168, 63, 129, 16),
        169 => b == 254,
        172 => (16..32).contains(&b),
        192 => b == 168 || (b == 0 && matches!(c, 0 | 2)) || (b == 88 && c == 99),
        198 => matches!(b, 18 | 19) || (b == 51 && c == 100),
        203 => b == 0 && c == 113,
        _ => a >= 224,
    };
    !is_special
}

/// Only 2000::/3 is given out; some of it stands for addresses of IPv4, or for none.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, ..] = address.segments();
    let is_given_out = a & 0xe000 == 0x2000;
    match (a, b) {
        _ if !is_given_out => embedded_v4(address).is_some_and(is_public_v4),
        // 6to4: the next two words are the address that is reached.
        (0x2002, _) => is_public_v4(v4_of(b, c)),
        // Protocol assignments with Teredo, benchmarking and ORCHID; documentation.
        (0x2001, 0..=0x01ff) | (0x2001, 0x0db8) => false,
        (0x3fff, 0..=0x0fff) => false,
        _ => true,
    }
}

/// The address of IPv4 that is written into one of IPv6: mapped, or by NAT64's well-known prefix.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let segments = address.segments();
    let embedded = v4_of(segments[6], segments[7]);
    match segments {
        [0, 0, 0, 0, 0, 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => Some(embedded),
        _ => None,
    }
}

fn v4_of(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(high) << 16 | u32::from(low))
}

/// Whether a URL names a host, or a public address. What the host resolves to is seen when it is connected to.
pub(crate) fn may_lead_to(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(_)) => true,
        Some(Host::Ipv4(address)) => is_public(address.into()),
        Some(Host::Ipv6(address)) => is_public(address.into()),
        None => false,
    }
}

/// A name that leads to no public address.
#[derive(Debug, thiserror::Error)]
#[error("{name} has no public address")]
pub(crate) struct NotPublic {
    name: String,
}

/// Resolves names to public addresses alone.
pub(crate) struct PublicResolver;

impl Resolve for PublicResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|one| is_public(one.ip())).collect();
            if public.is_empty() {
                let name = name.as_str().to_owned();
                return Err(NotPublic { name }.into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn what_leads_inside_is_not_public() {
        for inside in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "fc00::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:a00:1::",
            "3fff::1",
            "fd00:ec2::254",
        ] {
            assert!(!is_public(address(inside)), "{inside}");
        }
    }

    #[test]
    fn what_everybody_reaches_is_public() {
        for outside in [
            "1.1.1.1",
            "100.128.0.1",
            "168.63.129.17",
            "172.32.0.1",
            "192.1.2.3",
            "198.20.0.1",
            "223.255.255.255",
            "2001:4860:4860::8888",
            "2606:4700::1111",
            "2a00:1450::1",
            "::ffff:1.1.1.1",
            "64:ff9b::101:101",
            "2002:101:101::",
        ] {
            assert!(is_public(address(outside)), "{outside}");
        }
    }

    proptest! {
        #[test]
        fn an_address_under_another_name_is_as_public_as_itself(bits: u32) {
            let v4 = Ipv4Addr::from(bits);
            let expected = is_public(v4.into());
            let mapped = v4.to_ipv6_mapped();
            let (high, low) = ((bits >> 16) as u16, bits as u16);
            let nat64 = Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low);
            let six_to_four = Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1);
            for other in [mapped, nat64, six_to_four] {
                prop_assert_eq!(is_public(other.into()), expected, "{}", other);
            }
        }
    }
}
