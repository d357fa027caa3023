//! The engine below the provider: who may come in, where looking and changing runs, and until when.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use redb::Database;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::fault::Faults;
use super::schema::Found;
use super::store::Store;
use super::writer::Writer;
use crate::error::{DataError, DataErrorKind, DataResult};
use crate::gate::Gate;
use crate::kv::engine::{KvEngine, Lasting, Page, ReadTable, WriteTable};
use crate::kv::provider::KvProvider;
use crate::name_range::NameRange;
use crate::provider::{SortOrder, UserQuery};

/// Accounts in a file.
pub(crate) type BoltProvider = KvProvider<BoltEngine>;

/// Longest time a call may take, waiting included.
const CALL_DEADLINE: Duration = Duration::from_secs(20);
/// Longest time a check may take (reference 5.1).
const CHECK_DEADLINE: Duration = Duration::from_secs(10);
/// How long closing waits for what is on its way to the disk.
const CLOSE_DEADLINE: Duration = Duration::from_secs(10);
/// Threads that read at a time.
const READERS: usize = 8;

/// An open file and the thread that writes it.
pub(crate) struct BoltEngine {
    store: Arc<Store>,
    writer: Writer,
    readers: Arc<Semaphore>,
    gate: Gate,
}

/// Opens a file; `opener` does so now, and again if it fails later.
pub(super) async fn open(
    location: String,
    opener: impl Fn(&Faults) -> DataResult<Database> + Send + Sync + 'static,
) -> DataResult<(BoltProvider, Found)> {
    let what = location.clone();
    // A damaged file can make redb panic: then this task fails, and not the process.
    let opened = tokio::task::spawn_blocking(move || {
        let (store, found) = Store::open(Box::new(opener), location)?;
        let store = Arc::new(store);
        let writer = Writer::start(Arc::clone(&store));
        let writer = writer.map_err(|error| {
            let context = "cannot start the thread that writes";
            DataError::with_source(DataErrorKind::Unavailable, context, error)
        })?;
        let engine = BoltEngine {
            store,
            writer,
            readers: Arc::new(Semaphore::new(READERS)),
            gate: Gate::new(),
        };
        Ok((KvProvider::new(engine), found))
    });
    opened.await.unwrap_or_else(|error| {
        let context = format!("{what} cannot be opened, it may be damaged");
        Err(DataError::with_source(
            DataErrorKind::Corrupt,
            context,
            error,
        ))
    })
}

impl BoltEngine {
    async fn within<T>(
        &self,
        deadline: Duration,
        work: impl Future<Output = DataResult<T>> + Send,
    ) -> DataResult<T> {
        let work = async {
            let _inside = self.gate.enter().await?;
            work.await
        };
        timeout(deadline, work).await.unwrap_or_else(|_| {
            let what = "it did not answer in time";
            Err(self.store.faults().error(DataErrorKind::Unavailable, what))
        })
    }

    async fn look<T, L>(&self, look: L) -> DataResult<T>
    where
        T: Send + 'static,
        L: FnOnce(&dyn ReadTable) -> DataResult<T> + Send + 'static,
    {
        let internal = |error| {
            let context = self.store.faults().location();
            DataError::with_source(DataErrorKind::Internal, context, error)
        };
        let turn = Arc::clone(&self.readers).acquire_owned();
        let turn = turn.await.map_err(|_| crate::gate::closed())?;
        let store = Arc::clone(&self.store);
        let looked = tokio::task::spawn_blocking(move || {
            let result = store.read(look);
            drop(turn);
            result
        });
        looked.await.map_err(internal)?
    }
}

impl fmt::Debug for BoltEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoltEngine")
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

impl KvEngine for BoltEngine {
    fn driver(&self) -> &'static str {
        "bolt"
    }

    async fn read<T, L>(&self, look: L) -> DataResult<T>
    where
        T: Send + 'static,
        L: FnOnce(&dyn ReadTable) -> DataResult<T> + Send + 'static,
    {
        self.within(CALL_DEADLINE, self.look(look)).await
    }

    async fn write<T, C>(&self, lasting: Lasting, change: C) -> DataResult<T>
    where
        T: Send + 'static,
        C: FnOnce(&mut dyn WriteTable) -> DataResult<T> + Send + 'static,
    {
        self.within(CALL_DEADLINE, self.writer.change(lasting, change))
            .await
    }

    /// Looks at an account, and lets the thread that writes begin a change of nothing, which also opens a file again
    /// that failed.
    async fn check(&self) -> DataResult<()> {
        let check = async {
            let writable = self.writer.change(Lasting::Soon, |_| Ok(())).await;
            let one = Page {
                range: NameRange::of(&UserQuery::default()),
                order: SortOrder::Ascending,
                offset: 0,
                limit: 1,
            };
            let look = move |table: &dyn ReadTable| table.page(&one).map(drop);
            self.look(look).await.and(writable)
        };
        self.within(CHECK_DEADLINE, check).await
    }

    async fn close(&self) {
        if self.gate.close(CALL_DEADLINE).await
            && timeout(CLOSE_DEADLINE, self.writer.end()).await.is_err()
        {
            tracing::warn!(
                "{} is still being written; it is checked when it is opened again",
                self.store.faults().location()
            );
        }
    }
}
