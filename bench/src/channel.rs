//! One SFTP channel: requests out, replies in, never one waiting for the other.
//!
//! Requests are appended to one buffer that a task of its own sends as the window allows. Whoever reads the replies
//! therefore never waits for the window, which is what makes pipelined SFTP clients deadlock. The buffer needs no bound
//! beside the number of requests in flight, which callers keep.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use parking_lot::Mutex;
use russh::client::Msg;
use russh::{ChannelMsg, ChannelReadHalf, ChannelWriteHalf};
use sftpgo_wire::sftp::extension::LimitsReply;
use sftpgo_wire::sftp::{
    Attrs, Extension, FrameDecoder, OpenFlags, Reply, StatusCode, VERSION, client,
};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::error::LoadError;
use crate::target::{Login, PARTING, Target};

/// Longest reply that is accepted; some servers list whole directories in one.
const MAX_REPLY: usize = 16 << 20;

/// Room made for requests at a time.
const OUT_BLOCK: usize = 1 << 20;

/// An open `sftp` subsystem on some connection.
pub(crate) struct SftpChannel {
    out: Arc<Outbox>,
    pump: Pump,
    inbox: ChannelReadHalf,
    decoder: FrameDecoder,
    target: Arc<Target>,
    next_id: u32,
    /// The extensions that the server announced.
    extensions: Vec<Bytes>,
}

/// Requests that are not sent yet.
#[derive(Default)]
struct Outbox {
    queue: Mutex<Queue>,
    changed: Notify,
}

#[derive(Default)]
struct Queue {
    bytes: BytesMut,
    end: End,
}

/// How the channel ends from this side once everything is sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum End {
    /// It does not.
    #[default]
    Open,
    /// Nothing more will be queued; replies are still read.
    Eof,
    /// Closed at once, whatever is in flight.
    Close,
}

/// The task that sends what is put into the outbox.
struct Pump(JoinHandle<()>);

impl Drop for Pump {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn pump(out: Arc<Outbox>, channel: ChannelWriteHalf<Msg>) {
    loop {
        let (chunk, end) = {
            let mut queue = out.queue.lock();
            (queue.bytes.split(), queue.end)
        };
        // On a failure the reader sees the end of the channel, and reports it.
        if !chunk.is_empty() {
            if channel.data_bytes(chunk).await.is_err() {
                return;
            }
            continue;
        }
        match end {
            End::Open => out.changed.notified().await,
            End::Eof => {
                let _ = channel.eof().await;
                return;
            }
            End::Close => {
                let _ = channel.close().await;
                return;
            }
        }
    }
}

impl SftpChannel {
    /// Opens the subsystem on a connection and agrees on the version.
    pub(crate) async fn open(target: &Arc<Target>, login: &Login) -> Result<Self, LoadError> {
        let channel = target.within(login.handle.channel_open_session()).await??;
        target
            .within(channel.request_subsystem(false, "sftp"))
            .await??;
        let (inbox, channel) = channel.split();
        let out = Arc::new(Outbox::default());
        let mut opened = Self {
            pump: Pump(tokio::spawn(pump(Arc::clone(&out), channel))),
            out,
            inbox,
            decoder: FrameDecoder::with_limit(MAX_REPLY),
            target: Arc::clone(target),
            next_id: 0,
            extensions: Vec::new(),
        };
        opened.send(|out| client::init(out, VERSION));
        let reply = opened.reply().await?;
        let Reply::Version { extensions, .. } = reply else {
            return Err(unexpected("INIT", &reply));
        };
        opened.extensions = extensions.into_iter().map(|(name, _)| name).collect();
        Ok(opened)
    }

    /// An id for the next request.
    pub(crate) fn id(&mut self) -> u32 {
        self.next_id = self.next_id.wrapping_add(1);
        self.next_id
    }

    /// Queues what `encode` appends.
    pub(crate) fn send(&self, encode: impl FnOnce(&mut BytesMut)) {
        let mut queue = self.out.queue.lock();
        if queue.bytes.capacity() == queue.bytes.len() {
            queue.bytes.reserve(OUT_BLOCK);
        }
        encode(&mut queue.bytes);
        drop(queue);
        self.out.changed.notify_one();
    }

    /// The next reply, whichever request it answers.
    pub(crate) async fn reply(&mut self) -> Result<Reply, LoadError> {
        loop {
            if let Some(frame) = self.decoder.next_frame()? {
                return Ok(Reply::decode(frame)?);
            }
            match self.target.within(self.inbox.wait()).await? {
                Some(ChannelMsg::Data { data }) => self.decoder.push(data),
                Some(ChannelMsg::Eof | ChannelMsg::Close | ChannelMsg::Failure) | None => {
                    return Err(LoadError::Closed);
                }
                // Window adjustments, exit status and the like.
                Some(_) => {}
            }
        }
    }

    /// Sends one request and waits for its answer; nothing else may be in flight.
    pub(crate) async fn call(
        &mut self,
        encode: impl FnOnce(&mut BytesMut, u32),
    ) -> Result<Reply, LoadError> {
        let id = self.id();
        self.send(|out| encode(out, id));
        let reply = self.reply().await?;
        if reply.id() == Some(id) {
            return Ok(reply);
        }
        Err(LoadError::Wrong(format!(
            "request {id} got an answer to {:?}",
            reply.id()
        )))
    }

    /// Opens a file.
    pub(crate) async fn open_file(
        &mut self,
        path: &[u8],
        flags: OpenFlags,
    ) -> Result<Bytes, LoadError> {
        let reply = self
            .call(|out, id| client::open(out, id, path, flags, &Attrs::EMPTY))
            .await?;
        handle_of("OPEN", &reply)
    }

    /// Makes a directory.
    pub(crate) async fn make_dir(&mut self, path: &[u8]) -> Result<(), LoadError> {
        self.must("MKDIR", |out, id| {
            client::mkdir(out, id, path, &Attrs::EMPTY);
        })
        .await
    }

    /// Closes a handle.
    pub(crate) async fn close(&mut self, handle: &[u8]) -> Result<(), LoadError> {
        self.must("CLOSE", |out, id| client::close(out, id, handle))
            .await
    }

    /// Asks for the longest READ and WRITE; 32 KiB where the server does not tell.
    pub(crate) async fn max_request(&mut self) -> Result<u64, LoadError> {
        const PLAIN: u64 = 32_768;
        if !self
            .extensions
            .iter()
            .any(|name| name == "limits@openssh.com")
        {
            return Ok(PLAIN);
        }
        let reply = self
            .call(|out, id| client::extended(out, id, &Extension::Limits))
            .await?;
        let Reply::Extended { body, .. } = reply else {
            return Ok(PLAIN);
        };
        let limits = LimitsReply::decode(body)
            .map_err(|malformed| LoadError::Wrong(format!("limits reply: {malformed}")))?;
        let told = |limit| if limit == 0 { PLAIN } else { limit };
        Ok(told(limits.max_read_length).min(told(limits.max_write_length)))
    }

    /// Ends the channel in good order, and waits until the server has closed it, too: one with a process for it can then
    /// collect that one's exit status, and its CPU time with it.
    pub(crate) async fn part(mut self) {
        self.out.queue.lock().end = End::Eof;
        self.out.changed.notify_one();
        let _ = timeout(PARTING, async {
            while let Some(message) = self.inbox.wait().await {
                if matches!(message, ChannelMsg::Close) {
                    break;
                }
            }
        })
        .await;
    }

    /// Closes the channel in the midst of whatever is in flight; requests that are not sent yet never are. Nothing waits
    /// for the server's side of it, for the SSH library does not tell.
    pub(crate) async fn abandon(self) {
        let Self {
            out,
            mut pump,
            inbox,
            ..
        } = self;
        // Replies that nobody takes would hold up the whole connection.
        drop(inbox);
        {
            let mut queue = out.queue.lock();
            queue.bytes.clear();
            queue.end = End::Close;
        }
        out.changed.notify_one();
        let _ = timeout(PARTING, &mut pump.0).await;
    }

    /// Makes a request that is answered with a status, which must be success.
    pub(crate) async fn must(
        &mut self,
        what: &'static str,
        encode: impl FnOnce(&mut BytesMut, u32),
    ) -> Result<(), LoadError> {
        success(what, &self.call(encode).await?)
    }
}

/// The handle that a reply holds.
pub(crate) fn handle_of(what: &'static str, reply: &Reply) -> Result<Bytes, LoadError> {
    if let Reply::Handle { handle, .. } = reply {
        // A copy: the reply's bytes keep a whole received packet alive.
        return Ok(Bytes::copy_from_slice(handle));
    }
    Err(unexpected(what, reply))
}

/// Whether a reply reports success.
pub(crate) fn success(what: &'static str, reply: &Reply) -> Result<(), LoadError> {
    let ok = StatusCode::Ok;
    if matches!(reply, Reply::Status { code, .. } if *code == ok) {
        return Ok(());
    }
    Err(unexpected(what, reply))
}

/// The error for a reply that `what` should not have got.
pub(crate) fn unexpected(what: &'static str, reply: &Reply) -> LoadError {
    if let Reply::Status { code, message, .. } = reply {
        return LoadError::status(what, *code, message);
    }
    LoadError::Wrong(format!(
        "{what}: answer {:?} is of another kind",
        reply.id()
    ))
}
