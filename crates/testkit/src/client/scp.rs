//! [`Scp`]: one run of `scp` on the server, line by line; and [`ScpFiles`], which moves whole files with it.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::{Buf as _, Bytes, BytesMut};
use russh::client::Msg;
use russh::{ChannelMsg, ChannelReadHalf, ChannelWriteHalf};
use sftpgo_wire::scp::{Complaint, Reply};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

use super::sftp::Sftp;
use super::ssh::SshClient;
use super::{Answer, Entry, FileClient, Refusal, Refused, Stat};
use crate::within;

/// A running `scp -t` or `scp -f`. Bytes are queued without waiting.
#[derive(Debug)]
pub struct Scp {
    out: Option<UnboundedSender<Out>>,
    inbox: ChannelReadHalf,
    received: BytesMut,
    ended: bool,
    status: Option<u32>,
}

#[derive(Debug)]
enum Out {
    Bytes(Bytes),
    Close,
}

/// Sends what is queued, while the test does other things; EOF at the end of the queue.
async fn pump(mut queue: UnboundedReceiver<Out>, channel: ChannelWriteHalf<Msg>) {
    while let Some(next) = queue.recv().await {
        let sent = match next {
            Out::Bytes(bytes) => channel.data_bytes(bytes).await,
            Out::Close => channel.close().await,
        };
        if sent.is_err() {
            // The reader sees the end.
            return;
        }
    }
    let _ = channel.eof().await;
}

/// A word for a command line, whatever is in it.
#[must_use]
pub fn quoted(word: &[u8]) -> Vec<u8> {
    let mut out = vec![b'\''];
    for byte in word {
        match byte {
            b'\'' => out.extend_from_slice(b"'\\''"),
            byte => out.push(*byte),
        }
    }
    out.push(b'\'');
    out
}

impl Scp {
    /// Runs `scp` with the rest of a command line; `None` if the server refuses.
    pub async fn start(ssh: &SshClient, arguments: impl AsRef<[u8]>) -> Option<Self> {
        let command = [b"scp ", arguments.as_ref()].concat();
        let (inbox, channel) = ssh.start(&command).await?.split();
        let (out, queue) = mpsc::unbounded_channel();
        tokio::spawn(pump(queue, channel));
        Some(Self {
            out: Some(out),
            inbox,
            received: BytesMut::new(),
            ended: false,
            status: None,
        })
    }

    /// Sends any bytes.
    pub fn send(&self, bytes: impl Into<Bytes>) {
        if let Some(out) = &self.out {
            let _ = out.send(Out::Bytes(bytes.into()));
        }
    }

    /// Sends nothing any more.
    pub fn eof(&mut self) {
        self.out = None;
    }

    /// Closes the channel as soon as everything is sent, whatever the server has to say.
    pub fn close(&mut self) {
        if let Some(out) = self.out.take() {
            let _ = out.send(Out::Close);
        }
    }

    /// Waits for something; `false` at the end of the channel.
    async fn more(&mut self) -> bool {
        while !self.ended {
            match within("an answer of scp", self.inbox.wait()).await {
                Some(ChannelMsg::Data { data }) => {
                    self.received.extend_from_slice(&data);
                    return true;
                }
                Some(ChannelMsg::ExitStatus { exit_status }) => self.status = Some(exit_status),
                Some(ChannelMsg::Close) | None => self.ended = true,
                Some(_) => {}
            }
        }
        false
    }

    /// The next `count` bytes; fewer at the end of the channel.
    pub async fn take(&mut self, count: usize) -> Vec<u8> {
        while self.received.len() < count && self.more().await {}
        self.received
            .split_to(count.min(self.received.len()))
            .to_vec()
    }

    /// The next line with its newline, or what is left at the end of the channel.
    pub async fn line(&mut self) -> Vec<u8> {
        loop {
            if let Some(end) = self.received.iter().position(|byte| *byte == b'\n') {
                return self.received.split_to(end + 1).to_vec();
            }
            if !self.more().await {
                return self.received.split().to_vec();
            }
        }
    }

    /// The next reply, or status of a file; the end of the channel fails the test.
    pub async fn reply(&mut self) -> Reply {
        while self.received.is_empty() {
            assert!(self.more().await, "the channel ended before a reply");
        }
        let kind = self.received.get_u8();
        if kind == 0 {
            return Reply::Ok;
        }
        let text = self.line().await;
        assert!(matches!(kind, 1 | 2), "{kind} and {text:?} is no reply");
        let text = text.strip_suffix(b"\n").unwrap_or(&text).to_vec();
        Reply::Complaint(Complaint::new(kind == 2, text))
    }

    /// Sends bytes and takes the reply, which must be that all is well.
    pub async fn agreed(&mut self, bytes: impl Into<Bytes>) {
        self.send(bytes);
        assert_eq!(self.reply().await, Reply::Ok);
    }

    /// Sends bytes and takes the complaint that comes back: its text, and whether the server gives up.
    pub async fn refused(&mut self, bytes: impl Into<Bytes>) -> (String, bool) {
        self.send(bytes);
        match self.reply().await {
            Reply::Complaint(told) => {
                (String::from_utf8_lossy(&told.text).into_owned(), told.fatal)
            }
            Reply::Ok => panic!("it was not refused"),
        }
    }

    /// Everything up to the end of the channel, and the exit status if one came.
    pub async fn rest(&mut self) -> (Vec<u8>, Option<u32>) {
        while self.more().await {}
        (self.received.split().to_vec(), self.status)
    }

    /// Sends EOF and expects nothing more than this exit status.
    pub async fn ends_with(mut self, status: u32) {
        self.eof();
        let (rest, found) = self.rest().await;
        let rest = String::from_utf8_lossy(&rest).into_owned();
        assert_eq!((rest.as_str(), found), ("", Some(status)));
    }
}

/// Whole files go through SCP; everything that SCP cannot do goes through SFTP on the same connection.
#[derive(Debug)]
pub struct ScpFiles {
    sftp: Sftp,
}

impl ScpFiles {
    /// Uses the connection of an SFTP session.
    #[must_use]
    pub fn new(sftp: Sftp) -> Self {
        Self { sftp }
    }

    async fn start(&self, flags: &str, path: &[u8]) -> Answer<Scp> {
        let line = [flags.as_bytes(), b" -- ", &quoted(path)].concat();
        let ssh: &Arc<SshClient> = self.sftp.ssh();
        // A path with a zero byte cannot be part of a command.
        Scp::start(ssh, line)
            .await
            .ok_or_else(|| refused("Invalid path"))
    }
}

/// The texts tell what the codes of SFTP tell.
fn refused(text: &str) -> Refused {
    let kinds = [
        ("No Such File", Refusal::NotFound),
        ("Permission Denied", Refusal::Denied),
        ("Invalid path", Refusal::BadMessage),
        ("Unsupported", Refusal::Unsupported),
    ];
    let found = kinds.iter().find(|(part, _)| text.contains(part));
    Refused {
        kind: found.map_or(Refusal::Failed, |(_, kind)| *kind),
        message: text.to_owned(),
    }
}

fn granted(reply: Reply) -> Answer<()> {
    match reply {
        Reply::Ok => Ok(()),
        Reply::Complaint(told) => Err(refused(&String::from_utf8_lossy(&told.text))),
    }
}

#[async_trait]
impl FileClient for ScpFiles {
    async fn put(&mut self, path: &[u8], data: &[u8]) -> Answer<()> {
        let mut scp = self.start("-t", path).await?;
        granted(scp.reply().await)?;
        // The path of the command is the name; the one in the record does not count.
        scp.send(format!("C0644 {} name\n", data.len()));
        granted(scp.reply().await)?;
        for block in data.chunks(32_768) {
            scp.send(block.to_vec());
        }
        scp.send(&b"\0"[..]);
        granted(scp.reply().await)?;
        scp.ends_with(0).await;
        Ok(())
    }

    async fn get(&mut self, path: &[u8]) -> Answer<Vec<u8>> {
        if path.contains(&b'\n') {
            // Cannot be said.
            return self.sftp.get(path).await;
        }
        let mut scp = self.start("-f", path).await?;
        scp.send(&b"\0"[..]);
        let line = scp.line().await;
        if let Some(text) = line.strip_prefix(b"\x01") {
            return Err(refused(&String::from_utf8_lossy(text)));
        }
        let text = String::from_utf8_lossy(&line).into_owned();
        let size = text.split(' ').nth(1).and_then(|size| size.parse().ok());
        scp.send(&b"\0"[..]);
        let content = scp.take(size.expect("the size of a file")).await;
        granted(scp.reply().await)?;
        scp.send(&b"\0"[..]);
        scp.ends_with(0).await;
        Ok(content)
    }

    async fn append(&mut self, path: &[u8], data: &[u8]) -> Answer<()> {
        self.sftp.append(path, data).await
    }

    async fn get_from(&mut self, path: &[u8], offset: u64) -> Answer<Vec<u8>> {
        self.sftp.get_from(path, offset).await
    }

    async fn list(&mut self, path: &[u8]) -> Answer<Vec<Entry>> {
        self.sftp.list(path).await
    }

    async fn stat(&mut self, path: &[u8]) -> Answer<Stat> {
        self.sftp.stat(path).await
    }

    async fn remove_file(&mut self, path: &[u8]) -> Answer<()> {
        self.sftp.remove_file(path).await
    }

    async fn remove_dir(&mut self, path: &[u8]) -> Answer<()> {
        self.sftp.remove_dir(path).await
    }

    async fn create_dir(&mut self, path: &[u8]) -> Answer<()> {
        self.sftp.create_dir(path).await
    }

    async fn rename(&mut self, from: &[u8], to: &[u8]) -> Answer<()> {
        self.sftp.rename(from, to).await
    }

    fn vanish(&self) {
        self.sftp.vanish();
    }
}
