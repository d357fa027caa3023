//! As much XML as S3 needs.

use std::fmt::Write as _;

/// Text as it stands in an element. Control characters stand there too, as S3 has them, although XML 1.0 knows no way
/// to write them: clients that cannot read that ask for `encoding-type=url`.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            letter if letter.is_control() => {
                let _ = write!(escaped, "&#x{:X};", u32::from(letter));
            }
            letter => escaped.push(letter),
        }
    }
    escaped
}

/// What stands in all elements of this name, which do not nest.
pub(super) fn elements<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once(&open) {
        let Some((content, after)) = after.split_once(&close) else {
            break;
        };
        found.push(content);
        rest = after;
    }
    found
}

/// The text of the first element of this name.
pub(super) fn value(text: &str, name: &str) -> Option<String> {
    elements(text, name)
        .first()
        .map(|content| unescape(content))
}

fn unescape(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let Some((entity, after)) = after.split_once(';') else {
            plain.push('&');
            rest = after;
            continue;
        };
        let number = entity.strip_prefix('#').and_then(|digits| {
            let hex = digits
                .strip_prefix('x')
                .map(|digits| u32::from_str_radix(digits, 16));
            hex.unwrap_or_else(|| digits.parse())
                .ok()
                .and_then(char::from_u32)
        });
        match entity {
            "amp" => plain.push('&'),
            "lt" => plain.push('<'),
            "gt" => plain.push('>'),
            "quot" => plain.push('"'),
            "apos" => plain.push('\''),
            _ => plain.extend(number),
        }
        rest = after;
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_escaped_is_read_again() {
        let odd = "a&b<c>\"d'\u{1}\r\n\u{e4}";
        let text = format!("<K>{}</K><K>2</K>", escape(odd));
        assert_eq!(value(&text, "K").unwrap(), odd);
        assert_eq!(elements(&text, "K").len(), 2);
        assert_eq!(value(&text, "Key"), None);
    }
}
