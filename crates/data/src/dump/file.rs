//! Dump files that are read whole.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::path::Path;

use sftpgo_model::UserRecord;

use super::read::{MAX_DUMP_SIZE, parse};
use crate::error::{DataError, DataErrorKind, DataResult};

/// Reads the accounts of a dump file, as they are: the caller validates. Blocks on the disk.
///
/// # Errors
/// `Unavailable` if the file cannot be read, `Corrupt` if it is empty, too large, or no dump.
pub fn load(path: &Path) -> DataResult<Vec<UserRecord>> {
    let context = || format!("dump file {}", path.display());
    let text = read(path)
        .map_err(|error| DataError::with_source(DataErrorKind::Unavailable, context(), error))?;
    let users = match text {
        Some(text) => parse(&text),
        None => Err(DataError::new(
            DataErrorKind::Corrupt,
            format!("it is larger than {MAX_DUMP_SIZE} bytes"),
        )),
    };
    users.map_err(|error| DataError::with_source(error.kind(), context(), error))
}

/// The contents of a regular file; `None` if they are larger than [`MAX_DUMP_SIZE`]. Blocks on the disk, and on nothing
/// else: a pipe that nobody writes to is refused.
pub fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    read_bounded(path, MAX_DUMP_SIZE)
}

/// The same with another limit.
pub fn read_bounded(path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let file = open(path)?;
    let attributes = file.metadata()?;
    if !attributes.is_file() {
        let message = "not a regular file";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    if attributes.len() > limit {
        return Ok(None);
    }
    let mut text = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut text)?;
    Ok((text.len() as u64 <= limit).then_some(text))
}

#[cfg(unix)]
fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;

    let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
    OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)
}

#[cfg(not(unix))]
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_may_have_the_maximum_size_and_no_more() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("dump.json");
        let mut text = br#"{"users":[]}"#.to_vec();
        text.resize(usize::try_from(MAX_DUMP_SIZE).unwrap(), b' ');
        std::fs::write(&path, &text).unwrap();
        assert_eq!(load(&path).unwrap(), []);
        text.push(b' ');
        std::fs::write(&path, &text).unwrap();
        assert_eq!(load(&path).unwrap_err().kind(), DataErrorKind::Corrupt);
        assert!(read(&path).unwrap().is_none());
    }

    #[test]
    fn a_missing_or_empty_file_is_an_error_that_names_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("dump.json");
        let error = load(&path).unwrap_err();
        assert_eq!(error.kind(), DataErrorKind::Unavailable);
        assert!(error.to_string().contains("dump.json"));
        std::fs::write(&path, "").unwrap();
        assert_eq!(load(&path).unwrap_err().kind(), DataErrorKind::Corrupt);
    }

    #[cfg(unix)]
    #[test]
    fn a_directory_or_a_pipe_is_refused_and_not_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let pipe = directory.path().join("pipe");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, 0o600.into()).unwrap();
        for path in [directory.path(), &pipe] {
            assert_eq!(
                read(path).unwrap_err().kind(),
                io::ErrorKind::InvalidInput,
                "{}",
                path.display()
            );
        }
    }
}
