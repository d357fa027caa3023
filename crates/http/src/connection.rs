//! One connection: the TLS handshake, if there is one, and HTTP/1 requests one after the other, until the client, a
//! deadline or a drain ends it.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderValue, Request, header};
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use sftpgo_net::{ConnectionSlot, Tls};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::front::Front;
use crate::handshake;
use crate::pace::{Pace, PacedStream};
use crate::problem::Problem;

/// Browsers that were here over TLS come back over TLS (RFC 6797), for thirty days from their last visit. It concerns every
/// port of the host, and so neither the names below it nor a whole year.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=2592000");

/// Serves one connection, over TLS if there is a certificate. `end` ends it at once.
pub(crate) async fn run(
    front: Arc<Front>,
    tls: Option<Arc<Tls>>,
    stream: TcpStream,
    peer: SocketAddr,
    slot: ConnectionSlot,
    end: CancellationToken,
) {
    let Some(tls) = tls else {
        return serve(front, stream, peer, slot, end).await;
    };
    // Nobody has asked for anything yet: a drain need not wait.
    let stream = tokio::select! {
        () = end.cancelled() => return,
        () = slot.draining().cancelled() => return,
        accepted = handshake::accept(&tls, stream, front.limits.read) => match accepted {
            Ok(stream) => stream,
            Err(error) => {
                tracing::debug!(sender = "httpd", %peer, %error, "no TLS connection came about");
                return;
            }
        },
    };
    serve(front, stream, peer, slot, end).await;
}

/// Serves the requests of one connection.
async fn serve(
    front: Arc<Front>,
    stream: impl AsyncRead + AsyncWrite + Unpin,
    peer: SocketAddr,
    slot: ConnectionSlot,
    end: CancellationToken,
) {
    let handlers = TaskTracker::new();
    let limits = front.limits;
    let pace = Arc::new(Pace::default());
    let stream = TokioIo::new(PacedStream::new(stream, Arc::clone(&pace), &limits));
    let service = service_fn(|request| {
        pace.handling();
        answer(
            Arc::clone(&front),
            &handlers,
            Arc::clone(&pace),
            peer,
            request,
        )
    });
    let connection = http1::Builder::new()
        .max_header_size(limits.header_bytes)
        // What stops a header that does not end; hyper asks for 8 KiB at least.
        .max_buf_size(limits.header_bytes.max(8 * 1024))
        // `PacedStream` does this, apart for idle connections and slow headers.
        .header_read_timeout(None)
        .serve_connection(stream, service);
    tokio::pin!(connection);
    let mut draining = false;
    let result = loop {
        tokio::select! {
            () = end.cancelled() => return,
            () = slot.draining().cancelled(), if !draining => {
                draining = true;
                connection.as_mut().graceful_shutdown();
            }
            result = &mut connection => break result,
        }
    };
    if let Err(error) = result {
        tracing::debug!(sender = "httpd", %peer, %error, "connection ended");
    }
    // A client may leave before its answer: what it asked for is done, and logged, all the same.
    handlers.close();
    end.run_until_cancelled(handlers.wait()).await;
}

/// Handles a request in a task of its own, so that it runs to its end whatever becomes of the connection. Its owner is the
/// connection's task, which waits for it.
fn answer(
    front: Arc<Front>,
    handlers: &TaskTracker,
    pace: Arc<Pace>,
    peer: SocketAddr,
    request: Request<Incoming>,
) -> impl Future<Output = Result<Response, Infallible>> + use<> {
    let over_tls = front.is_over_tls();
    let handler = handlers.spawn(async move { front.answer(peer, request.map(Body::new)).await });
    async move {
        let mut response = handler.await.unwrap_or_else(|error| {
            tracing::error!(sender = "httpd", %error, "a request was not answered");
            Problem::internal().into_response()
        });
        if over_tls {
            let headers = response.headers_mut();
            headers.insert(header::STRICT_TRANSPORT_SECURITY, HSTS);
        }
        pace.replying();
        Ok(response)
    }
}
