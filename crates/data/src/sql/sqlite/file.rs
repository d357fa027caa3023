//! The database file itself: made with private permissions, or told apart from what cannot be opened.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::path::Path;

use crate::error::{DataError, DataErrorKind, DataResult};

/// Makes sure that there is a file. SQLite would make it readable to others; its side files take the mode of this one.
pub(crate) fn ensure(path: &Path, create: bool) -> DataResult<()> {
    let shown = path.display();
    let unavailable = |reason: &str| {
        let message = format!("database file {shown}: {reason}");
        Err(DataError::new(DataErrorKind::Unavailable, message))
    };
    match path.metadata() {
        Ok(metadata) if metadata.is_dir() => return unavailable("it is a directory"),
        Ok(_) => return Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => {
            let context = format!("database file {shown}");
            return Err(DataError::with_source(
                DataErrorKind::Unavailable,
                context,
                error,
            ));
        }
    }
    if !create {
        return unavailable("there is no such file, and the connection string forbids making it");
    }
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    if parent.is_some_and(|parent| !parent.is_dir()) {
        return unavailable("the directory it belongs in does not exist");
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    unix::make_private(&mut options);
    match options.open(path) {
        Ok(_) => Ok(()),
        // Another process was faster.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => {
            let context = format!("cannot make database file {shown}");
            Err(DataError::with_source(
                DataErrorKind::Unavailable,
                context,
                error,
            ))
        }
    }
}

#[cfg(unix)]
mod unix {
    use std::fs::OpenOptions;
    use std::os::unix::fs::OpenOptionsExt as _;

    pub(super) fn make_private(options: &mut OpenOptions) {
        options.mode(0o600);
    }
}
