//! Dump and restore on a running server: one at a time, to the end also if nobody waits any more, and no longer than the
//! server runs.

use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sftpgo_data::dump::{self, MAX_DUMP_SIZE};
use sftpgo_model::{RestoreOptions, UserRecord};
use tokio::sync::OwnedMutexGuard;

use super::dump_file::DumpFile;
use super::error::{AdminError, AdminErrorKind};
use super::restore::{Restore, RestoreCounts};
use crate::engine::Core;
use crate::quota::Quiet;

/// How long one that is under way is waited for.
const TURN: Duration = Duration::from_secs(60);

impl Core {
    /// Writes all accounts to a file; gives their number.
    ///
    /// # Errors
    /// As [`DumpFile::write`].
    pub async fn dump_users(
        self: &Arc<Self>,
        file: DumpFile,
        indented: bool,
    ) -> Result<u64, AdminError> {
        let core = Arc::clone(self);
        self.to_the_end(async move {
            core.flush_quota().await;
            let dump = core.user_admin().dump(indented);
            let written = tokio::select! {
                written = file.write(&core.backends, dump) => written,
                () = core.stopping() => Err(stopping()),
            };
            match &written {
                Ok(users) => {
                    tracing::info!(sender = "dump", users, file = %file.path, "users dumped")
                }
                Err(error) => {
                    tracing::warn!(sender = "dump", file = %file.path, "users not dumped: {error}")
                }
            }
            written
        })
        .await
    }

    /// Restores the accounts of a dump file of [`MAX_DUMP_SIZE`] bytes at most. Nothing is changed if it is no dump; the first
    /// account that fails ends it, and those before it stay restored. Scans follow in the background.
    ///
    /// # Errors
    /// `BadRequest` if the file is not there or no dump, `TooLarge`, and those of [`Restore::user`].
    pub async fn restore_users(
        self: &Arc<Self>,
        path: PathBuf,
        options: RestoreOptions,
    ) -> Result<RestoreCounts, AdminError> {
        let core = Arc::clone(self);
        self.to_the_end(async move {
            let reading = tokio::task::spawn_blocking(move || read(&path));
            let users = reading.await.map_err(internal)??;
            core.restore_all(users, options).await
        })
        .await
    }

    /// Restores the accounts of a dump that somebody sent; otherwise as [`restore_users`](Self::restore_users).
    ///
    /// # Errors
    /// `TooLarge`, `BadRequest` if it is no dump, and those of [`Restore::user`].
    pub async fn restore_sent_users(
        self: &Arc<Self>,
        text: impl AsRef<[u8]> + Send + 'static,
        options: RestoreOptions,
    ) -> Result<RestoreCounts, AdminError> {
        let core = Arc::clone(self);
        self.to_the_end(async move {
            let parsing = tokio::task::spawn_blocking(move || parse(text.as_ref(), "the file"));
            let users = parsing.await.map_err(internal)??;
            core.restore_all(users, options).await
        })
        .await
    }

    async fn restore_all(
        self: &Arc<Self>,
        users: Vec<UserRecord>,
        options: RestoreOptions,
    ) -> Result<RestoreCounts, AdminError> {
        let mut restore = Restore::new(self.user_admin(), options);
        let mut result = Ok(());
        for user in users {
            result = tokio::select! {
                biased;
                () = self.stopping() => Err(stopping()),
                restored = restore.user(user) => restored,
            };
            if result.is_err() {
                break;
            }
        }
        let RestoreCounts {
            added,
            replaced,
            kept,
        } = restore.counts();
        match &result {
            Ok(()) => tracing::info!(sender = "restore", added, replaced, kept, "users restored"),
            Err(error) => tracing::warn!(
                sender = "restore",
                added,
                replaced,
                kept,
                "restoring users ended early: {error}"
            ),
        }
        let counts = restore.counts();
        let to_scan = restore.into_scans();
        if !to_scan.is_empty() {
            let core = Arc::clone(self);
            self.tasks().spawn(async move {
                core.scan_quotas(to_scan, Quiet::Serving).await;
            });
        }
        result.map(|()| counts)
    }

    /// Does `work` in a task of its own when no other dump or restore is under way. Whoever gives up waiting for the turn
    /// leaves nothing behind; once it is begun it goes on.
    async fn to_the_end<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, AdminError>> + Send + 'static,
    ) -> Result<T, AdminError> {
        let turn = Arc::clone(&self.all_accounts).lock_owned();
        let turn: OwnedMutexGuard<()> = tokio::time::timeout(TURN, turn).await.map_err(|_| {
            let message = "another dump or restore is under way; try again later";
            AdminError::new(AdminErrorKind::Unavailable, message)
        })?;
        let task = self.tasks().spawn(async move {
            let done = work.await;
            drop(turn);
            done
        });
        task.await.map_err(internal)?
    }
}

/// The accounts of a dump file.
fn read(path: &Path) -> Result<Vec<UserRecord>, AdminError> {
    let shown = path.display();
    let text = dump::read(path).map_err(|error| {
        let wrong_name = matches!(
            error.kind(),
            io::ErrorKind::NotFound
                | io::ErrorKind::NotADirectory
                | io::ErrorKind::InvalidInput
                | io::ErrorKind::InvalidFilename
        );
        let kind = if wrong_name {
            AdminErrorKind::BadRequest
        } else {
            AdminErrorKind::Internal
        };
        AdminError::new(kind, format!("cannot read {shown}: {error}"))
    })?;
    match text {
        Some(text) => parse(&text, &shown.to_string()),
        None => Err(too_large(&shown.to_string())),
    }
}

/// The accounts of a dump that errors call `name`.
fn parse(text: &[u8], name: &str) -> Result<Vec<UserRecord>, AdminError> {
    if text.len() as u64 > MAX_DUMP_SIZE {
        return Err(too_large(name));
    }
    dump::parse(text).map_err(|error| {
        let message = format!("{name} is no dump: {error}");
        AdminError::new(AdminErrorKind::BadRequest, message)
    })
}

fn too_large(name: &str) -> AdminError {
    let message = format!("{name} is larger than {MAX_DUMP_SIZE} bytes");
    AdminError::new(AdminErrorKind::TooLarge, message)
}

fn stopping() -> AdminError {
    AdminError::new(AdminErrorKind::Unavailable, "the server stops")
}

fn internal(error: tokio::task::JoinError) -> AdminError {
    AdminError::new(AdminErrorKind::Internal, error.to_string())
}
