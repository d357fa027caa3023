//! From a request to what does it.

use std::sync::Arc;

use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::{Request, Response};

use super::answer::{Failure, Outcome, refusal};
use super::asked::Asked;
use super::list::Version;
use super::{Shared, bucket, list, multipart, object, verify};
use crate::Dialect;
use crate::serve::{Body, Fault};

/// Answers one request.
pub(super) async fn answer(
    shared: Arc<Shared>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Fault> {
    let running = shared.requests.begin(Dialect::S3, &request);
    let (head, mut body) = request.into_parts();
    let response = match perform(&shared, running.operation(), &head, &mut body).await {
        Ok(response) => response,
        Err(Failure::Broken(fault)) => return Err(fault),
        Err(Failure::Refused {
            status,
            code,
            message,
        }) => {
            // A client that still sends would not see the answer.
            while let Some(frame) = body.frame().await {
                drop(frame?);
            }
            refusal(status, code, &message)
        }
    };
    running.answered(response.status().as_u16());
    Ok(response.map(|body| running.counting(body)))
}

async fn perform(shared: &Shared, operation: &str, head: &Parts, body: &mut Incoming) -> Outcome {
    if let Some(keys) = shared.settings.keys {
        verify::signature(head, keys, shared.settings.session_token)?;
    }
    let asked = Asked::parse(head)?;
    match operation {
        "ListBuckets" => bucket::list(shared),
        "CreateBucket" => bucket::create(shared, &asked),
        "HeadBucket" => bucket::head(shared, &asked),
        "GetBucketLocation" => bucket::location(shared, &asked),
        "DeleteBucket" => bucket::delete(shared, &asked),
        "DeleteObjects" => bucket::delete_objects(shared, &asked, body).await,
        "ListObjectsV2" => list::objects(shared, &asked, Version::Two),
        "ListObjects" => list::objects(shared, &asked, Version::One),
        "GetObject" => object::get(shared, &asked, true),
        "HeadObject" => object::get(shared, &asked, false),
        "PutObject" => object::put(shared, &asked, body).await,
        "CopyObject" => object::copy(shared, &asked),
        "DeleteObject" => object::delete(shared, &asked),
        "CreateMultipartUpload" => multipart::create(shared, &asked),
        "UploadPart" => multipart::upload(shared, &asked, body).await,
        "UploadPartCopy" => multipart::copy(shared, &asked),
        "CompleteMultipartUpload" => multipart::complete(shared, &asked, body).await,
        "AbortMultipartUpload" => multipart::abort(shared, &asked),
        "ListParts" => multipart::list_parts(shared, &asked),
        "ListMultipartUploads" => multipart::list(shared, &asked),
        _ => Err(Failure::new(
            501,
            "NotImplemented",
            "No client of ours sends this.",
        )),
    }
}
