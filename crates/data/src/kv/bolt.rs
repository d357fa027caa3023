//! The `bolt` driver: accounts in one file, kept by redb (<https://docs.rs/redb>).
//!
//! One thread writes and does several changes together; readers see the store as it was at one moment and wait for
//! nobody. Accounts are on the disk before the caller hears of it. Counters and times are in a table of their own and
//! reach the disk within half a second, so that a login or a finished upload waits for no disk.
//!
//! The file is not that of the reference's driver of this name, whose format only Go can write; such a file is refused.

mod engine;
mod fault;
mod file;
mod schema;
mod store;
mod tables;
#[cfg(test)]
pub(crate) mod tests;
mod writer;

pub(crate) use engine::BoltProvider;
pub(crate) use schema::Found;

use std::path::Path;
use std::time::Duration;

use crate::config::DataProviderSettings;
use crate::error::{DataError, DataErrorKind, DataResult};

/// How long another process may hold the file before opening it fails (reference 5.5).
const LOCK_DEADLINE: Duration = Duration::from_secs(5);

/// Opens the file that the settings name; it is made if there is none.
///
/// # Errors
/// `Corrupt` or `TooNew` if the file is not ours to use, `Unavailable` if it cannot be opened or another process has it.
pub(crate) async fn open(settings: &DataProviderSettings) -> DataResult<(BoltProvider, Found)> {
    let path = settings.file.as_deref().ok_or_else(|| {
        let message = "data_provider.name: the bolt driver needs the name of a file";
        DataError::new(DataErrorKind::Internal, message)
    })?;
    open_file(path, LOCK_DEADLINE).await
}

async fn open_file(path: &Path, patience: Duration) -> DataResult<(BoltProvider, Found)> {
    let location = format!("bolt database {}", path.display());
    let path = path.to_owned();
    engine::open(location, move |faults| file::open(&path, patience, faults)).await
}
