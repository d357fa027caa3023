//! [`Credentials`]: who asks.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use zeroize::Zeroizing;

/// A name and a password for HTTP basic authentication (RFC 7617). `Debug` shows neither.
#[derive(Clone)]
pub struct Credentials {
    authorization: HeaderValue,
}

/// Why a name and a password cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CredentialsError {
    /// RFC 7617 2: everything behind the first colon is the password.
    #[error(
        "the name of an administrator (--auth-user) must not have a colon or control characters in it"
    )]
    Name,
    /// RFC 7617 2.
    #[error("the password of the administrator must not have control characters in it")]
    Password,
}

impl Credentials {
    /// The credentials of `name`.
    ///
    /// # Errors
    /// The name has a colon in it, or one of them a control character.
    pub fn new(name: &str, password: &str) -> Result<Self, CredentialsError> {
        if name.contains(':') || name.contains(char::is_control) {
            return Err(CredentialsError::Name);
        }
        if password.contains(char::is_control) {
            return Err(CredentialsError::Password);
        }
        let pair = Zeroizing::new(format!("{name}:{password}"));
        let encoded = Zeroizing::new(STANDARD.encode(pair.as_bytes()));
        let text = Zeroizing::new(format!("Basic {}", *encoded));
        // Base64 is made of what headers may hold.
        let mut authorization =
            HeaderValue::from_str(&text).map_err(|_| CredentialsError::Password)?;
        authorization.set_sensitive(true);
        Ok(Self { authorization })
    }

    pub(crate) fn authorization(&self) -> HeaderValue {
        self.authorization.clone()
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_and_a_password_become_a_header_that_is_not_shown() {
        let credentials = Credentials::new("Aladdin", "open sesame").unwrap();
        assert_eq!(
            credentials.authorization(),
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
        );
        let shown = format!("{credentials:?} {:?}", credentials.authorization());
        assert!(
            !shown.contains("QWxh") && !shown.contains("open"),
            "{shown}"
        );
    }

    #[test]
    fn what_the_header_cannot_carry_is_refused() {
        assert!(Credentials::new("a:b", "x").is_err());
        assert!(Credentials::new("a\n", "x").is_err());
        assert!(Credentials::new("a", "x\r\n").is_err());
        assert!(Credentials::new("é", "p:ü").is_ok());
    }
}
