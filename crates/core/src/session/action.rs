//! Where a session meets the operator's actions: gates that are asked before something is done, and events that are reported
//! afterwards.

use sftpgo_model::action::Event as _;
use sftpgo_model::{FileEvent, VirtualPath};
use sftpgo_storage::{Links, StorageErrorKind};

use super::Session;
use crate::access::Permit;
use crate::action::{FileAction, FileReport, Place};
use crate::error::{OpError, OpErrorKind, OpResult};
use crate::hook::{HookError, HookErrorKind};

impl Session {
    /// Whether somebody is asked before this is done.
    pub(super) fn has_gate(&self, event: FileEvent) -> bool {
        self.core().actions().wants(event)
    }

    /// Asks whether something may be done, if anybody wants to be asked. Nothing may have been touched yet.
    ///
    /// # Errors
    /// `PermissionDenied`: somebody says no, or nobody says yes in time.
    pub(super) async fn ask_gate(
        &self,
        event: FileEvent,
        permit: &Permit,
        size: u64,
    ) -> OpResult<()> {
        self.ask_about(event, permit.place(), size).await
    }

    /// The same before a file is opened to be read. Whoever is asked may make the file that is to be read, so one that is
    /// not there is asked about, too. `false` if nobody was asked, because it is no file.
    pub(super) async fn ask_to_read(&self, permit: &Permit) -> OpResult<bool> {
        if !self.has_gate(FileEvent::PreDownload) {
            return Ok(true);
        }
        let found = permit.storage()?.stat(&permit.target, Links::Follow).await;
        let size = match found {
            Ok(found) if found.is_file() => found.size,
            Ok(_) => return Ok(false),
            Err(error) if error.kind() == StorageErrorKind::NotFound => 0,
            Err(error) => return Err(error.into()),
        };
        self.ask_gate(FileEvent::PreDownload, permit, size).await?;
        Ok(true)
    }

    /// Asks about what is handed to a program (git, rsync) that nobody asks afterwards: everything that it may need.
    pub(crate) async fn ask_about_tree(&self, path: &VirtualPath, writes: bool) -> OpResult<()> {
        let events: &[FileEvent] = if writes {
            &[
                FileEvent::PreDownload,
                FileEvent::PreUpload,
                FileEvent::PreDelete,
            ]
        } else {
            &[FileEvent::PreDownload]
        };
        for event in events {
            self.ask_about(*event, self.place_of(path), 0).await?;
        }
        Ok(())
    }

    async fn ask_about(&self, event: FileEvent, place: Place, size: u64) -> OpResult<()> {
        if !self.has_gate(event) {
            return Ok(());
        }
        let action = FileAction {
            event,
            username: self.username().to_owned(),
            place,
            target: None,
            command: None,
            size,
        };
        let cancel = &self.connection().info.cancel;
        // Boxed: what opens files carries it along, and few servers have gates.
        let asked = Box::pin(self.core().actions().ask(&action, cancel)).await;
        asked.map_err(|error| self.refused_by_gate(&action, &error))
    }

    fn refused_by_gate(&self, action: &FileAction, error: &HookError) -> OpError {
        let refusals = &self.core().metrics().gate_refusals;
        let (event, connection) = (action.event.name(), self.connection());
        let path = sftpgo_model::path::escape_bytes(&action.place.path);
        match error.kind() {
            HookErrorKind::Refused => {
                refusals.increment();
                tracing::info!(
                    sender = "action",
                    action = event,
                    connection_id = connection.info.id,
                    username = self.username(),
                    file_path = path,
                    "refused by {event} (sftpd.actions): {error}"
                );
            }
            HookErrorKind::Broken | HookErrorKind::Busy => {
                refusals.increment();
                tracing::warn!(
                    sender = "action",
                    action = event,
                    connection_id = connection.info.id,
                    username = self.username(),
                    file_path = path,
                    "{event} (sftpd.actions) did not answer, so this was refused: {error}"
                );
            }
            // Nobody is there to be refused anything.
            HookErrorKind::Gone => {}
        }
        OpError::with_source(OpErrorKind::PermissionDenied, format!("{event}: {error}"))
    }

    /// Reports what an open file becomes.
    pub(super) fn file_report(&self, permit: &Permit) -> FileReport {
        FileReport {
            runner: self.core().actions().clone(),
            place: permit.place(),
        }
    }

    /// Reports that something has another name.
    pub(super) fn report_rename(&self, from: &Permit, to: &Permit) {
        let event = FileEvent::Rename;
        self.core().actions().file(event, || FileAction {
            event,
            username: self.username().to_owned(),
            place: from.place(),
            target: Some(to.place()),
            command: None,
            size: 0,
        });
    }

    /// Reports that a command of that name ended well; `path` is its last argument, if it has one. Not for `scp`, whose
    /// files are reported one by one.
    pub fn report_command(&self, name: &str, path: Option<&VirtualPath>) {
        let event = FileEvent::SshCommand;
        self.core().actions().file(event, || FileAction {
            event,
            username: self.username().to_owned(),
            place: match path {
                Some(path) => self.place_of(path),
                None => Place {
                    path: Vec::new(),
                    ..self.place_of(&VirtualPath::root())
                },
            },
            target: None,
            command: Some(name.to_owned()),
            size: 0,
        });
    }

    fn place_of(&self, path: &VirtualPath) -> Place {
        let (mount, inside) = self.mounts().locate(path);
        mount.place(&inside)
    }
}
