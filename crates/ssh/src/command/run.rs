//! Runs a command in its channel and reports how it ended.

use bytes::Bytes;
use sftpgo_core::{OpError, Session};
use sftpgo_wire::exec;

use super::paths::Argument;
use super::table::{Command, Exec};
use super::{df, digest, directory, program};
use crate::scp;
use crate::transport::{Channel, ChannelInput};

/// How a command that only answers ended.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// For standard output.
    pub(super) output: Vec<u8>,
    /// The path argument, for the log and whoever is told.
    pub(super) argument: Argument,
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
    let answer = tokio::select! {
        answer = answer_to(session, &mut input, exec) => answer,
        () = cancel.cancelled() => None,
    };
    let Some(answer) = answer else {
        session.command_failed(&"the client went away, or the connection was closed");
        return;
    };
    match &answer.failure {
        Some(error) => session.command_failed(error),
        None => {
            session.command_succeeded(&answer.argument.logged);
            session.report_command(&exec.name(), answer.argument.path.as_ref());
        }
    }
    let status = u32::from(answer.failure.is_some());
    let sending = async {
        // Fails only if the client is gone.
        if answer.output.is_empty() || output.send(Bytes::from(answer.output)).await.is_ok() {
            output.finish(status).await;
        }
    };
    tokio::select! {
        _ = input.beside(sending) => {}
        () = cancel.cancelled() => {}
    }
}

/// The answer; `None` if the client closed the channel before.
async fn answer_to(session: &Session, input: &mut ChannelInput, exec: &Exec) -> Option<Answer> {
    match exec.command {
        Command::Digest(algorithm) if digest::reads_input(exec) => {
            digest::of_input(session, input, exec, algorithm).await
        }
        Command::Digest(algorithm) => {
            input
                .beside(digest::of_files(session, exec, algorithm))
                .await
        }
        Command::DiskFree => input.beside(df::run(session, exec)).await,
        Command::ChangeDirectory => Some(directory::change(exec)),
        Command::PrintDirectory => Some(directory::print()),
        // They converse, and are served elsewhere.
        Command::Scp | Command::Git | Command::Rsync => None,
    }
}
