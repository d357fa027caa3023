//! Uploads of one file in pipelined WRITEs.

use bytes::Bytes;
use sftpgo_wire::sftp::{OpenFlags, client};

use crate::content::Content;
use crate::error::LoadError;
use crate::session::{Session, success};

/// One file to send or to receive.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub(crate) path: Vec<u8>,
    pub(crate) content: Content,
    pub(crate) size: u64,
    /// Bytes per READ or WRITE.
    pub(crate) request: u32,
    /// Requests in flight.
    pub(crate) depth: usize,
}

/// Sends the whole file and closes it.
pub(crate) async fn upload(session: &mut Session, job: &Job) -> Result<(), LoadError> {
    let handle = upload_part(session, job, job.size).await?;
    session.close(&handle).await
}

/// Sends the file up to `end` and leaves it open.
pub(crate) async fn upload_part(
    session: &mut Session,
    job: &Job,
    end: u64,
) -> Result<Bytes, LoadError> {
    let flags = OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::TRUNCATE;
    let handle = session.open_file(&job.path, flags).await?;
    let mut offset = 0;
    let mut in_flight = 0;
    while offset < end || in_flight > 0 {
        while offset < end && in_flight < job.depth {
            let len = job
                .request
                .min(u32::try_from(end - offset).unwrap_or(u32::MAX));
            let id = session.id();
            session.send(|out| {
                client::write_header(out, id, &handle, offset, len as usize);
                job.content.append(offset, len as usize, out);
            });
            offset += u64::from(len);
            in_flight += 1;
        }
        success("WRITE", &session.reply().await?)?;
        in_flight -= 1;
    }
    Ok(handle)
}
