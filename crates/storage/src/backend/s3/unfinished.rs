//! Uploads in parts that nobody has ended.

use aws_sdk_s3::Client;
use aws_sdk_s3::types::{EncodingType, Part};

use super::super::object::{ObjectResult, OpenUpload, UploadRef, UploadsPage};
use super::document::{PartsPage, parts};
use super::error::{classify, not_understood};
use super::key::decoded;
use super::store::time_of;
use crate::metadata::FileTime;

/// Pages of parts that are looked at: as many as an upload may have.
const PAGES: u32 = 11;

/// One page of those below a prefix. The continuation is the last key and the last name of an upload, with a line between.
pub(super) async fn list(
    client: &Client,
    bucket: &str,
    prefix: &str,
    continuation: Option<&str>,
) -> ObjectResult<UploadsPage> {
    let (upload, key) = match continuation.and_then(|after| after.split_once('\n')) {
        Some((upload, key)) => (Some(upload.to_owned()), Some(key.to_owned())),
        None => (None, None),
    };
    let call = client
        .list_multipart_uploads()
        .bucket(bucket)
        .prefix(prefix)
        .set_key_marker(key)
        .set_upload_id_marker(upload)
        .encoding_type(EncodingType::Url);
    let found = call.send().await;
    let found = found.map_err(|error| classify("list unfinished uploads", error))?;
    let is_encoded = found.encoding_type() == Some(&EncodingType::Url);
    let text = |key: &str| {
        if is_encoded {
            decoded(key)
        } else {
            Some(key.to_owned())
        }
    };
    let uploads = found.uploads().iter().filter_map(|upload| {
        Some(OpenUpload {
            to: UploadRef {
                key: upload.key().and_then(text)?,
                id: upload.upload_id()?.to_owned(),
            },
            begun: time_of(Some(upload.initiated()?)),
        })
    });
    // Some stores know no prefix here.
    let uploads = uploads.filter(|upload| upload.to.key.starts_with(prefix));
    let next = found
        .next_upload_id_marker()
        .zip(found.next_key_marker().and_then(text))
        .map(|(upload, key)| format!("{upload}\n{key}"));
    Ok(UploadsPage {
        uploads: uploads.collect(),
        // Twice the same page would be listed for ever.
        continuation: next.filter(|next| {
            found.is_truncated() == Some(true) && Some(next.as_str()) != continuation
        }),
    })
}

/// When the latest part came.
pub(super) async fn last_part(
    client: &Client,
    bucket: &str,
    to: &UploadRef,
) -> ObjectResult<Option<FileTime>> {
    let mut last = None;
    let mut marker: Option<String> = None;
    for _ in 0..PAGES {
        let call = client
            .list_parts()
            .bucket(bucket)
            .key(&to.key)
            .upload_id(&to.id)
            .set_part_number_marker(marker.take());
        let page = match call.send().await {
            Ok(found) => PartsPage {
                last: latest(found.parts()),
                next: found
                    .next_part_number_marker()
                    .filter(|_| found.is_truncated() == Some(true))
                    .map(str::to_owned),
            },
            Err(error) => match not_understood(&error).and_then(parts) {
                Some(page) => page,
                None => return Err(classify("list the parts of an upload", error)),
            },
        };
        last = last.max(page.last);
        marker = page.next;
        if marker.is_none() {
            break;
        }
    }
    Ok(last)
}

fn latest(parts: &[Part]) -> Option<FileTime> {
    let times = parts.iter();
    let times = times.filter_map(|part| Some(time_of(Some(part.last_modified()?))));
    times.max()
}
