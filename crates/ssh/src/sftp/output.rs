//! The way out: a queue that the engine fills without waiting, and a task that waits for the client.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

use crate::transport::ChannelOutput;

/// Bytes of answers that may wait for the client, in one channel. What a client that stops reading costs.
pub(super) const BUDGET: usize = 1 << 20;
/// How long a client may take nothing of what is left for it when the session is over.
const LINGER: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
struct Shared {
    queued: AtomicUsize,
    drained: Notify,
    /// Cancelled when the client closed the channel, or is gone: what is sent is dropped.
    closed: CancellationToken,
    /// Cancelled when nothing more will be handed over.
    ended: CancellationToken,
}

/// The engine's side. Dropping it, deliberately, tells the other one that this was all.
#[derive(Debug)]
pub(super) struct Output {
    queue: mpsc::UnboundedSender<Bytes>,
    shared: Arc<Shared>,
}

/// Makes both sides. The future sends until the engine's side is dropped and the client took everything, or nothing for
/// [`LINGER`] after that; it gives the channel back.
pub(super) fn start(channel: ChannelOutput) -> (Output, impl Future<Output = ChannelOutput>) {
    // Not bounded by itself: the engine hands over no more while BUDGET is waiting.
    let (queue, mut queued) = mpsc::unbounded_channel::<Bytes>();
    let shared = Arc::new(Shared::default());
    let writer = Arc::clone(&shared);
    let send_all = async move {
        while let Some(bytes) = queued.recv().await {
            let len = bytes.len();
            let given_up = async {
                writer.ended.cancelled().await;
                tokio::time::sleep(LINGER).await;
            };
            tokio::select! {
                biased;
                () = writer.closed.cancelled() => {}
                sent = channel.send(bytes) => if sent.is_err() {
                    // Its window never opens again. The engine hears of it from the input, behind what came before.
                    writer.closed.cancel();
                },
                () = given_up => writer.closed.cancel(),
            }
            writer.queued.fetch_sub(len, Ordering::AcqRel);
            writer.drained.notify_one();
        }
        channel
    };
    (Output { queue, shared }, send_all)
}

impl Drop for Output {
    fn drop(&mut self) {
        self.shared.ended.cancel();
    }
}

impl Output {
    /// Hands bytes over; does not wait.
    pub(super) fn send(&self, bytes: Bytes) {
        if bytes.is_empty() {
            return;
        }
        self.shared.queued.fetch_add(bytes.len(), Ordering::AcqRel);
        // Fails only if the writer was dropped, and then the engine is too.
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

    /// Whether nobody reads any more.
    pub(super) fn is_closed(&self) -> bool {
        self.shared.closed.is_cancelled()
    }

    /// Waits until the client took something, or nobody reads any more.
    pub(super) async fn drained(&self) {
        self.shared.drained.notified().await;
    }
}
