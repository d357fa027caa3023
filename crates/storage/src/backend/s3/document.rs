//! Documents that the library does not take, and that say what is needed all the same.

use aws_sdk_s3::primitives::{DateTime, DateTimeFormat};
use serde::Deserialize;

use super::store::time_of;
use crate::metadata::FileTime;

#[derive(Debug, Deserialize)]
struct Begun {
    #[serde(rename = "UploadId")]
    upload_id: String,
}

/// The name that a store gave to a new upload. `rclone serve s3` calls the document around it `InitiateMultipartUpload`, where
/// the library insists on Amazon's `InitiateMultipartUploadResult`.
pub(super) fn upload_id(document: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(document).ok()?;
    let begun: Begun = quick_xml::de::from_str(text).ok()?;
    (!begun.upload_id.is_empty()).then_some(begun.upload_id)
}

/// A page of the parts of an upload.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PartsPage {
    /// When the latest of them came.
    pub(super) last: Option<FileTime>,
    /// How to go on; `None` at the end.
    pub(super) next: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Parts {
    is_truncated: Option<bool>,
    next_part_number_marker: Option<String>,
    #[serde(default)]
    part: Vec<Part>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Part {
    last_modified: String,
}

/// The parts of an upload. moto calls the document around them `ListPartsResponse`, and not `ListPartsResult`.
pub(super) fn parts(document: &[u8]) -> Option<PartsPage> {
    let text = std::str::from_utf8(document).ok()?;
    let found: Parts = quick_xml::de::from_str(text).ok()?;
    let mut last = None;
    for part in found.part {
        let time = DateTime::from_str(&part.last_modified, DateTimeFormat::DateTime).ok()?;
        last = last.max(Some(time_of(Some(&time))));
    }
    let more = found.is_truncated == Some(true);
    Some(PartsPage {
        last,
        next: found.next_part_number_marker.filter(|_| more),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_an_upload_are_found_whatever_is_around_them() {
        let document = |inner: &str| {
            let text = format!(
                "<ListPartsResponse xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><UploadId>u</UploadId>{inner}</ListPartsResponse>"
            );
            parts(text.as_bytes())
        };
        let part = |time: &str| {
            format!("<Part><PartNumber>1</PartNumber><LastModified>{time}</LastModified></Part>")
        };
        let two = part("2001-09-09T01:46:40.000Z") + &part("2001-09-09T01:46:39Z");
        let last = Some(FileTime {
            seconds: 1_000_000_000,
            nanos: 0,
        });
        let next = "<NextPartNumberMarker>7</NextPartNumberMarker>";
        let none = PartsPage {
            last: None,
            next: None,
        };
        assert_eq!(document(next), Some(none));
        let page = document(&format!("{two}{next}<IsTruncated>false</IsTruncated>"));
        assert_eq!(page, Some(PartsPage { last, next: None }));
        let page = document(&format!("<IsTruncated>true</IsTruncated>{next}{two}"));
        let next = Some("7".to_owned());
        assert_eq!(page, Some(PartsPage { last, next }));
        assert_eq!(document(&part("yesterday")), None);
        assert_eq!(parts(b"<ListPartsResponse><Part>"), None);
    }

    #[test]
    fn the_name_of_an_upload_is_found_whatever_is_around_it() {
        for (document, id) in [
            (
                "<?xml version=\"1.0\"?>\n<InitiateMultipartUpload>\n  <Key>k&amp;</Key>\n  <UploadId>b9-1&#34;</UploadId></InitiateMultipartUpload>",
                Some("b9-1\""),
            ),
            ("<a><UploadId></UploadId></a>", None),
            ("<a><UploadId/><b>c</b></a>", None),
            ("<a><UploadId>b9", None),
            ("<a><Key>UploadId</Key></a>", None),
            ("", None),
        ] {
            assert_eq!(upload_id(document.as_bytes()).as_deref(), id, "{document}");
        }
    }
}
