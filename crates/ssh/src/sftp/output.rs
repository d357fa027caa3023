//! The way out: a queue that the engine fills without waiting, and a task that waits for the client.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bytes::Bytes;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

use crate::transport::ChannelOutput;

/// Bytes of answers that may wait for the client, in one channel. What a client that stops reading costs.
pub(super) const BUDGET: usize = 1 << 20;

#[derive(Debug, Default)]
struct Shared {
    queued: AtomicUsize,
    drained: Notify,
    gone: AtomicBool,
    /// Cancelled when the client closed the channel: what is sent is dropped.
    closed: CancellationToken,
}

/// The engine's side.
#[derive(Debug)]
pub(super) struct Output {
    queue: mpsc::UnboundedSender<Bytes>,
    shared: Arc<Shared>,
}

/// Makes both sides. The future sends until the engine's side is dropped; it gives the channel back, unless the client is gone.
pub(super) fn start(
    channel: ChannelOutput,
) -> (Output, impl Future<Output = Option<ChannelOutput>>) {
    // Not bounded by itself: the engine hands over no more while BUDGET is waiting.
    let (queue, mut queued) = mpsc::unbounded_channel::<Bytes>();
    let shared = Arc::new(Shared::default());
    let writer = Arc::clone(&shared);
    let send_all = async move {
        while let Some(bytes) = queued.recv().await {
            let len = bytes.len();
            let sent = tokio::select! {
                biased;
                // Its window never opens again.
                () = writer.closed.cancelled() => Ok(()),
                sent = channel.send(bytes) => sent,
            };
            if sent.is_err() {
                writer.gone.store(true, Ordering::Release);
                writer.drained.notify_one();
                return None;
            }
            writer.queued.fetch_sub(len, Ordering::AcqRel);
            writer.drained.notify_one();
        }
        Some(channel)
    };
    (Output { queue, shared }, send_all)
}

impl Output {
    /// Hands bytes over; does not wait.
    pub(super) fn send(&self, bytes: Bytes) {
        if bytes.is_empty() {
            return;
        }
        self.shared.queued.fetch_add(bytes.len(), Ordering::AcqRel);
        // Fails only if the client is gone, which `is_gone` says.
        let _ = self.queue.send(bytes);
    }

    /// Bytes that the client has not taken.
    pub(super) fn queued(&self) -> usize {
        self.shared.queued.load(Ordering::Acquire)
    }

    /// From now on everything is dropped: the client closed the channel.
    pub(super) fn close(&self) {
        self.shared.closed.cancel();
    }

    /// Whether the client closed the channel.
    pub(super) fn is_closed(&self) -> bool {
        self.shared.closed.is_cancelled()
    }

    /// Whether nobody reads any more.
    pub(super) fn is_gone(&self) -> bool {
        self.shared.gone.load(Ordering::Acquire)
    }

    /// Waits until the client took something, or is gone.
    pub(super) async fn drained(&self) {
        self.shared.drained.notified().await;
    }
}
