//! A channel in which a program of the system runs: its streams, its end, and what the client is told.
//!
//! Reading never waits for writing here either. What the client sends is always taken from the transport and queued, held at
//! the gate. That alone could stand still for ever: a program that writes and does not read, a client whose window is closed,
//! and the message that opens it stuck behind the data that the gate keeps out. So while output waits for the client, a bounded
//! part of the queue is let through the gate.

use std::collections::VecDeque;
use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use sftpgo_core::program::{Program, ProgramInput, ProgramOutput};
use sftpgo_core::{OpError, OpErrorKind, OpResult, Session};
use tokio::sync::Notify;

use super::table::{Command, Exec};
use super::{git, rsync};
use crate::transport::{Channel, ChannelInput, ChannelOutput, Gate, Gone, Held, Input};

/// What one program may be sent beyond the gate while its output waits for the client.
const BEYOND_GATE: usize = 4 << 20;
/// How long output waits before that.
const PATIENCE: Duration = Duration::from_millis(100);

/// Tells the operator, once, if programs would run that the kernel cannot keep within their directories.
pub(crate) fn warn_of_unconfined_programs(enabled: &[String]) {
    let programs: Vec<&str> = enabled
        .iter()
        .map(String::as_str)
        .filter(|name| *name == "rsync" || name.starts_with("git-"))
        .collect();
    if !programs.is_empty() && !sftpgo_core::program::can_be_confined() {
        tracing::warn!(
            "the kernel has no Landlock (Linux 5.19 or later): {} run with the rights of the server, and an account that \
             uploads a repository made for it can read objects of others; git-upload-archive and options of rsync that \
             follow links are refused",
            programs.join(", ")
        );
    }
}

/// Runs the program of a command until it ends, the client closes the channel, or the connection is cancelled.
pub(super) async fn serve(session: &Session, channel: Channel, exec: &Exec) {
    let Channel { mut input, output } = channel;
    let cancel = session.connection().info.cancel.clone();
    let queue = Queue::default();
    let (path, start) = match request(exec) {
        Ok(request) => request,
        Err(error) => return refuse(session, output, exec, error).await,
    };
    let work = async {
        let program = match &start {
            Request::Git(service, path) => session.git(*service, path).await,
            Request::Rsync(request) => session.rsync(request).await,
        }?;
        run(program, &queue, &output).await
    };
    let ended = tokio::select! {
        ended = work => Some(ended),
        () = receive(&mut input, &queue) => None,
        () = cancel.cancelled() => None,
    };
    match ended {
        Some(Ok(true)) => {
            session.command_succeeded(&path);
            output.finish(0).await;
        }
        Some(Ok(false)) => {
            session.command_failed(&"the program reported a failure");
            output.finish(1).await;
        }
        Some(Err(error)) => refuse(session, output, exec, error).await,
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

/// The request, and the path for the log.
fn request(exec: &Exec) -> OpResult<(String, Request)> {
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
async fn refuse(session: &Session, output: ChannelOutput, exec: &Exec, error: OpError) {
    session.command_failed(&error);
    let line = format!("{}: {}\n", exec.name(), error.client_message());
    // Fails only if the client is gone.
    if output.send_stderr(Bytes::from(line)).await.is_ok() {
        output.finish(1).await;
    }
}

async fn run(program: Program, queue: &Queue, channel: &ChannelOutput) -> OpResult<bool> {
    let Program {
        input,
        mut output,
        mut errors,
        end,
    } = program;
    let running = async {
        let sent = tokio::join!(
            forward(&mut output, queue, |bytes| channel.send(bytes)),
            forward(&mut errors, queue, |bytes| channel.send_stderr(bytes)),
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
async fn forward<F>(
    from: &mut ProgramOutput,
    queue: &Queue,
    send: impl Fn(Bytes) -> F,
) -> Result<(), Gone>
where
    F: Future<Output = Result<(), Gone>>,
{
    // An error is the end too: how the program ended says why.
    while let Ok(Some(bytes)) = from.read().await {
        let mut sending = std::pin::pin!(send(bytes));
        loop {
            tokio::select! {
                sent = &mut sending => break sent?,
                () = tokio::time::sleep(PATIENCE) => queue.let_through(),
            }
        }
    }
    Ok(())
}

/// Takes everything that the client sends; returns when it closes the channel.
async fn receive(input: &mut ChannelInput, queue: &Queue) {
    loop {
        match input.next().await {
            Input::Data(data) => {
                let held = input.gate().part(Gate::cost(data.len()));
                queue.push(data, held);
            }
            Input::Eof => queue.end(),
            Input::Closed => return,
        }
    }
}

/// Gives the program what was received; returns only with an error.
async fn feed(mut input: ProgramInput, queue: &Queue) -> OpError {
    loop {
        match queue.next().await {
            Some(piece) => {
                if let Err(error) = input.write(&piece.data).await {
                    return error;
                }
            }
            None => {
                input.close();
                std::future::pending::<()>().await;
            }
        }
    }
}

/// What was received and not taken by the program yet.
#[derive(Debug, Default)]
struct Queue {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    pieces: VecDeque<Piece>,
    ended: bool,
    /// Bytes in the queue that the gate does not count.
    beyond: usize,
}

#[derive(Debug)]
struct Piece {
    data: Bytes,
    /// Dropped when the program has it, or when it was let through.
    held: Option<Held>,
}

impl Queue {
    fn push(&self, data: Bytes, held: Held) {
        let piece = Piece {
            data,
            held: Some(held),
        };
        self.state.lock().pieces.push_back(piece);
        self.changed.notify_one();
    }

    fn end(&self) {
        self.state.lock().ended = true;
        self.changed.notify_one();
    }

    /// The next piece; `None` after the last.
    async fn next(&self) -> Option<Piece> {
        loop {
            {
                let mut state = self.state.lock();
                if let Some(piece) = state.pieces.pop_front() {
                    if piece.held.is_none() {
                        state.beyond = state.beyond.saturating_sub(Gate::cost(piece.data.len()));
                    }
                    return Some(piece);
                }
                if state.ended {
                    return None;
                }
            }
            self.changed.notified().await;
        }
    }

    /// Opens the gate for what is queued, as far as there is room for it.
    fn let_through(&self) {
        let mut state = self.state.lock();
        let State { pieces, beyond, .. } = &mut *state;
        for piece in pieces.iter_mut().filter(|piece| piece.held.is_some()) {
            // Messages without bytes cost as well.
            let cost = Gate::cost(piece.data.len());
            if *beyond + cost > BEYOND_GATE {
                return;
            }
            *beyond += cost;
            piece.held = None;
        }
    }
}
