//! The SCP protocol (`scp -t`, `scp -f`): records of a channel become operations of a session (reference 7).
//!
//! - `peer` is the client: what it sent, in order, and what is sent to it. While anything is waited for, what the client sends
//!   is taken in, so that its end is noticed at once.
//! - `sink` takes an upload record by record, `receive` the bytes of one file.
//! - `source` walks what is to be downloaded, `send` sends one file, `expand` finds what wildcards mean.
//!
//! What concerns one file is a complaint that the client shows, and the rest goes on; the exit status is 1 then. What breaks the
//! protocol, or the server, ends the channel.

mod expand;
mod peer;
mod receive;
mod send;
mod sink;
mod source;

use bytes::Bytes;
use sftpgo_core::model::path::escape_bytes;
use sftpgo_core::{OpError, Session};
use sftpgo_wire::scp::{Arguments, Direction, PathPattern};

use crate::command::logged;
use crate::transport::Channel;
use peer::{Peer, Stop};

/// Directories within each other. Far more than anybody has; what a loop of links, or a hostile client, costs.
const MAX_DEPTH: usize = 256;

/// How everything that was asked for went.
#[derive(Debug, Default)]
struct Outcome {
    /// What it acted on, for the log.
    path: String,
    /// The first complaint, of either side.
    failure: Option<String>,
}

impl Outcome {
    fn note(&mut self, failure: String) {
        self.failure.get_or_insert(failure);
    }
}

/// Serves one channel until everything is copied, the client ends it, or the connection is cancelled. `words` are those behind
/// the name of the command, quoted wildcards marked ([`split_patterns`](sftpgo_wire::exec::split_patterns)).
pub(crate) async fn serve(session: Session, channel: Channel, words: &[Vec<u8>]) {
    let cancel = session.connection().info.cancel.clone();
    let Channel { input, output } = channel;
    let mut peer = Peer::new(input, output);
    let mut outcome = Outcome::default();
    let ended = tokio::select! {
        ended = run(&session, &mut peer, words, &mut outcome) => ended,
        () = cancel.cancelled() => Err(Stop::Gone),
    };
    match ended {
        Ok(()) => {}
        Err(Stop::Gone) => {
            outcome.note("the client went away, or the connection was closed".to_owned())
        }
        Err(Stop::ByClient(text)) => outcome.note(text),
        Err(Stop::Fatal(text)) => {
            // Fails only if the client is gone.
            let _ = tokio::select! {
                told = peer.complain(true, &text) => told,
                () = cancel.cancelled() => Err(Stop::Gone),
            };
            outcome.note(text);
        }
    }
    let status = u32::from(outcome.failure.is_some());
    match &outcome.failure {
        None => session.command_succeeded(&outcome.path),
        Some(failure) => session.command_failed(failure),
    }
    // The transfer list is left before the client knows that it is over.
    drop(session);
    peer.finish(status).await;
}

async fn run(
    session: &Session,
    peer: &mut Peer,
    words: &[Vec<u8>],
    outcome: &mut Outcome,
) -> Result<(), Stop> {
    let arguments =
        Arguments::parse(words).map_err(|error| Stop::Fatal(format!("scp: {error}")))?;
    let last = arguments.paths.last();
    outcome.path = logged(last.map(|word| PathPattern::parse(word).literal).as_deref());
    match arguments.direction {
        Direction::Sink => {
            sink::Sink::new(session, peer, &arguments, outcome)
                .run()
                .await
        }
        Direction::Source => {
            source::Source::new(session, peer, &arguments, outcome)
                .run()
                .await
        }
    }
}

/// A path for people.
fn shown(path: &[u8]) -> String {
    escape_bytes(path)
}

/// What a client is told about a path, and what the log is told beyond that.
fn complaint(session: &Session, path: &[u8], error: &OpError) -> String {
    if error.is_internal() {
        let connection = session.connection();
        tracing::error!(
            sender = "scp",
            connection_id = connection.info.id,
            username = connection.username,
            "request failed: {error}"
        );
    }
    format!("scp: {}: {}", shown(path), error.client_message())
}

/// Bytes of a line.
fn line(encode: impl FnOnce(&mut Vec<u8>)) -> Bytes {
    let mut out = Vec::new();
    encode(&mut out);
    Bytes::from(out)
}
