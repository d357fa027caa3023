//! What a request says about who sends it (RFC 7617).

use std::fmt;

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

/// With `=` at the end, or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A name and a password. `Debug` shows neither.
pub(super) struct Credentials {
    /// Both, with the first colon between them.
    text: Zeroizing<String>,
}

impl Credentials {
    /// Those of a request that has one `Authorization`, of the scheme `Basic`.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut sent = headers.get_all(header::AUTHORIZATION).iter();
        let (Some(sent), None) = (sent.next(), sent.next()) else {
            return None;
        };
        let (scheme, encoded) = sent.to_str().ok()?.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let decoded = Zeroizing::new(BASE64.decode(encoded.trim_matches(' ')).ok()?);
        let text = str::from_utf8(&decoded).ok()?;
        text.contains(':').then(|| Self {
            text: Zeroizing::new(text.to_owned()),
        })
    }

    pub(super) fn name(&self) -> &str {
        self.parts().0
    }

    pub(super) fn password(&self) -> &str {
        self.parts().1
    }

    fn parts(&self) -> (&str, &str) {
        // There is a colon; without one there would be no password, which matches nothing.
        self.text.split_once(':').unwrap_or_default()
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[&str]) -> Option<(String, String)> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::AUTHORIZATION, value.parse().unwrap());
        }
        let found = Credentials::of(&headers)?;
        assert_eq!(format!("{found:?}"), "Credentials { .. }");
        Some((found.name().to_owned(), found.password().to_owned()))
    }

    #[test]
    fn a_name_ends_at_the_first_colon() {
        let pair = |name: &str, password: &str| Some((name.to_owned(), password.to_owned()));
        // The example of RFC 7617 2, and that of 2.1 with its pound sign.
        let aladdin = "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==";
        assert_eq!(of(&[aladdin]), pair("Aladdin", "open sesame"));
        assert_eq!(of(&["basic dGVzdDoxMjPCow=="]), pair("test", "123£"));
        assert_eq!(of(&["BASIC  YTpiOmM"]), pair("a", "b:c"));
        assert_eq!(of(&["Basic Og=="]), pair("", ""));
    }

    #[test]
    fn what_is_not_one_pair_is_none() {
        for values in [
            &[][..],
            &[""],
            &["Basic"],
            &["Basic "],
            &["Basic YWJj"],
            &["Basic %%%"],
            &["Basic /zov"],
            &["Bearer QWxhZGRpbjpvcGVuIHNlc2FtZQ=="],
            &["QWxhZGRpbjpvcGVuIHNlc2FtZQ=="],
            &["Basic YTpi", "Basic YTpi"],
        ] {
            assert_eq!(of(values), None, "{values:?}");
        }
    }
}
