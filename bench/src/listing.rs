//! Directory listings, whole.

use sftpgo_wire::sftp::{Name, Reply, StatusCode, client};

use crate::channel::{SftpChannel, handle_of, unexpected};
use crate::error::LoadError;

/// A directory as the server listed it.
pub(crate) struct Listing {
    pub(crate) entries: Vec<Name>,
    /// Answers that it took.
    pub(crate) replies: u64,
}

/// Lists one directory, from OPENDIR to the end, with `depth` READDIRs in flight.
pub(crate) async fn list(
    channel: &mut SftpChannel,
    dir: &[u8],
    depth: usize,
) -> Result<Listing, LoadError> {
    let reply = channel
        .call(|out, id| client::opendir(out, id, dir))
        .await?;
    let handle = handle_of("OPENDIR", &reply)?;
    let mut listing = Listing {
        entries: Vec::new(),
        replies: 0,
    };
    let mut in_flight = 0;
    let mut ended = false;
    while !ended || in_flight > 0 {
        while !ended && in_flight < depth {
            let id = channel.id();
            channel.send(|out| client::readdir(out, id, &handle));
            in_flight += 1;
        }
        let reply = channel.reply().await?;
        if let Reply::Name { entries, .. } = reply {
            listing.replies += 1;
            listing.entries.extend(entries);
        } else if matches!(reply, Reply::Status { code, .. } if code == StatusCode::Eof) {
            ended = true;
        } else {
            return Err(unexpected("READDIR", &reply));
        }
        in_flight -= 1;
    }
    channel.close(&handle).await?;
    Ok(listing)
}
