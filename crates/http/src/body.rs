//! Request bodies, read whole within a size and a time.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use http_body_util::BodyExt;
use hyper::body::Body as _;
use tokio::time::{Instant, timeout_at};

use crate::problem::Problem;
use crate::server::HttpLimits;

/// What is thrown away of a body that is too large, so that its sender reads our answer: closing a socket with unread data
/// in it resets the connection, and the answer is lost.
const DISCARD_BYTES: usize = 8 * 1024 * 1024;
const DISCARD_TIME: Duration = Duration::from_secs(5);

/// Reads the body of `request`. Too large is 400, as in the reference.
pub(crate) async fn read(request: Request, limits: &HttpLimits) -> Result<Bytes, Problem> {
    let (head, mut body) = request.into_parts();
    let limit = limits.body_bytes;
    let declared = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if declared > limit {
        // Who asked before sending (RFC 9110 10.1.1) sends nothing after a refusal.
        if !asks_first(&head.headers) {
            discard(body).await;
        }
        return Err(too_large(limit));
    }
    let deadline = Instant::now() + limits.read;
    // Announcing a body is cheap: memory is taken as it comes.
    let mut bytes = Vec::with_capacity(declared.min(16 * 1024));
    while let Some(chunk) = next_chunk(&mut body, deadline).await? {
        if bytes.len().saturating_add(chunk.len()) > limit {
            discard(body).await;
            return Err(too_large(limit));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.into())
}

fn too_large(limit: usize) -> Problem {
    Problem::bad_request(format!("the request body is larger than {limit} bytes"))
}

fn asks_first(headers: &HeaderMap) -> bool {
    headers.contains_key(header::EXPECT)
}

/// The next bytes; `None` at the end of the body. Trailer fields are skipped.
async fn next_chunk(body: &mut Body, deadline: Instant) -> Result<Option<Bytes>, Problem> {
    loop {
        let frame = timeout_at(deadline, body.frame())
            .await
            .map_err(|_| Problem::bad_request("the request body did not arrive in time"))?;
        match frame {
            None => return Ok(None),
            Some(Err(_)) => return Err(Problem::bad_request("the request body was cut off")),
            Some(Ok(frame)) => {
                if let Ok(chunk) = frame.into_data() {
                    return Ok(Some(chunk));
                }
            }
        }
    }
}

/// Takes the body of a request that is refused without being read, so that its sender reads why.
pub(crate) async fn dismiss(request: Request) {
    let (head, body) = request.into_parts();
    if !asks_first(&head.headers) {
        discard(body).await;
    }
}

async fn discard(mut body: Body) {
    let deadline = Instant::now() + DISCARD_TIME;
    let mut seen = 0_usize;
    while seen < DISCARD_BYTES {
        match next_chunk(&mut body, deadline).await {
            Ok(Some(chunk)) => seen = seen.saturating_add(chunk.len()),
            Ok(None) | Err(_) => return,
        }
    }
}
