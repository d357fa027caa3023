//! Which file an upload has open, told apart from later files that get the same inode number.
//!
//! File systems give the number of a removed file to the next new one at once. Accounting asks "has anybody this file open
//! that I have just removed?", so the number alone would name an upload that began a moment later. An inode cannot be given
//! away while somebody has it open: each gets a generation when the first upload opens it, which ends with the last.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use rustix::fs::Stat;

use super::stat::{id, metadata};
use crate::metadata::{FileId, Metadata};

/// The inodes that uploads of this process have open.
#[derive(Debug, Default)]
pub(super) struct OpenInodes {
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    generation: u64,
    open: HashMap<FileId, Generation>,
}

#[derive(Debug)]
struct Generation {
    number: u64,
    uploads: usize,
}

impl OpenInodes {
    /// Notes that an upload has the file open that `stat` describes. What is returned must go before the file is closed.
    pub(super) fn enter(self: &Arc<Self>, stat: &Stat) -> Identity {
        let plain = id(stat);
        let mut table = self.table.lock();
        table.generation += 1;
        let next = table.generation;
        let generation = table.open.entry(plain).or_insert(Generation {
            number: next,
            uploads: 0,
        });
        generation.uploads += 1;
        Identity {
            inodes: Arc::clone(self),
            plain,
            generation: generation.number,
        }
    }

    /// The metadata of a file that cannot be given away just now, because a descriptor pins it.
    pub(super) fn describe(&self, pinned: &Stat) -> Metadata {
        let mut metadata = metadata(pinned);
        if let Some(id) = &mut metadata.id
            && let Some(generation) = self.table.lock().open.get(id)
        {
            id.generation = generation.number;
        }
        metadata
    }
}

/// An upload's claim on the identity of its file.
#[derive(Debug)]
pub(super) struct Identity {
    inodes: Arc<OpenInodes>,
    plain: FileId,
    generation: u64,
}

impl Identity {
    /// Metadata of this file, with its identity.
    pub(super) fn name(&self, mut metadata: Metadata) -> Metadata {
        metadata.id = Some(FileId {
            generation: self.generation,
            ..self.plain
        });
        metadata
    }
}

impl Drop for Identity {
    /// The last upload of a file ends its generation.
    fn drop(&mut self) {
        let mut table = self.inodes.table.lock();
        if let Some(generation) = table.open.get_mut(&self.plain) {
            generation.uploads -= 1;
            if generation.uploads == 0 {
                table.open.remove(&self.plain);
            }
        }
    }
}
