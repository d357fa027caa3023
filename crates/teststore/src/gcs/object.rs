//! Objects: listed, read, changed, copied, removed.

use std::ops::Bound;

use futures_util::stream;
use hyper::Response;
use hyper::body::{Frame, Incoming};
use hyper::header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::answer::{Failure, Outcome, empty, with_json};
use super::asked::{Asked, Conditions};
use super::state::{Object, Resource, State};
use super::{Shared, upload};
use crate::Pattern;
use crate::content::{Content, Data};
use crate::page::{page, place, token};
use crate::serve::{full, streamed};

/// Most names of an answer.
const MOST: u64 = 1000;
/// Most objects that are put together at once.
const MOST_COMPOSED: usize = 32;
/// More than this takes several requests to copy.
const REWRITTEN_AT_ONCE: u64 = 1024 * 1024 * 1024;

/// <https://cloud.google.com/storage/docs/json_api/v1/objects/list>
pub(super) fn list(shared: &Shared, asked: &Asked) -> Outcome {
    let state = shared.state.lock();
    let objects = state.buckets.get(&asked.bucket);
    let objects = objects.ok_or_else(Failure::not_found)?;
    let most = asked.number("maxResults")?.unwrap_or(MOST).clamp(1, MOST);
    let from = match (asked.query("pageToken"), asked.query("startOffset")) {
        (Some(token), _) => {
            place(token).ok_or_else(|| Failure::invalid("pageToken is not one of this store"))?
        }
        (None, Some(first)) => Bound::Included(first.to_owned()),
        (None, None) => Bound::Unbounded,
    };
    let value = |name| asked.query(name).unwrap_or("");
    let most = usize::try_from(most).unwrap();
    let page = page(objects, value("prefix"), value("delimiter"), from, most);
    let mut answer = json!({ "kind": "storage#objects" });
    let found = page.objects.iter();
    let items: Vec<Value> = found
        .map(|(name, object)| object.json(&asked.bucket, name))
        .collect();
    let mut add = |name: &str, value: Value| {
        if let Value::Object(answer) = &mut answer {
            answer.insert(name.to_owned(), value);
        }
    };
    // What is empty is left out.
    if !items.is_empty() {
        add("items", items.into());
    }
    if !page.folders.is_empty() {
        add("prefixes", json!(page.folders));
    }
    if let Some(next) = &page.next {
        add("nextPageToken", json!(token(next)));
    }
    Ok(with_json(&answer))
}

/// <https://cloud.google.com/storage/docs/json_api/v1/objects/get>
pub(super) fn get(shared: &Shared, asked: &Asked) -> Outcome {
    let object = find(&shared.state.lock(), asked)?;
    asked.conditions()?.check(Some(&object))?;
    Ok(with_json(&object.json(&asked.bucket, &asked.name)))
}

/// The same with `alt=media`.
pub(super) fn content(shared: &Shared, asked: &Asked) -> Outcome {
    let object = find(&shared.state.lock(), asked)?;
    asked.conditions()?.check(Some(&object))?;
    let size = object.data.size;
    let range = asked.header("range");
    let (first, length) = match range {
        Some(text) => crate::range::parse(text, size)
            .ok_or_else(|| Failure::new(416, "requestedRangeNotSatisfiable", text))?,
        None => (0, size),
    };
    let kind = object.resource.text("contentType");
    let mut response = Response::builder()
        .status(if range.is_some() { 206 } else { 200 })
        .header(CONTENT_LENGTH, length)
        .header(CONTENT_TYPE, kind.unwrap_or("application/octet-stream"))
        .header("x-goog-generation", object.generation)
        .header("x-goog-metageneration", object.metageneration);
    if range.is_some() {
        let last = first + length - 1;
        response = response.header(CONTENT_RANGE, format!("bytes {first}-{last}/{size}"));
    }
    let body = match &object.data.content {
        _ if length == 0 => full(""),
        Content::Kept(_) => {
            let bytes = object.data.bytes(first, length);
            full(bytes.ok_or_else(Failure::not_kept)?)
        }
        Content::Pattern(start) => {
            let pieces = Pattern::pieces(start + first, length);
            streamed(stream::iter(pieces.map(|piece| Ok(Frame::data(piece)))))
        }
        Content::Gone => return Err(Failure::not_kept()),
    };
    Ok(response.body(body).unwrap())
}

/// <https://cloud.google.com/storage/docs/json_api/v1/objects/patch>
pub(super) async fn patch(shared: &Shared, asked: &Asked, body: &mut Incoming) -> Outcome {
    let sent = upload::document(shared, body).await?;
    let mut state = shared.state.lock();
    let objects = state.buckets.get_mut(&asked.bucket);
    let object = objects.and_then(|objects| objects.get_mut(&asked.name));
    let object = object.ok_or_else(Failure::not_found)?;
    asked.conditions()?.check(Some(object))?;
    object.resource.change(&sent);
    object.metageneration += 1;
    object.updated = Timestamp::now();
    Ok(with_json(&object.json(&asked.bucket, &asked.name)))
}

/// <https://cloud.google.com/storage/docs/json_api/v1/objects/delete>
pub(super) fn delete(shared: &Shared, asked: &Asked) -> Outcome {
    let mut state = shared.state.lock();
    let object = find(&state, asked)?;
    asked.conditions()?.check(Some(&object))?;
    if let Some(objects) = state.buckets.get_mut(&asked.bucket) {
        objects.remove(&asked.name);
    }
    Ok(empty(204))
}

/// <https://cloud.google.com/storage/docs/json_api/v1/objects/rewrite>: 1 GiB for each request.
pub(super) async fn rewrite(shared: &Shared, asked: &Asked, body: &mut Incoming) -> Outcome {
    let sent = upload::document(shared, body).await?;
    // rewriteTo/b/BUCKET/o/NAME
    let place = (asked.behind.get(2), asked.behind.get(4));
    let (Some(bucket), Some(name)) = place else {
        return Err(Failure::invalid("no place to rewrite to"));
    };
    let mut state = shared.state.lock();
    let source = find(&state, asked)?;
    asked.source_conditions()?.check(Some(&source))?;
    let size = source.data.size;
    let done = asked.number("rewriteToken")?.unwrap_or(0) + REWRITTEN_AT_ONCE;
    if done < size {
        return Ok(with_json(&json!({
            "kind": "storage#rewriteResponse",
            "totalBytesRewritten": done.to_string(),
            "objectSize": size.to_string(),
            "done": false,
            "rewriteToken": done.to_string(),
        })));
    }
    // A resource that is sent replaces the source's.
    let replaced = sent.as_object().is_some_and(|fields| !fields.is_empty());
    let resource = if replaced {
        Resource::of(&sent)
    } else {
        source.resource
    };
    let resource = store(
        &mut state,
        (bucket, name),
        source.data,
        resource,
        &asked.conditions()?,
    )?;
    Ok(with_json(&json!({
        "kind": "storage#rewriteResponse",
        "totalBytesRewritten": size.to_string(),
        "objectSize": size.to_string(),
        "done": true,
        "resource": resource,
    })))
}

/// <https://cloud.google.com/storage/docs/json_api/v1/objects/compose>
pub(super) async fn compose(shared: &Shared, asked: &Asked, body: &mut Incoming) -> Outcome {
    let sent = upload::document(shared, body).await?;
    let sources = sent.get("sourceObjects").and_then(Value::as_array);
    let sources = sources.map_or(&[][..], Vec::as_slice);
    if sources.is_empty() || sources.len() > MOST_COMPOSED {
        return Err(Failure::invalid("1 to 32 objects can be put together"));
    }
    let mut state = shared.state.lock();
    let objects = state.buckets.get(&asked.bucket);
    let objects = objects.ok_or_else(Failure::not_found)?;
    let mut parts: Vec<Data> = Vec::new();
    for source in sources {
        let name = source.get("name").and_then(Value::as_str).unwrap_or("");
        let object = objects.get(name).ok_or_else(Failure::not_found)?;
        let wanted = source.pointer("/objectPreconditions/ifGenerationMatch");
        // A number of 64 bits is a string in JSON, but not every client knows.
        let wanted = wanted.and_then(|wanted| match wanted.as_str() {
            Some(digits) => digits.parse().ok(),
            None => wanted.as_u64(),
        });
        if wanted.is_some_and(|wanted: u64| wanted != object.generation) {
            return Err(Failure::condition());
        }
        parts.push(object.data.clone());
    }
    let data = shared.keeper.join(&parts);
    let resource = Resource::of(sent.get("destination").unwrap_or(&Value::Null));
    let place = (asked.bucket.as_str(), asked.name.as_str());
    let answer = store(&mut state, place, data, resource, &asked.conditions()?)?;
    Ok(with_json(&answer))
}

/// Makes an object visible, if the conditions hold, and tells its resource.
pub(super) fn store(
    state: &mut State,
    (bucket, name): (&str, &str),
    data: Data,
    resource: Resource,
    conditions: &Conditions,
) -> Result<Value, Failure> {
    let generation = state.next();
    let objects = state.buckets.get_mut(bucket);
    let objects = objects.ok_or_else(Failure::not_found)?;
    conditions.check(objects.get(name))?;
    let object = Object::new(data.recognized(), resource, generation);
    let answer = object.json(bucket, name);
    objects.insert(name.to_owned(), object);
    Ok(answer)
}

fn find(state: &State, asked: &Asked) -> Result<Object, Failure> {
    let objects = state.buckets.get(&asked.bucket);
    let object = objects.and_then(|objects| objects.get(&asked.name));
    object.cloned().ok_or_else(Failure::not_found)
}
