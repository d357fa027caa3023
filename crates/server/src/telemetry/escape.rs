//! Makes text from clients harmless in a log line.

use std::fmt;

use sftpgo_model::terminal::is_dangerous;

/// Longer values are cut off, so that no client can fill the log with one line.
pub(super) const LONGEST_VALUE: usize = 16 * 1024;

/// Appends text with JSON escapes. Besides what JSON demands it escapes everything that could
/// begin a line, move the cursor or turn the reading direction in a terminal.
pub(crate) struct Escaper<'a> {
    out: &'a mut String,
    left: usize,
    /// JSON strings need it, the console reads better without.
    quotes: bool,
}

impl<'a> Escaper<'a> {
    pub(super) fn for_json(out: &'a mut String) -> Self {
        Self {
            out,
            left: LONGEST_VALUE,
            quotes: true,
        }
    }

    pub(crate) fn for_console(out: &'a mut String) -> Self {
        Self {
            out,
            left: LONGEST_VALUE,
            quotes: false,
        }
    }

    pub(super) fn push(&mut self, c: char) {
        if self.left == 0 {
            return;
        }
        self.left = self.left.saturating_sub(c.len_utf8());
        match c {
            '"' if self.quotes => self.out.push_str("\\\""),
            '\\' if self.quotes => self.out.push_str("\\\\"),
            '\n' => self.out.push_str("\\n"),
            '\r' => self.out.push_str("\\r"),
            '\t' => self.out.push_str("\\t"),
            c if is_dangerous(c) => push_units(self.out, c),
            c => self.out.push(c),
        }
        if self.left == 0 {
            self.out.push('…');
        }
    }
}

impl fmt::Write for Escaper<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars().for_each(|c| self.push(c));
        Ok(())
    }
}

/// Appends it as JSON allows to write every character.
pub(crate) fn push_units(out: &mut String, c: char) {
    let mut units = [0; 2];
    for unit in c.encode_utf16(&mut units) {
        // Writing into a string cannot fail.
        let _ = fmt::Write::write_fmt(out, format_args!("\\u{unit:04x}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::fmt::Write as _;

    fn for_json(text: &str) -> String {
        let mut out = String::new();
        Escaper::for_json(&mut out).write_str(text).unwrap();
        out
    }

    #[test]
    fn line_breaks_and_terminal_controls_are_escaped() {
        assert_eq!(for_json("a\n\"\\\r\t"), "a\\n\\\"\\\\\\r\\t");
        assert_eq!(
            for_json("\u{1b}[2J\u{9b}\u{7f}"),
            "\\u001b[2J\\u009b\\u007f"
        );
        assert_eq!(for_json("\u{202e}txt\u{2028}"), "\\u202etxt\\u2028");
        assert_eq!(for_json("Grüße 🦀"), "Grüße 🦀");
    }

    #[test]
    fn long_values_are_cut_off() {
        let text = for_json(&"x".repeat(LONGEST_VALUE + 5));
        assert_eq!(text.len(), LONGEST_VALUE + "…".len());
        assert_eq!(
            for_json(&"ü".repeat(LONGEST_VALUE)).chars().last(),
            Some('…')
        );
    }

    proptest! {
        #[test]
        fn json_readers_get_the_text_back(text in ".{0,200}") {
            let line = format!("\"{}\"", for_json(&text));
            prop_assert!(!line.chars().any(char::is_control));
            prop_assert_eq!(serde_json::from_str::<String>(&line).unwrap(), text);
        }
    }
}
