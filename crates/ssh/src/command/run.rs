//! Runs a command in its channel and reports how it ended.

use bytes::Bytes;
use sftpgo_core::{OpError, Session};
use sftpgo_wire::exec;

use super::table::{Command, Exec};
use super::{df, digest, directory, program};
use crate::scp;
use crate::transport::{Channel, ChannelInput, Input, Window};

/// How a command that only answers ended.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// For standard output.
    pub(super) output: Vec<u8>,
    /// What it acted on, for the log.
    pub(super) path: String,
    /// The first failure.
    pub(super) failure: Option<OpError>,
}

impl Answer {
    pub(super) fn of(output: impl Into<Vec<u8>>) -> Self {
        Self {
            output: output.into(),
            ..Self::default()
        }
    }

    /// Adds the line that tells the client of a failure (reference 8.3: on standard output).
    pub(super) fn fail(&mut self, command: &str, path: &str, error: OpError) {
        let line = if path.is_empty() {
            format!("{command}: {}\n", error.client_message())
        } else {
            format!("{command}: {path} {}\n", error.client_message())
        };
        self.output.extend_from_slice(line.as_bytes());
        self.failure.get_or_insert(error);
    }
}

/// Runs a command until it ended, the client closed the channel, or the connection is cancelled.
pub(crate) async fn run(session: Session, channel: Channel, exec: Exec) {
    match exec.command {
        Command::Digest(_)
        | Command::ChangeDirectory
        | Command::PrintDirectory
        | Command::DiskFree => answer(&session, channel, &exec).await,
        Command::Scp => {
            // It was split before; quoted wildcards make a difference here only.
            let words = exec::split_patterns(&exec.line).unwrap_or_default();
            let words = words.get(1..).unwrap_or_default();
            scp::serve(session, channel, words).await;
        }
        Command::Git | Command::Rsync => program::serve(&session, channel, &exec).await,
    }
}

/// Commands that answer once and end.
async fn answer(session: &Session, channel: Channel, exec: &Exec) {
    let Channel { mut input, output } = channel;
    let cancel = session.connection().info.cancel.clone();
    let answer = async {
        match exec.command {
            Command::Digest(algorithm) if digest::reads_input(exec) => {
                digest::of_input(session, &mut input, exec, algorithm).await
            }
            Command::Digest(algorithm) => tokio::select! {
                answer = digest::of_files(session, exec, algorithm) => Some(answer),
                () = closed(&mut input) => None,
            },
            Command::DiskFree => Some(df::run(session, exec).await),
            Command::ChangeDirectory => Some(directory::change()),
            Command::PrintDirectory => Some(directory::print()),
            // It converses, and is served elsewhere.
            Command::Scp | Command::Git | Command::Rsync => None,
        }
    };
    let answer = tokio::select! {
        answer = answer => answer,
        () = cancel.cancelled() => None,
    };
    let Some(answer) = answer else {
        session.command_failed(&"the client went away, or the connection was closed");
        return;
    };
    match &answer.failure {
        Some(error) => session.command_failed(error),
        None => session.command_succeeded(&answer.path),
    }
    let status = u32::from(answer.failure.is_some());
    // Fails only if the client is gone.
    if answer.output.is_empty() || output.send(Bytes::from(answer.output)).await.is_ok() {
        output.finish(status).await;
    }
}

/// Waits until the client closes the channel; what it sends is dropped.
async fn closed(input: &mut ChannelInput) {
    loop {
        match input.next().await {
            Input::Data(data) => drop(input.window().part(Window::cost(data.len()))),
            // It may wait for the answer.
            Input::Eof => {}
            Input::Closed => return,
        }
    }
}
