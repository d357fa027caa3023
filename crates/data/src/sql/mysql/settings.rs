//! From the settings to the options of a connection.

use std::path::{Path, PathBuf};

use sqlx::ConnectOptions as _;
use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode};

use super::connection_string;
use super::flavor::MySql;
use crate::config::{DataProviderSettings, DatabaseServer};
use crate::error::DataResult;
use crate::sql::server::connection_string::unusable;
use crate::sql::server::target::{Source, Target, host_and_port, named_database, without_brackets};
use crate::sql::server::trust;

/// Where the settings lead.
pub(crate) fn target(settings: &DataProviderSettings) -> DataResult<Target<MySql>> {
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
        location: Target::<MySql>::location(options.get_database(), &place(&options)),
        options: options
            // It would write the text of every statement to the debug log.
            .disable_statement_logging()
            // The session is set up in one place, in `flavor`.
            .pipes_as_concat(false)
            .no_engine_substitution(false)
            .timezone(None),
        source,
        connections: Target::<MySql>::connections(settings),
    })
}

fn source(server: &DatabaseServer) -> Source {
    Source::Settings {
        // The default of the setting, which suits another product.
        suspicious_port: Some(server.port).filter(|port| *port == 5432),
    }
}

fn of_settings(server: &DatabaseServer) -> DataResult<MySqlConnectOptions> {
    let mode = match server.ssl_mode {
        0 => MySqlSslMode::Disabled,
        1 => MySqlSslMode::VerifyIdentity,
        2 => MySqlSslMode::Required,
        _ => MySqlSslMode::Preferred,
    };
    let options = at(&server.host, Some(server.port)).database(named_database(server)?);
    let options = with_login(options, &server.username, server.password.reveal());
    Ok(with_tls(options, mode, None))
}

/// Options for a server on this host: a name, an address, the path of a Unix socket, or empty for this machine.
pub(super) fn at(host: &str, port: Option<u16>) -> MySqlConnectOptions {
    let options = MySqlConnectOptions::new().port(port.unwrap_or(3306));
    match without_brackets(host) {
        "" => options.host("localhost"),
        socket if socket.starts_with('/') => options.socket(socket),
        name => options.host(name),
    }
}

/// Who logs in. No password at all is another answer to the server than an empty one.
pub(super) fn with_login(
    options: MySqlConnectOptions,
    user: &str,
    password: &str,
) -> MySqlConnectOptions {
    let options = options.username(user);
    match password {
        "" => options,
        password => options.password(password),
    }
}

/// How TLS is used. A Unix socket needs none.
pub(super) fn with_tls(
    options: MySqlConnectOptions,
    mode: MySqlSslMode,
    authority: Option<&Path>,
) -> MySqlConnectOptions {
    if options.get_socket().is_some() {
        return options.ssl_mode(MySqlSslMode::Disabled);
    }
    let checks = matches!(mode, MySqlSslMode::VerifyCa | MySqlSslMode::VerifyIdentity);
    let authority = match authority {
        Some(path) => Some(path.to_path_buf()),
        None if checks => trust::system_roots(),
        None => None,
    };
    with_authority(options.ssl_mode(mode), authority)
}

fn with_authority(options: MySqlConnectOptions, authority: Option<PathBuf>) -> MySqlConnectOptions {
    match authority {
        Some(path) => options.ssl_ca(path),
        None => options,
    }
}

fn place(options: &MySqlConnectOptions) -> String {
    match options.get_socket() {
        Some(path) => path.display().to_string(),
        None => host_and_port(options.get_host(), options.get_port()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{DataProviderConfig, HiddenText};

    fn config() -> DataProviderConfig {
        DataProviderConfig {
            driver: "mysql".to_owned(),
            name: "accounts".to_owned(),
            host: "db.example".to_owned(),
            port: 3306,
            username: "sftpgo".to_owned(),
            password: HiddenText::new("hunter2"),
            ..DataProviderConfig::default()
        }
    }

    fn target_of(config: DataProviderConfig) -> Target<MySql> {
        target(&config.resolve(Path::new("/nowhere")).unwrap().0).unwrap()
    }

    #[test]
    fn settings_lead_to_their_database() {
        let target = target_of(config());
        assert_eq!(target.options.get_host(), "db.example");
        assert_eq!(target.options.get_port(), 3306);
        assert_eq!(target.options.get_username(), "sftpgo");
        assert_eq!(target.options.get_database(), Some("accounts"));
        assert!(target.location.contains("db.example:3306"));
        assert!(!target.location.contains("hunter2"));
    }

    #[test]
    fn the_numbers_of_sslmode_are_those_of_the_reference() {
        for (number, mode) in ["Disabled", "VerifyIdentity", "Required", "Preferred"]
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
    fn a_host_that_is_a_path_is_a_unix_socket() {
        let config = DataProviderConfig {
            host: "/run/mysqld/mysqld.sock".to_owned(),
            sslmode: 1,
            ..config()
        };
        let target = target_of(config);
        let socket = target.options.get_socket().unwrap();
        assert_eq!(socket, Path::new("/run/mysqld/mysqld.sock"));
        assert!(matches!(
            target.options.get_ssl_mode(),
            MySqlSslMode::Disabled
        ));
        assert!(target.location.contains("/run/mysqld/mysqld.sock"));
    }
}
