//! File attributes: those that are decoded and encoded again are the same.
#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use sftpgo_fuzz::{chunk_size, payload};
use sftpgo_wire::sftp::{Attrs, Payload};

fuzz_target!(|input: &[u8]| {
    let Some((size, bytes)) = chunk_size(input) else {
        return;
    };
    let decoded = Attrs::from_payload(payload(bytes, size));
    assert_eq!(
        decoded,
        Attrs::from_payload(payload(bytes, bytes.len().max(1)))
    );
    if let Ok(attrs) = decoded {
        let mut encoded = BytesMut::new();
        attrs.encode(&mut encoded);
        assert_eq!(
            Attrs::from_payload(Payload::from(encoded.freeze())),
            Ok(attrs)
        );
    }
});
