//! PROXY headers of either version. Whatever comes, and however it is cut: more bytes change no verdict, a header is as long as
//! it says and never longer than the bound, an address is canonical, and no header that is asked for more never ends.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sftpgo_net::proxy::{Header, LONGEST_HEADER, Parsed, parse};

fuzz_target!(|bytes: &[u8]| {
    let whole = parse(bytes);
    // The first piece about which something can be said.
    let first = (1..=bytes.len())
        .map(|length| (length, parse(&bytes[..length])))
        .find(|(_, parsed)| *parsed != Parsed::Incomplete);
    match (whole, first) {
        (Parsed::Incomplete, None) => assert!(bytes.len() < LONGEST_HEADER),
        (whole, Some((at, first))) => {
            assert_eq!(whole, first);
            if let Parsed::Complete { header, length } = whole {
                assert_eq!(at, length);
                assert!(length <= LONGEST_HEADER);
                if let Header::Client(client) = header {
                    assert_eq!(client.ip(), client.ip().to_canonical());
                }
            }
        }
        (whole, None) => panic!("{whole:?} without a piece that says so"),
    }
});
