//! The bytes of one uploaded file.

use std::time::Duration;

use sftpgo_core::transfer::Upload;
use sftpgo_core::{Chunk, OpError, Session};
use tokio::time::Instant;

use super::peer::{Peer, Stop};

/// How long the rest of a file that cannot be stored is read and dropped. A client reads why only when it has sent everything;
/// one that has too much left is cut off.
const DRAIN_TIME: Duration = Duration::from_secs(60);

/// Stores the `size` bytes that the client sends now. The error is that of the file: the client's bytes were taken all the
/// same, and the upload is given up already.
pub(super) async fn contents(
    session: &Session,
    peer: &mut Peer,
    upload: Upload,
    size: u64,
) -> Result<Result<Upload, OpError>, Stop> {
    let mut offset = 0;
    while offset < size {
        let pieces = peer.inbox.data(size - offset).await?;
        let chunk = Chunk { offset, pieces };
        offset = chunk.end();
        let stored = peer.beside(upload.write_at(vec![chunk])).await?;
        peer.inbox.stored();
        if let Err(error) = stored {
            // What it stored is of no use, and may be what fills the disk: it is given up before anything else is done. That it
            // failed is known.
            let _ = peer.beside(upload.finish()).await?;
            drain(session, peer, size - offset, &error).await?;
            return Ok(Err(error));
        }
    }
    Ok(Ok(upload))
}

/// Takes bytes and drops them.
async fn drain(
    session: &Session,
    peer: &mut Peer,
    mut left: u64,
    because: &OpError,
) -> Result<(), Stop> {
    let end = Instant::now() + DRAIN_TIME;
    while left > 0 {
        session.connection().touch();
        let pieces = tokio::time::timeout_at(end, peer.inbox.data(left))
            .await
            .map_err(|_| Stop::Fatal(format!("scp: {}", because.client_message())))??;
        let bytes: usize = pieces.iter().map(bytes::Bytes::len).sum();
        left = left.saturating_sub(bytes as u64);
        peer.inbox.stored();
    }
    Ok(())
}
