//! From a request to what does it.

use std::sync::Arc;

use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::{Request, Response};
use serde_json::{Value, json};

use super::answer::{Failure, Outcome, refusal, with_json};
use super::asked::Asked;
use super::{Shared, object, upload};
use crate::Dialect;
use crate::serve::{Body, Fault};

/// Answers one request.
pub(super) async fn answer(
    shared: Arc<Shared>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Fault> {
    let running = shared.requests.begin(Dialect::Gcs, &request);
    let (head, mut body) = request.into_parts();
    let response = match perform(&shared, running.operation(), &head, &mut body).await {
        Ok(response) => response,
        Err(Failure::Broken(fault)) => return Err(fault),
        Err(Failure::Refused {
            status,
            reason,
            message,
        }) => {
            // A client that still sends would not see the answer.
            while let Some(frame) = body.frame().await {
                drop(frame?);
            }
            refusal(status, reason, &message)
        }
    };
    running.answered(response.status().as_u16());
    Ok(response.map(|body| running.counting(body)))
}

async fn perform(shared: &Shared, operation: &str, head: &Parts, body: &mut Incoming) -> Outcome {
    let asked = Asked::parse(head)?;
    if let Some(token) = shared.token
        // Who knows the address of an upload may send to it.
        && !matches!(operation, "upload.chunk" | "upload.cancel")
        && asked.header("authorization") != Some(&format!("Bearer {token}"))
    {
        return Err(Failure::new(401, "authError", "Invalid Credentials"));
    }
    match operation {
        "buckets.get" => bucket(shared, &asked),
        "buckets.insert" => make_bucket(shared, body).await,
        "objects.list" => object::list(shared, &asked),
        "objects.get" => object::get(shared, &asked),
        "objects.get media" => object::content(shared, &asked),
        "objects.patch" => object::patch(shared, &asked, body).await,
        "objects.delete" => object::delete(shared, &asked),
        "objects.rewrite" => object::rewrite(shared, &asked, body).await,
        "objects.compose" => object::compose(shared, &asked, body).await,
        "objects.insert" => upload::insert(shared, &asked, body).await,
        "upload.start" => upload::start(shared, &asked, body).await,
        "upload.cancel" => upload::cancel(shared, &asked),
        "upload.chunk" => upload::chunk(shared, &asked, body).await,
        _ => Err(Failure::new(
            501,
            "notImplemented",
            "No client of ours sends this.",
        )),
    }
}

fn bucket(shared: &Shared, asked: &Asked) -> Outcome {
    let state = shared.state.lock();
    if !state.buckets.contains_key(&asked.bucket) {
        return Err(Failure::not_found());
    }
    let name = &asked.bucket;
    Ok(with_json(
        &json!({ "kind": "storage#bucket", "id": name, "name": name }),
    ))
}

async fn make_bucket(shared: &Shared, body: &mut Incoming) -> Outcome {
    let sent = upload::document(shared, body).await?;
    let name = sent.get("name").and_then(Value::as_str);
    let name = name.ok_or_else(|| Failure::invalid("A bucket needs a name."))?;
    let mut state = shared.state.lock();
    state.buckets.entry(name.to_owned()).or_default();
    Ok(with_json(
        &json!({ "kind": "storage#bucket", "id": name, "name": name }),
    ))
}
