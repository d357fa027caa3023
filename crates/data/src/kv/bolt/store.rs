//! The open file: readers come and go, and the thread that writes can replace it when a disk failed.

use std::fmt;
use std::sync::Arc;

use parking_lot::RwLock;
use redb::{Database, ReadableDatabase as _, WriteTransaction};

use super::fault::Faults;
use super::schema::{self, Found};
use super::tables;
use crate::error::{DataErrorKind, DataResult};
use crate::kv::engine::ReadTable;

/// Opens the file, at first and again.
pub(super) type Opener = Box<dyn Fn(&Faults) -> DataResult<Database> + Send + Sync>;

pub(super) struct Store {
    opener: Opener,
    faults: Arc<Faults>,
    /// Held by readers while they look, alone by the writer to replace it.
    database: RwLock<Option<Database>>,
}

impl Store {
    pub(super) fn open(opener: Opener, location: String) -> DataResult<(Self, Found)> {
        let faults = Arc::new(Faults::new(location));
        let database = opener(&faults)?;
        let found = schema::prepare(&database, &faults)?;
        let store = Self {
            opener,
            faults,
            database: RwLock::new(Some(database)),
        };
        Ok((store, found))
    }

    pub(super) fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Looks at the accounts of this moment.
    pub(super) fn read<T>(
        &self,
        look: impl FnOnce(&dyn ReadTable) -> DataResult<T>,
    ) -> DataResult<T> {
        let database = self.database.read();
        let database = database.as_ref().ok_or_else(|| {
            let what = "it failed and could not be opened again yet";
            self.faults.error(DataErrorKind::Unavailable, what)
        })?;
        let transaction = database
            .begin_read()
            .map_err(|error| self.faults.classify(error))?;
        tables::read(&transaction, &self.faults, look)
    }

    /// Begins a change. For the thread that writes.
    pub(super) fn begin(&self) -> DataResult<WriteTransaction> {
        let database = self.database.read();
        let begun = database.as_ref().map(Database::begin_write);
        match begun {
            Some(begun) => begun.map_err(|error| {
                // Also after a commit that failed, which redb reports as a corruption.
                self.faults.set_broken();
                self.faults.classify(error)
            }),
            None => Err(self.faults.error(DataErrorKind::Unavailable, "not open")),
        }
    }

    /// Closes the file after a failure and opens it again: what was not committed for good is gone.
    pub(super) fn reopen(&self) -> DataResult<()> {
        let mut database = self.database.write();
        // The lock of the file goes with it.
        drop(database.take());
        let opened = (self.opener)(&self.faults)?;
        schema::prepare(&opened, &self.faults)?;
        *database = Some(opened);
        self.faults.mend();
        tracing::warn!(
            "{} failed and was opened again; counters and last logins of the last moment may be lost",
            self.faults.location()
        );
        Ok(())
    }

    /// Makes everything last, and lets the file go.
    pub(super) fn close(&self) {
        let database = self.database.write().take();
        if let Some(Err(error)) = database.map(Database::close) {
            tracing::error!(
                "closing {}: {error}; it is checked when it is opened again",
                self.faults.location()
            );
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("location", &self.faults.location())
            .finish_non_exhaustive()
    }
}
