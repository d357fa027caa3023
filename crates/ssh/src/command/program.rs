//! A channel in which a program of the system runs: its streams, its end, and what the client is told.
//!
//! Reading never waits for writing here either: what the client sends is always taken from the transport and queued, also
//! while the program reads nothing, because that is how the end of the channel is noticed. The window bounds the queue.

use std::future::Future;

use bytes::Bytes;
use sftpgo_core::program::{Program, ProgramInput, ProgramOutput};
use sftpgo_core::{OpError, OpErrorKind, OpResult, Session};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::paths::Argument;
use super::table::{Command, Exec};
use super::{git, rsync};
use crate::transport::{Channel, ChannelInput, ChannelOutput, Gone, Held, Input, Window};

/// What was received: it is held until the program has it.
type Piece = (Bytes, Held);

/// Tells the operator, once, if programs would run that the kernel cannot keep within their directories.
pub(crate) fn warn_of_unconfined_programs(enabled: &[String]) {
    let programs: Vec<&str> = enabled
        .iter()
        .map(String::as_str)
        .filter(|name| *name == "rsync" || name.starts_with("git-"))
        .collect();
    if !programs.is_empty() && !sftpgo_core::program::can_be_confined() {
        tracing::warn!(
            "the kernel has no Landlock (Linux 5.19 or later): of {} git runs with the rights of the server, and an account that \
             uploads a repository made for it can read objects of others; rsync and git-upload-archive are refused",
            programs.join(", ")
        );
    }
}

/// Runs the program of a command until it ends, the client closes the channel, or the connection is cancelled.
pub(super) async fn serve(session: &Session, channel: Channel, exec: &Exec) {
    let cancel = session.connection().info.cancel.clone();
    // Bounded by the window: what is in it counts as not dealt with.
    let (queue, queued) = unbounded_channel();
    let (argument, start) = match request(exec) {
        Ok(request) => request,
        Err(error) => return refuse(session, channel, exec, error).await,
    };
    let Channel { mut input, output } = channel;
    let work = async {
        let program = match &start {
            Request::Git(service, path) => session.git(*service, path).await,
            Request::Rsync(request) => session.rsync(request).await,
        }?;
        run(program, queued, &output).await
    };
    let ended = tokio::select! {
        ended = work => Some(ended),
        () = receive(&mut input, queue) => None,
        () = cancel.cancelled() => None,
    };
    match ended {
        Some(Ok(true)) => {
            session.command_succeeded(&argument.logged);
            session.report_command(&exec.name(), argument.path.as_ref());
            output.finish(0).await;
        }
        Some(Ok(false)) => {
            session.command_failed(&"the program reported a failure");
            output.finish(1).await;
        }
        Some(Err(error)) => refuse(session, Channel { input, output }, exec, error).await,
        None => {
            session.command_failed(&"the client went away, or the connection was closed");
        }
    }
}

/// What the command line asks for.
pub(super) enum Request {
    Git(
        sftpgo_core::program::GitService,
        sftpgo_core::model::VirtualPath,
    ),
    Rsync(sftpgo_core::program::RsyncRequest),
}

/// The request, and the path for the log and whoever is told.
fn request(exec: &Exec) -> OpResult<(Argument, Request)> {
    match exec.command {
        Command::Git => git::request(&exec.words),
        Command::Rsync => rsync::request(&exec.words),
        Command::Digest(_)
        | Command::ChangeDirectory
        | Command::PrintDirectory
        | Command::DiskFree
        | Command::Scp => Err(OpErrorKind::Unsupported.into()),
    }
}

/// Tells the client why, on standard error: on standard output it would be taken for the program's protocol.
async fn refuse(session: &Session, channel: Channel, exec: &Exec, error: OpError) {
    let Channel { mut input, output } = channel;
    session.command_failed(&error);
    let line = format!("{}: {}\n", exec.name(), error.client_message());
    let telling = async {
        // Fails only if the client is gone.
        if output.send_stderr(Bytes::from(line)).await.is_ok() {
            output.finish(1).await;
        }
    };
    tokio::select! {
        _ = input.beside(telling) => {}
        () = session.connection().info.cancel.cancelled() => {}
    }
}

async fn run(
    program: Program,
    queue: UnboundedReceiver<Piece>,
    channel: &ChannelOutput,
) -> OpResult<bool> {
    let Program {
        input,
        mut output,
        mut errors,
        end,
    } = program;
    let running = async {
        let sent = tokio::join!(
            forward(&mut output, |bytes| channel.send(bytes)),
            forward(&mut errors, |bytes| channel.send_stderr(bytes)),
        );
        if sent.0.is_err() || sent.1.is_err() {
            return Err(OpErrorKind::Aborted.into());
        }
        end.wait().await
    };
    tokio::select! {
        ended = running => ended,
        // The end is dropped with what runs here, and that stops the program.
        error = feed(input, queue) => Err(error),
    }
}

/// Passes on what the program writes; ends when it writes no more.
async fn forward<F>(from: &mut ProgramOutput, send: impl Fn(Bytes) -> F) -> Result<(), Gone>
where
    F: Future<Output = Result<(), Gone>>,
{
    // An error is the end too: how the program ended says why.
    while let Ok(Some(bytes)) = from.read().await {
        send(bytes).await?;
    }
    Ok(())
}

/// Takes everything that the client sends; returns when it closes the channel.
async fn receive(input: &mut ChannelInput, queue: UnboundedSender<Piece>) {
    let mut queue = Some(queue);
    loop {
        match input.next().await {
            Input::Data(data) => {
                let held = input.window().part(Window::cost(data.len()));
                if let Some(queue) = &queue {
                    // Fails only if nobody feeds the program any more.
                    let _ = queue.send((data, held));
                }
            }
            Input::Eof => queue = None,
            Input::Closed => return,
        }
    }
}

/// Gives the program what was received; returns only with an error that must end it.
async fn feed(mut input: ProgramInput, mut queue: UnboundedReceiver<Piece>) -> OpError {
    while let Some((data, _held)) = queue.recv().await {
        match input.write(&data).await {
            Ok(()) => {}
            // It is being ended, and its end says why.
            Err(error) if error.kind() == OpErrorKind::Aborted => break,
            Err(error) => return error,
        }
    }
    input.close();
    std::future::pending().await
}
