//! Accounts in the tables of the file. Reading is the same within a change and without.

use std::sync::Arc;

use redb::{ReadTransaction, ReadableTable, Table, WriteTransaction};
use sftpgo_model::UserRecord;

use super::fault::Faults;
use super::schema::{HIGHEST_ID, IDS, NUMBERS, USAGE, USERS, UsageRow};
use crate::error::{DataErrorKind, DataResult};
use crate::kv::engine::{Page, ReadTable, Usage, WriteTable};
use crate::provider::SortOrder;

/// The tables that are read: for changing, or as they were at one moment.
pub(super) struct Tables<'f, U, I, C> {
    users: U,
    ids: I,
    usage: C,
    faults: &'f Faults,
}

/// Gives the accounts of one moment to `look`.
pub(super) fn read<T>(
    transaction: &ReadTransaction,
    faults: &Faults,
    look: impl FnOnce(&dyn ReadTable) -> DataResult<T>,
) -> DataResult<T> {
    let fault = |error| faults.classify(redb::Error::from(error));
    look(&Tables {
        users: transaction.open_table(USERS).map_err(fault)?,
        ids: transaction.open_table(IDS).map_err(fault)?,
        usage: transaction.open_table(USAGE).map_err(fault)?,
        faults,
    })
}

impl<U, I, C> Tables<'_, U, I, C>
where
    U: ReadableTable<&'static str, &'static [u8]>,
{
    fn record(&self, username: &str, usage: Usage) -> DataResult<UserRecord> {
        // The message of the error would be about the text, which holds secrets.
        let corrupt = || {
            let what = format!("the record of user {username:?} cannot be read");
            self.faults.error(DataErrorKind::Corrupt, &what)
        };
        let text = self.users.get(username);
        let text = text.map_err(|error| self.faults.classify(error))?;
        let text = text.ok_or_else(corrupt)?;
        let mut record = UserRecord::from_json(text.value()).map_err(|_| corrupt())?;
        usage.store_in(&mut record);
        Ok(record)
    }
}

impl<U, I, C> ReadTable for Tables<'_, U, I, C>
where
    U: ReadableTable<&'static str, &'static [u8]>,
    I: ReadableTable<i64, &'static str>,
    C: ReadableTable<&'static str, UsageRow>,
{
    fn by_name(&self, username: &str) -> DataResult<Option<Arc<UserRecord>>> {
        let Some(usage) = self.usage(username)? else {
            return Ok(None);
        };
        self.record(username, usage).map(Arc::new).map(Some)
    }

    fn by_id(&self, id: i64) -> DataResult<Option<Arc<UserRecord>>> {
        let name = self.ids.get(id);
        match name.map_err(|error| self.faults.classify(error))? {
            Some(name) => self.by_name(name.value()),
            None => Ok(None),
        }
    }

    fn usage(&self, username: &str) -> DataResult<Option<Usage>> {
        let row = self.usage.get(username);
        let row = row.map_err(|error| self.faults.classify(error))?;
        Ok(row.map(|row| from_row(row.value())))
    }

    /// Leaves out by names alone: dozens of them are in a page of the file, of accounts there are one or two.
    fn page(&self, page: &Page) -> DataResult<Vec<UserRecord>> {
        let fault = |error| self.faults.classify(redb::Error::from(error));
        let (offset, limit) = (page.offset, page.limit);
        let mut names = self
            .usage
            .range::<&str>(page.range.bounds())
            .map_err(fault)?;
        let mut next = move || match page.order {
            SortOrder::Ascending => names.next(),
            SortOrder::Descending => names.next_back(),
        };
        for _ in 0..offset {
            match next() {
                Some(entry) => drop(entry.map_err(fault)?),
                None => return Ok(Vec::new()),
            }
        }
        let mut records = Vec::new();
        while records.len() < limit {
            let Some(entry) = next() else { break };
            let (name, row) = entry.map_err(fault)?;
            records.push(self.record(name.value(), from_row(row.value()))?);
        }
        Ok(records)
    }
}

fn from_row(row: UsageRow) -> Usage {
    let (files, bytes, updated, last_login, limit_files, limit_bytes) = row;
    Usage {
        files,
        bytes,
        updated,
        last_login,
        limit_files,
        limit_bytes,
    }
}

fn to_row(usage: Usage) -> UsageRow {
    (
        usage.files,
        usage.bytes,
        usage.updated,
        usage.last_login,
        usage.limit_files,
        usage.limit_bytes,
    )
}

type Changeable<'t, 'f> = Tables<
    'f,
    Table<'t, &'static str, &'static [u8]>,
    Table<'t, i64, &'static str>,
    Table<'t, &'static str, UsageRow>,
>;

/// The tables of a change.
pub(super) struct WriteTables<'t, 'f> {
    tables: Changeable<'t, 'f>,
    numbers: Table<'t, &'static str, i64>,
    /// Whether anything was written.
    pub(super) changed: bool,
}

impl<'t, 'f> WriteTables<'t, 'f> {
    pub(super) fn open(transaction: &'t WriteTransaction, faults: &'f Faults) -> DataResult<Self> {
        let fault = |error| faults.classify(redb::Error::from(error));
        Ok(Self {
            tables: Tables {
                users: transaction.open_table(USERS).map_err(fault)?,
                ids: transaction.open_table(IDS).map_err(fault)?,
                usage: transaction.open_table(USAGE).map_err(fault)?,
                faults,
            },
            numbers: transaction.open_table(NUMBERS).map_err(fault)?,
            changed: false,
        })
    }
}

impl ReadTable for WriteTables<'_, '_> {
    fn by_name(&self, username: &str) -> DataResult<Option<Arc<UserRecord>>> {
        self.tables.by_name(username)
    }

    fn by_id(&self, id: i64) -> DataResult<Option<Arc<UserRecord>>> {
        self.tables.by_id(id)
    }

    fn usage(&self, username: &str) -> DataResult<Option<Usage>> {
        ReadTable::usage(&self.tables, username)
    }

    fn page(&self, page: &Page) -> DataResult<Vec<UserRecord>> {
        self.tables.page(page)
    }
}

impl WriteTable for WriteTables<'_, '_> {
    fn next_id(&mut self) -> DataResult<i64> {
        let faults = self.tables.faults;
        let fault = |error| faults.classify(redb::Error::from(error));
        let highest = self.numbers.get(HIGHEST_ID).map_err(fault)?;
        let highest = highest.map_or(0, |highest| highest.value());
        let id = highest.checked_add(1).ok_or_else(|| {
            let what = "there is no id left for another user";
            faults.error(DataErrorKind::Internal, what)
        })?;
        self.changed = true;
        self.numbers.insert(HIGHEST_ID, id).map_err(fault)?;
        Ok(id)
    }

    fn put(&mut self, record: Arc<UserRecord>) -> DataResult<()> {
        let Tables {
            users,
            ids,
            usage,
            faults,
        } = &mut self.tables;
        let fault = |error| faults.classify(redb::Error::from(error));
        let row = to_row(Usage::of(&record));
        let mut record = Arc::unwrap_or_clone(record);
        Usage::default().store_in(&mut record);
        let text = serde_json::to_vec(&record).map_err(|_| {
            let what = format!("the record of user {:?} cannot be written", record.username);
            faults.error(DataErrorKind::Internal, &what)
        })?;
        self.changed = true;
        let username = record.username.as_str();
        users.insert(username, text.as_slice()).map_err(fault)?;
        ids.insert(record.id, username).map_err(fault)?;
        usage.insert(username, row).map_err(fault)?;
        Ok(())
    }

    fn set_usage(&mut self, username: &str, usage: Usage) -> DataResult<()> {
        self.changed = true;
        let set = self.tables.usage.insert(username, to_row(usage));
        set.map(drop)
            .map_err(|error| self.tables.faults.classify(error))
    }

    fn remove(&mut self, record: &UserRecord) -> DataResult<()> {
        self.changed = true;
        let Tables {
            users,
            ids,
            usage,
            faults,
        } = &mut self.tables;
        let fault = |error| faults.classify(redb::Error::from(error));
        users.remove(record.username.as_str()).map_err(fault)?;
        ids.remove(record.id).map_err(fault)?;
        usage.remove(record.username.as_str()).map_err(fault)?;
        Ok(())
    }
}
