//! Whose headers are wanted, and believed (reference 2.11).

use std::net::IpAddr;

use sftpgo_model::AddressSet;

/// Whether connections have a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ProxyMode {
    /// None has one: its bytes are for the protocol behind it, which will not like them.
    #[default]
    Off,
    /// Some have one.
    Optional,
    /// All have one; the others are refused.
    Required,
}

/// The settings of the PROXY protocol for a listener.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProxyPolicy {
    /// Whether connections have a header.
    pub mode: ProxyMode,
    /// Who may send one; empty means everybody.
    pub allowed: AddressSet,
}

/// What a header from a peer is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trust {
    /// There is none to be read.
    NoHeader,
    /// Read and forgotten; the address of the socket counts.
    Ignored,
    /// The client is whom it names.
    Believed {
        /// Whether that is so because the list says so, and not because there is none.
        listed: bool,
    },
    /// No connection from there can have one that counts, and it must have one.
    Refused,
}

impl ProxyPolicy {
    pub(crate) fn trust(&self, peer: IpAddr) -> Trust {
        let listed = !self.allowed.is_empty();
        let believed = !listed || self.allowed.contains(peer);
        match (self.mode, believed) {
            (ProxyMode::Off, _) => Trust::NoHeader,
            (ProxyMode::Optional | ProxyMode::Required, true) => Trust::Believed { listed },
            (ProxyMode::Optional, false) => Trust::Ignored,
            (ProxyMode::Required, false) => Trust::Refused,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_count_as_mode_and_list_say() {
        let listed = ["10.0.0.0/8"];
        let none: [&str; 0] = [];
        for (mode, list, peer, expected) in [
            (ProxyMode::Off, &listed[..], "10.0.0.1", Trust::NoHeader),
            (
                ProxyMode::Optional,
                &none,
                "192.0.2.1",
                Trust::Believed { listed: false },
            ),
            (
                ProxyMode::Optional,
                &listed,
                "10.0.0.1",
                Trust::Believed { listed: true },
            ),
            (
                ProxyMode::Optional,
                &listed,
                "::ffff:10.0.0.1",
                Trust::Believed { listed: true },
            ),
            (ProxyMode::Optional, &listed, "192.0.2.1", Trust::Ignored),
            (
                ProxyMode::Required,
                &none,
                "192.0.2.1",
                Trust::Believed { listed: false },
            ),
            (
                ProxyMode::Required,
                &listed,
                "10.0.0.1",
                Trust::Believed { listed: true },
            ),
            (ProxyMode::Required, &listed, "192.0.2.1", Trust::Refused),
        ] {
            let allowed = AddressSet::parse(list).unwrap();
            let policy = ProxyPolicy { mode, allowed };
            assert_eq!(
                policy.trust(peer.parse().unwrap()),
                expected,
                "{mode:?} {peer}"
            );
        }
    }
}
