//! [`Call`]: a request before it is sent.

use http::Method;
use serde_json::Value;

/// A request to the API.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) method: Method,
    /// Of the path below the base.
    pub(crate) segments: Vec<&'a str>,
    pub(crate) query: Vec<(&'a str, &'a str)>,
    /// Not shown by anything: there may be a password in it.
    pub(crate) body: Option<Body>,
    pub(crate) pace: Pace,
    /// What does not exist if the answer is 404; `None` if the path itself is then unknown.
    pub(crate) subject: Option<String>,
}

/// A body, which `Debug` does not show.
pub(crate) struct Body(pub(crate) Value);

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Body(..)")
    }
}

/// How long it may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// As most do.
    Usual,
    /// All accounts are read or written.
    Slow,
}

impl<'a> Call<'a> {
    /// A request to a path below `/api/v1`.
    pub(crate) fn api(method: Method, segments: &[&'a str]) -> Self {
        Self::to(method, [&["api", "v1"], segments].concat())
    }

    /// A request to any path.
    pub(crate) fn to(method: Method, segments: Vec<&'a str>) -> Self {
        Self {
            method,
            segments,
            query: Vec::new(),
            body: None,
            pace: Pace::Usual,
            subject: None,
        }
    }

    pub(crate) fn query(self, query: &[(&'a str, &'a str)]) -> Self {
        Self {
            query: query.to_vec(),
            ..self
        }
    }

    pub(crate) fn body(self, body: Value) -> Self {
        Self {
            body: Some(Body(body)),
            ..self
        }
    }

    /// Names what a 404 is about.
    pub(crate) fn about(self, subject: String) -> Self {
        Self {
            subject: Some(subject),
            ..self
        }
    }

    pub(crate) fn slow(self) -> Self {
        Self {
            pace: Pace::Slow,
            ..self
        }
    }
}
