//! Version 1: one line of text (section 2.1).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::header::{Header, Parsed, agrees};

const SIGNATURE: &[u8] = b"PROXY ";
/// The longest line with its line break: both addresses written out, of a connection of unknown kind.
const LONGEST: usize = 107;

pub(super) fn parse(bytes: &[u8]) -> Parsed {
    if !agrees(bytes, SIGNATURE) {
        return Parsed::Malformed("it begins with P and not with PROXY");
    }
    let line = bytes.get(..LONGEST).unwrap_or(bytes);
    let Some(end) = line.iter().position(|byte| *byte == b'\n') else {
        return if bytes.len() < LONGEST {
            Parsed::Incomplete
        } else {
            Parsed::Malformed("the line is longer than 107 bytes")
        };
    };
    let line = line.get(..end).unwrap_or_default();
    let fields = line
        .strip_prefix(SIGNATURE)
        .and_then(|fields| fields.strip_suffix(b"\r"));
    match fields.map(read) {
        Some(Ok(header)) => Parsed::Complete {
            header,
            length: end + 1,
        },
        Some(Err(reason)) => Parsed::Malformed(reason),
        None => Parsed::Malformed("the line does not end with CR LF"),
    }
}

fn read(fields: &[u8]) -> Result<Header, &'static str> {
    let text = str::from_utf8(fields).map_err(|_| "the line is no text")?;
    let mut fields = text.split(' ');
    let protocol = fields.next().unwrap_or_default();
    if protocol == "UNKNOWN" {
        // Whatever follows is to be ignored.
        return Ok(Header::Unsaid);
    }
    let rest: Vec<&str> = fields.collect();
    let [source, destination, source_port, destination_port] = rest[..] else {
        return Err("the line has not as many fields as it must");
    };
    let address = match protocol {
        "TCP4" => {
            destination_of::<Ipv4Addr>(destination)?;
            IpAddr::V4(
                source
                    .parse()
                    .map_err(|_| "the source is no IPv4 address")?,
            )
        }
        "TCP6" => {
            destination_of::<Ipv6Addr>(destination)?;
            IpAddr::V6(
                source
                    .parse()
                    .map_err(|_| "the source is no IPv6 address")?,
            )
        }
        _ => return Err("the protocol is none of TCP4, TCP6 and UNKNOWN"),
    };
    port(destination_port)?;
    Ok(Header::client(SocketAddr::new(address, port(source_port)?)))
}

fn destination_of<A: std::str::FromStr>(text: &str) -> Result<(), &'static str> {
    match text.parse::<A>() {
        Ok(_) => Ok(()),
        Err(_) => Err("the destination is no address of that kind"),
    }
}

fn port(text: &str) -> Result<u16, &'static str> {
    // The library's parser takes a sign as well.
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|_| digits);
    number.ok_or("a port is no number up to 65535")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn client(line: &str) -> SocketAddr {
        let parsed = parse(format!("{line}\r\nSSH-2.0-x\r\n").as_bytes());
        let Parsed::Complete {
            header: Header::Client(address),
            length,
        } = parsed
        else {
            panic!("{line}: {parsed:?}");
        };
        assert_eq!(length, line.len() + 2);
        address
    }

    #[test]
    fn a_line_says_the_source_address_and_port() {
        for (line, address) in [
            (
                "PROXY TCP4 192.0.2.7 198.51.100.1 56324 22",
                "192.0.2.7:56324",
            ),
            (
                "PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535",
                "255.255.255.255:65535",
            ),
            ("PROXY TCP6 2001:db8::7 2001:db8::1 1 22", "[2001:db8::7]:1"),
            ("PROXY TCP6 ::ffff:192.0.2.7 ::1 9 22", "192.0.2.7:9"),
        ] {
            assert_eq!(client(line), address.parse().unwrap());
        }
    }

    #[test]
    fn unknown_says_nothing_whatever_follows() {
        let longest = "PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535";
        for line in ["PROXY UNKNOWN", "PROXY UNKNOWN ", longest] {
            let parsed = parse(format!("{line}\r\n").as_bytes());
            let length = line.len() + 2;
            let header = Header::Unsaid;
            assert_eq!(parsed, Parsed::Complete { header, length });
        }
    }

    #[test]
    fn what_the_format_does_not_have_is_malformed() {
        let long = format!("PROXY UNKNOWN {}\r\n", "x".repeat(92));
        assert_eq!(long.len(), 108);
        for text in [
            "PING\r\n",
            "PROXY\r\n",
            "PROXY \r\n",
            "PROXY TCP4\r\n",
            "PROXY tcp4 192.0.2.7 198.51.100.1 1 22\r\n",
            "PROXY UDP4 192.0.2.7 198.51.100.1 1 22\r\n",
            "PROXY UNKNOWNS\r\n",
            "PROXY  TCP4 192.0.2.7 198.51.100.1 1 22\r\n",
            "PROXY TCP4 192.0.2.7  198.51.100.1 1 22\r\n",
            "PROXY TCP4 192.0.2.7 198.51.100.1 1 22 \r\n",
            "PROXY TCP4 192.0.2.7 198.51.100.1 1\r\n",
            "PROXY TCP4 192.0.2.256 198.51.100.1 1 22\r\n",
            "PROXY TCP4 192.0.2.07 198.51.100.1 1 22\r\n",
            "PROXY TCP4 2001:db8::7 2001:db8::1 1 22\r\n",
            "PROXY TCP6 192.0.2.7 198.51.100.1 1 22\r\n",
            "PROXY TCP4 192.0.2.7 2001:db8::1 1 22\r\n",
            "PROXY TCP4 192.0.2.7 198.51.100.1 65536 22\r\n",
            "PROXY TCP4 192.0.2.7 198.51.100.1 +1 22\r\n",
            "PROXY TCP4 192.0.2.7 198.51.100.1 1 \r\n",
            "PROXY TCP4 192.0.2.7 198.51.100.1 1 22\n",
            "PROXY TCP4 192.0.2.7 198.51.100.1 1 22\r\r\n",
            "PROXY TCP4 \u{661}.0.2.7 198.51.100.1 1 22\r\n",
            &long,
        ] {
            let parsed = parse(text.as_bytes());
            assert!(
                matches!(parsed, Parsed::Malformed(_)),
                "{text:?}: {parsed:?}"
            );
        }
        assert!(matches!(
            parse(b"PROXY UNKNOWN \xff\r\n"),
            Parsed::Malformed(_)
        ));
    }

    #[test]
    fn a_line_without_an_end_is_waited_for_up_to_107_bytes() {
        let line = [b'P', b'R', b'O', b'X', b'Y', b' ']
            .into_iter()
            .chain([b'x'; 200]);
        let line: Vec<u8> = line.collect();
        assert_eq!(parse(&line[..106]), Parsed::Incomplete);
        assert!(matches!(parse(&line[..107]), Parsed::Malformed(_)));
    }

    proptest! {
        #[test]
        fn every_address_and_port_is_read_as_it_was_written(source: SocketAddr, other: u16) {
            let (kind, destination) = if source.is_ipv4() {
                ("TCP4", "192.0.2.1")
            } else {
                ("TCP6", "2001:db8::1")
            };
            let line = format!("PROXY {kind} {} {destination} {} {other}", source.ip(), source.port());
            let expected = SocketAddr::new(source.ip().to_canonical(), source.port());
            prop_assert_eq!(client(&line), expected);
        }
    }
}
