//! A request, taken apart.

use hyper::HeaderMap;
use hyper::http::request::Parts;
use percent_encoding::percent_decode_str;

use super::answer::Failure;

/// What a request is about.
pub(super) struct Asked {
    pub(super) bucket: String,
    /// Empty, if it is about the bucket.
    pub(super) key: String,
    query: Vec<(String, String)>,
    pub(super) headers: HeaderMap,
}

impl Asked {
    pub(super) fn parse(head: &Parts) -> Result<Self, Failure> {
        let path = head.uri.path();
        let path = path.strip_prefix('/').unwrap_or(path);
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        let mut query = Vec::new();
        for pair in head.uri.query().unwrap_or("").split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            query.push((decoded(name)?, decoded(&value.replace('+', "%20"))?));
        }
        Ok(Self {
            bucket: decoded(bucket)?,
            key: decoded(key)?,
            query,
            headers: head.headers.clone(),
        })
    }

    /// A value of the query.
    pub(super) fn query(&self, name: &str) -> Option<&str> {
        let pair = self.query.iter().find(|(found, _)| found == name);
        pair.map(|(_, value)| value.as_str())
    }

    /// A header.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The bucket and the key in `x-amz-copy-source`.
    pub(super) fn source(&self) -> Result<(String, String), Failure> {
        let source = self.header("x-amz-copy-source").unwrap_or("");
        let source = source.split_once('?').map_or(source, |(path, _)| path);
        let source = decoded(source)?;
        let path = source.strip_prefix('/').unwrap_or(&source);
        let names = path.split_once('/');
        let names = names
            .ok_or_else(|| Failure::invalid("Copy Source must mention the bucket and the key"))?;
        Ok((names.0.to_owned(), names.1.to_owned()))
    }
}

fn decoded(text: &str) -> Result<String, Failure> {
    let decoded = percent_decode_str(text).decode_utf8();
    let decoded = decoded.map_err(|_| Failure::new(400, "InvalidURI", "The URI is not UTF-8."))?;
    Ok(decoded.into_owned())
}

/// The first byte and how many of a range.
pub(super) fn range(text: &str, size: u64) -> Result<(u64, u64), Failure> {
    let wrong = || Failure::new(416, "InvalidRange", format!("{text} of {size} bytes"));
    crate::range::parse(text, size).ok_or_else(wrong)
}
