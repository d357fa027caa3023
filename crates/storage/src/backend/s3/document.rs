//! Documents that the library does not take, and that say what is needed all the same.

use serde::Deserialize;

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

#[cfg(test)]
mod tests {
    use super::*;

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
