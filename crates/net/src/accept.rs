//! The accept loop, and its end.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::entrance::{Arrival, Entrance};
use crate::limit::ConnectionSlot;
use crate::listener::Listener;
use crate::refusal::PERIOD;

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

/// Accepts connections until it is drained, and runs `handler` for each that the entrance lets in, in a task of its own.
///
/// The handler is given the client's address, which is that of the PROXY header if there is one. The slot tells it when a
/// drain begins; the last argument is cancelled when a drain runs out of time: the connection must end then.
pub fn serve<H, F>(name: &'static str, listener: Listener, entrance: Entrance, handler: H) -> Server
where
    H: Fn(TcpStream, SocketAddr, ConnectionSlot, CancellationToken) -> F + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let server = Server {
        name,
        address: listener.local_addr(),
        stop: CancellationToken::new(),
        end: CancellationToken::new(),
        stopped: CancellationToken::new(),
        tasks: TaskTracker::new(),
    };
    let door = Arc::new(Door {
        entrance,
        handler,
        stop: server.stop.clone(),
        end: server.end.clone(),
    });
    // A guard, because a panic must be noticed too.
    let stopped = server.stopped.clone().drop_guard();
    let connections = server.tasks.clone();
    server.tasks.spawn(async move {
        let _stopped = stopped;
        let mut period = tokio::time::interval(PERIOD);
        period.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let (stream, peer) = tokio::select! {
                () = door.stop.cancelled() => return,
                accepted = listener.inner.accept() => match accepted {
                    Ok(accepted) => accepted,
                    Err(error) => {
                        // Out of descriptors or memory: waiting a moment is all that helps, and a tight loop would not.
                        tracing::warn!(listener = name, %error, "a connection was not accepted");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                        continue;
                    }
                },
                _ = period.tick() => {
                    door.entrance.refusals.tick();
                    continue;
                }
            };
            // Refused: the socket is closed without a byte.
            let Some(arrival) = door.entrance.meet(peer) else {
                continue;
            };
            // Small replies must not wait for more to come.
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%peer, %error, "TCP_NODELAY was not set");
            }
            Arc::clone(&door).open(&connections, arrival, stream, peer);
        }
    });
    server
}

/// What the accept loop has for every connection.
struct Door<H> {
    entrance: Entrance,
    handler: H,
    stop: CancellationToken,
    end: CancellationToken,
}

impl<H, F> Door<H>
where
    H: Fn(TcpStream, SocketAddr, ConnectionSlot, CancellationToken) -> F + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    fn open(
        self: Arc<Self>,
        connections: &TaskTracker,
        arrival: Arrival,
        mut stream: TcpStream,
        peer: SocketAddr,
    ) {
        match arrival {
            Arrival::Known(slot) => {
                connections.spawn(self.handle(stream, peer, slot));
            }
            Arrival::BehindHeader(mut slot, trust) => {
                connections.spawn(async move {
                    let read = self
                        .entrance
                        .behind_header(&mut stream, peer, &mut slot, trust);
                    if let Some(Some(client)) = self.stop.run_until_cancelled(read).await {
                        self.handle(stream, client, slot).await;
                    }
                });
            }
        }
    }

    fn handle(&self, stream: TcpStream, client: SocketAddr, mut slot: ConnectionSlot) -> F {
        slot.draining = self.stop.child_token();
        (self.handler)(stream, client, slot, self.end.child_token())
    }
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
    use crate::limit::AcceptLimits;

    #[tokio::test]
    async fn a_connection_learns_that_a_drain_begins_before_it_is_ended() {
        let listener = Listener::bind(([127, 0, 0, 1], 0).into(), "test").unwrap();
        let (seen, mut events) = tokio::sync::mpsc::unbounded_channel();
        let server = serve(
            "test",
            listener,
            Entrance::new("test", AcceptLimits::default()),
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
