//! What happens in the server as lines for the person at the terminal: files that went over, logins that failed, warnings.
//!
//! It listens to the events of the log (`crate::telemetry`), whose fields are fixed.

use std::fmt::{Debug, Write as _};

use tokio::sync::mpsc::{Receiver, Sender, channel};
use tracing::field::{Field, Visit};
use tracing::{Event, Level};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::Registry;

use crate::app::output::{plain, size};
use crate::telemetry::Listener;

/// Lines that wait for the screen; more are dropped: nobody can read that many.
const WAITING: usize = 256;

/// The lines.
pub type Events = Receiver<String>;

/// A listener for the log, and the lines that it makes.
#[must_use]
pub fn feed() -> (Listener, Events) {
    let (sender, events) = channel(WAITING);
    (Box::new(Feed { sender }), events)
}

struct Feed {
    sender: Sender<String>,
}

impl Layer<Registry> for Feed {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, Registry>) {
        let mut said = Said::default();
        event.record(&mut said);
        if let Some(line) = said.line(*event.metadata().level()) {
            let _ = self.sender.try_send(line);
        }
    }
}

/// The fields that a person cares for.
#[derive(Debug, Default)]
struct Said {
    sender: String,
    message: Option<String>,
    path: String,
    bytes: u64,
    milliseconds: u64,
    address: String,
    username: String,
    method: String,
}

impl Visit for Said {
    fn record_str(&mut self, field: &Field, value: &str) {
        let place = match field.name() {
            "sender" => &mut self.sender,
            "file_path" => &mut self.path,
            "client_ip" => &mut self.address,
            "username" => &mut self.username,
            "login_type" => &mut self.method,
            "message" => self.message.get_or_insert_default(),
            _ => return,
        };
        value.clone_into(place);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "size_bytes" => self.bytes = value,
            "elapsed_ms" => self.milliseconds = value,
            _ => {}
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let mut text = String::new();
        // Writing into a string cannot fail.
        let _ = write!(text, "{value:?}");
        self.record_str(field, &text);
    }
}

impl Said {
    fn line(self, level: Level) -> Option<String> {
        if let Some(message) = &self.message {
            let about = match self.path.as_str() {
                "" => String::new(),
                path => format!(" ({})", plain(path)),
            };
            return match level {
                Level::ERROR | Level::WARN => Some(format!("! {}{about}", plain(message))),
                _ if self.sender == "service" => Some(format!("  {}", plain(message))),
                _ => None,
            };
        }
        let arrow = match self.sender.as_str() {
            "Upload" => UPLOAD,
            "Download" => DOWNLOAD,
            "connection_failed" => return Some(self.failed_login()),
            _ => return None,
        };
        let seconds = self.milliseconds.max(1);
        let rate = u128::from(self.bytes) * 1000 / u128::from(seconds);
        let rate = u64::try_from(rate).unwrap_or(u64::MAX);
        Some(format!(
            "{arrow} {}  {}, {}/s",
            plain(&self.path),
            size(self.bytes),
            size(rate)
        ))
    }

    fn failed_login(&self) -> String {
        let name = match self.username.as_str() {
            "" => String::new(),
            name => format!(" as {}", plain(name)),
        };
        format!(
            "! login failed: {}{name} ({})",
            plain(&self.address),
            plain(&self.method)
        )
    }
}

/// Stands before a file that a client sends.
pub(super) const UPLOAD: &str = "↑";
/// Stands before a file that a client fetches.
pub(super) const DOWNLOAD: &str = "↓";

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    fn lines(emit: impl FnOnce()) -> Vec<String> {
        let (listener, mut events) = feed();
        let subscriber = tracing_subscriber::registry().with(listener);
        tracing::subscriber::with_default(subscriber, emit);
        std::iter::from_fn(|| events.try_recv().ok()).collect()
    }

    #[test]
    fn files_failed_logins_and_warnings_are_lines() {
        let lines = lines(|| {
            tracing::info!(
                sender = "Upload",
                elapsed_ms = 500_u64,
                size_bytes = 1_048_576_u64,
                file_path = "/srv/a\u{1b}[2J",
            );
            tracing::debug!(
                sender = "connection_failed",
                client_ip = %"192.0.2.1",
                username = "eve\n",
                login_type = "password",
                error = "wrong",
            );
            tracing::warn!(file_path = "/srv/b", "upload failed");
            tracing::info!(sender = "service", "stopping");
            tracing::info!(sender = "core", connection_id = "1", "logged in");
            tracing::info!(sender = "Rename", file_path = "/a");
        });
        assert_eq!(
            lines,
            [
                "↑ /srv/a\\u001b[2J  1.0 MB, 2.1 MB/s",
                "! login failed: 192.0.2.1 as eve\\n (password)",
                "! upload failed (/srv/b)",
                "  stopping",
            ]
        );
    }

    #[test]
    fn nobody_waits_for_a_screen_that_does_not_read() {
        let lines = lines(|| {
            for _ in 0..WAITING + 10 {
                tracing::warn!("trouble");
            }
        });
        assert_eq!(lines.len(), WAITING);
    }
}
