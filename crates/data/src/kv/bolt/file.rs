//! The file itself: made with private permissions, told apart from what others made, and opened when nobody else has it.

use std::cell::Cell;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read as _};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use redb::backends::FileBackend;
use redb::{Builder, Database, DatabaseError, ReadOnlyDatabase, RepairSession};

use super::fault::Faults;
use super::schema;
use crate::error::{DataError, DataErrorKind, DataResult};

/// The beginning of every redb file.
const MAGIC: &[u8] = b"redb\x1a\x0a\xa9\x0d\x0a";
/// Where the Go program's format has its magic number: in either of the first two pages, whose size is that of the
/// machine's memory.
const BBOLT_MAGIC: u32 = 0xED0C_DAED;
const BBOLT_MAGIC_OFFSET: usize = 16;
const BBOLT_PAGES: [usize; 5] = [0, 4096, 8192, 16_384, 65_536];
/// What redb keeps in memory of the file; its default is 1 GiB.
const CACHE: usize = 64 * 1024 * 1024;
/// Between two attempts to get the lock.
const PAUSE: Duration = Duration::from_millis(50);

/// Opens the file, made if there is none, when no other process has it. A file of a newer program is not even changed.
pub(super) fn open(path: &Path, patience: Duration, faults: &Faults) -> DataResult<Database> {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(database) = try_open(path, faults)? {
            return Ok(database);
        }
        if Instant::now() >= deadline {
            let what = "another process has it open, most likely the running server: use its REST API, or stop it first";
            return Err(faults.error(DataErrorKind::Unavailable, what));
        }
        sleep(PAUSE);
    }
}

/// `None` if another process has it.
fn try_open(path: &Path, faults: &Faults) -> DataResult<Option<Database>> {
    let file = open_or_make(path, faults)?;
    refuse_foreign(&file, faults)?;
    if file.metadata().is_ok_and(|metadata| metadata.len() > 0) {
        match builder(faults).open_read_only(path) {
            Ok(database) => refuse_newer(&database, faults)?,
            Err(DatabaseError::DatabaseAlreadyOpen) => return Ok(None),
            // It was not closed. Opening for writing puts it in order, or says what is wrong.
            Err(_) => {}
        }
    }
    let backend = FileBackend::new(file).map_err(|error| faults.classify(error))?;
    match builder(faults).create_with_backend(backend) {
        Ok(database) => Ok(Some(database)),
        Err(DatabaseError::DatabaseAlreadyOpen) => Ok(None),
        Err(error) => Err(faults.classify(error)),
    }
}

fn open_or_make(path: &Path, faults: &Faults) -> DataResult<File> {
    let unavailable = |what: &str| faults.error(DataErrorKind::Unavailable, what);
    if path.is_dir() {
        return Err(unavailable("it is a directory"));
    }
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    unix::make_private(&mut options);
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    options.open(path).map_err(|error| {
        if error.kind() == ErrorKind::NotFound && parent.is_some_and(|parent| !parent.is_dir()) {
            return unavailable("the directory it belongs in does not exist");
        }
        DataError::with_source(DataErrorKind::Unavailable, faults.location(), error)
    })
}

/// An empty file is a new database; everything else must say what it is.
fn refuse_foreign(file: &File, faults: &Faults) -> DataResult<()> {
    let mut start = Vec::new();
    let longest = BBOLT_PAGES.last().copied().unwrap_or(0) + BBOLT_MAGIC_OFFSET + 4;
    file.take(longest as u64)
        .read_to_end(&mut start)
        .map_err(|error| {
            DataError::with_source(DataErrorKind::Unavailable, faults.location(), error)
        })?;
    if start.is_empty() || start.starts_with(MAGIC) {
        return Ok(());
    }
    let what = if BBOLT_PAGES.iter().any(|page| is_bbolt(&start, *page)) {
        "it was made by SFTPGo for Go, whose format this driver cannot read. To move its accounts, dump them with that \
         program (GET /api/v1/dumpdata), name a new file in data_provider.name, and load the dump \
         (GET /api/v1/loaddata)"
    } else {
        "it is not a database of this driver; name another file in data_provider.name"
    };
    Err(faults.error(DataErrorKind::Corrupt, what))
}

fn is_bbolt(start: &[u8], page: usize) -> bool {
    let magic = start.get(page + BBOLT_MAGIC_OFFSET..page + BBOLT_MAGIC_OFFSET + 4);
    // Written in the order of the machine it was made on.
    magic.is_some_and(|magic| {
        magic == BBOLT_MAGIC.to_le_bytes() || magic == BBOLT_MAGIC.to_be_bytes()
    })
}

fn refuse_newer(database: &ReadOnlyDatabase, faults: &Faults) -> DataResult<()> {
    schema::look(database, faults).map(drop)
}

fn builder(faults: &Faults) -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE);
    let location = faults.location().to_owned();
    let told = Cell::new(false);
    builder.set_repair_callback(move |_: &mut RepairSession| {
        if !told.replace(true) {
            tracing::warn!("{location} was not closed in order; it is being checked");
        }
    });
    builder
}

#[cfg(unix)]
mod unix {
    use std::fs::OpenOptions;
    use std::os::unix::fs::OpenOptionsExt as _;

    pub(super) fn make_private(options: &mut OpenOptions) {
        options.mode(0o600);
    }
}
