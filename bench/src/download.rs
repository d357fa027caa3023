//! Downloads of one file in pipelined READs, compared byte by byte as they arrive.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use sftpgo_wire::sftp::{OpenFlags, Payload, Reply, client};

use crate::channel::{SftpChannel, unexpected};
use crate::error::LoadError;
use crate::upload::Job;

/// A pause in reading: nothing is taken from the connection meanwhile.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stall {
    /// Begins when this many bytes were received.
    pub(crate) after: u64,
    pub(crate) lasts: Duration,
}

/// A range of the file that was asked for.
#[derive(Debug, Clone, Copy)]
struct Span {
    offset: u64,
    len: u32,
}

/// READs of one file.
pub(crate) struct Reader<'a> {
    job: &'a Job,
    handle: Bytes,
    /// Where the next new READ begins.
    next: u64,
    in_flight: HashMap<u32, Span>,
    received: u64,
    short: u64,
}

/// Receives the whole file, and compares it; the number of READs that were answered short.
pub(crate) async fn download(
    channel: &mut SftpChannel,
    job: &Job,
    stall: Option<Stall>,
) -> Result<u64, LoadError> {
    let mut reader = Reader::open(channel, job).await?;
    let mut stall = stall;
    while !reader.is_done() {
        reader.ask(channel);
        let reply = channel.reply().await?;
        reader.take(channel, reply)?;
        if let Some(due) = stall.take_if(|stall| reader.received >= stall.after) {
            tokio::time::sleep(due.lasts).await;
        }
    }
    channel.close(&reader.handle).await?;
    Ok(reader.short)
}

impl<'a> Reader<'a> {
    /// Opens the file.
    pub(crate) async fn open(
        channel: &mut SftpChannel,
        job: &'a Job,
    ) -> Result<Reader<'a>, LoadError> {
        let handle = channel.open_file(&job.path, OpenFlags::READ).await?;
        Ok(Self {
            job,
            handle,
            next: 0,
            in_flight: HashMap::with_capacity(job.depth),
            received: 0,
            short: 0,
        })
    }

    pub(crate) fn handle(&self) -> &Bytes {
        &self.handle
    }

    pub(crate) fn is_done(&self) -> bool {
        self.received >= self.job.size
    }

    /// Whether the request with this id is one of its own, and not answered yet.
    pub(crate) fn owns(&self, id: u32) -> bool {
        self.in_flight.contains_key(&id)
    }

    /// How many READs are in flight.
    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Keeps the wanted number of READs in flight.
    pub(crate) fn ask(&mut self, channel: &mut SftpChannel) {
        while self.next < self.job.size && self.in_flight.len() < self.job.depth {
            let rest = u32::try_from(self.job.size - self.next).unwrap_or(u32::MAX);
            let len = self.job.request.min(rest);
            self.read(channel, self.next, len);
            self.next += u64::from(len);
        }
    }

    fn read(&mut self, channel: &mut SftpChannel, offset: u64, len: u32) {
        let id = channel.id();
        channel.send(|out| client::read(out, id, &self.handle, offset, len));
        self.in_flight.insert(id, Span { offset, len });
    }

    /// Takes the answer to one of its requests, and compares what it brings.
    pub(crate) fn take(
        &mut self,
        channel: &mut SftpChannel,
        reply: Reply,
    ) -> Result<(), LoadError> {
        let Reply::Data { id, data } = reply else {
            return Err(unexpected("READ", &reply));
        };
        let span = self.in_flight.remove(&id);
        let span = span.ok_or_else(|| LoadError::Wrong(format!("nobody asked {id}")))?;
        let got = u32::try_from(data.len()).unwrap_or(u32::MAX);
        if got == 0 || got > span.len {
            let asked = span.len;
            return Err(LoadError::Wrong(format!(
                "{got} bytes for a READ of {asked}"
            )));
        }
        self.compare(span.offset, &data)?;
        self.received += u64::from(got);
        if got < span.len {
            self.short += 1;
            self.read(channel, span.offset + u64::from(got), span.len - got);
        }
        Ok(())
    }

    fn compare(&self, offset: u64, data: &Payload) -> Result<(), LoadError> {
        let mut at = offset;
        for segment in data.segments() {
            if !self.job.content.matches(at, segment) {
                return Err(LoadError::Wrong(format!("wrong bytes at about {at}")));
            }
            at += segment.len() as u64;
        }
        Ok(())
    }
}
