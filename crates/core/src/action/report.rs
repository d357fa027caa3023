//! [`FileReport`]: what an open file needs to be told of when it is closed.

use std::sync::Arc;

use sftpgo_model::FileEvent;

use super::file::{FileAction, Place};
use super::runner::ActionRunner;

/// Reports what has become of one file.
#[derive(Debug, Clone)]
pub(crate) struct FileReport {
    pub(crate) runner: Arc<ActionRunner>,
    pub(crate) place: Place,
}

impl FileReport {
    /// Tells whoever wants to know. Never waits.
    pub(crate) fn tell(&self, event: FileEvent, username: &str, size: u64) {
        self.runner.file(event, || FileAction {
            event,
            username: username.to_owned(),
            place: self.place.clone(),
            target: None,
            command: None,
            size,
        });
    }
}
