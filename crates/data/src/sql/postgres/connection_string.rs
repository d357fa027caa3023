//! Connection strings of PostgreSQL: `host='..' port=.. dbname=..` as the reference makes them, and `postgres://` URLs.
//!
//! Parameters are those of libpq and of the reference's driver
//! (<https://www.postgresql.org/docs/current/libpq-connect.html>). As in the latter, TLS is required if nothing is said.

use std::path::PathBuf;

use sqlx::postgres::{PgConnectOptions, PgSslMode};

use super::settings::{at, with_tls};
use crate::sql::server::connection_string::{
    Parts, Read, Understood, bad_value, invalid, read_port, unknown_parameter,
};

/// Reads a connection string.
pub(crate) fn read(text: &str) -> Read<Understood<PgConnectOptions>> {
    let url = text
        .strip_prefix("postgres://")
        .or_else(|| text.strip_prefix("postgresql://"));
    match url {
        Some(rest) => options(Parts::of_url(rest)?),
        None => options(Parts {
            parameters: keywords(text)?,
            ..Parts::default()
        }),
    }
}

/// Reads `name=value name='value with \' and \\'`.
fn keywords(text: &str) -> Read<Vec<(String, String)>> {
    let mut pairs = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (name, after) = rest
            .split_once('=')
            .ok_or_else(|| invalid("a parameter has no ="))?;
        let name = name.trim();
        if name.is_empty() || name.contains(char::is_whitespace) {
            return Err(invalid("a parameter has no name, or no value"));
        }
        let (value, after) = value(after.trim_start())?;
        pairs.push((name.to_owned(), value));
        rest = after.trim_start();
    }
    Ok(pairs)
}

/// The value at the start of `text`, and what follows it.
fn value(text: &str) -> Read<(String, &str)> {
    let quoted = text.strip_prefix('\'');
    let inner = quoted.unwrap_or(text);
    let mut value = String::new();
    let mut signs = inner.char_indices();
    while let Some((index, sign)) = signs.next() {
        match sign {
            '\\' => match signs.next() {
                Some((_, escaped)) => value.push(escaped),
                None => return Err(invalid("a \\ stands at the end")),
            },
            '\'' if quoted.is_some() => {
                let after = inner.get(index + 1..).unwrap_or_default();
                return Ok((value, after));
            }
            space if space.is_whitespace() && quoted.is_none() => {
                return Ok((value, inner.get(index..).unwrap_or_default()));
            }
            plain => value.push(plain),
        }
    }
    match quoted {
        Some(_) => Err(invalid("a quote is not closed")),
        None => Ok((value, "")),
    }
}

/// Parameters that ask for what is so anyway, or for what is chosen here.
const IGNORED: [&str; 11] = [
    "application_name",
    "binary_parameters",
    "client_encoding",
    "connect_timeout",
    "datestyle",
    "disable_prepared_binary_result",
    "extra_float_digits",
    "fallback_application_name",
    "keepalives",
    "lock_timeout",
    "timezone",
];

/// Parameters that are settings of the session.
const OF_THE_SESSION: [&str; 4] = [
    "search_path",
    "statement_timeout",
    "idle_in_transaction_session_timeout",
    "role",
];

#[derive(Default)]
struct Tls {
    mode: Option<PgSslMode>,
    authority: Option<PathBuf>,
}

fn options(mut parts: Parts) -> Read<Understood<PgConnectOptions>> {
    let mut tls = Tls::default();
    let mut certificate = None;
    let mut key = None;
    let mut session = Vec::new();
    let mut ignored = Vec::new();
    for (name, value) in std::mem::take(&mut parts.parameters) {
        match name.as_str() {
            "host" | "hostaddr" => parts.host = Some(one_host(value)?),
            "port" => parts.port = Some(read_port(&value)?),
            "dbname" => parts.database = Some(value),
            "user" => parts.user = Some(value),
            "password" => parts.password = Some(value),
            "sslmode" => tls.mode = Some(ssl_mode(&value)?),
            "sslrootcert" => {
                tls.authority = Some(value.into());
            }
            "sslcert" => certificate = Some(value),
            "sslkey" => key = Some(value),
            "target_session_attrs" if value == "any" => {}
            plain if OF_THE_SESSION.contains(&plain) => session.push((name, value)),
            plain => match IGNORED
                .iter()
                .find(|ignored| plain.eq_ignore_ascii_case(ignored))
            {
                Some(name) => ignored.push(*name),
                None => return Err(unknown_parameter(plain)),
            },
        }
    }
    let mut options = at(parts.host.as_deref().unwrap_or_default());
    // The driver of the reference asks the environment too, and so does libpq.
    if let Some(port) = parts.port {
        options = options.port(port);
    }
    if let Some(database) = &parts.database {
        options = options.database(database);
    }
    if let Some(user) = &parts.user {
        options = options.username(user);
    }
    if let Some(password) = &parts.password {
        options = options.password(password);
    }
    match (certificate, key) {
        (Some(certificate), Some(key)) => {
            options = options.ssl_client_cert(certificate).ssl_client_key(key);
        }
        (None, None) => {}
        (Some(_), None) | (None, Some(_)) => {
            return Err(invalid("sslcert and sslkey belong together"));
        }
    }
    if !session.is_empty() {
        options = options.options(session);
    }
    let mode = tls.mode.unwrap_or(PgSslMode::Require);
    Ok(Understood {
        options: with_tls(options, mode, tls.authority.as_deref()),
        ignored,
    })
}

fn one_host(host: String) -> Read<String> {
    match host.contains(',') {
        true => Err(invalid("only one host can be named")),
        false => Ok(host),
    }
}

fn ssl_mode(value: &str) -> Read<PgSslMode> {
    match value {
        "disable" => Ok(PgSslMode::Disable),
        "allow" | "prefer" => Ok(PgSslMode::Prefer),
        "require" => Ok(PgSslMode::Require),
        "verify-ca" => Ok(PgSslMode::VerifyCa),
        "verify-full" => Ok(PgSslMode::VerifyFull),
        _ => Err(bad_value(
            "sslmode",
            "one of disable, allow, prefer, require, verify-ca, verify-full",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options_of(text: &str) -> PgConnectOptions {
        read(text).unwrap().options
    }

    #[test]
    fn the_string_of_the_reference_is_understood() {
        let options = options_of(
            r"host='db.example' port=5433 dbname='my db' user='o\'user' password='p\\w =x' sslmode=disable connect_timeout=10",
        );
        assert_eq!(options.get_host(), "db.example");
        assert_eq!(options.get_port(), 5433);
        assert_eq!(options.get_database(), Some("my db"));
        assert_eq!(options.get_username(), "o'user");
        assert!(format!("{options:?}").contains(r#"password: Some("p\\w =x")"#));
        assert!(matches!(options.get_ssl_mode(), PgSslMode::Disable));
    }

    #[test]
    fn urls_are_understood() {
        for scheme in ["postgres", "postgresql"] {
            let text =
                format!("{scheme}://u:p%40w@[::1]:5433/db?sslmode=verify-full&search_path=a");
            let options = options_of(&text);
            assert_eq!(options.get_host(), "::1");
            assert_eq!(options.get_database(), Some("db"));
            assert_eq!(options.get_options(), Some("-c search_path=a"));
            assert!(matches!(options.get_ssl_mode(), PgSslMode::VerifyFull));
        }
        let socket = options_of("postgres://u@/db?host=/run/postgresql");
        assert_eq!(socket.get_host(), "/run/postgresql");
    }

    #[test]
    fn tls_is_required_unless_something_else_is_said() {
        let mode = |text: &str| format!("{:?}", options_of(text).get_ssl_mode());
        assert_eq!(mode("host=db.example"), "Require");
        assert_eq!(mode("host=/run/postgresql"), "Disable");
        assert_eq!(mode("host=db.example sslrootcert=/ca.pem"), "VerifyCa");
        assert_eq!(mode("host=db.example sslmode=prefer"), "Prefer");
    }

    #[test]
    fn what_is_wrong_is_named_without_the_password() {
        for (text, named) in [
            ("password=hunter2 speed=9", "speed"),
            ("password=hunter2 sslmode=maybe", "sslmode"),
            (
                "password=hunter2 target_session_attrs=read-write",
                "target_session_attrs",
            ),
            ("password='hunter2", "quote"),
            ("password=hunter2 port=x", "port"),
            ("password=hunter2 host=a,b", "host"),
            ("password=hunter2 sslcert=/c", "sslkey"),
            ("hunter2", "="),
            ("mysql://u:hunter2@h/d", "="),
            ("postgres://u:hunter2@h/d?speed=9", "speed"),
        ] {
            let shown = read(text).err().unwrap();
            assert!(
                shown.contains(named) && !shown.contains("hunter2"),
                "{shown}"
            );
        }
    }
}
