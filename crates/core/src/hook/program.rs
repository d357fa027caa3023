//! A program that is asked once: the question is in its environment, the answer what it prints.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::ExitStatus;

use tokio::io::AsyncReadExt as _;
use tokio::process::{ChildStderr, ChildStdout};
use zeroize::Zeroizing;

use super::MOST_ANSWERED;
use super::error::HookError;
use super::errors::log_errors;
use crate::program::process::{self, Pipes, Process};

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
    if status.success() {
        Ok(answer)
    } else {
        Err(HookError::refused(format!("it ended with {status}")))
    }
}

/// Starts a program with these variables.
pub(super) async fn start(
    path: &Path,
    variables: Vec<(&'static str, OsString)>,
) -> Result<(Pipes, Process), HookError> {
    let variables = variables
        .into_iter()
        .map(|(name, value)| (name.into(), value));
    let started = process::start_trusted(path.to_path_buf(), variables.collect());
    started
        .await
        .map_err(|error| HookError::broken(format!("it cannot be run: {error}")))
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

pub(super) fn no_pipe(error: io::Error) -> HookError {
    HookError::broken(format!("its output cannot be read: {error}"))
}
