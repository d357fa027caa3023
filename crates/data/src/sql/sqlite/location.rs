//! Where the database is: a file of the settings, or the connection string of the reference.

use std::path::PathBuf;

use crate::error::{DataError, DataErrorKind, DataResult};
use crate::sql::percent::percent_decoded;

/// The place of a SQLite database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Location {
    /// A file; `create` if it may be made.
    File {
        /// Where it is.
        path: PathBuf,
        /// Whether to make it if it is missing.
        create: bool,
    },
    /// Memory of this process, gone when the provider closes.
    Memory,
}

impl Location {
    /// Reads `file:<path>?cache=shared` (<https://www.sqlite.org/uri.html>), `sqlite:<path>`, or a plain path.
    ///
    /// Of the parameters only `mode` counts. `cache` is left out because a shared cache makes readers wait for
    /// writers; those of the reference's driver (`_busy_timeout` and the like) are chosen by this program.
    pub(crate) fn parse(text: &str) -> DataResult<Self> {
        let uri = text
            .strip_prefix("file:")
            .or_else(|| text.strip_prefix("sqlite:"));
        let (path, parameters) = match uri {
            Some(uri) => split_uri(uri)?,
            // The reference's driver looks for parameters in a plain path too.
            None => {
                let (path, query) = text.split_once('?').unwrap_or((text, ""));
                (path.to_owned(), query)
            }
        };
        let mode = parameters
            .split('&')
            .find_map(|pair| pair.strip_prefix("mode="));
        match mode {
            None | Some("" | "rw" | "rwc" | "memory") => {}
            Some(_) => return Err(invalid("the only modes are rw, rwc and memory")),
        }
        if mode == Some("memory") || path == ":memory:" {
            return Ok(Self::Memory);
        }
        if path.is_empty() {
            return Err(invalid("no file is named"));
        }
        Ok(Self::File {
            path: path.into(),
            create: mode != Some("rw"),
        })
    }
}

/// Path and parameters of what follows `file:`.
fn split_uri(uri: &str) -> DataResult<(String, &str)> {
    let uri = uri.split('#').next().unwrap_or_default();
    let (path, parameters) = uri.split_once('?').unwrap_or((uri, ""));
    let path = match path.strip_prefix("//") {
        Some(rest) if rest.starts_with('/') => rest,
        Some(rest) => match rest.strip_prefix("localhost") {
            Some(rest) if rest.starts_with('/') => rest,
            _ => return Err(invalid("a host other than localhost is named")),
        },
        None => path,
    };
    let path = percent_decoded(path).ok_or_else(|| invalid("a % is not followed by two digits"))?;
    Ok((path, parameters))
}

/// The text itself is not repeated: connection strings are kept out of logs.
fn invalid(reason: &str) -> DataError {
    let message = format!("data_provider.connection_string: {reason}");
    DataError::new(DataErrorKind::Internal, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str) -> Location {
        Location::File {
            path: path.into(),
            create: true,
        }
    }

    #[test]
    fn the_forms_of_sqlite_uris_are_understood() {
        for (text, path) in [
            ("file:sftpgo.db?cache=shared", "sftpgo.db"),
            (
                "file:/var/lib/a.db?cache=shared&_busy_timeout=5000",
                "/var/lib/a.db",
            ),
            ("file:///var/lib/a.db", "/var/lib/a.db"),
            ("file://localhost/a.db#fragment", "/a.db"),
            ("file:/with%20space%3F.db?mode=rwc", "/with space?.db"),
            ("sqlite:///a.db", "/a.db"),
            ("/plain/a.db", "/plain/a.db"),
            ("relative.db?cache=shared", "relative.db"),
        ] {
            assert_eq!(Location::parse(text).unwrap(), file(path), "{text}");
        }
    }

    #[test]
    fn memory_has_two_spellings() {
        for text in [
            ":memory:",
            "file::memory:?cache=shared",
            "file:x?mode=memory&cache=shared",
        ] {
            assert_eq!(Location::parse(text).unwrap(), Location::Memory);
        }
    }

    #[test]
    fn a_mode_that_forbids_creation_is_kept() {
        let location = Location::File {
            path: "a.db".into(),
            create: false,
        };
        assert_eq!(Location::parse("file:a.db?mode=rw").unwrap(), location);
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for text in [
            "",
            "file:",
            "file:a.db?mode=ro",
            "file://host/a.db",
            "file:%zz",
            "file:%4",
        ] {
            assert!(Location::parse(text).is_err(), "{text}");
        }
    }
}
