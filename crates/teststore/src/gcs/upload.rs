//! Uploads: at once, or in chunks, <https://cloud.google.com/storage/docs/performing-resumable-uploads>.

use std::sync::atomic::Ordering;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::Response;
use hyper::body::Incoming;
use hyper::header::{CONTENT_LENGTH, LOCATION, RANGE};
use serde_json::Value;

use super::Shared;
use super::answer::{Failure, Outcome, empty, with_json};
use super::asked::Asked;
use super::object::store;
use super::state::{Resource, State, Upload};
use crate::content::{Data, Sink};
use crate::serve::full;

/// Every chunk but the last has a multiple of it.
const GRAIN: u64 = 256 * 1024;
/// Documents, and content that comes in one body with one.
const MOST: usize = 64 * 1024 * 1024;

/// What `Content-Range` says of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chunk {
    /// Everything.
    Whole,
    /// From this byte on, and the whole length, if it is known yet.
    From(u64, Option<u64>),
    /// Nothing: how far are you? With the whole length, if it is known.
    Question(Option<u64>),
}

/// <https://cloud.google.com/storage/docs/json_api/v1/objects/insert>: `media` or `multipart`.
pub(super) async fn insert(shared: &Shared, asked: &Asked, body: &mut Incoming) -> Outcome {
    let conditions = asked.conditions()?;
    let (sent, data, kind) = if asked.query("uploadType") == Some("multipart") {
        let whole = collect(shared, body).await?;
        let (document, kind, content) = apart(asked, &whole)?;
        let mut sink = Sink::new(&shared.keeper, None);
        sink.take(&content);
        (document, sink.finish(&shared.keeper), Some(kind))
    } else {
        let mut sink = Sink::new(&shared.keeper, None);
        receive(shared, body, &mut sink).await?;
        let kind = asked.header("content-type").map(str::to_owned);
        (Value::Null, sink.finish(&shared.keeper), kind)
    };
    let name = name(asked, &sent)?;
    let resource = Resource::of(&sent).with_type(kind.as_deref());
    let place = (asked.bucket.as_str(), name.as_str());
    let answer = store(&mut shared.state.lock(), place, data, resource, &conditions)?;
    Ok(with_json(&answer))
}

/// Begins an upload in chunks.
pub(super) async fn start(shared: &Shared, asked: &Asked, body: &mut Incoming) -> Outcome {
    let sent = document(shared, body).await?;
    let name = name(asked, &sent)?;
    let kind = asked.header("x-upload-content-type");
    let upload = Upload {
        bucket: asked.bucket.clone(),
        name,
        resource: Resource::of(&sent).with_type(kind),
        conditions: asked.conditions()?,
        sink: Sink::new(&shared.keeper, None),
    };
    let mut state = shared.state.lock();
    let objects = state.buckets.get(&upload.bucket);
    let objects = objects.ok_or_else(Failure::not_found)?;
    upload.conditions.check(objects.get(&upload.name))?;
    let id = format!("upload-{:06}", state.next());
    let location = format!(
        "http://{}/upload/storage/v1/b/{}/o?uploadType=resumable&upload_id={id}",
        asked.header("host").unwrap_or(&shared.address.to_string()),
        upload.bucket
    );
    state.uploads.insert(id, upload);
    let mut response = empty(200);
    response
        .headers_mut()
        .insert(LOCATION, location.parse().unwrap());
    Ok(response)
}

/// Takes a chunk, or says how far the upload is. Of a chunk that breaks off nothing stays.
pub(super) async fn chunk(shared: &Shared, asked: &Asked, body: &mut Incoming) -> Outcome {
    let id = asked.query("upload_id").unwrap_or("");
    if let Some(resource) = shared.state.lock().ended.get(id) {
        // What still comes is not looked at.
        return Ok(with_json(resource));
    }
    let mut sink = find(&shared.state.lock(), id)?.sink.clone();
    let before = sink.size();
    let chunk = parse(asked.header("content-range"))?;
    let total = match chunk {
        Chunk::Whole => {
            receive(shared, body, &mut sink).await?;
            Some(sink.size())
        }
        Chunk::Question(total) => total,
        Chunk::From(first, total) => {
            if first != before {
                let message = format!("byte {before} is next, not {first}");
                return Err(Failure::new(503, "backendError", message));
            }
            let most = shared.takes.load(Ordering::SeqCst);
            receive_some(shared, body, &mut sink, most).await?;
            if total.is_none() && (sink.size() - before) % GRAIN != 0 {
                return Err(Failure::invalid("a chunk must have a multiple of 256 KiB"));
            }
            total
        }
    };
    let mut state = shared.state.lock();
    if find(&state, id)?.sink.size() != before {
        return Err(Failure::new(
            503,
            "backendError",
            "another request sends to it",
        ));
    }
    if total == Some(sink.size()) {
        let upload = state.uploads.remove(id);
        let upload = upload.ok_or_else(Failure::not_found)?;
        let data: Data = sink.finish(&shared.keeper);
        let place = (upload.bucket.as_str(), upload.name.as_str());
        let answer = store(&mut state, place, data, upload.resource, &upload.conditions)?;
        state.ended.insert(id.to_owned(), answer.clone());
        return Ok(with_json(&answer));
    }
    let have = sink.size();
    if let Some(upload) = state.uploads.get_mut(id) {
        upload.sink = sink;
    }
    let mut response = Response::builder().status(308).header(CONTENT_LENGTH, 0);
    if let Some(last) = have.checked_sub(1) {
        response = response.header(RANGE, format!("bytes=0-{last}"));
    }
    Ok(response.body(full("")).unwrap())
}

/// Gives an upload up.
pub(super) fn cancel(shared: &Shared, asked: &Asked) -> Outcome {
    let id = asked.query("upload_id").unwrap_or("");
    let upload = shared.state.lock().uploads.remove(id);
    upload.ok_or_else(Failure::not_found)?;
    // The status that the documentation gives.
    Ok(empty(499))
}

/// Reads a document; `null`, if the body is empty.
pub(super) async fn document(shared: &Shared, body: &mut Incoming) -> Result<Value, Failure> {
    let bytes = collect(shared, body).await?;
    json(&bytes)
}

fn json(bytes: &[u8]) -> Result<Value, Failure> {
    if bytes.trim_ascii().is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(bytes)
        .map_err(|error| Failure::new(400, "parseError", error.to_string()))
}

async fn collect(shared: &Shared, body: &mut Incoming) -> Result<Bytes, Failure> {
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Failure::Broken(error.into()))?;
        let bytes = frame.into_data().unwrap_or_default();
        shared.requests.received(bytes.len());
        all.extend_from_slice(&bytes);
        if all.len() > MOST {
            return Err(Failure::new(
                413,
                "uploadTooLarge",
                "The request is too large.",
            ));
        }
    }
    Ok(all.freeze())
}

async fn receive(shared: &Shared, body: &mut Incoming, sink: &mut Sink) -> Result<(), Failure> {
    receive_some(shared, body, sink, u64::MAX).await
}

/// Reads all of a body, and takes at most so many bytes of it.
async fn receive_some(
    shared: &Shared,
    body: &mut Incoming,
    sink: &mut Sink,
    mut most: u64,
) -> Result<(), Failure> {
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Failure::Broken(error.into()))?;
        let bytes = frame.into_data().unwrap_or_default();
        shared.requests.received(bytes.len());
        let taken = usize::try_from(most).unwrap_or(usize::MAX).min(bytes.len());
        most -= u64::try_from(taken).unwrap();
        sink.take(bytes.get(..taken).unwrap_or(&[]));
    }
    Ok(())
}

/// The name in the query, or else in the document.
fn name(asked: &Asked, sent: &Value) -> Result<String, Failure> {
    let name = asked
        .query("name")
        .or_else(|| sent.get("name").and_then(Value::as_str));
    let name = name.filter(|name| !name.is_empty());
    Ok(name
        .ok_or_else(|| Failure::new(400, "required", "An object needs a name."))?
        .to_owned())
}

fn find<'a>(state: &'a State, id: &str) -> Result<&'a Upload, Failure> {
    state.uploads.get(id).ok_or_else(Failure::not_found)
}

fn parse(header: Option<&str>) -> Result<Chunk, Failure> {
    let Some(text) = header else {
        return Ok(Chunk::Whole);
    };
    let parsed = || {
        let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
        let total = match total {
            "*" => None,
            digits => Some(digits.parse().ok()?),
        };
        if range == "*" {
            return Some(Chunk::Question(total));
        }
        let (first, _) = range.split_once('-')?;
        Some(Chunk::From(first.parse().ok()?, total))
    };
    parsed().ok_or_else(|| Failure::invalid(format!("no range of content: {text}")))
}

/// The document, the type of the content, and the content: <https://cloud.google.com/storage/docs/uploading-objects#rest-upload-objects>.
fn apart(asked: &Asked, whole: &Bytes) -> Result<(Value, String, Bytes), Failure> {
    let parts = || {
        let kind = asked.header("content-type")?;
        let boundary = kind.split_once("boundary=")?.1;
        let boundary = boundary.split(';').next()?.trim().trim_matches('"');
        let (between, last) = (format!("\r\n--{boundary}"), format!("\r\n--{boundary}--"));
        let document = after(whole, 0, b"\r\n\r\n")?;
        let second = after(whole, document, between.as_bytes())?;
        let content = after(whole, second, b"\r\n\r\n")?;
        let head = whole.get(second..content)?;
        let tail = whole.get(content..)?;
        let end = tail
            .windows(last.len())
            .rposition(|bytes| bytes == last.as_bytes())?;
        let kind = String::from_utf8_lossy(head).lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-type")
                .then(|| value.trim().to_owned())
        });
        let document = whole.get(document..second - between.len())?;
        let content = whole.slice(content..content + end);
        Some((document, kind.unwrap_or_default(), content))
    };
    let (document, kind, content) =
        parts().ok_or_else(|| Failure::invalid("no body of multipart/related"))?;
    Ok((json(document)?, kind, content))
}

/// Where the first of these words from `start` on ends.
fn after(text: &[u8], start: usize, words: &[u8]) -> Option<usize> {
    let found = text
        .get(start..)?
        .windows(words.len())
        .position(|bytes| bytes == words)?;
    Some(start + found + words.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_content_are_those_of_the_documentation() {
        let of = |text| parse(text).ok();
        assert_eq!(of(None), Some(Chunk::Whole));
        assert_eq!(of(Some("bytes 0-99/*")), Some(Chunk::From(0, None)));
        assert_eq!(of(Some("bytes 5-9/10")), Some(Chunk::From(5, Some(10))));
        assert_eq!(of(Some("bytes */10")), Some(Chunk::Question(Some(10))));
        assert_eq!(of(Some("bytes */*")), Some(Chunk::Question(None)));
        assert_eq!(of(Some("items 1-2/3")), None);
    }
}
