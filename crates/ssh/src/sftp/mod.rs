//! The SFTP engine: requests of a channel become operations of a session.
//!
//! - `table` says for each request in which lane it goes.
//! - `engine` owns a channel: it decodes and queues; `start` begins what may run; `finish` sends answers in the order of the
//!   requests.
//! - `handles` holds open files and directories, each with a queue of its own: requests for one handle run in their order,
//!   but READs may run side by side.
//! - `path` runs everything else, one at a time, each after all earlier requests are done: a SETSTAT by path that a client
//!   sends right behind a CLOSE acts on the closed file (WinSCP does that).
//! - Answers wait in `replies` and go out through `output`, which alone waits for the client.

mod attributes;
mod engine;
mod extension;
mod finish;
mod handle_request;
mod handles;
mod listing;
mod output;
mod path;
mod quirk;
mod read;
mod replies;
mod requests;
mod start;
mod status;
mod table;

use std::sync::Arc;

use sftpgo_core::Session;

use crate::transport::Channel;

/// What the SFTP channels of one connection have in common.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    software: Arc<str>,
    requests: requests::OpenRequests,
}

impl Shared {
    /// For a new connection; `software` is what this server calls itself.
    pub(crate) fn new(software: &Arc<str>) -> Self {
        Self {
            software: Arc::clone(software),
            requests: requests::OpenRequests::default(),
        }
    }
}

/// Serves one SFTP channel until the client ends it, breaks the protocol, or the connection is cancelled.
pub(crate) async fn serve(session: Session, channel: Channel, shared: &Shared) {
    let Channel { input, output } = channel;
    let (output, writer) = output::start(output);
    let client_version = &session.connection().info.client_version;
    let peer = engine::PeerState {
        quirks: quirk::Quirks::of(client_version, &shared.software),
        open_requests: shared.requests.part(),
    };
    let engine = engine::Engine::new(session, peer, input, output);
    // The writer waits for the client, the engine never does. When the engine ends, the writer sends what is left, within
    // bounds of its own.
    let (exit_status, output) = tokio::join!(engine.run(), writer);
    output.finish(exit_status).await;
}
