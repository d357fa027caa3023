//! HTTP on a free port of the loopback interface.

use std::convert::Infallible;
use std::error::Error;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use bytes::Bytes;
use futures_util::Stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Why an exchange ends without an answer, or within one.
pub(crate) type Fault = Box<dyn Error + Send + Sync>;
/// The body of an answer.
pub(crate) type Body = UnsyncBoxBody<Bytes, Fault>;

/// A body of these bytes.
pub(crate) fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into())
        .map_err(|never: Infallible| match never {})
        .boxed_unsync()
}

/// A body that comes in pieces.
pub(crate) fn streamed(
    pieces: impl Stream<Item = Result<Frame<Bytes>, Fault>> + Send + 'static,
) -> Body {
    StreamBody::new(pieces).boxed_unsync()
}

/// A listener on a port of its own.
pub(crate) async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// Runs `connection` for each client, in a task of its own, until the guard is dropped; then all of them end.
pub(crate) fn each<F>(
    listener: TcpListener,
    connection: impl Fn(TcpStream) -> F + Send + 'static,
) -> DropGuard
where
    F: Future<Output = ()> + Send + 'static,
{
    let end = CancellationToken::new();
    let ended = end.clone();
    accept_until(end.clone(), listener, move |client| {
        let (ended, work) = (ended.clone(), connection(client));
        async move {
            ended.run_until_cancelled(work).await;
        }
    });
    end.drop_guard()
}

/// As [`each`], but connections see to their end themselves.
pub(crate) fn accept_until<F>(
    end: CancellationToken,
    listener: TcpListener,
    connection: impl Fn(TcpStream) -> F + Send + 'static,
) where
    F: Future<Output = ()> + Send + 'static,
{
    tokio::spawn(async move {
        while let Some(client) = end.run_until_cancelled(accept(&listener)).await {
            tokio::spawn(connection(client));
        }
    });
}

/// The next connection.
async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        // What fails belongs to a client that has gone already.
        if let Ok((stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            return stream;
        }
    }
}

/// Serves one connection to its end.
pub(crate) async fn serve<S, F>(stream: S, answer: impl Fn(Request<Incoming>) -> F)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Future<Output = Result<Response<Body>, Fault>>,
{
    let connection = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service_fn(answer));
    // How it ended is the client's to judge.
    let _ = connection.await;
}

/// A fault with a reason.
pub(crate) fn fault(reason: &str) -> Fault {
    io::Error::other(reason.to_owned()).into()
}
