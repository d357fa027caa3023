//! Lists of addresses and networks, as settings and files have them.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};
use thiserror::Error;

/// A set of addresses. An address is found among a million entries in some twenty steps.
///
/// Invariant: the ranges of each kind are sorted and do not overlap; no IPv6 range is one of IPv4 addresses mapped into IPv6.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AddressSet {
    v4: Vec<(u32, u32)>,
    v6: Vec<(u128, u128)>,
}

/// An entry is neither an address nor a network.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is neither an IP address nor a network in CIDR notation")]
pub struct InvalidEntry(pub String);

impl AddressSet {
    /// Reads addresses (`192.0.2.1`) and networks in CIDR notation (`192.0.2.0/24`); bits behind the prefix do not count,
    /// and neither do blanks around an entry.
    ///
    /// # Errors
    /// The first entry that is neither.
    pub fn parse<E: AsRef<str>>(
        entries: impl IntoIterator<Item = E>,
    ) -> Result<Self, InvalidEntry> {
        let parsed = entries.into_iter().map(|entry| parse(entry.as_ref()));
        Ok(Self::of(parsed.collect::<Result<Vec<_>, _>>()?))
    }

    fn of(networks: Vec<IpNet>) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for network in networks {
            match network {
                IpNet::V4(net) => v4.push((net.network().to_bits(), net.broadcast().to_bits())),
                IpNet::V6(net) => v6.push((net.network().to_bits(), net.broadcast().to_bits())),
            }
        }
        Self {
            v4: disjoint(v4),
            v6: disjoint(v6),
        }
    }

    /// Whether an address is in the set. An IPv4 address that is mapped into IPv6 counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        match address.to_canonical() {
            IpAddr::V4(address) => is_in(&self.v4, address.to_bits()),
            IpAddr::V6(address) => is_in(&self.v6, address.to_bits()),
        }
    }

    /// Whether no address is in the set.
    pub fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }
}

fn parse(entry: &str) -> Result<IpNet, InvalidEntry> {
    let text = entry.trim();
    let network = match text.parse::<IpAddr>() {
        Ok(address) => Ok(IpNet::from(address)),
        Err(_) => text.parse::<IpNet>(),
    };
    match network {
        Ok(network) => Ok(canonical(network)),
        Err(_) => Err(InvalidEntry(text.to_owned())),
    }
}

/// A network of IPv4 addresses that is written as one of IPv6.
fn canonical(network: IpNet) -> IpNet {
    if let IpNet::V6(net) = network
        && let Some(address) = net.network().to_ipv4_mapped()
        && let Some(prefix) = net.prefix_len().checked_sub(96)
        && let Ok(net) = Ipv4Net::new(address, prefix)
    {
        return IpNet::V4(net);
    }
    network
}

fn disjoint<T: Ord + Copy>(mut ranges: Vec<(T, T)>) -> Vec<(T, T)> {
    ranges.sort_unstable();
    let mut merged: Vec<(T, T)> = Vec::with_capacity(ranges.len());
    for (first, last) in ranges {
        match merged.last_mut() {
            Some(before) if first <= before.1 => before.1 = before.1.max(last),
            Some(_) | None => merged.push((first, last)),
        }
    }
    merged.shrink_to_fit();
    merged
}

fn is_in<T: Ord>(ranges: &[(T, T)], number: T) -> bool {
    let after = ranges.partition_point(|(first, _)| *first <= number);
    let nearest = after.checked_sub(1).and_then(|at| ranges.get(at));
    nearest.is_some_and(|(_, last)| number <= *last)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn contains(entries: &[&str], address: &str) -> bool {
        let set = AddressSet::parse(entries).unwrap();
        set.contains(address.parse().unwrap())
    }

    #[test]
    fn addresses_and_networks_are_found() {
        let entries = ["192.0.2.1", " 10.1.2.3/8 ", "2001:db8::/32", "fe80::1"];
        for address in [
            "192.0.2.1",
            "10.255.0.1",
            "2001:db8:7::1",
            "fe80::1",
            "::ffff:10.0.0.1",
        ] {
            assert!(contains(&entries, address), "{address}");
        }
        for address in ["192.0.2.2", "11.0.0.0", "2001:db9::", "fe80::2", "::a00:1"] {
            assert!(!contains(&entries, address), "{address}");
        }
    }

    #[test]
    fn everything_of_a_kind_may_be_listed() {
        assert!(contains(&["0.0.0.0/0"], "255.255.255.255"));
        assert!(!contains(&["0.0.0.0/0"], "::1"));
        assert!(contains(&["::/0"], "ffff::"));
        assert!(!contains(&["::/0"], "192.0.2.1"));
    }

    #[test]
    fn ipv4_written_as_ipv6_is_ipv4() {
        assert!(contains(&["::ffff:192.0.2.0/120"], "192.0.2.9"));
        assert!(contains(&["::ffff:192.0.2.9"], "192.0.2.9"));
    }

    #[test]
    fn what_is_no_address_is_named() {
        for entry in [
            "",
            "localhost",
            "192.0.2.1/33",
            "192.0.2",
            "fe80::1%eth0",
            "10.0.0.0-9",
        ] {
            let error = AddressSet::parse(["192.0.2.1", entry]).unwrap_err();
            assert_eq!(error, InvalidEntry(entry.to_owned()));
        }
        assert!(AddressSet::parse([""; 0]).unwrap().is_empty());
    }

    fn any_network() -> impl Strategy<Value = IpNet> {
        let v4 = (any::<u16>(), 16_u8..=32).prop_map(|(bits, prefix)| {
            let address = std::net::Ipv4Addr::from_bits(u32::from(bits) << 8);
            Ipv4Net::new(address, prefix).unwrap().into()
        });
        let v6 = (any::<u16>(), 104_u8..=128).prop_map(|(bits, prefix)| {
            let address = std::net::Ipv6Addr::from_bits(u128::from(bits) << 8);
            ipnet::Ipv6Net::new(address, prefix).unwrap().into()
        });
        prop_oneof![v4, v6]
    }

    proptest! {
        #[test]
        fn a_set_has_what_one_of_its_networks_has(
            networks in proptest::collection::vec(any_network(), 0..40),
            at in any::<u32>(),
        ) {
            let entries: Vec<String> = networks.iter().map(ToString::to_string).collect();
            let set = AddressSet::parse(&entries).unwrap();
            let at = at >> 4;
            let addresses: [IpAddr; 2] = [
                std::net::Ipv4Addr::from_bits(at).into(),
                std::net::Ipv6Addr::from_bits(at.into()).into(),
            ];
            for address in addresses {
                let expected = networks.iter().any(|network| network.contains(&address));
                prop_assert_eq!(set.contains(address), expected);
            }
        }
    }
}
