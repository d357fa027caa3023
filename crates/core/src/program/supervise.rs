//! From the start of a program to its end: one task owns it, sees it end, and puts the quota right afterwards.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::process::{ChildStderr, ChildStdin, ChildStdout};
use tokio::sync::oneshot;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::allowance::{Allowance, Watcher};
use super::linux::process::{self, Launch, Process};
use super::quota;
use super::slots::Slot;
use super::stream::{Pipe, ProgramInput, ProgramOutput, Stream};
use crate::error::{OpError, OpErrorKind, OpResult};
use crate::registry::Direction;
use crate::session::Session;
use crate::transfer::Pacer;
use sftpgo_model::VirtualPath;

/// Between asking a program to end and ending it.
const GRACE: Duration = Duration::from_secs(5);

/// A running program: its streams and its end. Dropped, the program is stopped.
#[derive(Debug)]
pub struct Program {
    /// Its standard input.
    pub input: ProgramInput,
    /// Its standard output.
    pub output: ProgramOutput,
    /// What it says of errors.
    pub errors: ProgramOutput,
    /// Its end.
    pub end: ProgramEnd,
}

/// The end of a program. Dropping it stops the program and all that it has started.
#[derive(Debug)]
pub struct ProgramEnd {
    ended: oneshot::Receiver<OpResult<bool>>,
    stop: DropGuard,
}

impl ProgramEnd {
    /// Waits for the end; whether it succeeded.
    ///
    /// # Errors
    /// It was stopped: `QuotaExceeded`, `Aborted`.
    pub async fn wait(self) -> OpResult<bool> {
        let ended = self.ended.await.map_err(|_| OpErrorKind::Aborted)?;
        // Streams tell by it whether they were cut off.
        self.stop.disarm();
        ended
    }
}

/// What is to be run, and for what.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) launch: Launch,
    /// What the client named.
    pub(super) path: VirtualPath,
    /// Whether it changes files, so that they are counted afterwards.
    pub(super) writes: bool,
    /// Whether it stores files, so that the quota limits it.
    pub(super) stores: bool,
    /// Whether it may be sent more than is free, because it also removes.
    pub(super) renewable: bool,
}

impl Session {
    /// Starts a planned program.
    pub(super) async fn launch(&self, plan: Plan, slot: Slot) -> OpResult<Program> {
        let (core, user) = (self.core(), &self.user());
        let mut allowance = Allowance::unlimited();
        let mut watcher = None;
        if plan.stores && core.quota.limits(user) {
            let free = core.quota.free_bytes(user).await?;
            let (limited, watching) = Allowance::limited(user.quota, free, plan.renewable);
            (allowance, watcher) = (limited, Some(watching));
        }
        let stop = CancellationToken::new();
        let (ended, ending) = oneshot::channel();
        // From here on the program has an owner: whatever fails below drops the guard, which stops it.
        let end = ProgramEnd {
            ended: ending,
            stop: stop.clone().drop_guard(),
        };
        let supervisor = Supervisor {
            session: self.clone(),
            stop: stop.clone(),
            watcher,
            writes: plan.writes,
            slot,
        };
        let (started, starting) = oneshot::channel();
        // A task of its own: a client that goes away while the program is being started may find it running, and then its
        // end has to be seen as well.
        core.tasks().spawn(async move {
            match process::start(plan.launch).await {
                Ok((pipes, process)) => {
                    let _ = started.send(Ok(pipes));
                    supervisor.run(process, ended).await;
                }
                Err(error) => {
                    let _ = started.send(Err(error));
                }
            }
        });
        let started = starting.await.map_err(|_| OpErrorKind::Aborted)?;
        let pipes = started.map_err(|error| {
            tracing::error!(%error, "a program cannot be started");
            OpError::with_source(OpErrorKind::Unavailable, error)
        })?;
        let io = |error| OpError::with_source(OpErrorKind::Internal, error);
        let stream = |direction, limit: Option<u64>| Stream {
            guard: self
                .connection()
                .begin_transfer(direction, plan.path.clone()),
            pacer: limit.map(Pacer::new),
            metrics: Arc::clone(core.metrics()),
            stop: stop.clone(),
            failed: false,
            opened: Instant::now(),
        };
        Ok(Program {
            input: ProgramInput {
                pipe: Some(ChildStdin::from_std(pipes.stdin).map_err(io)?),
                stream: stream(Direction::Upload, user.upload_bandwidth),
                allowance,
            },
            output: ProgramOutput {
                pipe: Pipe::Output(ChildStdout::from_std(pipes.stdout).map_err(io)?),
                stream: stream(Direction::Download, user.download_bandwidth),
            },
            errors: ProgramOutput {
                pipe: Pipe::Errors(ChildStderr::from_std(pipes.stderr).map_err(io)?),
                stream: stream(Direction::Download, user.download_bandwidth),
            },
            end,
        })
    }
}

/// Owns a running program.
struct Supervisor {
    session: Session,
    stop: CancellationToken,
    watcher: Option<Watcher>,
    writes: bool,
    slot: Slot,
}

impl Supervisor {
    async fn run(mut self, mut process: Process, ended: oneshot::Sender<OpResult<bool>>) {
        let session = self.session.clone();
        let cancel = session.connection().info.cancel.clone();
        let watcher = self.watcher.take();
        let exceeded = async {
            match watcher {
                Some(watcher) => {
                    let look = || async { session.mounts().usage().await };
                    watcher.exceeded(look).await;
                }
                None => std::future::pending().await,
            }
        };
        let stopped = tokio::select! {
            biased;
            status = &mut process.ended => Ok(status),
            () = exceeded => Err(OpErrorKind::QuotaExceeded),
            () = self.stop.cancelled() => Err(OpErrorKind::Aborted),
            () = cancel.cancelled() => Err(OpErrorKind::Aborted),
        };
        let result = match stopped {
            Ok(Ok(Ok(status))) => Ok(status.success()),
            Ok(Ok(Err(error))) => Err(OpError::with_source(OpErrorKind::Internal, error)),
            Ok(Err(_)) => Err(OpErrorKind::Internal.into()),
            Err(kind) => {
                // Streams end too: nobody waits for a program that is being ended.
                self.stop.cancel();
                end(process).await;
                Err(kind.into())
            }
        };
        let (core, user) = (Arc::clone(session.core()), session.user());
        let mounts = Arc::clone(session.mounts());
        // What follows is nobody's command any more: it takes no place, and its connection may go.
        drop((self.slot, self.session, session));
        // Nobody may wait for it any more.
        let _ = ended.send(result);
        if self.writes {
            quota::correct(&core, &user, &mounts).await;
        }
    }
}

/// Ends the program and everything it has started, and sees it gone.
async fn end(mut process: Process) {
    process.terminate();
    if tokio::time::timeout(GRACE, &mut process.ended)
        .await
        .is_err()
    {
        process.kill();
        // Only a disk that hangs keeps a killed process; its thread collects it then.
        let _ = tokio::time::timeout(GRACE, &mut process.ended).await;
    }
}
