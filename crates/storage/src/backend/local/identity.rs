//! The files that uploads have open: who appends to one takes a turn with everybody else who does.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use rustix::fs::Stat;

use super::stat::id;
use crate::metadata::FileId;

/// The inodes that uploads of this process have open.
#[derive(Debug, Default)]
pub(super) struct OpenInodes {
    table: Mutex<HashMap<FileId, Open>>,
}

#[derive(Debug, Default)]
struct Open {
    uploads: usize,
    appending: Arc<tokio::sync::Mutex<()>>,
}

impl OpenInodes {
    /// Notes that an upload has the file open that `stat` describes. What is returned must go before the file is closed: an
    /// inode cannot be given away while somebody has it open.
    pub(super) fn enter(self: &Arc<Self>, stat: &Stat) -> Identity {
        let id = id(stat);
        let mut table = self.table.lock();
        let open = table.entry(id).or_default();
        open.uploads += 1;
        Identity {
            inodes: Arc::clone(self),
            id,
            appending: Arc::clone(&open.appending),
        }
    }
}

/// An upload's claim on the identity of its file.
#[derive(Debug)]
pub(super) struct Identity {
    inodes: Arc<OpenInodes>,
    id: FileId,
    appending: Arc<tokio::sync::Mutex<()>>,
}

impl Identity {
    /// The turn of appending, shared by all uploads of the file. An async lock: whoever has it may wait for a disk, or for
    /// the data provider's word on a quota.
    pub(super) fn appending(&self) -> &Arc<tokio::sync::Mutex<()>> {
        &self.appending
    }
}

impl Drop for Identity {
    /// The last upload of a file forgets it.
    fn drop(&mut self) {
        let mut table = self.inodes.table.lock();
        if let Some(open) = table.get_mut(&self.id) {
            open.uploads -= 1;
            if open.uploads == 0 {
                table.remove(&self.id);
            }
        }
    }
}
