//! What a terminal does not show but obey.

/// Whether it could begin a line, move the cursor or turn the reading direction in a terminal.
pub fn is_dangerous(c: char) -> bool {
    // C0, DEL and C1 controls; line and paragraph separator; bidirectional marks and overrides.
    c.is_control()
        || matches!(
            c,
            '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{61c}'
        )
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}
