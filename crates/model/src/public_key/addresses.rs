//! Addresses that a key or a certificate may be used from: `from=` in front of a key (sshd(8)), `source-address` in a
//! certificate (PROTOCOL.certkeys).

use std::net::IpAddr;

use ipnet::IpNet;

/// A list of `from=`: addresses, networks and patterns, each of which may be negated with `!`.
///
/// Names of hosts never match: whoever controls the reverse zone of an address could give it any name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressPatterns(Vec<AddressPattern>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct AddressPattern {
    negated: bool,
    what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    Network(IpNet),
    /// With `*` and `?`, lower case.
    Text(Vec<u8>),
}

impl AddressPatterns {
    /// Parses a list, separated by commas. `None` if an element is empty, or a network with bits beside its mask, at which
    /// OpenSSH refuses the whole list.
    pub fn parse(list: &str) -> Option<Self> {
        let pattern = |element: &str| {
            let element = element.trim();
            let (negated, text) = match element.strip_prefix('!') {
                Some(text) => (true, text),
                None => (false, element),
            };
            let what = match network(text) {
                Some(network) => What::Network(network),
                None if text.is_empty() || text.contains('/') => return None,
                None => What::Text(text.to_ascii_lowercase().into_bytes()),
            };
            Some(AddressPattern { negated, what })
        };
        list.split(',')
            .map(pattern)
            .collect::<Option<_>>()
            .map(Self)
    }

    /// Whether some element matches and no negated one does.
    pub fn allow(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let text = address.to_string();
        let matches = |pattern: &&AddressPattern| match &pattern.what {
            What::Network(network) => network.contains(&address),
            What::Text(pattern) => matches_text(pattern, text.as_bytes()),
        };
        let (negated, wanted): (Vec<_>, Vec<_>) =
            self.0.iter().partition(|pattern| pattern.negated);
        !negated.iter().any(matches) && wanted.iter().any(matches)
    }
}

/// The networks of `source-address`: addresses and networks, and nothing else. `None` if there is anything else.
pub(super) fn networks(list: &str) -> Option<Vec<IpNet>> {
    list.split(',').map(network).collect()
}

/// A network without bits beside its mask, or a single address.
fn network(text: &str) -> Option<IpNet> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(IpNet::from(address.to_canonical()));
    }
    let network: IpNet = text.parse().ok()?;
    (network.addr() == network.network()).then_some(network)
}

/// Whether a pattern with `*` and `?` matches all of a text.
fn matches_text(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut here) = (0, 0);
    // Behind the last `*`, and where in the text what it stands for ends.
    let mut star: Option<(usize, usize)> = None;
    while let Some(letter) = text.get(here) {
        match pattern.get(at) {
            Some(b'*') => {
                at += 1;
                star = Some((at, here));
            }
            Some(wanted) if *wanted == b'?' || wanted == letter => {
                at += 1;
                here += 1;
            }
            _ => match &mut star {
                Some((behind, end)) => {
                    *end += 1;
                    (at, here) = (*behind, *end);
                }
                None => return false,
            },
        }
    }
    pattern
        .get(at..)
        .is_some_and(|rest| rest.iter().all(|letter| *letter == b'*'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(list: &str, address: &str) -> bool {
        AddressPatterns::parse(list)
            .unwrap()
            .allow(address.parse().unwrap())
    }

    #[test]
    fn addresses_networks_and_patterns_match_and_a_negated_one_wins() {
        assert!(allows("192.0.2.7", "192.0.2.7") && !allows("192.0.2.7", "192.0.2.77"));
        assert!(allows("10.0.0.0/8,192.0.2.0/24", "192.0.2.7"));
        assert!(allows("192.0.2.*", "192.0.2.7") && !allows("192.0.2.*", "192.0.3.7"));
        assert!(allows("192.0.2.?", "192.0.2.7") && !allows("192.0.2.?", "192.0.2.77"));
        assert!(allows("*,!192.0.2.7", "192.0.2.8") && !allows("*,!192.0.2.7", "192.0.2.7"));
        assert!(!allows("!192.0.2.7", "192.0.2.8"), "something must match");
        assert!(allows("2001:db8::/32", "2001:db8::1") && allows("2001:DB8::*", "2001:db8::1"));
        assert!(allows("192.0.2.7", "::ffff:192.0.2.7"));
        assert!(allows("*.2.*7", "192.0.2.177") && !allows("*.2.*7", "192.0.2.178"));
    }

    #[test]
    fn names_of_hosts_never_match() {
        assert!(!allows("client.example.com,*.example.com", "192.0.2.7"));
    }

    #[test]
    fn a_list_that_cannot_be_understood_is_none() {
        for list in [
            "",
            "192.0.2.7,",
            "!",
            "192.0.2.7/24",
            "10.0.0.0/33",
            "host/24",
        ] {
            assert_eq!(AddressPatterns::parse(list), None, "{list}");
        }
    }

    #[test]
    fn networks_of_certificates_are_nothing_but_networks() {
        assert_eq!(networks("192.0.2.7,2001:db8::/32").unwrap().len(), 2);
        for list in [
            "",
            "*",
            "!192.0.2.7",
            "192.0.2.7/24",
            "192.0.2.7, 10.0.0.1",
            "host",
        ] {
            assert_eq!(networks(list), None, "{list}");
        }
    }
}
