//! Tokens that show that a form was sent from one of our own pages.
//!
//! A browser gets a random cookie; every form holds its keyed digest, which nobody can make who has not the key of this
//! process. `guard` has already refused what browsers mark as coming from elsewhere: this is the second wall, for browsers
//! that do not mark it. Programs that are no browsers send neither cookie nor token, as clients of the reference do.

use aws_lc_rs::hmac::{self, HMAC_SHA256, Key};
use axum::http::{HeaderMap, header};

use super::visit::Visit;
use crate::guard;

/// The field of every form that changes something.
pub(super) const FIELD: &str = "_form_token";

const BYTES: usize = 16;

/// Makes and checks tokens. Has a key of its own for each run of the server.
pub(crate) struct Csrf {
    key: Key,
}

impl std::fmt::Debug for Csrf {
    /// Deliberately without the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Csrf")
    }
}

impl Csrf {
    /// One with a new key; `None` if the system has no random numbers.
    pub(crate) fn new() -> Option<Self> {
        let mut secret = [0_u8; 32];
        aws_lc_rs::rand::fill(&mut secret).ok()?;
        Some(Self {
            key: Key::new(HMAC_SHA256, &secret),
        })
    }

    /// The token for the pages of a browser with that cookie.
    pub(super) fn token(&self, cookie: &str) -> String {
        hex(hmac::sign(&self.key, cookie.as_bytes()).as_ref())
    }

    /// Whether a form with this token may change something.
    pub(super) fn allows(&self, visit: &Visit, token: Option<&str>) -> bool {
        match (visit.cookie.as_deref(), token) {
            (Some(cookie), Some(token)) => unhex(token)
                .is_some_and(|tag| hmac::verify(&self.key, cookie.as_bytes(), &tag).is_ok()),
            (None, Some(_)) => false,
            (_, None) => !visit.is_browser,
        }
    }
}

/// A new cookie; `None` if the system has no random numbers.
pub(super) fn new_cookie() -> Option<String> {
    let mut bytes = [0_u8; BYTES];
    aws_lc_rs::rand::fill(&mut bytes).ok()?;
    Some(hex(&bytes))
}

/// Whether this may be a cookie of [`new_cookie`].
pub(super) fn is_cookie(text: &str) -> bool {
    text.len() == BYTES * 2 && unhex(text).is_some()
}

/// Whether the request has what only browsers send.
pub(super) fn is_browser(headers: &HeaderMap) -> bool {
    let named = [header::ORIGIN, header::REFERER, header::COOKIE];
    guard::is_browser(headers)
        || named.iter().any(|name| headers.contains_key(name))
        || headers.contains_key("sec-fetch-site")
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let byte = |[high, low]: &[u8; 2]| u8::try_from((digit(*high)? << 4) | digit(*low)?).ok();
    pairs
        .iter()
        .map(byte)
        .collect::<Option<Vec<u8>>>()
        .filter(|_| rest.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visit(fields: &[(&'static str, &str)]) -> Visit {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, value.parse().unwrap());
        }
        Visit::of(&headers)
    }

    #[test]
    fn a_browser_needs_the_token_of_its_cookie_and_of_this_run() {
        let (csrf, other) = (Csrf::new().unwrap(), Csrf::new().unwrap());
        let (cookie, foreign) = (new_cookie().unwrap(), new_cookie().unwrap());
        let sent = visit(&[("cookie", &format!("a=b; sftpgo_form={cookie}"))]);
        let token = csrf.token(&cookie);
        assert!(csrf.allows(&sent, Some(&token)));
        let wrong = [
            csrf.token(&foreign),
            other.token(&cookie),
            String::new(),
            "é".into(),
        ];
        for token in wrong {
            assert!(!csrf.allows(&sent, Some(&token)), "{token}");
        }
        assert!(!csrf.allows(&sent, None));
        assert!(!csrf.allows(&visit(&[]), Some(&token)));
    }

    #[test]
    fn a_program_needs_no_token_and_a_browser_always_does() {
        let csrf = Csrf::new().unwrap();
        assert!(csrf.allows(&visit(&[("user-agent", "curl/8.0")]), None));
        for field in [
            ("user-agent", "Mozilla/5.0"),
            ("origin", "http://localhost:8080"),
            ("referer", "http://localhost:8080/web/user"),
            ("sec-fetch-site", "none"),
            ("cookie", "x=y"),
        ] {
            assert!(!csrf.allows(&visit(&[field]), None), "{field:?}");
        }
    }
}
