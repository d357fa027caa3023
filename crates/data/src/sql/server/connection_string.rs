//! Connection strings: the parts of a URL, and errors that name what is wrong without repeating a secret.

use crate::error::{DataError, DataErrorKind};
use crate::sql::percent::percent_decoded;

/// What is read, or why it cannot be.
pub(crate) type Read<T> = Result<T, String>;

/// A connection string that was understood.
pub(crate) struct Understood<O> {
    /// What it says.
    pub(crate) options: O,
    /// Parameters of other drivers that have no effect here.
    pub(crate) ignored: Vec<&'static str>,
}

/// What a connection string says; what it leaves open is `None`.
#[derive(Default, PartialEq, Eq)]
pub(crate) struct Parts {
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    /// A name, an address, or the path of a Unix socket.
    pub(crate) host: Option<String>,
    pub(crate) port: Option<u16>,
    pub(crate) database: Option<String>,
    /// In their order.
    pub(crate) parameters: Vec<(String, String)>,
}

impl Parts {
    /// Reads what follows `scheme://`: `[user[:password]@][host][:port][/database][?parameters]`.
    pub(crate) fn of_url(rest: &str) -> Read<Self> {
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
        let (login, address) = match authority.rsplit_once('@') {
            Some((login, address)) => (Some(login), address),
            None => (None, authority),
        };
        let mut parts = Self::default();
        if let Some(login) = login {
            let (user, password) = match login.split_once(':') {
                Some((user, password)) => (user, Some(password)),
                None => (login, None),
            };
            parts.user = filled(decoded(user)?);
            parts.password = password.map(decoded).transpose()?;
        }
        parts.set_address(address)?;
        parts.database = filled(decoded(database)?);
        parts.parameters = parameters(query)?;
        Ok(parts)
    }

    /// Reads `host`, `host:port` or `[host]:port`.
    pub(crate) fn set_address(&mut self, address: &str) -> Read<()> {
        let (host, port) = split_address(address)?;
        self.host = filled(decoded(host)?);
        self.port = port.map(read_port).transpose()?;
        Ok(())
    }
}

fn split_address(address: &str) -> Read<(&str, Option<&str>)> {
    if address.contains(',') {
        return Err(invalid("only one host can be named"));
    }
    let Some(rest) = address.strip_prefix('[') else {
        return Ok(match address.rsplit_once(':') {
            Some((host, port)) => (host, filled_part(port)),
            None => (address, None),
        });
    };
    match rest.split_once(']') {
        Some((host, "")) => Ok((host, None)),
        Some((host, port)) => match port.strip_prefix(':') {
            Some(port) => Ok((host, filled_part(port))),
            None => Err(invalid("after ] only a port may follow")),
        },
        None => Err(invalid("a [ has no ]")),
    }
}

fn filled_part(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

fn filled(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

/// A port number.
pub(crate) fn read_port(text: &str) -> Read<u16> {
    text.parse()
        .map_err(|_| invalid("the port is not a number from 0 to 65535"))
}

/// Reads `name=value&name=value`.
pub(crate) fn parameters(query: &str) -> Read<Vec<(String, String)>> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decoded(name)?, decoded(value)?))
        })
        .collect()
}

fn decoded(text: &str) -> Read<String> {
    percent_decoded(text).ok_or_else(|| invalid("a % is not followed by two digits"))
}

/// What is wrong with a connection string. The text itself is not repeated: it holds a password.
pub(crate) fn invalid(reason: &str) -> String {
    reason.to_owned()
}

/// A parameter that means nothing here.
pub(crate) fn unknown_parameter(name: &str) -> String {
    format!("unknown parameter {name:?}")
}

/// A parameter with a value that it cannot have.
pub(crate) fn bad_value(name: &str, expected: &str) -> String {
    format!("parameter {name:?} is not {expected}")
}

/// The error of a connection string that was not looked at before.
pub(crate) fn unusable(reason: String) -> DataError {
    let message = format!("data_provider.connection_string: {reason}");
    DataError::new(DataErrorKind::Internal, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(rest: &str) -> Parts {
        Parts::of_url(rest).unwrap()
    }

    #[test]
    fn every_part_of_a_url_is_read() {
        let parts = parts("us%40er:p%3Aw@[::1]:5433/my%20db?sslmode=disable&a=%26");
        assert_eq!(parts.user.as_deref(), Some("us@er"));
        assert_eq!(parts.password.as_deref(), Some("p:w"));
        assert_eq!(parts.host.as_deref(), Some("::1"));
        assert_eq!(parts.port, Some(5433));
        assert_eq!(parts.database.as_deref(), Some("my db"));
        let expected = [("sslmode", "disable"), ("a", "&")];
        assert!(
            parts
                .parameters
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .eq(expected)
        );
    }

    #[test]
    fn parts_may_be_left_out_and_a_host_may_be_a_socket() {
        assert!(parts("") == Parts::default());
        let socket = parts("%2Fvar%2Frun%2Fpostgresql/db");
        assert_eq!(socket.host.as_deref(), Some("/var/run/postgresql"));
        assert_eq!((socket.port, socket.user), (None, None));
        let plain = parts("user@db.example");
        assert_eq!(plain.host.as_deref(), Some("db.example"));
        assert_eq!((plain.password, plain.database), (None, None));
    }

    #[test]
    fn what_is_wrong_is_told_without_the_password() {
        for text in [
            "u:hunter2@h:port/d",
            "u:hunter2@[::1/d",
            "u:hunter2@[::1]5/d",
            "u:hunter2%@h/d",
            "u:hunter2@a,b/d",
            "u:hunter2@h:99999/d",
        ] {
            let reason = Parts::of_url(text).err().unwrap();
            assert!(!reason.contains("hunter2"), "{reason}");
        }
    }
}
