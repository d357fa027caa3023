//! An exec request: what goes in, what comes out, and how it ends.

use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};
use russh::client::Msg;
use russh::{ChannelMsg, ChannelReadHalf, ChannelWriteHalf};

use crate::error::LoadError;
use crate::target::{Login, Target};

/// A command that runs.
pub(crate) struct Exec {
    input: ChannelWriteHalf<Msg>,
    output: ChannelReadHalf,
    buffer: BytesMut,
    errors: Vec<u8>,
    status: Option<u32>,
    ended: bool,
    closed: bool,
    target: Arc<Target>,
}

impl Exec {
    /// Asks for a command, and waits until it is granted.
    pub(crate) async fn start(
        target: &Arc<Target>,
        login: &Login,
        command: Vec<u8>,
    ) -> Result<Self, LoadError> {
        let channel = target.within(login.handle.channel_open_session()).await??;
        target.within(channel.exec(true, command)).await??;
        let (output, input) = channel.split();
        let mut exec = Self {
            input,
            output,
            buffer: BytesMut::new(),
            errors: Vec::new(),
            status: None,
            ended: false,
            closed: false,
            target: Arc::clone(target),
        };
        loop {
            match target.within(exec.output.wait()).await? {
                Some(ChannelMsg::Success) => return Ok(exec),
                Some(ChannelMsg::Failure) => {
                    return Err(LoadError::Wrong("the command was refused".into()));
                }
                Some(ChannelMsg::Close) | None => return Err(LoadError::Closed),
                message => exec.take(message),
            }
        }
    }

    /// Sends; waits for the window.
    pub(crate) async fn send(&self, bytes: impl Into<Bytes>) -> Result<(), LoadError> {
        let sent = self.input.data_bytes(bytes).await;
        Ok(sent?)
    }

    /// Says that nothing more comes.
    pub(crate) async fn end_input(&self) -> Result<(), LoadError> {
        Ok(self.input.eof().await?)
    }

    /// Closes the channel whatever the command does.
    pub(crate) async fn abandon(self) -> Result<(), LoadError> {
        // Output that nobody takes would hold up the whole connection.
        drop(self.output);
        Ok(self.input.close().await?)
    }

    /// The next piece of output, `most` bytes at most; `None` at the end.
    pub(crate) async fn piece(&mut self, most: usize) -> Result<Option<BytesMut>, LoadError> {
        while self.buffer.is_empty() {
            if self.ended || self.closed {
                return Ok(None);
            }
            self.receive().await?;
        }
        let len = self.buffer.len().min(most);
        Ok(Some(self.buffer.split_to(len)))
    }

    /// The next byte.
    pub(crate) async fn byte(&mut self) -> Result<u8, LoadError> {
        match self.piece(1).await? {
            Some(mut piece) if !piece.is_empty() => Ok(piece.get_u8()),
            _ => Err(self.cut_short()),
        }
    }

    /// Bytes up to a newline, which is left out.
    pub(crate) async fn line(&mut self) -> Result<Vec<u8>, LoadError> {
        const LONGEST: usize = 8192;
        let mut line = Vec::new();
        loop {
            match self.byte().await? {
                b'\n' => return Ok(line),
                byte if line.len() < LONGEST => line.push(byte),
                _ => return Err(LoadError::Wrong("a line without an end".into())),
            }
        }
    }

    /// Waits for the end: everything that still comes, if the command ended with status 0 and no complaint.
    pub(crate) async fn finish(mut self) -> Result<BytesMut, LoadError> {
        while !self.closed {
            self.receive().await?;
        }
        if self.status == Some(0) && self.errors.is_empty() {
            return Ok(self.buffer);
        }
        Err(LoadError::Wrong(format!(
            "ended with status {:?}: {}{}",
            self.status,
            String::from_utf8_lossy(&self.buffer),
            String::from_utf8_lossy(&self.errors)
        )))
    }

    async fn receive(&mut self) -> Result<(), LoadError> {
        let message = self.target.within(self.output.wait()).await?;
        self.take(message);
        Ok(())
    }

    fn take(&mut self, message: Option<ChannelMsg>) {
        match message {
            Some(ChannelMsg::Data { data }) => self.buffer.extend_from_slice(&data),
            Some(ChannelMsg::ExtendedData { data, .. }) => self.errors.extend_from_slice(&data),
            Some(ChannelMsg::ExitStatus { exit_status }) => self.status = Some(exit_status),
            Some(ChannelMsg::Eof) => self.ended = true,
            Some(ChannelMsg::Close) | None => self.closed = true,
            // Window adjustments and the like.
            Some(_) => {}
        }
    }

    fn cut_short(&self) -> LoadError {
        let errors = String::from_utf8_lossy(&self.errors);
        let status = self.status;
        LoadError::Wrong(format!("the output ends early, status {status:?} {errors}"))
    }
}

/// A word as a shell reads it back.
pub(crate) fn quote(word: &[u8]) -> Vec<u8> {
    let mut quoted = vec![b'\''];
    for byte in word {
        match byte {
            b'\'' => quoted.extend_from_slice(b"'\\''"),
            byte => quoted.push(*byte),
        }
    }
    quoted.push(b'\'');
    quoted
}

/// A command line: a program with its options, and paths.
pub(crate) fn command(program: &str, paths: &[Vec<u8>]) -> Vec<u8> {
    let mut line = program.as_bytes().to_vec();
    for path in paths {
        line.push(b' ');
        line.extend(quote(path));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_in_a_path_survives_the_shell() {
        let line = command("md5sum", &[b"/it's".to_vec(), b"/a b".to_vec()]);
        assert_eq!(line, br"md5sum '/it'\''s' '/a b'");
    }
}
