//! What a server sends: any stream, in any chunks, and the bodies of extended replies.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sftpgo_fuzz::{chunk_size, frames};
use sftpgo_wire::sftp::Reply;
use sftpgo_wire::sftp::extension::{
    CheckFileReply, LimitsReply, SpaceAvailableReply, StatvfsReply, UsersGroupsReply,
};

fuzz_target!(|input: &[u8]| {
    let Some((size, stream)) = chunk_size(input) else {
        return;
    };
    let in_chunks = frames(stream, size);
    let in_one_piece = frames(stream, stream.len().max(1));
    assert_eq!(in_chunks, in_one_piece);
    for (frame, joined) in in_chunks.into_iter().zip(in_one_piece) {
        let decoded = Reply::decode(frame);
        assert_eq!(decoded, Reply::decode(joined));
        if let Ok(Reply::Extended { body, .. }) = decoded {
            let _ = CheckFileReply::decode(body.clone());
            let _ = LimitsReply::decode(body.clone());
            let _ = SpaceAvailableReply::decode(body.clone());
            let _ = StatvfsReply::decode(body.clone());
            let _ = UsersGroupsReply::decode(body);
        }
    }
});
