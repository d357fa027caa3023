//! Version 2: binary (section 2.2).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::crc32c::crc32c;
use super::header::{Header, Parsed, agrees};

const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// The signature, version and command, family and transport, length of the rest.
const FIXED: usize = 16;
/// The longest header that is read. Addresses take 216 bytes at most; the rest is for whatever proxies add (TLS names,
/// identifiers), which others allow 500 bytes and less.
pub(super) const LONGEST: usize = 2048;
/// The checksum among what proxies add (section 2.2.3).
const CHECKSUM: u8 = 0x03;

pub(super) fn parse(bytes: &[u8]) -> Parsed {
    if !agrees(bytes, SIGNATURE) {
        return Parsed::Malformed("it begins with CR and not with the signature of version 2");
    }
    let Some((fixed, rest)) = bytes.split_first_chunk::<FIXED>() else {
        return Parsed::Incomplete;
    };
    let [.., version_and_command, family, high, low] = *fixed;
    let command = match version_and_command {
        0x20 => Command::Local,
        0x21 => Command::Proxy,
        _ => return Parsed::Malformed("the version is not 2, or the command is unknown"),
    };
    let length = usize::from(u16::from_be_bytes([high, low]));
    if FIXED + length > LONGEST {
        return Parsed::Malformed("the header is longer than 2048 bytes");
    }
    let Some(body) = rest.get(..length) else {
        return Parsed::Incomplete;
    };
    let header = match command {
        // Its family and all that follows are to be ignored.
        Command::Local => Ok(Header::Unsaid),
        Command::Proxy => read(fixed, family, body),
    };
    match header {
        Ok(header) => Parsed::Complete {
            header,
            length: FIXED + length,
        },
        Err(reason) => Parsed::Malformed(reason),
    }
}

enum Command {
    /// The proxy connects for itself.
    Local,
    /// On behalf of somebody else.
    Proxy,
}

fn read(fixed: &[u8; FIXED], family: u8, body: &[u8]) -> Result<Header, &'static str> {
    const SHORT: &str = "the header is too short for its addresses";
    let (header, added) = match family {
        // Unspecified: what follows has no meaning that anybody knows.
        0x00 => return Ok(Header::Unsaid),
        // TCP over IPv4: source, destination, ports of both.
        0x11 => {
            let (addresses, added) = body.split_first_chunk::<12>().ok_or(SHORT)?;
            let [a, b, c, d, _, _, _, _, high, low, _, _] = *addresses;
            let port = u16::from_be_bytes([high, low]);
            let address = IpAddr::V4(Ipv4Addr::new(a, b, c, d));
            (Header::client(SocketAddr::new(address, port)), added)
        }
        // TCP over IPv6.
        0x21 => {
            let (addresses, added) = body.split_first_chunk::<36>().ok_or(SHORT)?;
            let (source, rest) = addresses.split_first_chunk::<16>().ok_or(SHORT)?;
            let (_destination, ports) = rest.split_first_chunk::<16>().ok_or(SHORT)?;
            let (port, _) = ports.split_first_chunk::<2>().ok_or(SHORT)?;
            let address = IpAddr::V6(Ipv6Addr::from(*source));
            let client = SocketAddr::new(address, u16::from_be_bytes(*port));
            (Header::client(client), added)
        }
        // Datagrams over either, which cannot have come here.
        0x12 => (Header::Unsaid, body.get(12..).ok_or(SHORT)?),
        0x22 => (Header::Unsaid, body.get(36..).ok_or(SHORT)?),
        // Unix sockets: two paths of 108 bytes.
        0x31 | 0x32 => (Header::Unsaid, body.get(216..).ok_or(SHORT)?),
        _ => return Err("the address family or the transport is unknown"),
    };
    check(fixed, body, added)?;
    Ok(header)
}

/// Walks what is added behind the addresses: types, lengths, values. Nothing is of use here but the checksum, which a receiver
/// that knows it must check (2.2.3).
fn check(fixed: &[u8], body: &[u8], added: &[u8]) -> Result<(), &'static str> {
    const BROKEN: &str = "a value behind the addresses ends behind the header";
    let mut rest = added;
    while let Some((kind, behind)) = rest.split_first() {
        let (length, behind) = behind.split_first_chunk::<2>().ok_or(BROKEN)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (value, behind) = behind.split_at_checked(length).ok_or(BROKEN)?;
        if *kind == CHECKSUM {
            let told: [u8; 4] = value.try_into().map_err(|_| "a checksum has not 4 bytes")?;
            let before = body.len() - behind.len() - value.len();
            let before = body.get(..before).unwrap_or_default();
            // It is computed with zeros in its own place.
            if crc32c([fixed, before, &[0; 4], behind]) != u32::from_be_bytes(told) {
                return Err("the checksum is wrong");
            }
        }
        rest = behind;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn header(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
        let mut bytes = SIGNATURE.to_vec();
        bytes.extend([command, family]);
        bytes.extend(u16::try_from(body.len()).unwrap().to_be_bytes());
        bytes.extend(body);
        bytes
    }

    /// Parsed with something behind it.
    fn parsed(bytes: &[u8]) -> Result<Header, &'static str> {
        match parse(&[bytes, b"SSH-2.0-x\r\n"].concat()) {
            Parsed::Complete { header, length } => {
                assert_eq!(length, bytes.len());
                Ok(header)
            }
            Parsed::Malformed(reason) => Err(reason),
            other @ (Parsed::Absent | Parsed::Incomplete) => panic!("{other:?}"),
        }
    }

    fn v4() -> Vec<u8> {
        vec![192, 0, 2, 7, 198, 51, 100, 1, 0xdc, 0x04, 0, 22]
    }

    fn v6(source: &str) -> Vec<u8> {
        let source: Ipv6Addr = source.parse().unwrap();
        [&source.octets()[..], &[0; 16], &[0, 9, 0, 22]].concat()
    }

    fn client(address: &str) -> Result<Header, &'static str> {
        Ok(Header::Client(address.parse().unwrap()))
    }

    #[test]
    fn a_header_says_the_source_address_and_port() {
        assert_eq!(
            parsed(&header(0x21, 0x11, &v4())),
            client("192.0.2.7:56324")
        );
        let body = v6("2001:db8::7");
        assert_eq!(
            parsed(&header(0x21, 0x21, &body)),
            client("[2001:db8::7]:9")
        );
        let body = v6("::ffff:192.0.2.7");
        assert_eq!(parsed(&header(0x21, 0x21, &body)), client("192.0.2.7:9"));
    }

    #[test]
    fn local_unspecified_unix_and_datagrams_say_nothing() {
        // A health check; with addresses that do not count; with noise.
        for (family, body) in [(0, vec![]), (0x11, v4()), (0xff, vec![1; 9])] {
            assert_eq!(parsed(&header(0x20, family, &body)), Ok(Header::Unsaid));
        }
        let others = [
            (0x00, 0),
            (0x00, 7),
            (0x31, 216),
            (0x32, 216),
            (0x12, 12),
            (0x22, 36),
        ];
        for (family, length) in others {
            let bytes = header(0x21, family, &vec![0; length]);
            assert_eq!(parsed(&bytes), Ok(Header::Unsaid));
        }
    }

    #[test]
    fn what_is_added_is_skipped() {
        let name = [&[0x02, 0, 11][..], b"example.org"].concat();
        let nothing = [0x04, 0, 0];
        let unknown = [0xee, 0x01, 0x00];
        let body = [&v4()[..], &name, &nothing, &unknown, &[7; 256]].concat();
        assert_eq!(
            parsed(&header(0x21, 0x11, &body)),
            client("192.0.2.7:56324")
        );
        for broken in [&[0x02][..], &[0x02, 0], &[0x02, 0, 1], &[0x02, 1, 0, 0]] {
            let body = [&v4()[..], &name, broken].concat();
            assert!(parsed(&header(0x21, 0x11, &body)).is_err(), "{broken:?}");
        }
    }

    #[test]
    fn a_checksum_is_checked() {
        let with = |sum: [u8; 4]| {
            let name = [&[0x02, 0, 11][..], b"example.org"].concat();
            let body = [&v4()[..], &[CHECKSUM, 0, 4], &sum, &name].concat();
            header(0x21, 0x11, &body)
        };
        let sum = crc32c([&with([0; 4])[..]]).to_be_bytes();
        assert_eq!(parsed(&with(sum)), client("192.0.2.7:56324"));
        let mut wrong = sum;
        wrong[3] ^= 1;
        assert!(parsed(&with(wrong)).is_err());
        let short = [&v4()[..], &[CHECKSUM, 0, 2, 1, 2]].concat();
        assert!(parsed(&header(0x21, 0x11, &short)).is_err());
    }

    #[test]
    fn what_the_format_does_not_have_is_malformed() {
        let mut signature = header(0x21, 0x11, &v4());
        signature[11] = b'\r';
        for bytes in [
            signature,
            header(0x11, 0x11, &v4()),
            header(0x31, 0x11, &v4()),
            header(0x22, 0x11, &v4()),
            header(0x2f, 0x11, &v4()),
            header(0x21, 0x10, &v4()),
            header(0x21, 0x13, &v4()),
            header(0x21, 0x41, &v4()),
            header(0x21, 0x11, &v4()[..11]),
            header(0x21, 0x21, &v6("::1")[..35]),
            header(0x21, 0x31, &[0; 215]),
        ] {
            assert!(parsed(&bytes).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn a_header_over_the_bound_is_refused_before_it_is_read() {
        let body = [v4(), vec![0xee, 0x07, 0xe1], vec![0; 2017]].concat();
        let longest = header(0x21, 0x11, &body);
        assert_eq!(longest.len(), LONGEST);
        assert_eq!(parsed(&longest), client("192.0.2.7:56324"));
        for length in [2033_u16, u16::MAX] {
            let mut fixed = header(0x20, 0, &[]);
            fixed.truncate(14);
            fixed.extend(length.to_be_bytes());
            assert!(matches!(parse(&fixed), Parsed::Malformed(_)), "{length}");
        }
    }

    proptest! {
        #[test]
        fn every_address_and_port_is_read_as_it_was_written(source: SocketAddr) {
            let (family, addresses) = match source.ip() {
                IpAddr::V4(address) => (0x11, [&address.octets()[..], &[9; 4]].concat()),
                IpAddr::V6(address) => (0x21, [&address.octets()[..], &[9; 16]].concat()),
            };
            let body = [&addresses[..], &source.port().to_be_bytes(), &[0, 22]].concat();
            let expected = SocketAddr::new(source.ip().to_canonical(), source.port());
            prop_assert_eq!(parsed(&header(0x21, family, &body)), Ok(Header::Client(expected)));
        }
    }
}
