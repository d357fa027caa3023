//! Builds one JSON line of the log, field by field, in the order given.

use std::fmt::{self, Display, Write as _};

use tracing::Level;
use tracing::field::{Field, Visit};

use super::escape::Escaper;

/// The time as every line has it: local, milliseconds, no zone (reference 14.1).
pub(super) fn local_time() -> impl Display {
    jiff::Zoned::now().strftime("%Y-%m-%dT%H:%M:%S%.3f")
}

/// `{"level":..,"time":..` and whatever is added.
#[derive(Debug)]
pub(super) struct Line {
    text: String,
}

impl Line {
    /// Begins a line with its level and the current time.
    pub(super) fn begin(level: Level) -> Self {
        let level = match level {
            Level::ERROR => "error",
            Level::WARN => "warn",
            Level::INFO => "info",
            _ => "debug",
        };
        let mut line = Self {
            text: String::with_capacity(256),
        };
        // Writing into a string cannot fail, here and below.
        let _ = write!(
            line.text,
            "{{\"level\":\"{level}\",\"time\":\"{}\"",
            local_time()
        );
        line
    }

    /// A part of a line: fields that are added to a line later.
    fn fragment() -> Self {
        Self {
            text: String::new(),
        }
    }

    pub(super) fn string(&mut self, name: &str, value: impl Display) {
        self.name(name);
        self.text.push('"');
        let _ = write!(Escaper::for_json(&mut self.text), "{value}");
        self.text.push('"');
    }

    /// `value` must read as JSON by itself: a number, true or false.
    fn plain(&mut self, name: &str, value: impl Display) {
        self.name(name);
        let _ = write!(self.text, "{value}");
    }

    fn name(&mut self, name: &str) {
        self.text.push_str(",\"");
        let _ = Escaper::for_json(&mut self.text).write_str(name);
        self.text.push_str("\":");
    }

    /// The whole line with its line end.
    pub(super) fn finish(mut self) -> String {
        self.text.push_str("}\n");
        self.text
    }
}

/// A structured log: every field where it stands.
impl Visit for Line {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.plain(field.name(), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.plain(field.name(), value);
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.plain(field.name(), value);
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.plain(field.name(), value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.plain(field.name(), value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        // JSON has no NaN and no infinity.
        if value.is_finite() {
            self.plain(field.name(), value);
        } else {
            self.string(field.name(), value);
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.string(field.name(), value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.string(field.name(), format_args!("{value:?}"));
    }
}

/// The fields of an app log, sorted out.
#[derive(Debug)]
pub(super) struct AppFields {
    pub(super) sender: Option<String>,
    pub(super) connection_id: String,
    pub(super) message: String,
    rest: Line,
}

impl AppFields {
    pub(super) fn new() -> Self {
        let rest = Line::fragment();
        Self {
            sender: None,
            connection_id: String::new(),
            message: String::new(),
            rest,
        }
    }

    /// Adds the fields to a line in the order of an app log.
    pub(super) fn write(&self, sender: &str, line: &mut Line) {
        line.string("sender", sender);
        line.string("connection_id", &self.connection_id);
        line.string("message", &self.message);
        line.text.push_str(&self.rest.text);
    }

    /// The other fields, `,"name":value` each.
    pub(super) fn rest(&self) -> &str {
        &self.rest.text
    }

    /// Takes one of the fields with a place of their own; `false` if it is another one.
    fn take(&mut self, field: &Field, value: impl Display) -> bool {
        match field.name() {
            "sender" => self.sender = Some(value.to_string()),
            "connection_id" => self.connection_id = value.to_string(),
            "message" => self.message = value.to_string(),
            _ => return false,
        }
        true
    }
}

macro_rules! take_or_keep {
    ($($record:ident: $type:ty),*) => {
        $(fn $record(&mut self, field: &Field, value: $type) {
            if !self.take(field, value) {
                self.rest.$record(field, value);
            }
        })*
    };
}

impl Visit for AppFields {
    take_or_keep! {
        record_i64: i64, record_u64: u64, record_i128: i128, record_u128: u128,
        record_bool: bool, record_f64: f64, record_str: &str
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if !self.take(field, format_args!("{value:?}")) {
            self.rest.record_debug(field, value);
        }
    }
}
