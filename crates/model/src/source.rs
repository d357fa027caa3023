//! Where connections come from, as limits, penalties and bans count it.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use ipnet::IpNet;
use thiserror::Error;

/// The part of an IPv6 address that a provider gives to one customer.
const NETWORK: u128 = !(u64::MAX as u128);

/// An IPv4 address, or the /64 network of an IPv6 address: whoever has one address of such a network has all of them, and
/// would never be seen twice.
///
/// Invariant: an IPv4 address that is mapped into IPv6 is held as IPv4; the last 64 bits of an IPv6 address are zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Source(IpAddr);

/// A text is neither an address nor a network that is one source.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is neither an address nor an IPv6 network of 64 bits")]
pub struct NotASource(String);

impl Source {
    /// The source that `address` belongs to.
    pub fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & NETWORK)),
        })
    }
}

/// An address as it is, a network as `2001:db8::/64`.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V4(address) => address.fmt(f),
            IpAddr::V6(network) => write!(f, "{network}/64"),
        }
    }
}

/// Reads an address, or what [`Display`](fmt::Display) writes.
impl FromStr for Source {
    type Err = NotASource;

    fn from_str(text: &str) -> Result<Self, NotASource> {
        let address = match text.parse::<IpNet>() {
            Ok(IpNet::V6(network)) if network.prefix_len() == 64 => Some(network.network().into()),
            Ok(IpNet::V4(_) | IpNet::V6(_)) => None,
            Err(_) => text.parse().ok(),
        };
        address
            .map(Self::of)
            .ok_or_else(|| NotASource(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        text.parse().unwrap()
    }

    #[test]
    fn an_ipv6_network_of_64_bits_is_one_source() {
        assert_eq!(source("2001:db8::1"), source("2001:db8::ffff:0:0:2"));
        assert_ne!(source("2001:db8::1"), source("2001:db8:0:1::1"));
        assert_ne!(source("192.0.2.1"), source("192.0.2.2"));
    }

    #[test]
    fn an_ipv4_address_mapped_into_ipv6_is_the_ipv4_address() {
        assert_eq!(source("::ffff:192.0.2.1"), source("192.0.2.1"));
    }

    #[test]
    fn what_is_shown_can_be_read_again() {
        for text in ["192.0.2.1", "2001:db8:0:1::/64"] {
            assert_eq!(source(text).to_string(), text);
        }
        assert_eq!(source("2001:db8::9").to_string(), "2001:db8::/64");
        for text in [
            "",
            "192.0.2.0/24",
            "192.0.2.1/32",
            "2001:db8::/32",
            "localhost",
            "1",
        ] {
            assert!(text.parse::<Source>().is_err(), "{text}");
        }
    }
}
