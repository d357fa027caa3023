//! What is kept with a blob, as headers.

use http::{HeaderMap, Request};
use jiff::fmt::rfc2822::DateTimeParser;

use super::super::object::{Attributes, ObjectError, ObjectErrorKind, ObjectInfo, ObjectResult};
use super::super::rest::Answer;
use super::credential::unsendable;
use crate::metadata::FileTime;

/// Names and values that are sent.
pub(super) type Headers = Vec<(String, String)>;

const METADATA: &str = "x-ms-meta-";
/// What Azure says of a blob that was put without a type.
const USUAL_TYPE: &str = "application/octet-stream";
static TIMES: DateTimeParser = DateTimeParser::new();

/// What Get Blob Properties says.
#[derive(Debug)]
pub(super) struct Properties {
    pub(super) info: ObjectInfo,
    /// The digest of the contents, which whoever sets the rest must set again.
    pub(super) content_md5: Option<String>,
}

impl Properties {
    /// Reads them off an answer.
    pub(super) fn of(answer: &Answer) -> ObjectResult<Self> {
        let size = answer.header("content-length");
        let size = size.and_then(|size| size.parse().ok()).ok_or_else(|| {
            let context = "the store tells no size";
            ObjectError::new(ObjectErrorKind::Internal, context)
        })?;
        Ok(Self {
            info: ObjectInfo {
                size,
                modified: time_of(answer.header("last-modified")),
                etag: answer.header("etag").unwrap_or_default().to_owned(),
                attributes: attributes_of(answer.headers()),
            },
            content_md5: answer.header("content-md5").map(str::to_owned),
        })
    }
}

fn attributes_of(headers: &HeaderMap) -> Attributes {
    let text = |name: &str| {
        let value = headers.get(name)?;
        // A value that is no ASCII is shown as well as can be, and refused if it is to be written again.
        Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    let metadata = headers.keys().filter_map(|name| {
        let key = name.as_str().strip_prefix(METADATA)?;
        Some((key.to_owned(), text(name.as_str())?))
    });
    let inferred = text("x-ms-access-tier-inferred").as_deref() == Some("true");
    Attributes {
        metadata: metadata.collect(),
        content_type: text("content-type"),
        content_encoding: text("content-encoding"),
        content_disposition: text("content-disposition"),
        content_language: text("content-language"),
        cache_control: text("cache-control"),
        storage_class: text("x-ms-access-tier").filter(|_| !inferred),
    }
}

/// The user's own values.
pub(super) fn metadata(attributes: &Attributes) -> Headers {
    let values = attributes.metadata.iter();
    values
        .map(|(name, value)| (format!("{METADATA}{name}"), value.clone()))
        .collect()
}

/// What a blob says about its contents.
pub(super) fn content(attributes: &Attributes) -> Headers {
    let all = [
        ("x-ms-blob-content-type", &attributes.content_type),
        ("x-ms-blob-content-encoding", &attributes.content_encoding),
        (
            "x-ms-blob-content-disposition",
            &attributes.content_disposition,
        ),
        ("x-ms-blob-content-language", &attributes.content_language),
        ("x-ms-blob-cache-control", &attributes.cache_control),
    ];
    let set = all.into_iter();
    set.filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)))
        .collect()
}

/// The access tier.
pub(super) fn tier(attributes: &Attributes) -> Headers {
    let tier = attributes.storage_class.iter();
    tier.map(|tier| ("x-ms-access-tier".to_owned(), tier.clone()))
        .collect()
}

/// Everything that a new blob gets.
pub(super) fn whole(attributes: &Attributes) -> Headers {
    let mut headers = content(attributes);
    headers.extend(metadata(attributes));
    headers.extend(tier(attributes));
    headers
}

/// The same, if HTTP can carry them: an upload is told before its bytes are sent, not after.
pub(super) fn sendable(headers: Headers) -> ObjectResult<Headers> {
    for (name, value) in &headers {
        let checked = Request::builder().header(name, value.as_str()).body(());
        check(checked.map_err(unsendable)?.headers())?;
    }
    Ok(headers)
}

/// Whether all values are ASCII. Others can be sent as well, and what signs them takes it for granted that there are none.
pub(super) fn check(headers: &HeaderMap) -> ObjectResult<()> {
    for value in headers.values() {
        value.to_str().map_err(unsendable)?;
    }
    Ok(())
}

/// Whether two blobs say the same about their contents.
pub(super) fn same_content(one: &Attributes, other: &Attributes) -> bool {
    let told = |attributes: &Attributes| {
        let usual = || Some(USUAL_TYPE.to_owned());
        content(&Attributes {
            content_type: attributes.content_type.clone().or_else(usual),
            ..attributes.clone()
        })
    };
    told(one) == told(other)
}

/// A time as HTTP writes it.
pub(super) fn time_of(text: Option<&str>) -> FileTime {
    let time = text.and_then(|text| TIMES.parse_timestamp(text).ok());
    let time = time.map(|time| FileTime {
        seconds: time.as_second(),
        nanos: 0,
    });
    time.unwrap_or_default()
}

/// A tag as headers write it. Listings leave the quotes out.
pub(super) fn quoted(etag: &str) -> String {
    if etag.is_empty() || etag.ends_with('"') {
        etag.to_owned()
    } else {
        format!("\"{etag}\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_with_a_blob_comes_back() {
        let attributes = Attributes {
            metadata: [("mtime".to_owned(), "1.5".to_owned())].into(),
            content_type: Some("text/plain".to_owned()),
            cache_control: Some("no-cache".to_owned()),
            storage_class: Some("Cool".to_owned()),
            ..Attributes::default()
        };
        let mut headers = HeaderMap::new();
        for (name, value) in whole(&attributes) {
            let name = name.strip_prefix("x-ms-blob-").unwrap_or(&name).to_owned();
            let name: http::HeaderName = name.parse().unwrap();
            headers.insert(name, value.parse().unwrap());
        }
        assert_eq!(attributes_of(&headers), attributes);
        headers.insert("x-ms-access-tier-inferred", "true".parse().unwrap());
        assert_eq!(attributes_of(&headers).storage_class, None);
    }

    #[test]
    fn metadata_that_is_no_ascii_is_shown_and_never_sent() {
        let mut headers = HeaderMap::new();
        let value = http::HeaderValue::from_bytes("é".as_bytes()).unwrap();
        headers.insert("x-ms-meta-name", value);
        let attributes = attributes_of(&headers);
        assert_eq!(attributes.metadata["name"], "é");
        let refused = sendable(whole(&attributes)).unwrap_err();
        assert_eq!(refused.kind(), ObjectErrorKind::Unsupported);
        assert!(sendable(whole(&Attributes::default())).is_ok());
    }

    #[test]
    fn a_blob_without_a_type_has_the_usual_one() {
        let none = Attributes::default();
        let usual = Attributes {
            content_type: Some(USUAL_TYPE.to_owned()),
            ..Attributes::default()
        };
        let other = Attributes {
            content_language: Some("de".to_owned()),
            ..Attributes::default()
        };
        assert!(same_content(&none, &usual));
        assert!(!same_content(&none, &other));
    }

    #[test]
    fn times_and_tags_of_listings_and_of_headers_are_the_same() {
        let time = time_of(Some("Wed, 01 Jan 2020 00:00:00 GMT"));
        assert_eq!(time.seconds, 1_577_836_800);
        assert_eq!(time_of(Some("yesterday")), FileTime::default());
        assert_eq!(quoted("0x8D"), "\"0x8D\"");
        assert_eq!(quoted("\"0x8D\""), "\"0x8D\"");
    }
}
