//! Lines for a person: time, level, sender and message.

use std::fmt::Write as _;

use tracing::Level;

use super::escape::Escaper;
use super::json::{AppFields, local_time};

/// Whether the console shows an app log: what concerns the whole server from `threshold` on, and
/// warnings about anything. What single connections do would only flood it.
pub(super) fn shows(threshold: Level, level: Level, fields: &AppFields) -> bool {
    level <= Level::WARN || (level <= threshold && fields.connection_id.is_empty())
}

/// One line of the console.
pub(super) fn line(level: Level, sender: &str, fields: &AppFields) -> String {
    // Writing into a string cannot fail.
    let mut text = String::with_capacity(128);
    let _ = write!(text, "{} {level:>5} ", local_time());
    let _ = write!(
        Escaper::for_console(&mut text),
        "{sender}: {}",
        fields.message
    );
    if !fields.rest().is_empty() {
        // Already escaped, as JSON.
        let _ = write!(text, " {{{}}}", fields.rest().trim_start_matches(','));
    }
    text.push('\n');
    text
}
