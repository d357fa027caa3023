//! What differs between the servers.

mod mariadb;
mod postgresql;

use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;

use crate::certificate::Certificates;
use crate::server::Setup;

/// The password of every administrator.
pub(crate) const PASSWORD: &str = "not a secret";

/// A database server that tests can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Product {
    /// PostgreSQL 15.
    Postgresql,
    /// MariaDB 10.11.
    Mariadb,
}

/// Where a server runs, and how.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    /// The directory that holds all of it.
    pub(crate) directory: &'a Path,
    /// The port on 127.0.0.1.
    pub(crate) port: u16,
    /// What the test asks for.
    pub(crate) setup: Setup,
    /// For TLS.
    pub(crate) certificates: Option<&'a Certificates>,
}

impl Product {
    /// The name in the settings of the data provider.
    #[must_use]
    pub fn driver(self) -> &'static str {
        match self {
            Self::Postgresql => "postgresql",
            Self::Mariadb => "mysql",
        }
    }

    /// The user who may do everything.
    #[must_use]
    pub fn administrator(self) -> &'static str {
        match self {
            Self::Postgresql => "postgres",
            Self::Mariadb => "root",
        }
    }

    /// What makes the files of a new server.
    pub(crate) fn initialize(self, place: &Place<'_>) -> Command {
        match self {
            Self::Postgresql => postgresql::initialize(place),
            Self::Mariadb => mariadb::initialize(place),
        }
    }

    /// The server itself, in the foreground.
    pub(crate) fn serve(self, place: &Place<'_>) -> Command {
        match self {
            Self::Postgresql => postgresql::serve(place),
            Self::Mariadb => mariadb::serve(place),
        }
    }

    /// What the log says when clients can come.
    pub(crate) fn ready(self) -> &'static str {
        match self {
            Self::Postgresql => "database system is ready to accept connections",
            Self::Mariadb => "ready for connections",
        }
    }

    /// The signal that puts clients out and ends it in order.
    pub(crate) fn stop_signal(self) -> Signal {
        match self {
            Self::Postgresql => Signal::INT,
            Self::Mariadb => Signal::TERM,
        }
    }

    /// The name of the signal that ends it at once and leaves nothing behind in the system.
    pub(crate) fn last_signal(self) -> &'static str {
        match self {
            // "Immediate shutdown"; after SIGKILL a segment of shared memory would stay.
            Self::Postgresql => "QUIT",
            Self::Mariadb => "KILL",
        }
    }

    /// What the settings call the host to use the Unix socket.
    pub(crate) fn socket(self, directory: &Path) -> PathBuf {
        match self {
            Self::Postgresql => directory.to_owned(),
            Self::Mariadb => directory.join("socket"),
        }
    }
}

/// A program of a server.
fn program(directory: &str, name: &str) -> Command {
    let path = Path::new(directory).join(name);
    assert!(
        path.is_file(),
        "there is no {}: run scripts/test, which installs what tests need",
        path.display()
    );
    Command::new(path)
}
