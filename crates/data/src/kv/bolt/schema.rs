//! Which tables there are, and the version of what they hold.

use redb::{Database, ReadTransaction, ReadableDatabase, TableDefinition, TableHandle as _};

use super::fault::Faults;
use crate::error::{DataErrorKind, DataResult};

/// Name to account: the JSON of the reference, without counters and times.
pub(super) const USERS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("users");
/// Id to name.
pub(super) const IDS: TableDefinition<'_, i64, &str> = TableDefinition::new("users_id_idx");
/// Name to what changes often, and the limits that such changes are compared with: a copy of those of the account, so
/// that a reservation reads these few bytes and no JSON. In the order of [`Usage`](crate::kv::Usage).
pub(super) const USAGE: TableDefinition<'_, &str, UsageRow> = TableDefinition::new("usage");
/// Numbers about the file.
pub(super) const NUMBERS: TableDefinition<'_, &str, i64> = TableDefinition::new("numbers");

pub(super) type UsageRow = (i64, i64, i64, i64, i64, i64);

/// In [`NUMBERS`]: the version of the tables.
const SCHEMA_VERSION: &str = "schema_version";
/// In [`NUMBERS`]: the highest id ever given.
pub(super) const HIGHEST_ID: &str = "highest_id";

/// The version that this program writes.
const VERSION: i64 = 1;

/// What a file held when it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing.
    Empty,
    /// Our tables.
    UpToDate,
}

/// Looks at a file and changes nothing.
pub(super) fn look(database: &impl ReadableDatabase, faults: &Faults) -> DataResult<Found> {
    let transaction = database
        .begin_read()
        .map_err(|error| faults.classify(error))?;
    let tables = transaction
        .list_tables()
        .map_err(|error| faults.classify(error))?;
    let names: Vec<String> = tables.map(|table| table.name().to_owned()).collect();
    if names.is_empty() {
        return Ok(Found::Empty);
    }
    let version = if names.iter().any(|name| name == NUMBERS.name()) {
        version(&transaction, faults)?
    } else {
        None
    };
    match version {
        Some(VERSION) => Ok(Found::UpToDate),
        Some(newer) if newer > VERSION => {
            let what = format!(
                "its schema has version {newer}, made by a newer program; this one knows up to {VERSION}"
            );
            Err(faults.error(DataErrorKind::TooNew, &what))
        }
        Some(_) | None => {
            let what = "it was made by another program; name another file in data_provider.name";
            Err(faults.error(DataErrorKind::Corrupt, what))
        }
    }
}

fn version(transaction: &ReadTransaction, faults: &Faults) -> DataResult<Option<i64>> {
    let numbers = transaction
        .open_table(NUMBERS)
        .map_err(|error| faults.classify(error))?;
    let version = numbers
        .get(SCHEMA_VERSION)
        .map_err(|error| faults.classify(error))?;
    Ok(version.map(|version| version.value()))
}

/// Makes the tables if there are none.
pub(super) fn prepare(database: &Database, faults: &Faults) -> DataResult<Found> {
    let found = look(database, faults)?;
    if found == Found::Empty {
        let made = make(database);
        made.map_err(|error| faults.classify(error))?;
    }
    Ok(found)
}

fn make(database: &Database) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    transaction.open_table(USERS)?;
    transaction.open_table(IDS)?;
    transaction.open_table(USAGE)?;
    transaction
        .open_table(NUMBERS)?
        .insert(SCHEMA_VERSION, VERSION)?;
    transaction.commit()?;
    Ok(())
}
