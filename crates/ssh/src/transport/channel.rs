//! Channels as the rest of the crate sees them.

use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use russh::server::{Handle, Msg};
use russh::{ChannelMsg, ChannelReadHalf, ChannelWriteHalf};
use tokio::sync::OwnedSemaphorePermit;

use super::window::{Growth, Window};

/// The right to have one more channel open, given back when all its holders are gone.
pub(super) type Place = Arc<OwnedSemaphorePermit>;

/// A started channel: bytes in, bytes out.
#[derive(Debug)]
pub(crate) struct Channel {
    /// From the client.
    pub(crate) input: ChannelInput,
    /// To the client.
    pub(crate) output: ChannelOutput,
}

impl Channel {
    pub(super) fn new(
        channel: russh::Channel<Msg>,
        library: Handle,
        place: Place,
        growth: Arc<Growth>,
    ) -> Self {
        let id = channel.id();
        let grow = move |bytes| library.grow_window(id, bytes);
        let window = Arc::new(Window::new(growth, grow));
        let (read, write) = channel.split();
        Self {
            input: ChannelInput { read, window },
            output: ChannelOutput {
                write,
                _place: place,
            },
        }
    }
}

/// What comes in.
#[derive(Debug)]
pub(crate) enum Input {
    /// Bytes.
    Data(Bytes),
    /// The client sends no more, and may go on reading.
    Eof,
    /// The client closed the channel, or is gone: nothing reaches it any more, and its window never opens again.
    Closed,
}

/// The receiving half.
pub(crate) struct ChannelInput {
    read: ChannelReadHalf,
    window: Arc<Window>,
}

impl std::fmt::Debug for ChannelInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ChannelInput")
    }
}

impl ChannelInput {
    /// What the client does next. Data is held in the window: whoever takes it releases it with [`Window::part`],
    /// [`Window::cost`] of its length.
    pub(crate) async fn next(&mut self) -> Input {
        loop {
            match self.read.wait().await {
                Some(ChannelMsg::Data { data }) => {
                    self.window.hold(data.len());
                    return Input::Data(data);
                }
                // No client has anything to say there; it counts all the same.
                Some(ChannelMsg::ExtendedData { data, .. }) => {
                    self.window.hold(data.len());
                    drop(self.window.part(Window::cost(data.len())));
                }
                Some(ChannelMsg::Eof) => return Input::Eof,
                Some(ChannelMsg::Close) | None => return Input::Closed,
                // Nothing else is queued.
                Some(_) => {}
            }
        }
    }

    /// Does something while whatever the client sends is taken and dropped, so that nobody waits for room in the channel;
    /// `None` if the client closes it before that is done.
    pub(crate) async fn beside<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let left = async {
            loop {
                match self.next().await {
                    Input::Data(data) => drop(self.window.part(Window::cost(data.len()))),
                    // It may wait for an answer.
                    Input::Eof => {}
                    Input::Closed => return,
                }
            }
        };
        tokio::select! {
            biased;
            done = work => Some(done),
            () = left => None,
        }
    }

    /// What the client may send, and what of it is held.
    pub(crate) fn window(&self) -> &Arc<Window> {
        &self.window
    }
}

/// The sending half.
pub(crate) struct ChannelOutput {
    write: ChannelWriteHalf<Msg>,
    /// Held until the channel was closed.
    _place: Place,
}

impl std::fmt::Debug for ChannelOutput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ChannelOutput")
    }
}

/// The channel is closed, or the connection is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gone;

impl ChannelOutput {
    /// Sends bytes; waits for the client's window, as long as the channel is open.
    pub(crate) async fn send(&self, bytes: Bytes) -> Result<(), Gone> {
        self.write.data_bytes(bytes).await.map_err(|_| Gone)
    }

    /// Sends bytes for the client's standard error (RFC 4254 5.2, SSH_EXTENDED_DATA_STDERR); waits for the client's window.
    pub(crate) async fn send_stderr(&self, bytes: Bytes) -> Result<(), Gone> {
        self.write
            .extended_data_bytes(1, bytes)
            .await
            .map_err(|_| Gone)
    }

    /// Ends the channel: exit status, EOF, CLOSE. Clients wait for ever if any of them is missing.
    pub(crate) async fn finish(self, exit_status: u32) {
        // Each fails only if the connection is gone, and then nobody waits for it.
        let _ = self.write.exit_status(exit_status).await;
        let _ = self.write.eof().await;
        let _ = self.write.close().await;
    }
}
