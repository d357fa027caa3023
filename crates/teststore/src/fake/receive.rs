//! Bodies that are stored: read to their end, counted, checked.

use aws_lc_rs::digest::{Context, SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;

use super::Shared;
use super::answer::Failure;
use super::asked::Asked;
use super::chunked::Chunked;
use crate::content::{Data, Sink};
use crate::sign::hex;

/// The most that S3 takes in one request.
const MOST: u64 = 5 * 1024 * 1024 * 1024;
/// Documents that come with requests.
const MOST_OF_A_DOCUMENT: usize = 4 * 1024 * 1024;

/// Reads the content of an object or a part. If the client breaks off, nothing is to be stored.
pub(super) async fn content(
    shared: &Shared,
    asked: &Asked,
    body: &mut Incoming,
) -> Result<Data, Failure> {
    let payload = asked.header("x-amz-content-sha256").unwrap_or("");
    let mut chunked = payload.starts_with("STREAMING-").then(Chunked::new);
    let mut digest = (payload.len() == 64).then(|| Context::new(&SHA256));
    let length = ["x-amz-decoded-content-length", "content-length"]
        .into_iter()
        .find_map(|name| asked.header(name)?.parse::<u64>().ok())
        .ok_or_else(|| Failure::new(411, "MissingContentLength", "How long is it?"))?;
    if length > MOST {
        return Err(Failure::new(
            400,
            "EntityTooLarge",
            "More than 5 GiB at once.",
        ));
    }
    let mut sink = Sink::new(&shared.keeper, Some(length));
    while let Some(frame) = body.frame().await {
        let Ok(bytes) = frame
            .map_err(|error| Failure::Broken(error.into()))?
            .into_data()
        else {
            continue;
        };
        shared.requests.received(bytes.len());
        if let Some(digest) = &mut digest {
            digest.update(&bytes);
        }
        match &mut chunked {
            None => sink.take(&bytes),
            Some(chunked) => {
                let fed = chunked.feed(&bytes, |bytes| sink.take(bytes));
                fed.map_err(Failure::invalid)?;
            }
        }
    }
    let ended = chunked.as_ref().is_none_or(Chunked::has_ended);
    if !ended || sink.size() != length {
        let message = format!("{} of {length} bytes", sink.size());
        return Err(Failure::new(400, "IncompleteBody", message));
    }
    if digest.is_some_and(|digest| hex(digest.finish().as_ref()) != payload) {
        let message = "The content is not what was signed.";
        return Err(Failure::new(400, "XAmzContentSHA256Mismatch", message));
    }
    let data = sink.finish(&shared.keeper);
    let name = "x-amz-checksum-crc32";
    let trailer = chunked.as_ref().and_then(|chunked| chunked.trailer(name));
    let announced = trailer.or_else(|| asked.header(name));
    if announced.is_some_and(|announced| announced != STANDARD.encode(data.crc32.to_be_bytes())) {
        return Err(Failure::new(
            400,
            "BadDigest",
            "The content is not what was announced.",
        ));
    }
    Ok(data)
}

/// Reads a document.
pub(super) async fn document(shared: &Shared, body: &mut Incoming) -> Result<String, Failure> {
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Failure::Broken(error.into()))?;
        let bytes: Bytes = frame.into_data().unwrap_or_default();
        shared.requests.received(bytes.len());
        all.extend_from_slice(&bytes);
        if all.len() > MOST_OF_A_DOCUMENT {
            return Err(Failure::new(
                400,
                "MaxMessageLengthExceeded",
                "The request is too large.",
            ));
        }
    }
    String::from_utf8(all.to_vec())
        .map_err(|_| Failure::new(400, "MalformedXML", "The document is not UTF-8."))
}
