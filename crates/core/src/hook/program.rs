//! A program that is asked once: the question is in its environment, the answer what it prints, or only how it ends.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::ExitStatus;
use std::time::Duration;

use futures_util::future::{FusedFuture as _, FutureExt as _};
use tokio::io::AsyncReadExt as _;
use tokio::process::{ChildStderr, ChildStdout};
use tokio::time::timeout;
use tokio_util::task::TaskTracker;
use zeroize::Zeroizing;

use super::MOST_ANSWERED;
use super::error::HookError;
use super::errors::log_errors;
use crate::program::process::{self, Pipes, Process, Trusted};

/// How long what a program has written is read after its end: something that left its group may keep its pipes.
const FLUSH: Duration = Duration::from_millis(500);

/// Runs the program to its end. Whoever drops this ends it, with all that it has started.
pub(super) async fn ask(
    path: &Path,
    variables: Vec<(&'static str, OsString)>,
) -> Result<Zeroizing<Vec<u8>>, HookError> {
    let (pipes, mut process) = start(path, variables).await?;
    let Pipes {
        stdin,
        stdout,
        stderr,
    } = pipes;
    // It is asked nothing that way.
    drop(stdin);
    let name = path.to_string_lossy();
    let stderr = ChildStderr::from_std(stderr).map_err(no_pipe)?;
    let (answer, (), status) = tokio::try_join!(
        read_answer(ChildStdout::from_std(stdout).map_err(no_pipe)?),
        async {
            log_errors(stderr, &name).await;
            Ok(())
        },
        ended(&mut process),
    )?;
    check(status)?;
    Ok(answer)
}

/// Runs the program to its end, whatever it prints. Whoever drops this ends it, with all that it has started; one that is
/// just being started is one of `starts` until it is ended.
///
/// # Errors
/// `Refused` if it ends with a status other than 0; `Broken` if it cannot be run.
pub(crate) async fn run(
    path: &Path,
    arguments: Vec<OsString>,
    variables: Vec<(&'static str, OsString)>,
    starts: &TaskTracker,
) -> Result<(), HookError> {
    let starting = start_with(path.to_path_buf(), arguments, variables);
    let started = starts.spawn(starting).await;
    let (pipes, mut process) =
        started.map_err(|error| HookError::broken(format!("it cannot be run: {error}")))??;
    let Pipes {
        stdin,
        stdout,
        stderr,
    } = pipes;
    drop(stdin);
    let name = path.to_string_lossy();
    let stdout = ChildStdout::from_std(stdout).map_err(no_pipe)?;
    let stderr = ChildStderr::from_std(stderr).map_err(no_pipe)?;
    let output = async { tokio::join!(ignore(stdout), log_errors(stderr, &name)) };
    let mut output = pin!(output.fuse());
    let mut end = pin!(ended(&mut process));
    let status = tokio::select! {
        status = &mut end => status?,
        _ = &mut output => (&mut end).await?,
    };
    if !output.is_terminated() {
        // Nothing is lost that was written before the end.
        let _ = timeout(FLUSH, output).await;
    }
    check(status)
}

/// Starts a program with these variables.
pub(super) async fn start(
    path: &Path,
    variables: Vec<(&'static str, OsString)>,
) -> Result<(Pipes, Process), HookError> {
    start_with(path.to_path_buf(), Vec::new(), variables).await
}

async fn start_with(
    program: PathBuf,
    arguments: Vec<OsString>,
    variables: Vec<(&'static str, OsString)>,
) -> Result<(Pipes, Process), HookError> {
    let started = process::start_trusted(Trusted {
        program,
        arguments,
        variables,
    });
    started
        .await
        .map_err(|error| HookError::broken(format!("it cannot be run: {error}")))
}

/// A program that finds nobody to write to would be ended by that.
async fn ignore(mut pipe: ChildStdout) {
    let mut dropped = [0; 4096];
    while let Ok(1..) = pipe.read(&mut dropped).await {}
}

async fn read_answer(pipe: ChildStdout) -> Result<Zeroizing<Vec<u8>>, HookError> {
    let mut answer = Zeroizing::new(Vec::new());
    let mut limited = pipe.take(MOST_ANSWERED as u64 + 1);
    limited.read_to_end(&mut answer).await.map_err(no_pipe)?;
    if answer.len() > MOST_ANSWERED {
        let reason = format!("it printed more than {MOST_ANSWERED} bytes");
        return Err(HookError::broken(reason));
    }
    Ok(answer)
}

async fn ended(process: &mut Process) -> Result<ExitStatus, HookError> {
    let status = (&mut process.ended).await;
    let status = status.map_err(|_| HookError::broken("it was lost"))?;
    status.map_err(|error| HookError::broken(format!("it was lost: {error}")))
}

/// It says yes by ending well.
fn check(status: ExitStatus) -> Result<(), HookError> {
    if status.success() {
        Ok(())
    } else {
        Err(HookError::refused(format!("it ended with {status}")))
    }
}

pub(super) fn no_pipe(error: io::Error) -> HookError {
    HookError::broken(format!("its output cannot be read: {error}"))
}
