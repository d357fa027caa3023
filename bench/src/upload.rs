//! Uploads of one file in pipelined WRITEs.

use std::collections::HashSet;

use bytes::Bytes;
use sftpgo_wire::sftp::{OpenFlags, Reply, client};

use crate::channel::{SftpChannel, success};
use crate::content::Content;
use crate::error::LoadError;

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

/// WRITEs of one file.
pub(crate) struct Writer<'a> {
    job: &'a Job,
    handle: Bytes,
    /// Where the next WRITE begins.
    next: u64,
    end: u64,
    in_flight: HashSet<u32>,
}

/// Sends the whole file and closes it.
pub(crate) async fn upload(channel: &mut SftpChannel, job: &Job) -> Result<(), LoadError> {
    let handle = upload_part(channel, job, job.size).await?;
    channel.close(&handle).await
}

/// Sends the file up to `end` and leaves it open.
pub(crate) async fn upload_part(
    channel: &mut SftpChannel,
    job: &Job,
    end: u64,
) -> Result<Bytes, LoadError> {
    let mut writer = Writer::open(channel, job).await?.until(end);
    while !writer.is_done() {
        writer.ask(channel);
        let reply = channel.reply().await?;
        writer.take(&reply)?;
    }
    Ok(writer.handle)
}

impl<'a> Writer<'a> {
    /// Opens a new or emptied file, to send all of it.
    pub(crate) async fn open(
        channel: &mut SftpChannel,
        job: &'a Job,
    ) -> Result<Writer<'a>, LoadError> {
        let flags = OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::TRUNCATE;
        let handle = channel.open_file(&job.path, flags).await?;
        Ok(Self::over(job, handle, 0))
    }

    /// Sends what follows `from`, through an open handle.
    pub(crate) fn over(job: &'a Job, handle: Bytes, from: u64) -> Self {
        Self {
            job,
            handle,
            next: from,
            end: job.size,
            in_flight: HashSet::with_capacity(job.depth),
        }
    }

    /// Sends no more than up to `end`.
    pub(crate) fn until(mut self, end: u64) -> Self {
        self.end = end;
        self
    }

    pub(crate) fn handle(&self) -> &Bytes {
        &self.handle
    }

    pub(crate) fn is_done(&self) -> bool {
        self.next >= self.end && self.in_flight.is_empty()
    }

    /// Whether the request with this id is one of its own, and not answered yet.
    pub(crate) fn owns(&self, id: u32) -> bool {
        self.in_flight.contains(&id)
    }

    /// Keeps the wanted number of WRITEs in flight.
    pub(crate) fn ask(&mut self, channel: &mut SftpChannel) {
        while self.next < self.end && self.in_flight.len() < self.job.depth {
            let rest = u32::try_from(self.end - self.next).unwrap_or(u32::MAX);
            let len = self.job.request.min(rest);
            let id = channel.id();
            channel.send(|out| {
                client::write_header(out, id, &self.handle, self.next, len as usize);
                self.job.content.append(self.next, len as usize, out);
            });
            self.in_flight.insert(id);
            self.next += u64::from(len);
        }
    }

    /// Takes the answer to one of its requests.
    pub(crate) fn take(&mut self, reply: &Reply) -> Result<(), LoadError> {
        success("WRITE", reply)?;
        if reply.id().is_some_and(|id| self.in_flight.remove(&id)) {
            return Ok(());
        }
        Err(LoadError::Wrong(format!("nobody asked {:?}", reply.id())))
    }
}
