//! One downloaded file.

use bytes::Bytes;
use sftpgo_core::transfer::Download;
use sftpgo_core::{OpError, OpErrorKind, OpResult, Session};
use sftpgo_wire::scp::{Record, Reply, Times, announced_mode};

use super::peer::{Peer, Stop};
use super::{complaint, line, shown};

/// Bytes that are read and sent together; as much again is read meanwhile.
const BLOCK: usize = 256 * 1024;
/// The same where a bandwidth limit applies: what is read waits for its turn as a whole.
const PACED_BLOCK: usize = 32 * 1024;

/// What is said of a file.
pub(super) struct Announced<'a> {
    /// What the client calls it.
    pub(super) name: &'a [u8],
    /// Its path, for complaints.
    pub(super) path: &'a [u8],
    /// `-p`.
    pub(super) preserve: bool,
}

/// Sends an open file. The error is what is to be noted of it; both sides know, and go on.
pub(super) async fn file(
    session: &Session,
    peer: &mut Peer,
    download: Download,
    announced: Announced<'_>,
) -> Result<Result<(), String>, Stop> {
    let attributes = match peer.beside(download.stat()).await? {
        Ok(attributes) => attributes,
        Err(error) => {
            let text = complaint(session, announced.path, &error);
            peer.complain(false, &text).await?;
            return Ok(Err(text));
        }
    };
    if announced.preserve
        && let Err(text) = tell(peer, &times(attributes.modified.seconds)).await?
    {
        return Ok(Err(text));
    }
    let size = attributes.size;
    let record = Record::File {
        mode: announced_mode(attributes.mode, false),
        size,
        name: Bytes::copy_from_slice(announced.name),
    };
    if let Err(text) = tell(peer, &record).await? {
        return Ok(Err(text));
    }
    let sent = contents(session, peer, &download, size).await?;
    let told = match &sent {
        Ok(()) => {
            // The status byte went with the last block.
            None
        }
        Err(error) => {
            let text = complaint(session, announced.path, error);
            peer.complain(false, &text).await?;
            Some(text)
        }
    };
    match (told, answer(peer.inbox.verdict().await?)?) {
        // Dropped, it counts as failed.
        (Some(text), _) | (None, Err(text)) => Ok(Err(text)),
        (None, Ok(())) => {
            download.finish();
            Ok(Ok(()))
        }
    }
}

/// The times of what comes next. Seconds only, and the same for both, as the reference sends them (7.2).
pub(super) fn times(modified: i64) -> Record {
    let seconds = u64::try_from(modified).unwrap_or(0);
    Record::Times(Times {
        modified: seconds,
        accessed: seconds,
    })
}

/// Sends a record and waits for the reply; the error is what the client complains about.
pub(super) async fn tell(peer: &mut Peer, record: &Record) -> Result<Result<(), String>, Stop> {
    peer.send(line(|out| record.encode(out))).await?;
    answer(peer.inbox.reply().await?)
}

/// What a reply comes down to.
pub(super) fn answer(reply: Reply) -> Result<Result<(), String>, Stop> {
    match reply {
        Reply::Ok => Ok(Ok(())),
        Reply::Complaint(told) => {
            let text = format!("the client: {}", shown(&told.text));
            if told.fatal {
                return Err(Stop::ByClient(text));
            }
            Ok(Err(text))
        }
    }
}

/// Sends exactly `size` bytes, and the status byte if all is well. What cannot be read is made up of zeros: the client counts
/// on the size that it was told.
async fn contents(
    session: &Session,
    peer: &mut Peer,
    download: &Download,
    size: u64,
) -> Result<OpResult<()>, Stop> {
    let mut failure = None;
    let mut offset = 0;
    let mut block = read(download, &mut offset, size, &mut failure).await;
    loop {
        let last = offset >= size;
        if last && failure.is_none() {
            block.push(0);
        }
        let sending = peer.output.send(Bytes::from(block));
        // The disk works while the client takes what was read before.
        let reading = async {
            if last {
                return Vec::new();
            }
            read(download, &mut offset, size, &mut failure).await
        };
        let work = async { tokio::join!(sending, reading) };
        let (sent, next) = peer.inbox.beside(work).await?;
        sent.map_err(|_| Stop::Gone)?;
        if last {
            return Ok(failure.map_or(Ok(()), Err));
        }
        if failure.is_some() {
            session.connection().touch();
        }
        block = next;
    }
}

/// The next block of the file, with room for one byte more; zeros from the first failure on.
async fn read(
    download: &Download,
    offset: &mut u64,
    size: u64,
    failure: &mut Option<OpError>,
) -> Vec<u8> {
    let most = if download.is_paced() {
        PACED_BLOCK
    } else {
        BLOCK
    };
    let len = usize::try_from(size - *offset).map_or(most, |left| left.min(most));
    let mut block = Vec::with_capacity(len + 1);
    if failure.is_none() && len > 0 {
        let read = match download.try_read_at(*offset, len, &mut block) {
            Some(read) => read.map(|_| block),
            None => download.read_at(*offset, len, block).await,
        };
        block = read.unwrap_or_else(|error| {
            *failure = Some(error);
            Vec::new()
        });
        if block.len() < len && failure.is_none() {
            let text = "Failure: the file became shorter while it was sent";
            *failure = Some(OpError::new(OpErrorKind::Aborted, text));
        }
    }
    block.resize(len, 0);
    *offset += len as u64;
    block
}
