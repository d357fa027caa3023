//! Receives the events of `tracing` and puts their lines into the queue.

use std::sync::Arc;

use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::console;
use super::json::{AppFields, Line};
use super::queue::{Lane, Queue};

/// Writes JSON lines and console lines.
pub(super) struct LogLayer {
    queue: Arc<Queue>,
    json: bool,
    /// The level down to which the console shows messages; `None` without a console.
    console: Option<Level>,
}

impl LogLayer {
    pub(super) fn new(queue: Arc<Queue>, json: bool, console: Option<Level>) -> Self {
        Self {
            queue,
            json,
            console,
        }
    }

    fn app_log(&self, event: &Event<'_>) {
        let level = *event.metadata().level();
        let mut fields = AppFields::new();
        event.record(&mut fields);
        let sender = fields
            .sender
            .as_deref()
            .unwrap_or(default_sender(event.metadata().target()));
        if self.json {
            let mut line = Line::begin(level);
            fields.write(sender, &mut line);
            self.queue
                .push(Lane::Json, &line.finish(), is_urgent(level));
        }
        if self
            .console
            .is_some_and(|threshold| console::shows(threshold, level, &fields))
        {
            self.queue.push(
                Lane::Console,
                &console::line(level, sender, &fields),
                is_urgent(level),
            );
        }
    }

    fn structured_log(&self, event: &Event<'_>) {
        if !self.json {
            return;
        }
        let level = *event.metadata().level();
        let mut line = Line::begin(level);
        event.record(&mut line);
        self.queue
            .push(Lane::Json, &line.finish(), is_urgent(level));
    }
}

impl<S: Subscriber> Layer<S> for LogLayer {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if is_wanted(metadata) {
            Interest::always()
        } else {
            Interest::never()
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        is_wanted(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::DEBUG)
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let fields = event.metadata().fields();
        if fields.field("message").is_none() && fields.field("sender").is_some() {
            self.structured_log(event);
        } else {
            self.app_log(event);
        }
    }
}

/// Spans are not used: an event names its connection itself.
fn is_wanted(metadata: &Metadata<'_>) -> bool {
    let own = metadata.target() == "sftpgo" || metadata.target().starts_with("sftpgo_");
    let threshold = if own { Level::DEBUG } else { Level::WARN };
    metadata.is_event() && *metadata.level() <= threshold
}

/// Such lines are worth a short wait when the queue is full.
fn is_urgent(level: Level) -> bool {
    level <= Level::WARN
}

/// The sender of an event that does not name one: what the reference calls the part.
fn default_sender(target: &str) -> &str {
    let name = target.split("::").next().unwrap_or(target);
    match name.strip_prefix("sftpgo_").unwrap_or(name) {
        "ssh" => "sftpd",
        "http" => "httpd",
        "data" => "dataProvider",
        "server" | "sftpgo" => "service",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing_subscriber::layer::SubscriberExt as _;
    use tracing_subscriber::registry::Registry;

    /// The JSON and console lines of what `emit` logs, with the time taken out.
    fn lines(console: Option<Level>, emit: impl FnOnce()) -> (Vec<String>, Vec<String>) {
        let queue = Arc::new(Queue::new());
        let layer = LogLayer::new(Arc::clone(&queue), true, console);
        tracing::subscriber::with_default(Registry::default().with(layer), emit);
        queue.close();
        let batch = queue.take(Default::default()).unwrap_or_default();
        let texts = [batch.json, batch.console].map(|bytes| {
            let text = String::from_utf8(bytes).unwrap();
            text.lines().map(without_time).collect::<Vec<_>>()
        });
        texts.into()
    }

    fn without_time(line: &str) -> String {
        let start = line.find("\"time\":\"").map_or(0, |at| at + 8);
        let (before, rest) = line.split_at(start);
        let (time, after) = rest.split_at("2020-01-01T00:00:00.000".len());
        let parsed = jiff::civil::DateTime::strptime("%Y-%m-%dT%H:%M:%S%.3f", time);
        assert!(parsed.is_ok() && time.as_bytes()[19] == b'.', "{line}");
        format!("{before}T{after}")
    }

    fn json(emit: impl FnOnce()) -> Vec<String> {
        lines(None, emit).0
    }

    #[test]
    fn an_app_log_has_its_fields_in_the_order_of_the_reference() {
        let lines = json(|| {
            let id = "SFTP_7";
            tracing::info!(target: "sftpgo_ssh::sftp", size = 3_u64, connection_id = id,
                path = %"/a\"b", "opened {}", "x");
            tracing::warn!(target: "sftpgo_ssh", sender = "scp", ok = true, "done");
        });
        assert_eq!(
            lines,
            [
                r#"{"level":"info","time":"T","sender":"sftpd","connection_id":"SFTP_7","message":"opened x","size":3,"path":"/a\"b"}"#,
                r#"{"level":"warn","time":"T","sender":"scp","connection_id":"","message":"done","ok":true}"#,
            ]
        );
    }

    #[test]
    fn a_structured_log_keeps_the_order_of_its_fields() {
        let lines = json(|| {
            tracing::debug!(target: "sftpgo_ssh", sender = "connection_failed",
                client_ip = "192.0.2.1", username = "eve\n{}", login_type = "password",
                error = %"wrong");
            tracing::info!(target: "sftpgo_core", sender = "Upload", elapsed_ms = 12_i64,
                size_bytes = 5_u64, username = "u", file_path = "/f", connection_id = "1",
                protocol = "SFTP");
        });
        assert_eq!(
            lines,
            [
                r#"{"level":"debug","time":"T","sender":"connection_failed","client_ip":"192.0.2.1","username":"eve\n{}","login_type":"password","error":"wrong"}"#,
                r#"{"level":"info","time":"T","sender":"Upload","elapsed_ms":12,"size_bytes":5,"username":"u","file_path":"/f","connection_id":"1","protocol":"SFTP"}"#,
            ]
        );
    }

    #[test]
    fn every_line_is_json() {
        for line in json(|| {
            tracing::error!(target: "sftpgo_core", nan = f64::NAN, number = -1.5, debug = ?("a", 1),
                none = Option::<u64>::None, "\u{1b}[31m\u{202e}");
        }) {
            let value: serde_json::Value = serde_json::from_str(&line).unwrap();
            assert_eq!(value["number"], serde_json::json!(-1.5));
            assert_eq!(value["message"], "\u{1b}[31m\u{202e}");
            assert!(!line.contains('\u{1b}'));
        }
    }

    #[test]
    fn other_crates_are_heard_from_warnings_on() {
        let lines = json(|| {
            tracing::info!(target: "russh::server", "chatter");
            tracing::warn!(target: "russh::server", "trouble");
            tracing::warn!(target: "sftpgonaut", "trouble");
            tracing::trace!(target: "sftpgo_core", "too much");
        });
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines[0].contains(r#""sender":"russh","connection_id":"","message":"trouble""#));
    }

    #[test]
    fn senders_follow_the_crate() {
        for (target, sender) in [
            ("sftpgo_http::api", "httpd"),
            ("sftpgo_data", "dataProvider"),
            ("sftpgo_core::auth", "core"),
            ("sftpgo_server::app", "service"),
            ("sftpgo", "service"),
            ("sqlx::query", "sqlx"),
        ] {
            assert_eq!(default_sender(target), sender);
        }
    }

    #[test]
    fn the_console_shows_the_server_and_warnings() {
        let emit = || {
            tracing::debug!(target: "sftpgo_server", "detail");
            tracing::info!(target: "sftpgo_server", port = 2022, "listening");
            tracing::info!(target: "sftpgo_ssh", connection_id = "1", "logged in");
            tracing::warn!(target: "sftpgo_ssh", connection_id = "1", "bad \u{1b}name");
            tracing::info!(target: "sftpgo_core", sender = "Upload", size_bytes = 1);
        };
        let quiet = lines(Some(Level::INFO), emit);
        assert_eq!(quiet.0.len(), 5, "the JSON log has everything");
        assert_eq!(
            quiet.1,
            [
                "T  INFO service: listening {\"port\":2022}",
                "T  WARN sftpd: bad \\u001bname"
            ]
        );
        assert_eq!(lines(Some(Level::DEBUG), emit).1.len(), 3);
    }
}
