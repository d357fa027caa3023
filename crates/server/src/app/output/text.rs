//! Texts, figures and times as people read them, the same as in the web admin.

use std::fmt::Write as _;

use sftpgo_core::model::UnixMillis;
use sftpgo_http::shown;

use crate::telemetry::Escaper;

/// A text that somebody else chose, without what begins a line, moves the cursor or turns the reading direction.
pub(in crate::app) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    // Writing into a string cannot fail.
    let _ = Escaper::for_console(&mut plain).write_str(text);
    plain
}

/// Bytes, with the units of powers of 1000.
pub(in crate::app) fn size(bytes: impl TryInto<u64>) -> String {
    shown::size(bytes.try_into().unwrap_or(0))
}

/// Milliseconds since 1970 in local time, to the second; nothing for 0, which is never.
pub(in crate::app) fn local_time(milliseconds: i64) -> String {
    if milliseconds <= 0 {
        return String::new();
    }
    shown::local_time(UnixMillis(milliseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_calls_itself_cannot_write_on_the_screen() {
        assert_eq!(plain("a\u{1b}[2J\nb\u{202e}"), "a\\u001b[2J\\nb\\u202e");
        assert_eq!(plain("Grüße 🦀"), "Grüße 🦀");
    }

    #[test]
    fn figures_are_rounded_and_never_is_nothing() {
        assert_eq!(size(1_500_000_i64), "1.5 MB");
        assert_eq!(size(-1_i64), "0 B");
        assert_eq!(local_time(0), "");
    }
}
