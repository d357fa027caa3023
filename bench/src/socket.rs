//! A TCP connection that can be made to vanish.

use std::io::{Error, ErrorKind, IoSlice, Result};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

/// Wraps the socket of a client. Once its other half is told to cut, every operation fails and nothing more is sent, not
/// even what SSH says when it parts; the client library then drops the socket.
pub(crate) struct Severable {
    stream: TcpStream,
    order: Option<oneshot::Receiver<Cut>>,
    cut: bool,
}

/// How a connection vanishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The socket is closed; the server sees the end of the stream.
    Close,
    /// The socket is reset.
    Reset,
}

impl Severable {
    pub(crate) fn new(stream: TcpStream) -> (Self, oneshot::Sender<Cut>) {
        let (sender, receiver) = oneshot::channel();
        let severable = Self {
            stream,
            order: Some(receiver),
            cut: false,
        };
        (severable, sender)
    }

    /// Fails once the order to cut has come, and wakes the task when it comes.
    fn check(&mut self, cx: &mut Context<'_>) -> Result<()> {
        if let Some(order) = &mut self.order
            && let Poll::Ready(order) = Future::poll(Pin::new(order), cx)
        {
            self.order = None;
            if let Ok(how) = order {
                self.cut = true;
                if how == Cut::Reset {
                    self.stream.set_zero_linger()?;
                }
            }
        }
        if self.cut {
            return Err(Error::from(ErrorKind::ConnectionAborted));
        }
        Ok(())
    }
}

impl AsyncRead for Severable {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Severable {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<Result<usize>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        // A connection that is cut says no goodbye.
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
