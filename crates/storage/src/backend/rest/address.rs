//! Addresses of stores, as settings give them.

use url::{Host, Url};

/// Reads the URL of a store that has nothing in it but where that is; `None` if it has.
pub(crate) fn plain(endpoint: &str) -> Option<Url> {
    let url = Url::parse(endpoint).ok()?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    plain.then_some(url)
}

/// Whether what is sent there can be read on the way: it is not encrypted, and leaves the machine.
pub(crate) fn is_open(url: &Url) -> bool {
    let here = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    url.scheme() != "https" && !here
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_a_place_and_nothing_else() {
        for endpoint in [
            "",
            "host",
            "/path",
            "ftp://host",
            "https://host?query",
            "https://host#fragment",
            "https://user@host",
            "https://:password@host",
        ] {
            assert!(plain(endpoint).is_none(), "{endpoint}");
        }
        for (endpoint, open) in [
            ("https://host", false),
            ("https://host:1/path", false),
            ("http://host", true),
            ("http://127.0.0.1:1", false),
            ("http://[::1]:1", false),
            ("http://localhost", false),
        ] {
            assert_eq!(is_open(&plain(endpoint).unwrap()), open, "{endpoint}");
        }
    }
}
