//! The socket as the SSH library sees it: it ends when the connection is cancelled, and counts what it moves.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use sftpgo_net::Newcomer;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// A stream that can be ended from elsewhere.
#[derive(Debug)]
pub(super) struct Socket<S> {
    inner: S,
    newcomer: Arc<Newcomer>,
    cancelled: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl<S> Socket<S> {
    pub(super) fn new(inner: S, newcomer: Arc<Newcomer>, cancel: CancellationToken) -> Self {
        Self {
            inner,
            newcomer,
            cancelled: Box::pin(cancel.cancelled_owned()),
        }
    }

    fn count(&self, written: &Poll<io::Result<usize>>) {
        if let Poll::Ready(Ok(bytes)) = written {
            self.newcomer.moved(*bytes);
        }
    }

    fn check_alive(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if self.cancelled.as_mut().poll(cx).is_ready() {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        Ok(())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Socket<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check_alive(cx)?;
        let before = buffer.filled().len();
        let state = Pin::new(&mut self.inner).poll_read(cx, buffer);
        self.newcomer.moved(buffer.filled().len() - before);
        state
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Socket<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check_alive(cx)?;
        let state = Pin::new(&mut self.inner).poll_write(cx, bytes);
        self.count(&state);
        state
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check_alive(cx)?;
        let state = Pin::new(&mut self.inner).poll_write_vectored(cx, pieces);
        self.count(&state);
        state
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
