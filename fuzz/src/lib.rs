//! What the fuzz targets share.

use bytes::Bytes;
use sftpgo_import::{Context, Effect, Found};
use sftpgo_wire::sftp::{Frame, FrameDecoder, Payload};

/// Splits an input into the size of the chunks to cut the rest into, and the rest. The first byte says the size: small
/// ones are joined by the decoder, large ones (from 1024 bytes) are kept as they come.
pub fn chunk_size(input: &[u8]) -> Option<(usize, &[u8])> {
    let (first, rest) = input.split_first()?;
    let size = match *first {
        small @ 0..=127 => usize::from(small) + 1,
        large => (usize::from(large) - 127) * 64,
    };
    Some((size, rest))
}

/// The bytes as a payload of slices of `size` bytes.
pub fn payload(bytes: &[u8], size: usize) -> Payload {
    bytes.chunks(size).map(Bytes::copy_from_slice).collect()
}

/// Cuts a stream into packets, pushed in chunks of `size` bytes, up to the first error.
pub fn frames(stream: &[u8], size: usize) -> Vec<Frame> {
    let mut decoder = FrameDecoder::new();
    let mut frames = Vec::new();
    for chunk in stream.chunks(size) {
        decoder.push(Bytes::copy_from_slice(chunk));
        loop {
            match decoder.next_frame() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(_) => return frames,
            }
        }
        assert!(decoder.buffered() <= stream.len());
    }
    frames
}

/// A server that takes every hash with a dollar.
pub fn import_context() -> Context<'static> {
    Context {
        now: 0,
        check_hash: &|hash| match hash.starts_with('$') {
            true => Ok(()),
            false => Err("not known".to_owned()),
        },
    }
}

/// Whether whoever cannot be imported, or has to be enabled by hand, comes with a reason. A dump says itself who is disabled.
pub fn explained(found: &Found) -> bool {
    match &found.user {
        Ok(user) => {
            let mut notes = found.notes.iter();
            !notes.any(|note| note.effect == Effect::Disabled) || user.status == 0
        }
        Err(reason) => !reason.is_empty(),
    }
}
