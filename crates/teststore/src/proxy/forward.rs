//! One request: to the store, or not.

use std::future::pending;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Frame, Incoming};
use hyper::header::{CONNECTION, HeaderName};
use hyper::{Request, Response, Version};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::Shared;
use super::rule::Action;
use crate::requests::Running;
use crate::serve::{Body, Fault, fault, streamed};

/// Answers a request; `cut` resets the connection that it came on.
pub(super) async fn answer(
    request: Request<Incoming>,
    running: Running,
    shared: Arc<Shared>,
    cut: CancellationToken,
) -> Result<Response<Body>, Fault> {
    match shared.action(running.operation(), &request) {
        Some(Action::Answer(answer)) => {
            drain(request.into_body(), u64::MAX, &shared).await?;
            running.answered(answer.status());
            return Ok(answer.response());
        }
        Some(Action::Delay(time)) => sleep(time).await,
        Some(Action::Hold(gate)) => gate.pass().await,
        Some(Action::Hang) => return pending().await,
        Some(Action::Cut) => return reset(&cut).await,
        Some(Action::CutUpload(bytes)) => {
            drain(request.into_body(), bytes, &shared).await?;
            return reset(&cut).await;
        }
        Some(Action::LoseAnswer) => {
            if let Ok(response) = exchange(request, &shared).await {
                drain(response.into_body(), u64::MAX, &shared).await?;
            }
            return reset(&cut).await;
        }
        Some(Action::Truncate(bytes)) => {
            return match exchange(request, &shared).await {
                Ok(response) => Ok(passed_on(response, running, bytes)),
                Err(_) => reset(&cut).await,
            };
        }
        None => {}
    }
    match exchange(request, &shared).await {
        Ok(response) => Ok(passed_on(response, running, u64::MAX)),
        // As if the client had asked a store that is down.
        Err(_) => reset(&cut).await,
    }
}

impl Shared {
    fn action(&self, operation: &str, request: &Request<Incoming>) -> Option<Action> {
        let rules = self.rules.lock();
        rules.iter().find_map(|rule| rule.take(operation, request))
    }
}

/// Ends when the connection does, which is at once.
async fn reset(cut: &CancellationToken) -> Result<Response<Body>, Fault> {
    cut.cancel();
    pending().await
}

/// Asks the store, on a connection of its own: what becomes of one request then touches no other.
async fn exchange(
    request: Request<Incoming>,
    shared: &Arc<Shared>,
) -> Result<Response<Incoming>, Fault> {
    let stream = TcpStream::connect(shared.store).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    // Ends when the answer has been read, or is not wanted any more.
    tokio::spawn(connection);
    let counting = Arc::clone(shared);
    let request = request.map(|body| {
        body.map_frame(move |frame| {
            counting.requests.received(length(&frame));
            frame
        })
    });
    Ok(sender.send_request(request).await?)
}

/// The store's answer, with no more than `most` bytes of its body.
fn passed_on(response: Response<Incoming>, running: Running, most: u64) -> Response<Body> {
    let (mut head, body) = response.into_parts();
    running.answered(head.status.as_u16());
    // Both are about the store's connection, not the client's.
    head.headers.remove(CONNECTION);
    head.headers.remove(HeaderName::from_static("keep-alive"));
    head.version = Version::HTTP_11;
    let counted = running.counting(body.map_err(Fault::from));
    let body = if most == u64::MAX {
        counted
    } else {
        truncated(counted, most)
    };
    Response::from_parts(head, body)
}

fn truncated(body: Body, most: u64) -> Body {
    streamed(stream::unfold(
        (body, most),
        |(mut body, left)| async move {
            if left == 0 {
                // What has been handed over goes out meanwhile.
                tokio::task::yield_now().await;
                return Some((Err(fault("cut here")), (body, 0)));
            }
            let frame = match body.frame().await? {
                Ok(frame) => frame,
                Err(error) => return Some((Err(error), (body, 0))),
            };
            let mut data = frame.into_data().unwrap_or_default();
            data.truncate(usize::try_from(left).unwrap_or(usize::MAX));
            let left = left - u64::try_from(data.len()).unwrap();
            Some((Ok(Frame::data(data)), (body, left)))
        },
    ))
}

/// Reads a body, or so many bytes of it at least.
async fn drain(mut body: Incoming, bytes: u64, shared: &Shared) -> Result<(), Fault> {
    let mut seen = 0_u64;
    while seen < bytes && !body.is_end_stream() {
        let Some(frame) = body.frame().await else {
            break;
        };
        let length = length(&frame?);
        shared.requests.received(length);
        seen += u64::try_from(length).unwrap();
    }
    Ok(())
}

fn length(frame: &Frame<Bytes>) -> usize {
    frame.data_ref().map_or(0, Bytes::len)
}
