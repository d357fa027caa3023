//! [`Sftp`]: an SFTP session, packet by packet or request by request.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use russh::client::Msg;
use russh::{ChannelMsg, ChannelReadHalf, ChannelWriteHalf};
use sftpgo_wire::sftp::{
    Attrs, Extension, FrameDecoder, Name, OpenFlags, Payload, Reply, VERSION, client,
};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

use super::ssh::SshClient;
use super::{Answer, answer};
use crate::within;

/// An open `sftp` subsystem. Requests are queued without waiting, so a test can pipeline as much as it likes.
#[derive(Debug)]
pub struct Sftp {
    ssh: Arc<SshClient>,
    out: Option<UnboundedSender<Bytes>>,
    inbox: ChannelReadHalf,
    decoder: FrameDecoder,
    next_id: u32,
    /// Replies that came before somebody asked for them.
    early: HashMap<u32, Reply>,
    extensions: Vec<(Bytes, Bytes)>,
    exit_status: Option<u32>,
}

/// Sends what is queued; a task of its own, so that the test reads replies while the window is shut.
async fn pump(mut queue: UnboundedReceiver<Bytes>, channel: ChannelWriteHalf<Msg>) {
    while let Some(bytes) = queue.recv().await {
        if channel.data_bytes(bytes).await.is_err() {
            // The reader sees the end.
            return;
        }
    }
    let _ = channel.eof().await;
}

impl Sftp {
    /// Opens the subsystem on a connection that is logged in and agrees on the version; `None` if it is refused.
    pub async fn open(ssh: Arc<SshClient>) -> Option<Self> {
        let mut session = Self::open_raw(ssh).await?;
        session.send_with(|out| client::init(out, VERSION));
        match session.reply().await {
            Some(Reply::Version {
                version: VERSION,
                extensions,
            }) => {
                session.extensions = extensions;
                Some(session)
            }
            other => panic!("INIT was answered with {other:?}"),
        }
    }

    /// Opens the subsystem and sends nothing.
    pub async fn open_raw(ssh: Arc<SshClient>) -> Option<Self> {
        let (inbox, channel) = ssh.subsystem("sftp").await?.split();
        let (out, queue) = mpsc::unbounded_channel();
        tokio::spawn(pump(queue, channel));
        Some(Self {
            ssh,
            out: Some(out),
            inbox,
            decoder: FrameDecoder::new(),
            next_id: 0,
            early: HashMap::new(),
            extensions: Vec::new(),
            exit_status: None,
        })
    }

    /// The connection, for another channel on it.
    #[must_use]
    pub fn ssh(&self) -> &Arc<SshClient> {
        &self.ssh
    }

    /// Names and data of the extensions that the server announced.
    #[must_use]
    pub fn extensions(&self) -> &[(Bytes, Bytes)] {
        &self.extensions
    }

    /// Sends bytes that need be no packet.
    pub fn send_bytes(&self, bytes: impl Into<Bytes>) {
        if let Some(out) = &self.out {
            let _ = out.send(bytes.into());
        }
    }

    /// Sends what `encode` appends.
    pub fn send_with(&self, encode: impl FnOnce(&mut BytesMut)) {
        let mut out = BytesMut::new();
        encode(&mut out);
        self.send_bytes(out);
    }

    /// Sends a request with a new id, which is given back; its reply is read later.
    pub fn send(&mut self, encode: impl FnOnce(&mut BytesMut, u32)) -> u32 {
        self.next_id += 1;
        let id = self.next_id;
        self.send_with(|out| encode(out, id));
        id
    }

    /// Sends nothing any more.
    pub fn send_eof(&mut self) {
        self.out = None;
    }

    /// The next reply on the wire; `None` after the end of the channel.
    pub async fn reply(&mut self) -> Option<Reply> {
        loop {
            if let Some(frame) = self.decoder.next_frame().expect("a frame") {
                return Some(Reply::decode(frame).expect("a reply"));
            }
            match within("a reply", self.inbox.wait()).await? {
                ChannelMsg::Data { data } => self.decoder.push(data),
                ChannelMsg::ExitStatus { exit_status } => self.exit_status = Some(exit_status),
                ChannelMsg::Close => return None,
                _ => {}
            }
        }
    }

    /// Reads to the end of the channel; the replies, and the exit status if one was sent.
    pub async fn finish(&mut self) -> (Vec<Reply>, Option<u32>) {
        let mut replies = Vec::new();
        while let Some(reply) = self.reply().await {
            replies.push(reply);
        }
        (replies, self.exit_status)
    }

    /// The reply to a request; others are kept until they are asked for.
    pub async fn reply_to(&mut self, id: u32) -> Reply {
        loop {
            if let Some(reply) = self.early.remove(&id) {
                return reply;
            }
            let reply = self.reply().await.expect("a reply, not the end");
            self.early
                .insert(reply.id().expect("a reply to a request"), reply);
        }
    }

    /// The reply to a request that is answered with a status.
    pub async fn status_of(&mut self, id: u32) -> Answer<()> {
        answer::done(self.reply_to(id).await)
    }

    /// Sends a request and waits for its reply.
    pub async fn call(&mut self, encode: impl FnOnce(&mut BytesMut, u32)) -> Reply {
        let id = self.send(encode);
        self.reply_to(id).await
    }

    /// OPEN without attributes.
    pub async fn open_file(&mut self, path: &[u8], flags: OpenFlags) -> Answer<Bytes> {
        let attrs = Attrs::EMPTY;
        answer::handle(
            self.call(|out, id| client::open(out, id, path, flags, &attrs))
                .await,
        )
    }

    /// CLOSE.
    pub async fn close(&mut self, handle: &[u8]) -> Answer<()> {
        answer::done(self.call(|out, id| client::close(out, id, handle)).await)
    }

    /// READ; `None` at the end of the file.
    pub async fn read(&mut self, handle: &[u8], offset: u64, len: u32) -> Answer<Option<Bytes>> {
        let reply = self
            .call(|out, id| client::read(out, id, handle, offset, len))
            .await;
        answer::unless_eof(answer::data(reply))
    }

    /// WRITE.
    pub async fn write(&mut self, handle: &[u8], offset: u64, data: &[u8]) -> Answer<()> {
        answer::done(
            self.call(|out, id| client::write(out, id, handle, offset, data))
                .await,
        )
    }

    /// LSTAT.
    pub async fn lstat(&mut self, path: &[u8]) -> Answer<Attrs> {
        answer::attrs(self.call(|out, id| client::lstat(out, id, path)).await)
    }

    /// STAT.
    pub async fn stat_attrs(&mut self, path: &[u8]) -> Answer<Attrs> {
        answer::attrs(self.call(|out, id| client::stat(out, id, path)).await)
    }

    /// FSTAT.
    pub async fn fstat(&mut self, handle: &[u8]) -> Answer<Attrs> {
        answer::attrs(self.call(|out, id| client::fstat(out, id, handle)).await)
    }

    /// SETSTAT.
    pub async fn setstat(&mut self, path: &[u8], attrs: &Attrs) -> Answer<()> {
        answer::done(
            self.call(|out, id| client::setstat(out, id, path, attrs))
                .await,
        )
    }

    /// FSETSTAT.
    pub async fn fsetstat(&mut self, handle: &[u8], attrs: &Attrs) -> Answer<()> {
        answer::done(
            self.call(|out, id| client::fsetstat(out, id, handle, attrs))
                .await,
        )
    }

    /// OPENDIR.
    pub async fn opendir(&mut self, path: &[u8]) -> Answer<Bytes> {
        answer::handle(self.call(|out, id| client::opendir(out, id, path)).await)
    }

    /// READDIR; `None` at the end of the listing.
    pub async fn readdir(&mut self, handle: &[u8]) -> Answer<Option<Vec<Name>>> {
        let reply = self.call(|out, id| client::readdir(out, id, handle)).await;
        answer::unless_eof(answer::names(reply))
    }

    /// REMOVE.
    pub async fn remove(&mut self, path: &[u8]) -> Answer<()> {
        answer::done(self.call(|out, id| client::remove(out, id, path)).await)
    }

    /// MKDIR without attributes.
    pub async fn mkdir(&mut self, path: &[u8]) -> Answer<()> {
        let attrs = Attrs::EMPTY;
        answer::done(
            self.call(|out, id| client::mkdir(out, id, path, &attrs))
                .await,
        )
    }

    /// RMDIR.
    pub async fn rmdir(&mut self, path: &[u8]) -> Answer<()> {
        answer::done(self.call(|out, id| client::rmdir(out, id, path)).await)
    }

    /// REALPATH.
    pub async fn realpath(&mut self, path: &[u8]) -> Answer<Vec<u8>> {
        let reply = self.call(|out, id| client::realpath(out, id, path)).await;
        only_name(answer::names(reply)?)
    }

    /// RENAME.
    pub async fn plain_rename(&mut self, from: &[u8], to: &[u8]) -> Answer<()> {
        answer::done(self.call(|out, id| client::rename(out, id, from, to)).await)
    }

    /// READLINK.
    pub async fn readlink(&mut self, path: &[u8]) -> Answer<Vec<u8>> {
        let reply = self.call(|out, id| client::readlink(out, id, path)).await;
        only_name(answer::names(reply)?)
    }

    /// SYMLINK, in OpenSSH's order.
    pub async fn symlink(&mut self, target: &[u8], link: &[u8]) -> Answer<()> {
        answer::done(
            self.call(|out, id| client::symlink(out, id, target, link))
                .await,
        )
    }

    /// An extended request that is answered with a status.
    pub async fn extended(&mut self, request: &Extension) -> Answer<()> {
        answer::done(
            self.call(|out, id| client::extended(out, id, request))
                .await,
        )
    }

    /// An extended request that is answered with a value.
    pub async fn extended_value(&mut self, request: &Extension) -> Answer<Payload> {
        answer::extended(
            self.call(|out, id| client::extended(out, id, request))
                .await,
        )
    }
}

fn only_name(names: Vec<Name>) -> Answer<Vec<u8>> {
    assert_eq!(names.len(), 1, "{names:?}");
    Ok(names
        .into_iter()
        .map(|name| name.filename.to_vec())
        .next()
        .unwrap_or_default())
}
