//! JSON, indented, its keys in the order of the alphabet.

use serde::Serialize;
use sftpgo_http::sorted;
use sftpgo_model::terminal::is_dangerous;

use crate::app::AppError;
use crate::telemetry::push_units;

/// The value, with a line break at its end.
pub(in crate::app) fn json(value: &impl Serialize) -> Result<String, AppError> {
    let value = serde_json::to_value(value).map_err(AppError::new)?;
    let text = serde_json::to_string_pretty(&sorted(value)).map_err(AppError::new)?;
    Ok(harmless(&text) + "\n")
}

/// Escapes what JSON allows and terminals obey. Outside of texts there are only line breaks of that kind.
fn harmless(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if c != '\n' && is_dangerous(c) {
            push_units(&mut text, c);
        } else {
            text.push(c);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json as value;

    #[test]
    fn keys_are_sorted_at_every_depth() {
        let written = json(&value!({ "b": [{ "d": 1, "c": 2 }], "a": {} })).unwrap();
        let expected =
            "{\n  \"a\": {},\n  \"b\": [\n    {\n      \"c\": 2,\n      \"d\": 1\n    }\n  ]\n}\n";
        assert_eq!(written, expected);
    }

    #[test]
    fn a_text_keeps_its_value_and_does_nothing_to_a_terminal() {
        let nasty = "\u{1b}[2J\u{9b}\u{7f}\n\u{202e}\u{2028}ü🦀";
        let written = json(&value!([nasty])).unwrap();
        assert_eq!(
            serde_json::from_str::<Vec<String>>(&written).unwrap(),
            [nasty]
        );
        assert!(
            !written.replace('\n', "").contains(is_dangerous),
            "{written:?}"
        );
        assert_eq!(written.lines().count(), 3);
    }
}
