//! The accept loop, and its end.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::limit::{AcceptLimits, ConnectionLimiter, ConnectionSlot};
use crate::listener::Listener;

/// A running listener. [`drain`](Self::drain) it to stop.
#[derive(Debug)]
pub struct Server {
    name: &'static str,
    address: SocketAddr,
    stop: CancellationToken,
    end: CancellationToken,
    /// Cancelled when the accept loop is over, for whatever reason.
    stopped: CancellationToken,
    tasks: TaskTracker,
}

/// Accepts connections until it is drained, and runs `handler` for each in a task of its own.
///
/// The slot tells the handler when a drain begins; the last argument is cancelled when a drain runs out of time: the connection must end then.
pub fn serve<H, F>(
    name: &'static str,
    listener: Listener,
    limits: AcceptLimits,
    handler: H,
) -> Server
where
    H: Fn(TcpStream, SocketAddr, ConnectionSlot, CancellationToken) -> F + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let (stop, end) = (CancellationToken::new(), CancellationToken::new());
    let tasks = TaskTracker::new();
    let server = Server {
        name,
        address: listener.local_addr(),
        stop: stop.clone(),
        end: end.clone(),
        stopped: CancellationToken::new(),
        tasks: tasks.clone(),
    };
    // A guard, because a panic must be noticed too.
    let stopped = server.stopped.clone().drop_guard();
    let limiter = ConnectionLimiter::new(limits);
    let connections = tasks.clone();
    tasks.spawn(async move {
        let _stopped = stopped;
        loop {
            let (stream, peer) = tokio::select! {
                () = stop.cancelled() => return,
                accepted = listener.inner.accept() => match accepted {
                    Ok(accepted) => accepted,
                    Err(error) => {
                        // Out of descriptors or memory: waiting a moment is all that helps, and a tight loop would not.
                        tracing::warn!(listener = name, %error, "a connection was not accepted");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                        continue;
                    }
                },
            };
            let Some(mut slot) = limiter.admit(peer.ip().to_canonical()) else {
                tracing::debug!(listener = name, %peer, "too many connections, one was refused");
                continue;
            };
            slot.draining = stop.child_token();
            // Small replies must not wait for more to come.
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%peer, %error, "TCP_NODELAY was not set");
            }
            connections.spawn(handler(stream, peer, slot, end.child_token()));
        }
    });
    server
}

impl Server {
    /// The address it listens on.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// What it serves, for messages.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Waits until it accepts no more connections; without a drain that is a failure.
    pub async fn stopped(&self) {
        self.stopped.cancelled().await;
    }

    /// Stops accepting, gives running connections `limit` to end by themselves, then ends them.
    pub async fn drain(&self, limit: Duration) {
        self.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(limit, self.tasks.wait())
            .await
            .is_err()
        {
            tracing::info!(
                listener = self.name,
                open = self.tasks.len(),
                "ending open connections"
            );
            self.end.cancel();
            if tokio::time::timeout(Duration::from_secs(5), self.tasks.wait())
                .await
                .is_err()
            {
                tracing::warn!(
                    listener = self.name,
                    open = self.tasks.len(),
                    "connections did not end"
                );
            }
        }
    }

    /// Ends every connection now.
    pub fn end_connections(&self) {
        self.end.cancel();
    }

    /// Connections that are open.
    pub fn open(&self) -> usize {
        self.tasks.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_connection_learns_that_a_drain_begins_before_it_is_ended() {
        let listener = Listener::bind(([127, 0, 0, 1], 0).into(), "test").unwrap();
        let (seen, mut events) = tokio::sync::mpsc::unbounded_channel();
        let server = serve(
            "test",
            listener,
            AcceptLimits::default(),
            move |_, _, slot, end| {
                let seen = seen.clone();
                async move {
                    seen.send("open").unwrap();
                    slot.draining().cancelled().await;
                    assert!(!end.is_cancelled());
                    seen.send("draining").unwrap();
                }
            },
        );
        let _client = TcpStream::connect(server.local_addr()).await.unwrap();
        assert_eq!(events.recv().await, Some("open"));
        server.drain(Duration::from_secs(60)).await;
        assert_eq!(events.recv().await, Some("draining"));
        assert_eq!(server.open(), 0);
        server.stopped().await;
    }
}
