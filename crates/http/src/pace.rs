//! A socket that does not wait for ever: deadlines for slow headers, idle connections and clients that do not read.
//!
//! Bodies have their deadline where they are read ([`crate::body`]), handlers in [`crate::front`]; meanwhile reading from
//! the socket has none, because hyper keeps a read pending to notice that the client left.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use crate::server::HttpLimits;

/// Where a connection stands between two requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Phase {
    /// Nothing of the first request has come.
    New,
    /// Nothing of the next request has come.
    Idle,
    /// The header is coming.
    Header,
    /// A handler works on the request.
    Handling,
    /// The response goes out.
    Replying,
}

/// Told by the service, read by the socket.
#[derive(Debug)]
pub(crate) struct Pace(AtomicU8);

impl Default for Pace {
    fn default() -> Self {
        Self(AtomicU8::new(Phase::New as u8))
    }
}

impl Pace {
    /// A handler has the request now.
    pub(crate) fn handling(&self) {
        self.set(Phase::Handling);
    }

    /// The handler has answered.
    pub(crate) fn replying(&self) {
        self.set(Phase::Replying);
    }

    fn set(&self, phase: Phase) {
        self.0.store(phase as u8, Ordering::Release);
    }

    fn phase(&self) -> Phase {
        let stored = self.0.load(Ordering::Acquire);
        [Phase::New, Phase::Idle, Phase::Header, Phase::Handling]
            .into_iter()
            .find(|phase| *phase as u8 == stored)
            .unwrap_or(Phase::Replying)
    }
}

/// A stream with the deadlines of [`HttpLimits`].
#[derive(Debug)]
pub(crate) struct PacedStream<S> {
    inner: S,
    pace: Arc<Pace>,
    limits: HttpLimits,
    reading: Option<(Phase, Pin<Box<Sleep>>)>,
    writing: Option<Pin<Box<Sleep>>>,
    unflushed: bool,
}

impl<S> PacedStream<S> {
    pub(crate) fn new(inner: S, pace: Arc<Pace>, limits: &HttpLimits) -> Self {
        Self {
            inner,
            pace,
            limits: *limits,
            reading: None,
            writing: None,
            unflushed: false,
        }
    }

    /// Ready when the wait for the client has lasted too long. A deadline starts with its phase and is not moved by bytes
    /// that trickle in.
    fn poll_late(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        let phase = self.pace.phase();
        let limit = match phase {
            Phase::New | Phase::Header => self.limits.read,
            Phase::Idle => self.limits.idle,
            Phase::Handling | Phase::Replying => {
                self.reading = None;
                return Poll::Pending;
            }
        };
        let same = self.reading.take().filter(|(of, _)| *of == phase);
        let (_, sleep) = self
            .reading
            .insert(same.unwrap_or_else(|| (phase, timer(limit))));
        sleep
            .as_mut()
            .poll(context)
            .map(|()| late("no request came in time"))
    }

    /// Ready when the client has not taken a response in time.
    fn poll_stuck(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        let limit = self.limits.write;
        let sleep = self.writing.get_or_insert_with(|| timer(limit));
        sleep
            .as_mut()
            .poll(context)
            .map(|()| late("the response was not read in time"))
    }
}

fn timer(limit: Duration) -> Pin<Box<Sleep>> {
    Box::pin(tokio::time::sleep_until(Instant::now() + limit))
}

fn late(reason: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, reason)
}

impl<S: AsyncRead + Unpin> AsyncRead for PacedStream<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        if let Poll::Ready(result) = Pin::new(&mut this.inner).poll_read(context, buffer) {
            let waited = matches!(this.pace.phase(), Phase::New | Phase::Idle);
            if waited && buffer.filled().len() > before {
                this.pace.set(Phase::Header);
            }
            // Bytes that keep coming must not hide the deadline: a header may be sent one byte at a time.
            return match this.poll_late(context) {
                Poll::Ready(error) => Poll::Ready(Err(error)),
                Poll::Pending => Poll::Ready(result),
            };
        }
        this.poll_late(context).map(Err)
    }
}

impl<S: AsyncWrite + Unpin> PacedStream<S> {
    fn after_write(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        self.unflushed = true;
        match self.poll_stuck(context) {
            Poll::Ready(error) => Poll::Ready(Err(error)),
            Poll::Pending => written,
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for PacedStream<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.inner).poll_write(context, bytes);
        this.after_write(context, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.inner).poll_write_vectored(context, bytes);
        this.after_write(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    /// hyper flushes when everything of a response is written: the wait for the next request begins.
    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = Pin::new(&mut this.inner).poll_flush(context);
        if flushed.is_ready() && std::mem::take(&mut this.unflushed) {
            this.writing = None;
            // "100 Continue" is written while the handler works; nothing changes then.
            if this.pace.phase() == Phase::Replying {
                this.pace.set(Phase::Idle);
                // hyper asked for the next request before it flushed: nobody but this timer will wake it. If it is over
                // already, the read that follows says so.
                let _ = this.poll_late(context);
            }
        }
        flushed
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(context)
    }
}
