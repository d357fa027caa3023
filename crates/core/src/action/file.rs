//! What is told of files and SSH commands (reference 10.1, D.4).

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;

use sftpgo_model::FileEvent;
use sftpgo_model::action::Event as _;

use super::courier::Message;

/// Where something is on the server: an absolute path, or the key in an object store. Bytes, as names are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// Empty if it is nowhere.
    pub(crate) path: Vec<u8>,
    /// Whether it is on a disk of this server.
    pub(crate) local: bool,
}

/// Something that has happened to a file, or is about to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileAction {
    pub(crate) event: FileEvent,
    pub(crate) username: String,
    pub(crate) place: Place,
    /// Where it has gone.
    pub(crate) target: Option<Place>,
    /// The name of an SSH command.
    pub(crate) command: Option<String>,
    /// Bytes; 0 is not told.
    pub(crate) size: u64,
}

impl FileAction {
    /// The five arguments, the variables, and the query in the order of its names.
    pub(super) fn message(&self) -> Message {
        let event = self.event.name();
        let path = &self.place.path;
        let target = self.target.as_ref().map(|target| &target.path);
        let target_or_empty = target.cloned().unwrap_or_default();
        let command = self.command.as_deref().unwrap_or_default();
        let size = match self.size {
            0 => String::new(),
            size => size.to_string(),
        };
        let local = if self.place.local { "true" } else { "false" };
        let bytes = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
        let mut query = vec![("action", event.into())];
        if !size.is_empty() {
            query.push(("file_size", size.clone().into()));
        }
        query.push(("local_file", local.into()));
        query.push(("path", path.clone()));
        if let Some(command) = &self.command {
            query.push(("ssh_cmd", command.clone().into()));
        }
        if let Some(target) = target {
            query.push(("target_path", target.clone()));
        }
        query.push(("username", self.username.clone().into()));
        Message {
            arguments: vec![
                event.into(),
                self.username.clone().into(),
                bytes(path),
                bytes(&target_or_empty),
                command.into(),
            ],
            variables: vec![
                ("SFTPGO_ACTION", event.into()),
                ("SFTPGO_ACTION_USERNAME", self.username.clone().into()),
                ("SFTPGO_ACTION_PATH", bytes(path)),
                ("SFTPGO_ACTION_TARGET", bytes(&target_or_empty)),
                ("SFTPGO_ACTION_SSH_CMD", command.into()),
                ("SFTPGO_ACTION_FILE_SIZE", size.into()),
                ("SFTPGO_ACTION_LOCAL_FILE", local.into()),
            ],
            query,
            body: None,
        }
    }
}
