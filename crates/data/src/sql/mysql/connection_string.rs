//! Connection strings of MySQL: `user:password@tcp([host]:port)/database?parameters` as the reference makes them, and
//! `mysql://` URLs.
//!
//! Parameters of the first are those of the reference's driver (<https://github.com/go-sql-driver/mysql#parameters>)
//! and `ssl-ca`; those of the second are named as the options of MySQL's own programs.

use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode};

use super::settings::{at, with_login, with_tls};
use crate::sql::server::connection_string::{
    Parts, Read, Understood, bad_value, invalid, parameters, unknown_parameter,
};

/// Reads a connection string.
pub(crate) fn read(text: &str) -> Read<Understood<MySqlConnectOptions>> {
    let url = text
        .strip_prefix("mysql://")
        .or_else(|| text.strip_prefix("mariadb://"));
    match url {
        Some(rest) => options(Parts::of_url(rest)?, MySqlSslMode::Preferred),
        None => options(go_parts(text)?, MySqlSslMode::Disabled),
    }
}

/// Reads `[user[:password]@][network[(address)]]/database[?parameters]`. Only the parameters are percent-encoded; a
/// password may contain anything, so the string is taken apart from its end.
fn go_parts(text: &str) -> Read<Parts> {
    let (before, after) = text
        .rsplit_once('/')
        .ok_or_else(|| invalid("there is no / before the name of the database"))?;
    let (database, query) = after.split_once('?').unwrap_or((after, ""));
    let (login, address) = before.rsplit_once('@').unwrap_or(("", before));
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    let mut parts = Parts {
        user: Some(user.to_owned()),
        password: Some(password.to_owned()),
        database: Some(database.to_owned()).filter(|name| !name.is_empty()),
        parameters: parameters(query)?,
        ..Parts::default()
    };
    let (network, address) = match address.split_once('(') {
        Some((network, rest)) => match rest.strip_suffix(')') {
            Some(address) => (network, address),
            None => return Err(invalid("the ( before the address has no )")),
        },
        None => (address, ""),
    };
    match network {
        "" | "tcp" | "tcp4" | "tcp6" => parts.set_address(address)?,
        "unix" if address.is_empty() => parts.host = Some("/tmp/mysql.sock".to_owned()),
        "unix" if address.starts_with('/') => parts.host = Some(address.to_owned()),
        "unix" => return Err(invalid("the path of the socket does not begin with /")),
        _ => return Err(invalid("the only networks are tcp and unix")),
    }
    Ok(parts)
}

/// Parameters that ask for what is so anyway, or for what is chosen here.
const IGNORED: [&str; 20] = [
    "allowAllFiles",
    "allowNativePasswords",
    "charset",
    "checkConnLiveness",
    "clientFoundRows",
    "collation",
    "columnsWithAlias",
    "connectionAttributes",
    "connect-timeout",
    "connect_timeout",
    "interpolateParams",
    "loc",
    "maxAllowedPacket",
    "multiStatements",
    "parseTime",
    "readTimeout",
    "rejectReadOnly",
    "timeout",
    "time_zone",
    "writeTimeout",
];

fn options(parts: Parts, default_mode: MySqlSslMode) -> Read<Understood<MySqlConnectOptions>> {
    let mut mode = default_mode;
    let mut authority = None;
    let mut certificate = None;
    let mut key = None;
    let mut clear_password = false;
    let mut socket = None;
    let mut ignored = Vec::new();
    for (name, value) in parts.parameters {
        match name.as_str() {
            "tls" => mode = tls(&value)?,
            "ssl-mode" | "sslmode" | "ssl_mode" => mode = ssl_mode(&value)?,
            "ssl-ca" | "ssl_ca" | "sslrootcert" => authority = Some(value),
            "ssl-cert" | "ssl_cert" => certificate = Some(value),
            "ssl-key" | "ssl_key" => key = Some(value),
            "socket" => socket = Some(value),
            "allowCleartextPasswords" => clear_password = matches!(&*value, "true" | "1"),
            plain => match IGNORED.iter().find(|name| **name == plain) {
                Some(name) => ignored.push(*name),
                None => return Err(unknown_parameter(plain)),
            },
        }
    }
    let host = socket.or(parts.host).unwrap_or_default();
    let mut options = with_login(
        at(&host, parts.port),
        parts.user.as_deref().unwrap_or_default(),
        parts.password.as_deref().unwrap_or_default(),
    );
    if let Some(database) = &parts.database {
        options = options.database(database);
    }
    match (certificate, key) {
        (Some(certificate), Some(key)) => {
            options = options.ssl_client_cert(certificate).ssl_client_key(key);
        }
        (None, None) => {}
        (Some(_), None) | (None, Some(_)) => {
            return Err(invalid("ssl-cert and ssl-key belong together"));
        }
    }
    let plain = matches!(mode, MySqlSslMode::Disabled | MySqlSslMode::Preferred);
    if clear_password && plain && options.get_socket().is_none() {
        return Err(invalid("allowCleartextPasswords needs TLS"));
    }
    let options = options.enable_cleartext_plugin(clear_password);
    Ok(Understood {
        options: with_tls(options, mode, authority.as_ref().map(AsRef::as_ref)),
        ignored,
    })
}

/// The words of the reference's driver.
fn tls(value: &str) -> Read<MySqlSslMode> {
    match value {
        "" | "false" | "0" => Ok(MySqlSslMode::Disabled),
        "true" | "1" => Ok(MySqlSslMode::VerifyIdentity),
        "skip-verify" => Ok(MySqlSslMode::Required),
        "preferred" => Ok(MySqlSslMode::Preferred),
        _ => Err(bad_value(
            "tls",
            "one of true, false, skip-verify, preferred",
        )),
    }
}

/// The words of MySQL's own programs.
fn ssl_mode(value: &str) -> Read<MySqlSslMode> {
    match value.to_ascii_lowercase().replace('-', "_").as_str() {
        "disabled" => Ok(MySqlSslMode::Disabled),
        "preferred" => Ok(MySqlSslMode::Preferred),
        "required" => Ok(MySqlSslMode::Required),
        "verify_ca" => Ok(MySqlSslMode::VerifyCa),
        "verify_identity" => Ok(MySqlSslMode::VerifyIdentity),
        _ => Err(bad_value(
            "ssl-mode",
            "one of DISABLED, PREFERRED, REQUIRED, VERIFY_CA, VERIFY_IDENTITY",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options_of(text: &str) -> MySqlConnectOptions {
        read(text).unwrap().options
    }

    #[test]
    fn the_string_of_the_reference_is_understood() {
        let options = options_of(
            "user:p@s:s/w?d@tcp([db.example]:3307)/accounts?charset=utf8&interpolateParams=true&timeout=10s\
             &tls=skip-verify&writeTimeout=10s&readTimeout=10s",
        );
        assert_eq!(options.get_host(), "db.example");
        assert_eq!(options.get_port(), 3307);
        assert_eq!(options.get_username(), "user");
        assert_eq!(options.get_database(), Some("accounts"));
        assert!(format!("{options:?}").contains(r#"password: Some("p@s:s/w?d")"#));
        assert!(matches!(options.get_ssl_mode(), MySqlSslMode::Required));
    }

    #[test]
    fn hosts_have_many_spellings() {
        for (text, host, port) in [
            ("u@tcp(db.example)/d", "db.example", 3306),
            ("u@tcp(127.0.0.1:3307)/d", "127.0.0.1", 3307),
            ("u@tcp([::1]:3307)/d", "::1", 3307),
            ("u@/d", "localhost", 3306),
            ("u@tcp/d", "localhost", 3306),
            ("mysql://u:p%40w@db.example:3307/d", "db.example", 3307),
            ("mariadb://u@db.example/d", "db.example", 3306),
        ] {
            let options = options_of(text);
            assert_eq!(
                (options.get_host(), options.get_port()),
                (host, port),
                "{text}"
            );
            assert_eq!(options.get_database(), Some("d"), "{text}");
        }
    }

    #[test]
    fn unix_sockets_are_understood() {
        for text in [
            "u:p@unix(/run/mysqld/mysqld.sock)/d?tls=true",
            "mysql://u@localhost/d?socket=%2Frun%2Fmysqld%2Fmysqld.sock",
            "mysql://u@%2Frun%2Fmysqld%2Fmysqld.sock/d",
        ] {
            let options = options_of(text);
            let socket = options.get_socket().unwrap();
            assert_eq!(socket.to_str(), Some("/run/mysqld/mysqld.sock"), "{text}");
            assert!(matches!(options.get_ssl_mode(), MySqlSslMode::Disabled));
        }
    }

    #[test]
    fn both_vocabularies_of_tls_are_understood() {
        for (text, mode) in [
            ("u@tcp(h)/d", "Disabled"),
            ("u@tcp(h)/d?tls=false", "Disabled"),
            ("u@tcp(h)/d?tls=true", "VerifyIdentity"),
            ("u@tcp(h)/d?tls=preferred", "Preferred"),
            ("mysql://u@h/d", "Preferred"),
            (
                "mysql://u@h/d?ssl-mode=VERIFY_CA&ssl-ca=%2Fca.pem",
                "VerifyCa",
            ),
        ] {
            let found = options_of(text).get_ssl_mode();
            assert_eq!(format!("{found:?}"), mode, "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_without_the_password() {
        for (text, named) in [
            ("u:hunter2@tcp(h)", "/"),
            ("u:hunter2@tcp(h/d", ")"),
            ("u:hunter2@udp(h)/d", "tcp"),
            ("u:hunter2@tcp(h:x)/d", "port"),
            ("u:hunter2@unix(x)/d", "/"),
            ("u:hunter2@tcp(h)/d?speed=9", "speed"),
            ("u:hunter2@tcp(h)/d?tls=custom", "tls"),
            ("mysql://u:hunter2@h/d?ssl-mode=x", "ssl-mode"),
            ("u:hunter2@tcp(h)/d?allowCleartextPasswords=true", "TLS"),
            ("u:hunter2@tcp(h)/d?ssl-cert=x", "ssl-key"),
        ] {
            let shown = read(text).err().unwrap();
            assert!(
                shown.contains(named) && !shown.contains("hunter2"),
                "{shown}"
            );
        }
    }
}
