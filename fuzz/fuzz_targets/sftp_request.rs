//! What a client sends: any stream, in any chunks. A request that is decoded and encoded again means the same, and how
//! the stream was cut into chunks makes no difference.
#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use sftpgo_fuzz::{chunk_size, frames};
use sftpgo_wire::sftp::{Request, client};

fuzz_target!(|input: &[u8]| {
    let Some((size, stream)) = chunk_size(input) else {
        return;
    };
    let in_chunks = frames(stream, size);
    let in_one_piece = frames(stream, stream.len().max(1));
    assert_eq!(in_chunks, in_one_piece);
    for (frame, joined) in in_chunks.into_iter().zip(in_one_piece) {
        let decoded = Request::decode(frame);
        assert_eq!(decoded, Request::decode(joined));
        if let Ok(request) = decoded {
            let mut encoded = BytesMut::new();
            client::encode_request(&mut encoded, &request);
            let again = frames(&encoded, size).pop().map(Request::decode);
            assert_eq!(again, Some(Ok(request)));
        }
    }
});
