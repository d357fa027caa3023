//! What a header says, whichever its version.

use std::net::SocketAddr;

use super::{v1, v2};

/// The most bytes that a header may have; both versions stay below it.
pub const LONGEST_HEADER: usize = v2::LONGEST;

/// What a complete header says of the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Header {
    /// The address that the proxy was connected from. An IPv4 address that was mapped into IPv6 is an IPv4 address.
    Client(SocketAddr),
    /// Nothing: the proxy speaks for itself (LOCAL, as health checks do), or for somebody without an IP address. The address
    /// of the socket counts.
    Unsaid,
}

impl Header {
    /// A client from `address`.
    pub(super) fn client(address: SocketAddr) -> Self {
        Self::Client(SocketAddr::new(address.ip().to_canonical(), address.port()))
    }
}

/// What the first bytes of a connection are, as far as they came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parsed {
    /// No header. The first byte decides: no SSH client begins with one that a header begins with.
    Absent,
    /// The beginning of a header: more must come. All the bytes so far belong to it.
    Incomplete,
    /// A header.
    Complete {
        /// What it says.
        header: Header,
        /// How many bytes it has; those behind it belong to the protocol that follows.
        length: usize,
    },
    /// Bytes that begin as a header and are none; why.
    Malformed(&'static str),
}

/// Reads a header of either version at the beginning of `bytes`.
///
/// More bytes never change a verdict but [`Parsed::Incomplete`], and no more than [`LONGEST_HEADER`] of them are ever asked
/// for.
pub fn parse(bytes: &[u8]) -> Parsed {
    match bytes.first() {
        None => Parsed::Incomplete,
        Some(b'P') => v1::parse(bytes),
        Some(b'\r') => v2::parse(bytes),
        Some(_) => Parsed::Absent,
    }
}

/// Whether all of `bytes` that `signature` has room for are those of the signature.
pub(super) fn agrees(bytes: &[u8], signature: &[u8]) -> bool {
    bytes
        .iter()
        .zip(signature)
        .all(|(byte, expected)| byte == expected)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Bytes that are often nearly a header.
    fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
        let text = "PROXY (TCP4|TCP6|UNKNOWN|TCP5)?( [0-9a-f.:]{1,15}){0,4}( [0-9]{1,6}){0,3}\r?\n?.{0,20}";
        let signature = b"\r\n\r\n\0\r\nQUIT\n".to_vec();
        let fixed =
            (0x1f_u8..0x24, any::<u8>(), 0_u16..300).prop_map(|(command, family, length)| {
                let family = [0, 0x11, 0x21, 0x31, 0x12, family][usize::from(family) % 6];
                let [high, low] = length.to_be_bytes();
                vec![command, family, high, low]
            });
        let body = proptest::collection::vec(any::<u8>(), 0..320);
        let second =
            (fixed, body).prop_map(move |(fixed, body)| [signature.clone(), fixed, body].concat());
        let first = text.prop_map(String::into_bytes);
        prop_oneof![first, second, proptest::collection::vec(any::<u8>(), 0..64)]
    }

    proptest! {
        #[test]
        fn more_bytes_change_no_verdict_and_are_asked_for_only_up_to_the_bound(bytes in any_bytes()) {
            let whole = parse(&bytes);
            for length in 0..bytes.len() {
                let so_far = parse(&bytes[..length]);
                prop_assert!(so_far == Parsed::Incomplete || so_far == whole, "{so_far:?} {whole:?}");
            }
            if let Parsed::Complete { length, .. } = whole {
                prop_assert!(length <= bytes.len() && length <= LONGEST_HEADER);
                prop_assert_eq!(parse(&bytes[..length]), whole);
                prop_assert_eq!(parse(&bytes[..length - 1]), Parsed::Incomplete);
            }
            if bytes.len() >= LONGEST_HEADER {
                prop_assert_ne!(whole, Parsed::Incomplete);
            }
        }
    }

    #[test]
    fn what_begins_otherwise_is_no_header() {
        for bytes in [
            &b"SSH-2.0-x\r\n"[..],
            b"GET / HTTP/1.1\r\n",
            b"\0",
            b"\n",
            b"p",
        ] {
            assert_eq!(parse(bytes), Parsed::Absent);
        }
        assert_eq!(parse(b""), Parsed::Incomplete);
    }
}
