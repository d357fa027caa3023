//! Addresses: where a bucket, its objects and its uploads are.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::super::rest::{is_open, plain};
use crate::error::{StorageError, StorageErrorKind, StorageResult};

/// Google's own.
pub(super) const ENDPOINT: &str = "https://storage.googleapis.com";

/// Everything but what RFC 3986 2.3 leaves as it is: a key is one segment of a path, `/` included.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// One bucket at one endpoint.
#[derive(Debug, Clone)]
pub(super) struct Place {
    endpoint: String,
    bucket: String,
}

/// The address of a call, with what is asked for.
#[derive(Clone)]
pub(super) struct Url {
    text: String,
    asks: bool,
}

impl Place {
    /// # Errors
    /// `Internal` if the settings name no bucket, or no endpoint that `secrets` may be sent to.
    pub(super) fn new(endpoint: &str, bucket: &str, secrets: bool) -> StorageResult<Self> {
        let wrong = |context| StorageError::new(StorageErrorKind::Internal, context);
        let Some(url) = plain(endpoint) else {
            let context = "`gcsconfig.endpoint` is no URL, or has more than a host in it";
            return Err(wrong(context));
        };
        if secrets && is_open(&url) {
            let context = "`gcsconfig.endpoint` must be https: a token would be sent in the open";
            return Err(wrong(context));
        }
        if bucket.is_empty() {
            return Err(wrong("`gcsconfig.bucket` is missing"));
        }
        Ok(Self {
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            bucket: encoded(bucket),
        })
    }

    /// Whether what is sent there is encrypted.
    pub(super) fn is_encrypted(&self) -> bool {
        self.endpoint.starts_with("https:")
    }

    /// All objects of the bucket.
    pub(super) fn objects(&self) -> Url {
        self.below("/storage/v1", "")
    }

    /// One object.
    pub(super) fn object(&self, key: &str) -> Url {
        self.below("/storage/v1", &format!("/{}", encoded(key)))
    }

    /// Where new objects are sent.
    pub(super) fn upload(&self) -> Url {
        self.below("/upload/storage/v1", "")
    }

    /// Where the copy of an object is asked for.
    pub(super) fn rewrite(&self, from: &str, to: &str) -> Url {
        let (from, to, bucket) = (encoded(from), encoded(to), &self.bucket);
        self.below(
            "/storage/v1",
            &format!("/{from}/rewriteTo/b/{bucket}/o/{to}"),
        )
    }

    /// Where an object is made of others.
    pub(super) fn compose(&self, to: &str) -> Url {
        self.below("/storage/v1", &format!("/{}/compose", encoded(to)))
    }

    fn below(&self, interface: &str, rest: &str) -> Url {
        let Self { endpoint, bucket } = self;
        Url {
            text: format!("{endpoint}{interface}/b/{bucket}/o{rest}"),
            asks: false,
        }
    }
}

impl Url {
    /// Adds a parameter.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.text.push(if self.asks { '&' } else { '?' });
        self.asks = true;
        self.text.push_str(name);
        self.text.push('=');
        self.text.push_str(&encoded(value));
        self
    }

    /// Adds a parameter that may not be there.
    pub(super) fn option(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// The whole address.
    pub(super) fn text(&self) -> &str {
        &self.text
    }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_one_segment_whatever_is_in_it() {
        let place = Place::new(ENDPOINT, "b", true).unwrap();
        assert_eq!(
            place
                .object("dir/a b+c?d#é%.txt")
                .with("fields", "name,size")
                .with("alt", "media")
                .text(),
            "https://storage.googleapis.com/storage/v1/b/b/o/dir%2Fa%20b%2Bc%3Fd%23%C3%A9%25.txt?fields=name%2Csize&alt=media"
        );
        assert_eq!(
            place.rewrite("a/b", "c d").text(),
            "https://storage.googleapis.com/storage/v1/b/b/o/a%2Fb/rewriteTo/b/b/o/c%20d"
        );
        let place = Place::new("http://127.0.0.1:1/", "b", true).unwrap();
        let upload = place.upload().option("name", Some("/")).option("x", None);
        assert_eq!(
            upload.text(),
            "http://127.0.0.1:1/upload/storage/v1/b/b/o?name=%2F"
        );
    }

    #[test]
    fn a_token_is_sent_where_nobody_reads_it() {
        for (endpoint, secrets, taken) in [
            ("http://store.example", true, false),
            ("http://store.example", false, true),
            ("https://store.example", true, true),
            ("https://user:secret@store.example", true, false),
        ] {
            let place = Place::new(endpoint, "b", secrets);
            assert_eq!(place.is_ok(), taken, "{endpoint}");
            let text = place.err().map(|error| error.to_string());
            assert!(text.is_none_or(|text| text.contains("gcsconfig.endpoint")));
        }
        assert!(Place::new(ENDPOINT, "", true).is_err());
    }
}
