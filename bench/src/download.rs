//! Downloads of one file in pipelined READs, compared byte by byte as they arrive.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use sftpgo_wire::sftp::{OpenFlags, Payload, Reply, client};

use crate::error::LoadError;
use crate::session::{Session, unexpected};
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
struct Reader<'a> {
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
    session: &mut Session,
    job: &Job,
    stall: Option<Stall>,
) -> Result<u64, LoadError> {
    let handle = session.open_file(&job.path, OpenFlags::READ).await?;
    let mut reader = Reader {
        job,
        handle,
        next: 0,
        in_flight: HashMap::with_capacity(job.depth),
        received: 0,
        short: 0,
    };
    let mut stall = stall;
    while reader.received < job.size {
        reader.ask(session);
        let reply = session.reply().await?;
        reader.take(session, reply)?;
        if let Some(due) = stall.take_if(|stall| reader.received >= stall.after) {
            tokio::time::sleep(due.lasts).await;
        }
    }
    session.close(&reader.handle).await?;
    Ok(reader.short)
}

impl Reader<'_> {
    /// Keeps the wanted number of READs in flight.
    fn ask(&mut self, session: &mut Session) {
        while self.next < self.job.size && self.in_flight.len() < self.job.depth {
            let rest = u32::try_from(self.job.size - self.next).unwrap_or(u32::MAX);
            let len = self.job.request.min(rest);
            self.read(session, self.next, len);
            self.next += u64::from(len);
        }
    }

    fn read(&mut self, session: &mut Session, offset: u64, len: u32) {
        let id = session.id();
        session.send(|out| client::read(out, id, &self.handle, offset, len));
        self.in_flight.insert(id, Span { offset, len });
    }

    fn take(&mut self, session: &mut Session, reply: Reply) -> Result<(), LoadError> {
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
            self.read(session, span.offset + u64::from(got), span.len - got);
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
