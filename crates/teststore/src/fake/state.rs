//! Everything that is stored.

use std::collections::BTreeMap;

use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};
use jiff::Timestamp;

use super::{Found, Stay};
use crate::content::{Content, Data};

/// Headers that S3 stores with an object, beside those of `x-amz-meta-`.
const STORED: [&str; 6] = [
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-type",
    "expires",
];

/// The class of an object of which nothing else is said.
pub(super) const STANDARD: &str = "STANDARD";

pub(super) type Objects = BTreeMap<String, Object>;

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) buckets: BTreeMap<String, Objects>,
    /// By their identifier.
    pub(super) uploads: BTreeMap<String, Upload>,
    pub(super) begun: u64,
}

#[derive(Debug, Clone)]
pub(super) struct Object {
    pub(super) data: Data,
    pub(super) attributes: Attributes,
    pub(super) modified: Timestamp,
    pub(super) parts: usize,
}

#[derive(Debug)]
pub(super) struct Upload {
    pub(super) bucket: String,
    pub(super) key: String,
    pub(super) attributes: Attributes,
    pub(super) started: Timestamp,
    pub(super) parts: BTreeMap<u16, Data>,
}

/// What is stored beside the content.
#[derive(Debug, Clone)]
pub(super) struct Attributes {
    pub(super) headers: HeaderMap,
    pub(super) storage_class: String,
}

impl Default for Attributes {
    fn default() -> Self {
        Self {
            headers: HeaderMap::new(),
            storage_class: STANDARD.to_owned(),
        }
    }
}

impl Attributes {
    /// Those of an upload with these headers.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let is_stored = |name: &HeaderName, value: &HeaderValue| {
            // How the request is sent, not what is stored.
            let only_sent = name == "content-encoding" && value == "aws-chunked";
            let name = name.as_str();
            (STORED.contains(&name) || name.starts_with("x-amz-meta-")) && !only_sent
        };
        let stored = headers
            .iter()
            .filter(|(name, value)| is_stored(name, value))
            .map(|(name, value)| (name.clone(), value.clone()));
        Self {
            headers: stored.collect(),
            storage_class: class(headers).unwrap_or_else(|| STANDARD.to_owned()),
        }
    }
}

/// The storage class that a request asks for.
pub(super) fn class(headers: &HeaderMap) -> Option<String> {
    let value = headers.get("x-amz-storage-class")?;
    Some(value.to_str().ok()?.to_owned())
}

impl Object {
    pub(super) fn new(data: Data, attributes: Attributes, parts: usize) -> Self {
        Self {
            data,
            attributes,
            modified: Timestamp::now(),
            parts,
        }
    }

    /// With a `-`, so that nobody takes it for an MD5.
    pub(super) fn etag(&self) -> String {
        format!(
            "\"{:08x}{:x}-{}\"",
            self.data.crc32, self.data.size, self.parts
        )
    }

    pub(super) fn found(&self) -> Found {
        let content = match &self.data.content {
            Content::Kept(kept) => Some(kept.bytes().clone()),
            Content::Pattern(_) | Content::Gone => None,
        };
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = self.attributes.headers.iter();
        Found {
            size: self.data.size,
            crc32: self.data.crc32,
            content,
            parts: self.parts,
            headers: headers
                .map(|(name, value)| (name.to_string(), text(value)))
                .collect(),
            storage_class: self.attributes.storage_class.clone(),
        }
    }
}

/// The entity tag of a part.
pub(super) fn part_etag(part: &Data) -> String {
    format!("\"{:08x}{:x}-0\"", part.crc32, part.size)
}

impl Upload {
    pub(super) fn stay(&self) -> Stay {
        Stay {
            key: self.key.clone(),
            parts: self.parts.len(),
            bytes: self.parts.values().map(|part| part.size).sum(),
            started: self.started,
        }
    }
}
