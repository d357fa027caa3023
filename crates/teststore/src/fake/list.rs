//! Listings: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>, and the older
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html>, which some clients still use.

use std::fmt::Write as _;
use std::ops::Bound;

use super::Shared;
use super::answer::{Failure, Outcome, with_document};
use super::asked::Asked;
use super::state::Object;
use super::xml::escape;
use crate::encode_key;
use crate::page::{Page, behind, folder, page, place, token};

/// Most names of an answer.
const MOST: usize = 1000;

/// Which of the two is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    /// Goes on behind a name that the client has seen.
    One,
    /// Goes on where a token says.
    Two,
}

pub(super) fn objects(shared: &Shared, asked: &Asked, version: Version) -> Outcome {
    let state = shared.state.lock();
    let objects = state.buckets.get(&asked.bucket);
    let objects = objects.ok_or_else(Failure::no_bucket)?;
    let value = |name| asked.query(name).unwrap_or("");
    let most = match asked.query("max-keys") {
        Some(digits) => digits
            .parse::<usize>()
            .map_err(|_| Failure::invalid("max-keys is no number"))?
            .min(MOST),
        None => MOST,
    };
    let (prefix, delimiter) = (value("prefix"), value("delimiter"));
    let from = match (version, asked.query("continuation-token")) {
        (Version::One, _) => behind_marker(value("marker"), prefix, delimiter),
        (Version::Two, Some(token)) => place(token)
            .ok_or_else(|| Failure::invalid("The continuation token is not one of this store."))?,
        (Version::Two, None) => match value("start-after") {
            "" => Bound::Unbounded,
            key => Bound::Excluded(key.to_owned()),
        },
    };
    let page = page(objects, prefix, delimiter, from, most);
    Ok(with_document(&write(asked, &page, most, version)))
}

/// A marker that is a folder stands for all that is in it.
fn behind_marker(marker: &str, prefix: &str, delimiter: &str) -> Bound<String> {
    if marker.is_empty() {
        return Bound::Unbounded;
    }
    let folder = marker
        .starts_with(prefix)
        .then(|| folder(marker, prefix, delimiter));
    match folder.flatten().and_then(behind) {
        Some(next) => Bound::Included(next),
        None => Bound::Excluded(marker.to_owned()),
    }
}

fn write(asked: &Asked, page: &Page<'_, Object>, most: usize, version: Version) -> String {
    let url = asked.query("encoding-type") == Some("url");
    let name = |key: &str| if url { encode_key(key) } else { escape(key) };
    let mut text =
        String::from("<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    let _ = write!(
        text,
        "<Name>{}</Name><Prefix>{}</Prefix><KeyCount>{}</KeyCount><MaxKeys>{most}</MaxKeys>\
         <IsTruncated>{}</IsTruncated>",
        escape(&asked.bucket),
        name(asked.query("prefix").unwrap_or("")),
        page.objects.len() + page.folders.len(),
        page.next.is_some()
    );
    if url {
        text.push_str("<EncodingType>url</EncodingType>");
    }
    if let Some(delimiter) = asked.query("delimiter") {
        let _ = write!(text, "<Delimiter>{}</Delimiter>", name(delimiter));
    }
    let last_key = page.objects.last().map(|(key, _)| *key);
    match (&page.next, version) {
        (None, _) => {}
        (Some(_), Version::One) => {
            let last = last_key.max(page.folders.last().copied()).unwrap_or("");
            let _ = write!(text, "<NextMarker>{}</NextMarker>", name(last));
        }
        (Some(next), Version::Two) => {
            let next = token(next);
            let _ = write!(
                text,
                "<NextContinuationToken>{next}</NextContinuationToken>"
            );
        }
    }
    for (key, object) in &page.objects {
        let _ = write!(
            text,
            "<Contents><Key>{}</Key><LastModified>{}</LastModified><ETag>{}</ETag><Size>{}</Size>\
             <StorageClass>{}</StorageClass></Contents>",
            name(key),
            object.modified.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            escape(&object.etag()),
            object.data.size,
            escape(&object.attributes.storage_class)
        );
    }
    for folder in &page.folders {
        let _ = write!(
            text,
            "<CommonPrefixes><Prefix>{}</Prefix></CommonPrefixes>",
            name(folder)
        );
    }
    text.push_str("</ListBucketResult>");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_goes_on_behind_a_name_or_a_folder() {
        let of = |marker, prefix| behind_marker(marker, prefix, "/");
        assert_eq!(of("", ""), Bound::Unbounded);
        assert_eq!(of("a", ""), Bound::Excluded("a".to_owned()));
        assert_eq!(of("a/", ""), Bound::Included("a0".to_owned()));
        assert_eq!(of("a/", "a/"), Bound::Excluded("a/".to_owned()));
        assert_eq!(of("a/b/", "a/"), Bound::Included("a/b0".to_owned()));
    }
}
