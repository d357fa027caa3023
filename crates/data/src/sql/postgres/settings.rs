//! From the settings to the options of a connection.

use std::path::Path;

use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgSslMode};

use super::connection_string;
use super::flavor::Postgres;
use crate::config::{DataProviderSettings, DatabaseServer};
use crate::error::DataResult;
use crate::sql::server::connection_string::unusable;
use crate::sql::server::target::{Source, Target, host_and_port, named_database, without_brackets};
use crate::sql::server::trust;

/// Where the settings lead.
pub(crate) fn target(settings: &DataProviderSettings) -> DataResult<Target<Postgres>> {
    let (options, source) = match &settings.connection_string {
        Some(text) => (
            connection_string::read(text.reveal())
                .map_err(unusable)?
                .options,
            Source::ConnectionString,
        ),
        None => (of_settings(&settings.server)?, source(&settings.server)),
    };
    Ok(Target {
        location: Target::<Postgres>::location(options.get_database(), &place(&options)),
        options: options
            // It would write the text of every statement to the debug log.
            .disable_statement_logging()
            .application_name("sftpgo")
            // Connection poolers refuse what they do not know.
            .extra_float_digits(None),
        source,
        connections: Target::<Postgres>::connections(settings),
    })
}

fn source(server: &DatabaseServer) -> Source {
    Source::Settings {
        suspicious_port: Some(server.port).filter(|port| *port == 3306),
    }
}

fn of_settings(server: &DatabaseServer) -> DataResult<PgConnectOptions> {
    let mode = match server.ssl_mode {
        0 => PgSslMode::Disable,
        1 => PgSslMode::Require,
        2 => PgSslMode::VerifyCa,
        _ => PgSslMode::VerifyFull,
    };
    let mut options = at(&server.host)
        .port(server.port)
        .database(named_database(server)?)
        .password(server.password.reveal());
    if !server.username.is_empty() {
        options = options.username(&server.username);
    }
    Ok(with_tls(options, mode, None))
}

/// Options for a server on this host: a name, an address, the directory of a Unix socket, or empty for this machine.
///
/// The environment (`PGHOST` and its like) is not asked where the settings say something.
pub(super) fn at(host: &str) -> PgConnectOptions {
    let host = match without_brackets(host) {
        "" => "localhost",
        host => host,
    };
    PgConnectOptions::new_without_pgpass().host(host)
}

/// How TLS is used. A Unix socket needs none, as in libpq.
pub(super) fn with_tls(
    options: PgConnectOptions,
    mode: PgSslMode,
    authority: Option<&Path>,
) -> PgConnectOptions {
    if options.get_host().starts_with('/') {
        return options.ssl_mode(PgSslMode::Disable);
    }
    match (mode, authority) {
        // With a certificate authority at hand, "require" checks it: as in libpq, and in the reference's driver.
        (PgSslMode::Require, Some(path)) => {
            options.ssl_mode(PgSslMode::VerifyCa).ssl_root_cert(path)
        }
        (mode, Some(path)) => options.ssl_mode(mode).ssl_root_cert(path),
        (mode @ (PgSslMode::VerifyCa | PgSslMode::VerifyFull), None) => match trust::system_roots()
        {
            Some(path) => options.ssl_mode(mode).ssl_root_cert(path),
            None => options.ssl_mode(mode),
        },
        (mode, None) => options.ssl_mode(mode),
    }
}

fn place(options: &PgConnectOptions) -> String {
    match (options.get_host(), options.get_port()) {
        (socket, port) if socket.starts_with('/') => format!("{socket}/.s.PGSQL.{port}"),
        (host, port) => host_and_port(host, port),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{DataProviderConfig, HiddenText};

    fn config() -> DataProviderConfig {
        DataProviderConfig {
            driver: "postgresql".to_owned(),
            name: "accounts".to_owned(),
            host: "db.example".to_owned(),
            username: "sftpgo".to_owned(),
            password: HiddenText::new("hunter2"),
            ..DataProviderConfig::default()
        }
    }

    fn target_of(config: DataProviderConfig) -> Target<Postgres> {
        target(&config.resolve(Path::new("/nowhere")).unwrap().0).unwrap()
    }

    #[test]
    fn settings_lead_to_their_database() {
        let target = target_of(config());
        assert_eq!(target.options.get_host(), "db.example");
        assert_eq!(target.options.get_port(), 5432);
        assert_eq!(target.options.get_username(), "sftpgo");
        assert_eq!(target.options.get_database(), Some("accounts"));
        assert!(target.location.contains("db.example:5432"));
        assert!(!target.location.contains("hunter2"));
    }

    #[test]
    fn the_numbers_of_sslmode_are_those_of_the_reference() {
        for (number, mode) in ["Disable", "Require", "VerifyCa", "VerifyFull"]
            .iter()
            .enumerate()
        {
            let config = DataProviderConfig {
                sslmode: i32::try_from(number).unwrap(),
                ..config()
            };
            let found = target_of(config).options.get_ssl_mode();
            assert_eq!(format!("{found:?}"), *mode);
        }
    }

    #[test]
    fn a_unix_socket_needs_no_tls() {
        let config = DataProviderConfig {
            host: "/run/postgresql".to_owned(),
            sslmode: 3,
            ..config()
        };
        let target = target_of(config);
        assert!(matches!(target.options.get_ssl_mode(), PgSslMode::Disable));
        assert!(target.location.contains("/run/postgresql/.s.PGSQL.5432"));
    }

    #[test]
    fn an_address_may_stand_in_brackets_and_no_host_is_this_machine() {
        for (host, expected) in [("[::1]", "::1"), ("::1", "::1"), ("", "localhost")] {
            let config = DataProviderConfig {
                host: host.to_owned(),
                ..config()
            };
            assert_eq!(target_of(config).options.get_host(), expected);
        }
    }

    #[test]
    fn the_size_of_the_pool_has_a_default_and_a_bound() {
        for (size, connections) in [(0, 20), (1, 1), (7, 7), (u32::MAX, 1000)] {
            let config = DataProviderConfig {
                pool_size: size,
                ..config()
            };
            assert_eq!(target_of(config).connections, connections);
        }
    }
}
