//! Uploads in parts: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html>.

use std::fmt::Write as _;

use hyper::body::Incoming;
use hyper::header::ETAG;
use jiff::Timestamp;

use super::answer::{Failure, Outcome, empty, with_document};
use super::asked::{Asked, range};
use super::bucket::exists;
use super::object::{MOST_COPIED, source, store};
use super::state::{Attributes, Object, State, Upload, part_etag};
use super::xml::{elements, escape, value};
use super::{Shared, receive};
use crate::content::Data;

/// The last part may have less.
const LEAST_OF_A_PART: u64 = 5 * 1024 * 1024;
const MOST_PARTS: u16 = 10_000;

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html>
pub(super) fn create(shared: &Shared, asked: &Asked) -> Outcome {
    exists(shared, asked)?;
    let mut state = shared.state.lock();
    state.begun += 1;
    let id = format!("upload-{:06}", state.begun);
    let upload = Upload {
        bucket: asked.bucket.clone(),
        key: asked.key.clone(),
        attributes: Attributes::of(&asked.headers),
        started: Timestamp::now(),
        parts: Default::default(),
    };
    state.uploads.insert(id.clone(), upload);
    Ok(with_document(&format!(
        "<InitiateMultipartUploadResult><Bucket>{}</Bucket><Key>{}</Key><UploadId>{id}</UploadId>\
         </InitiateMultipartUploadResult>",
        escape(&asked.bucket),
        escape(&asked.key)
    )))
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html>
pub(super) async fn upload(shared: &Shared, asked: &Asked, body: &mut Incoming) -> Outcome {
    let number = part_number(asked)?;
    find(&mut shared.state.lock(), asked)?;
    let data = receive::content(shared, asked, body).await?;
    let etag = part_etag(&data);
    // It may have been aborted meanwhile.
    let mut state = shared.state.lock();
    find(&mut state, asked)?.parts.insert(number, data);
    let mut response = empty(200);
    response.headers_mut().insert(ETAG, etag.parse().unwrap());
    Ok(response)
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html>
pub(super) fn copy(shared: &Shared, asked: &Asked) -> Outcome {
    let number = part_number(asked)?;
    let mut state = shared.state.lock();
    let source = source(&state, asked)?;
    let (first, length) = match asked.header("x-amz-copy-source-range") {
        Some(text) => range(text, source.data.size)?,
        None => (0, source.data.size),
    };
    if length > MOST_COPIED {
        return Err(Failure::new(
            400,
            "InvalidRequest",
            "More than 5 GiB at once.",
        ));
    }
    let data = source.data.range(first, length);
    let data = data.ok_or_else(Failure::not_kept)?;
    let text = format!(
        "<CopyPartResult><LastModified>{}</LastModified><ETag>{}</ETag></CopyPartResult>",
        Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        escape(&part_etag(&data))
    );
    find(&mut state, asked)?.parts.insert(number, data);
    Ok(with_document(&text))
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html>
pub(super) async fn complete(shared: &Shared, asked: &Asked, body: &mut Incoming) -> Outcome {
    let document = receive::document(shared, body).await?;
    let mut state = shared.state.lock();
    let upload = find(&mut state, asked)?;
    let chosen = chosen(upload, &document)?;
    let attributes = upload.attributes.clone();
    let object = Object::new(shared.keeper.join(&chosen), attributes, chosen.len());
    let etag = object.etag();
    store(&mut state, asked, object)?;
    state.uploads.remove(asked.query("uploadId").unwrap_or(""));
    Ok(with_document(&format!(
        "<CompleteMultipartUploadResult><Bucket>{}</Bucket><Key>{}</Key><ETag>{}</ETag>\
         </CompleteMultipartUploadResult>",
        escape(&asked.bucket),
        escape(&asked.key),
        escape(&etag)
    )))
}

/// The parts that the document names, which must be there and large enough.
fn chosen(upload: &Upload, document: &str) -> Result<Vec<Data>, Failure> {
    let mut chosen: Vec<Data> = Vec::new();
    let mut before = 0;
    for part in elements(document, "Part") {
        let number = value(part, "PartNumber").and_then(|number| number.parse::<u16>().ok());
        let number = number.ok_or_else(|| Failure::new(400, "MalformedXML", "No number."))?;
        if number <= before {
            return Err(Failure::new(
                400,
                "InvalidPartOrder",
                "The parts are not in order.",
            ));
        }
        before = number;
        if chosen
            .last()
            .is_some_and(|last| last.size < LEAST_OF_A_PART)
        {
            return Err(Failure::new(400, "EntityTooSmall", "A part is too small."));
        }
        let etag = value(part, "ETag").unwrap_or_default();
        let data = upload.parts.get(&number).filter(|data| {
            let known = part_etag(data);
            etag.trim_matches('"') == known.trim_matches('"')
        });
        let data = data.ok_or_else(|| {
            let message = format!("Part {number} is not there, or another one.");
            Failure::new(400, "InvalidPart", message)
        })?;
        chosen.push(data.clone());
    }
    if chosen.is_empty() {
        return Err(Failure::new(400, "MalformedXML", "No parts."));
    }
    Ok(chosen)
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html>
pub(super) fn abort(shared: &Shared, asked: &Asked) -> Outcome {
    let mut state = shared.state.lock();
    find(&mut state, asked)?;
    state.uploads.remove(asked.query("uploadId").unwrap_or(""));
    Ok(empty(204))
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html>, all of them in one page.
pub(super) fn list_parts(shared: &Shared, asked: &Asked) -> Outcome {
    let mut state = shared.state.lock();
    let upload = find(&mut state, asked)?;
    let mut text = String::from("<ListPartsResult><IsTruncated>false</IsTruncated>");
    for (number, data) in &upload.parts {
        let _ = write!(
            text,
            "<Part><PartNumber>{number}</PartNumber><ETag>{}</ETag><Size>{}</Size></Part>",
            escape(&part_etag(data)),
            data.size
        );
    }
    text.push_str("</ListPartsResult>");
    Ok(with_document(&text))
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html>, all of them in one page.
pub(super) fn list(shared: &Shared, asked: &Asked) -> Outcome {
    exists(shared, asked)?;
    let prefix = asked.query("prefix").unwrap_or("");
    let state = shared.state.lock();
    let uploads = state.uploads.iter();
    let found = uploads
        .filter(|(_, upload)| upload.bucket == asked.bucket && upload.key.starts_with(prefix));
    let mut text = String::from("<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>");
    for (id, upload) in found {
        let _ = write!(
            text,
            "<Upload><Key>{}</Key><UploadId>{id}</UploadId><Initiated>{}</Initiated></Upload>",
            escape(&upload.key),
            upload.started.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        );
    }
    text.push_str("</ListMultipartUploadsResult>");
    Ok(with_document(&text))
}

fn part_number(asked: &Asked) -> Result<u16, Failure> {
    let number = asked
        .query("partNumber")
        .and_then(|number| number.parse().ok());
    number
        .filter(|number| (1..=MOST_PARTS).contains(number))
        .ok_or_else(|| {
            Failure::invalid("Part number must be an integer between 1 and 10000, inclusive")
        })
}

fn find<'a>(state: &'a mut State, asked: &Asked) -> Result<&'a mut Upload, Failure> {
    let id = asked.query("uploadId").unwrap_or("");
    let upload = state.uploads.get_mut(id);
    upload
        .filter(|upload| upload.bucket == asked.bucket && upload.key == asked.key)
        .ok_or_else(Failure::no_upload)
}
