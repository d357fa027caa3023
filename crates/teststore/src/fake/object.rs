//! Single objects.

use futures_util::stream;
use hyper::Response;
use hyper::body::{Frame, Incoming};
use hyper::header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, ETAG, LAST_MODIFIED};

use super::answer::{Failure, Outcome, empty, with_document};
use super::asked::{Asked, range};
use super::state::{Attributes, Object, STANDARD, State, class};
use super::xml::escape;
use super::{Shared, receive};
use crate::Pattern;
use crate::content::{Content, Data};
use crate::serve::{Body, full, streamed};

/// The most that is copied by one request.
pub(super) const MOST_COPIED: u64 = 5 * 1024 * 1024 * 1024;

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>, and `HeadObject`, which is the same without a body.
pub(super) fn get(shared: &Shared, asked: &Asked, with_body: bool) -> Outcome {
    let object = find(&shared.state.lock(), &asked.bucket, &asked.key)?;
    let etag = object.etag();
    if asked
        .header("if-match")
        .is_some_and(|wanted| !matches(wanted, &etag))
    {
        return Err(Failure::precondition());
    }
    if asked
        .header("if-none-match")
        .is_some_and(|known| matches(known, &etag))
    {
        return Ok(empty(304));
    }
    let size = object.data.size;
    let (first, length) = match asked.header("range") {
        Some(text) => range(text, size)?,
        None => (0, size),
    };
    let whole = asked.header("range").is_none();
    let mut response = Response::builder()
        .status(if whole { 200 } else { 206 })
        .header(CONTENT_LENGTH, length)
        .header(ACCEPT_RANGES, "bytes")
        .header(ETAG, etag)
        .header(LAST_MODIFIED, http_date(&object));
    if !whole {
        let last = first + length - 1;
        response = response.header(CONTENT_RANGE, format!("bytes {first}-{last}/{size}"));
    }
    if object.attributes.storage_class != STANDARD {
        response = response.header("x-amz-storage-class", &object.attributes.storage_class);
    }
    for (name, value) in &object.attributes.headers {
        response = response.header(name, value);
    }
    let body = if with_body {
        body(&object.data, first, length)?
    } else {
        full("")
    };
    Ok(response.body(body).unwrap())
}

fn body(data: &Data, first: u64, length: u64) -> Result<Body, Failure> {
    if length == 0 {
        return Ok(full(""));
    }
    match &data.content {
        Content::Kept(_) => {
            let bytes = data.bytes(first, length);
            Ok(full(bytes.ok_or_else(Failure::not_kept)?))
        }
        Content::Pattern(start) => {
            let pieces = Pattern::pieces(start + first, length);
            Ok(streamed(stream::iter(
                pieces.map(|piece| Ok(Frame::data(piece))),
            )))
        }
        Content::Gone => Err(Failure::not_kept()),
    }
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html>
pub(super) async fn put(shared: &Shared, asked: &Asked, body: &mut Incoming) -> Outcome {
    super::bucket::exists(shared, asked)?;
    let data = receive::content(shared, asked, body).await?;
    let object = Object::new(data.recognized(), Attributes::of(&asked.headers), 0);
    let etag = object.etag();
    store(&mut shared.state.lock(), asked, object)?;
    let mut response = empty(200);
    response.headers_mut().insert(ETAG, etag.parse().unwrap());
    Ok(response)
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html>
pub(super) fn copy(shared: &Shared, asked: &Asked) -> Outcome {
    let mut state = shared.state.lock();
    let source = source(&state, asked)?;
    if source.data.size > MOST_COPIED {
        let message = "The specified copy source is larger than the maximum allowable size for a copy source: 5368709120";
        return Err(Failure::new(400, "InvalidRequest", message));
    }
    let replaced = asked.header("x-amz-metadata-directive") == Some("REPLACE");
    let attributes = if replaced {
        Attributes::of(&asked.headers)
    } else {
        // The class is never that of the source.
        Attributes {
            headers: source.attributes.headers.clone(),
            storage_class: class(&asked.headers).unwrap_or_else(|| STANDARD.to_owned()),
        }
    };
    let itself = asked.source()? == (asked.bucket.clone(), asked.key.clone());
    if itself && !replaced && attributes.storage_class == source.attributes.storage_class {
        let message = "This copy request is illegal because it is trying to copy an object to itself without changing it.";
        return Err(Failure::new(400, "InvalidRequest", message));
    }
    let object = Object::new(source.data, attributes, 0);
    let text = format!(
        "<CopyObjectResult><LastModified>{}</LastModified><ETag>{}</ETag></CopyObjectResult>",
        object.modified.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        escape(&object.etag())
    );
    store(&mut state, asked, object)?;
    Ok(with_document(&text))
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html>: what is not there is removed as well.
pub(super) fn delete(shared: &Shared, asked: &Asked) -> Outcome {
    let mut state = shared.state.lock();
    let objects = state.buckets.get_mut(&asked.bucket);
    objects.ok_or_else(Failure::no_bucket)?.remove(&asked.key);
    Ok(empty(204))
}

/// Makes an object visible, if the conditions of the request hold.
pub(super) fn store(state: &mut State, asked: &Asked, object: Object) -> Result<(), Failure> {
    let objects = state.buckets.get_mut(&asked.bucket);
    let objects = objects.ok_or_else(Failure::no_bucket)?;
    let before = objects.get(&asked.key);
    if asked.header("if-none-match") == Some("*") && before.is_some() {
        return Err(Failure::precondition());
    }
    if let Some(wanted) = asked.header("if-match") {
        let before = before.ok_or_else(Failure::no_key)?;
        if !matches(wanted, &before.etag()) {
            return Err(Failure::precondition());
        }
    }
    objects.insert(asked.key.clone(), object);
    Ok(())
}

/// The object that is to be copied, if the conditions about it hold.
pub(super) fn source(state: &State, asked: &Asked) -> Result<Object, Failure> {
    let (bucket, key) = asked.source()?;
    let object = find(state, &bucket, &key)?;
    let wanted = asked.header("x-amz-copy-source-if-match");
    if wanted.is_some_and(|wanted| !matches(wanted, &object.etag())) {
        return Err(Failure::precondition());
    }
    Ok(object)
}

fn find(state: &State, bucket: &str, key: &str) -> Result<Object, Failure> {
    let objects = state.buckets.get(bucket).ok_or_else(Failure::no_bucket)?;
    objects.get(key).cloned().ok_or_else(Failure::no_key)
}

fn matches(wanted: &str, etag: &str) -> bool {
    wanted == "*" || wanted.trim_matches('"') == etag.trim_matches('"')
}

fn http_date(object: &Object) -> String {
    let date = object.modified.strftime("%a, %d %b %Y %H:%M:%S GMT");
    date.to_string()
}
