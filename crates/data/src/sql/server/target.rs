//! Which database on which server, and what to say when it cannot be used.

use super::failure::{Failure, text};
use super::flavor::{Flavor, Options};
use crate::config::{DataProviderSettings, DatabaseServer};
use crate::error::{DataError, DataErrorKind, DataResult};

/// Connections if the settings leave the number to the driver. Servers allow 100 to 150, and several of us may share
/// one.
const DEFAULT_CONNECTIONS: u32 = 20;
/// Most connections; more make no server faster.
const MOST_CONNECTIONS: u32 = 1000;

/// A database on a server, as the settings name it.
pub(crate) struct Target<F: Flavor> {
    /// How to connect; holds the password.
    pub(crate) options: Options<F>,
    /// The database in messages; no secrets.
    pub(crate) location: String,
    /// Which settings to look at.
    pub(crate) source: Source,
    /// Most connections at a time.
    pub(crate) connections: u32,
}

/// Where the settings of a connection stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// In settings of their own. The port is there for a hint if it is the usual one of another product.
    Settings {
        /// `Some` if the port is probably a mistake.
        suspicious_port: Option<u16>,
    },
    /// All in the connection string.
    ConnectionString,
}

impl Source {
    /// The settings that a failure to connect is about.
    fn keys(self, failure: Failure) -> &'static str {
        if self == Self::ConnectionString {
            return "data_provider.connection_string";
        }
        match failure {
            Failure::Login => "data_provider.username, data_provider.password",
            Failure::Database => "data_provider.name",
            Failure::Tls => "data_provider.sslmode",
            Failure::Duplicate
            | Failure::Conflict
            | Failure::Stale
            | Failure::Refused
            | Failure::Lost
            | Failure::ReadOnly
            | Failure::Unavailable
            | Failure::Corrupt
            | Failure::Internal => "data_provider.host, data_provider.port",
        }
    }
}

impl<F: Flavor> Target<F> {
    /// The number of connections that the settings allow.
    pub(crate) fn connections(settings: &DataProviderSettings) -> u32 {
        let wanted = settings.pool_size.unwrap_or(DEFAULT_CONNECTIONS);
        wanted.clamp(1, MOST_CONNECTIONS)
    }

    /// The database in messages.
    pub(crate) fn location(database: Option<&str>, place: &str) -> String {
        let product = F::PRODUCT;
        match database {
            Some(database) => format!("{product} database {database:?} at {place}"),
            None => format!("{product} at {place}"),
        }
    }

    /// The error of a first connection, with the settings to look at.
    pub(crate) fn unusable(&self, error: &sqlx::Error) -> DataError {
        let failure = F::failure(error);
        let keys = self.source.keys(failure);
        let location = &self.location;
        let what = match failure {
            Failure::Login => "the login is refused",
            Failure::Database => "the database cannot be used",
            Failure::Tls => "no agreement about TLS",
            Failure::Refused => "the server lets nobody in at present",
            Failure::Lost | Failure::Unavailable => "the server cannot be reached",
            Failure::Duplicate
            | Failure::Conflict
            | Failure::Stale
            | Failure::ReadOnly
            | Failure::Corrupt
            | Failure::Internal => "no connection",
        };
        let hint = match self.source {
            Source::Settings {
                suspicious_port: Some(port),
            } if failure == Failure::Lost => {
                format!(" ({port} is not the usual port of {})", F::PRODUCT)
            }
            Source::Settings { .. } | Source::ConnectionString => String::new(),
        };
        let context = format!("{keys}: {location}: {what}{hint}");
        DataError::with_source(failure.kind(), context, text(error))
    }
}

/// The name of the database, without which nothing can be stored.
pub(crate) fn named_database(server: &DatabaseServer) -> DataResult<&str> {
    if server.database.is_empty() {
        let message = "data_provider.name: no database is named";
        return Err(DataError::new(DataErrorKind::Internal, message));
    }
    Ok(&server.database)
}

/// A host, of which an address of IPv6 may stand in brackets.
pub(crate) fn without_brackets(host: &str) -> &str {
    let inside = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    inside.unwrap_or(host)
}

/// A place on the network as messages show it.
pub(crate) fn host_and_port(host: &str, port: u16) -> String {
    if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}
