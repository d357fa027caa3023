//! [`BaseUrl`]: where a server is.

use std::fmt;
use std::net::SocketAddr;

use url::{Host, Url};

/// The address of a server: `http` or `https`, a host, perhaps a port, and a path if a reverse proxy puts the server below
/// one. There is no name, no password, no query and no fragment in it, so it may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl(Url);

/// Why a text is no address of a server. The text itself is not shown: there may be a password in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// It is no URL, or one of another kind.
    #[error(
        "the URL of the server has to begin with http:// or https://, as in https://sftp.example.com:8080"
    )]
    Form,
    /// There is a name or a password in it.
    #[error(
        "the URL of the server must not have a name or a password in it, which others on this machine could see: use \
         --auth-user, and --auth-password-file or the variable SFTPGO_AUTH_PASSWORD"
    )]
    Credentials,
    /// There is something behind the path.
    #[error(
        "the URL of the server must not have `?` or `#` in it, as in https://sftp.example.com:8080"
    )]
    Rest,
}

impl BaseUrl {
    /// Reads an address.
    ///
    /// # Errors
    /// It is none; the error does not show the text.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let url = Url::parse(text.trim()).map_err(|_| UrlError::Form)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(UrlError::Credentials);
        }
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(UrlError::Form);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(UrlError::Rest);
        }
        Ok(Self(url))
    }

    /// The server that listens at `address` of this machine, where an unspecified one is loopback.
    #[must_use]
    pub fn of_listener(mut address: SocketAddr, tls: bool) -> Option<Self> {
        if address.ip().to_canonical().is_unspecified() {
            address.set_ip([127, 0, 0, 1].into());
        }
        let scheme = if tls { "https" } else { "http" };
        Url::parse(&format!("{scheme}://{address}")).ok().map(Self)
    }

    /// Whether a password that is sent there can be read on the way: it is not encrypted, and leaves the machine.
    #[must_use]
    pub fn is_open(&self) -> bool {
        let here = match self.0.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.to_canonical().is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        };
        self.0.scheme() != "https" && !here
    }

    /// A path below it; every segment is escaped.
    pub(crate) fn below(&self, segments: &[&str], query: &[(&str, &str)]) -> Url {
        let mut url = self.0.clone();
        // Only a URL without a host has no segments, and this one has a host.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_with_a_password_is_refused_and_not_shown() {
        for text in ["https://alice:hunter2@host", "http://alice@host"] {
            let error = BaseUrl::parse(text).unwrap_err();
            assert_eq!(error, UrlError::Credentials);
            assert!(!error.to_string().contains("hunter2"));
        }
    }

    #[test]
    fn an_address_is_a_place_and_nothing_else() {
        for text in [
            "",
            "host:8080",
            "localhost",
            "ftp://host",
            "/api",
            "file:///x",
        ] {
            assert_eq!(BaseUrl::parse(text), Err(UrlError::Form), "{text}");
        }
        for text in ["http://host?x", "http://host/#x"] {
            assert_eq!(BaseUrl::parse(text), Err(UrlError::Rest), "{text}");
        }
        let shown = |text: &str| BaseUrl::parse(text).unwrap().to_string();
        assert_eq!(shown("HTTPS://Host:8080/"), "https://host:8080");
        assert_eq!(shown("http://[::1]:1/sftpgo/"), "http://[::1]:1/sftpgo");
    }

    #[test]
    fn paths_are_put_below_that_of_a_proxy_and_escaped() {
        let below = |base: &str, segments: &[&str], query: &[(&str, &str)]| {
            BaseUrl::parse(base)
                .unwrap()
                .below(segments, query)
                .to_string()
        };
        assert_eq!(below("http://h", &["api", "v1"], &[]), "http://h/api/v1");
        assert_eq!(
            below("http://h/x/", &["a/b", "c d"], &[("name", "ü&")]),
            "http://h/x/a%2Fb/c%20d?name=%C3%BC%26"
        );
    }

    #[test]
    fn a_listener_of_this_machine_is_asked_over_loopback() {
        let url = |address: &str, tls| {
            let url = BaseUrl::of_listener(address.parse().unwrap(), tls);
            url.unwrap().to_string()
        };
        assert_eq!(url("127.0.0.1:8080", false), "http://127.0.0.1:8080");
        assert_eq!(url("[::]:8443", true), "https://127.0.0.1:8443");
        assert_eq!(url("0.0.0.0:80", false), "http://127.0.0.1");
        assert_eq!(url("[::1]:8080", false), "http://[::1]:8080");
    }

    #[test]
    fn a_password_may_be_sent_in_the_clear_on_this_machine_only() {
        for (text, open) in [
            ("http://host", true),
            ("http://192.0.2.1", true),
            ("https://host", false),
            ("http://localhost:1", false),
            ("http://127.0.0.2", false),
            ("http://[::1]", false),
        ] {
            assert_eq!(BaseUrl::parse(text).unwrap().is_open(), open, "{text}");
        }
    }
}
