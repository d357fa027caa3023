//! Where a hook is, which the operator has put between us and a login: a program or a URL.

use std::fmt;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use url::form_urlencoded::byte_serialize;
use url::{Host, Url};
use zeroize::Zeroizing;

/// A hook as a settings file names it. `Debug` hides what a URL may hold of secrets.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HookText(String);

impl HookText {
    /// Where the hook is; `None` if there is none.
    ///
    /// # Errors
    /// Neither an absolute path nor a URL; the text says so without repeating it.
    pub fn target(&self) -> Result<Option<HookTarget>, String> {
        if self.0.is_empty() {
            return Ok(None);
        }
        HookTarget::parse(&self.0).map(Some)
    }

    /// Whether nothing is set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The same where only a URL will do.
    ///
    /// # Errors
    /// It is none; the text says so without repeating it.
    pub fn url(&self) -> Result<Option<HookUrl>, String> {
        if self.0.is_empty() {
            return Ok(None);
        }
        HookUrl::parse(&self.0).map(Some)
    }
}

impl From<&str> for HookText {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for HookText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&without_credentials(&self.0), f)
    }
}

/// The text with the user name and password of a URL replaced, and its query, where tokens are; any other text as it is.
pub fn without_credentials(text: &str) -> String {
    let shown = || {
        let (scheme, rest) = text.split_once("://")?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end)?;
        let mut shown = format!("{scheme}://");
        match authority.rsplit_once('@') {
            Some((_, host)) => shown.push_str(&format!("[redacted]@{host}")),
            None => shown.push_str(authority),
        }
        match path
            .find(['?', '#'])
            .and_then(|end| path.split_at_checked(end))
        {
            Some((path, _)) => shown.push_str(&format!("{path}?[redacted]")),
            None => shown.push_str(path),
        }
        Some(shown)
    };
    shown().unwrap_or_else(|| text.to_owned())
}

/// Where a hook is. `Display` and `Debug` show no secret.
#[derive(Clone, PartialEq, Eq)]
pub enum HookTarget {
    /// An absolute path of a program.
    Program(PathBuf),
    /// A URL that is asked with POST.
    Url(HookUrl),
}

impl HookTarget {
    /// Parses an absolute path, or a URL that begins with `http://` or `https://`.
    ///
    /// # Errors
    /// It is neither; the text does not repeat it.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.contains("://") {
            return HookUrl::parse(text).map(Self::Url);
        }
        let path = Path::new(text);
        if !path.is_absolute() || text.contains('\0') {
            let expected =
                "must be the absolute path of a program, or a URL with http:// or https://";
            return Err(expected.to_owned());
        }
        Ok(Self::Program(path.to_path_buf()))
    }

    /// Whether what it is asked can be read on the way by others than this machine.
    pub fn is_exposed(&self) -> bool {
        match self {
            Self::Program(_) => false,
            Self::Url(url) => url.is_exposed(),
        }
    }
}

impl fmt::Display for HookTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Program(path) => write!(f, "{}", path.display()),
            Self::Url(url) => fmt::Display::fmt(url, f),
        }
    }
}

impl fmt::Debug for HookTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HookTarget({self})")
    }
}

/// An absolute `http` or `https` URL with a host, without a fragment; user name and password are kept apart.
///
/// `Display` and `Debug` show neither those nor the query, which may hold a token.
#[derive(Clone, PartialEq, Eq)]
pub struct HookUrl {
    url: Url,
    authorization: Option<Zeroizing<String>>,
}

impl HookUrl {
    fn parse(text: &str) -> Result<Self, String> {
        let mut url = Url::parse(text).map_err(|error| format!("is no URL: {error}"))?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err("is a URL, but not one with http:// or https://".to_owned());
        }
        let authorization = authorization(&url);
        url.set_fragment(None);
        // Both succeed on a URL with a host.
        let cleared = url.set_username("").and_then(|()| url.set_password(None));
        cleared.map_err(|()| "is a URL without a host".to_owned())?;
        Ok(Self { url, authorization })
    }

    /// The URL to ask, with `parameters` added to its query. Bytes that are no text are encoded as they are.
    pub fn with_query(&self, parameters: &[(&str, impl AsRef<[u8]>)]) -> String {
        let mut url = self.url.clone();
        if !parameters.is_empty() {
            let mut query = url.query().unwrap_or_default().to_owned();
            for (name, value) in parameters {
                if !query.is_empty() {
                    query.push('&');
                }
                query.extend(byte_serialize(name.as_bytes()));
                query.push('=');
                query.extend(byte_serialize(value.as_ref()));
            }
            url.set_query(Some(&query));
        }
        url.into()
    }

    /// The value of the header `Authorization`, if the URL has a user name or password.
    pub fn authorization(&self) -> Option<&str> {
        self.authorization.as_deref().map(String::as_str)
    }

    /// Whether it is asked by TLS.
    pub fn is_encrypted(&self) -> bool {
        self.url.scheme() == "https"
    }

    pub(crate) fn is_exposed(&self) -> bool {
        let is_local = match self.url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        !self.is_encrypted() && !is_local
    }
}

/// RFC 7617.
fn authorization(url: &Url) -> Option<Zeroizing<String>> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let mut plain = Zeroizing::new(Vec::new());
    plain.extend(percent_decode_str(url.username()));
    plain.push(b':');
    plain.extend(percent_decode_str(url.password().unwrap_or_default()));
    Some(Zeroizing::new(format!(
        "Basic {}",
        STANDARD.encode(&*plain)
    )))
}

impl fmt::Display for HookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = self.url.clone();
        shown.set_query(None);
        fmt::Display::fmt(&shown, f)
    }
}

impl fmt::Debug for HookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HookUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> HookUrl {
        match HookTarget::parse(text).unwrap() {
            HookTarget::Url(url) => url,
            HookTarget::Program(path) => panic!("{path:?}"),
        }
    }

    #[test]
    fn a_hook_is_an_absolute_path_or_a_url() {
        let program = HookTarget::parse("/usr/local/bin/auth").unwrap();
        assert_eq!(program, HookTarget::Program("/usr/local/bin/auth".into()));
        assert_eq!(
            url("HTTPS://Auth.Example/login").to_string(),
            "https://auth.example/login"
        );
        for bad in [
            "auth",
            "./auth",
            "ftp://h/",
            "http://",
            "http://h:99999/",
            "/a\0b",
        ] {
            assert!(HookTarget::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(HookText::from("").target(), Ok(None));
    }

    #[test]
    fn secrets_of_a_url_are_sent_and_never_shown() {
        let text = "https://svc:p%40ss@auth.example:8443/login?token=hush#top";
        let parsed = url(text);
        assert_eq!(parsed.authorization(), Some("Basic c3ZjOnBAc3M="));
        assert_eq!(
            parsed.with_query(&[("ip", "::1")]),
            "https://auth.example:8443/login?token=hush&ip=%3A%3A1"
        );
        assert_eq!(
            url("http://h/?").with_query(&[("path", b"/a b&\xff'+")]),
            "http://h/?path=%2Fa+b%26%FF%27%2B"
        );
        let target = HookTarget::Url(parsed.clone());
        for shown in [
            parsed.to_string(),
            format!("{parsed:?}"),
            target.to_string(),
            format!("{target:?}"),
        ] {
            assert!(shown.contains("auth.example:8443/login"), "{shown}");
            assert!(
                !shown.contains("p%40ss") && !shown.contains("hush"),
                "{shown}"
            );
        }
        assert_eq!(
            without_credentials("https://svc:p@ss@auth.example/a@b"),
            "https://[redacted]@auth.example/a@b"
        );
        assert_eq!(
            without_credentials("https://auth.example/a?token=hush#top"),
            "https://auth.example/a?[redacted]"
        );
        assert!(!format!("{:?}", HookText::from(text)).contains("p%40ss"));
        for plain in ["/usr/bin/a@b", "http://h/a@b", "user:pass"] {
            assert_eq!(without_credentials(plain), plain);
        }
        let error = HookTarget::parse("https://svc:hunter2@h:99999/").unwrap_err();
        assert!(!error.contains("hunter2"), "{error}");
    }

    #[test]
    fn what_goes_unencrypted_to_another_machine_is_exposed() {
        let exposed = |text: &str| HookTarget::parse(text).unwrap().is_exposed();
        assert!(exposed("http://auth.example/") && exposed("http://192.0.2.1/"));
        for not in [
            "https://auth.example/",
            "http://127.0.0.1:8000/",
            "http://[::1]/",
            "http://localhost/",
            "/bin/x",
        ] {
            assert!(!exposed(not), "{not}");
        }
    }
}
