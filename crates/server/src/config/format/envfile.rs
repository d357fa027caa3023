//! Envfile (dotenv): `KEY=value` lines.
//!
//! A key is written as in the reference (`SFTPD.BIND_PORT`) or as an environment variable, with
//! or without the prefix (`SFTPGO_SFTPD__BIND_PORT`), so that one file may serve as settings file
//! and as `EnvironmentFile` of systemd. Such a file may also set variables that are not ours; they
//! are remarked on and left alone. `export` before a key is skipped. Values may be in single
//! quotes (taken as they are) or double quotes (with `\n`, `\r`, `\t`, `\"`, `\\`, `\$`);
//! variables are not expanded. After an unquoted value a blank and `#` begin a comment.

use super::Parsed;
use super::lines::Tree;
use crate::config::environment::COMMAND_LINE_VARIABLES;

pub(super) fn parse(text: &str) -> Result<Parsed, String> {
    let mut tree = Tree::default();
    let mut remarks = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").unwrap_or(line);
        let (key, value) = line
            .split_once('=')
            .ok_or_else(|| format!("no `=` at line {number}"))?;
        let key = key.trim();
        if COMMAND_LINE_VARIABLES.contains(&key) || is_foreign(key) {
            remarks.push(format!(
                "{key} at line {number} is not a setting; set it in the environment"
            ));
            continue;
        }
        let path = key
            .strip_prefix("SFTPGO_")
            .unwrap_or(key)
            .replace("__", ".");
        tree.set(&path, unquote(value.trim(), number)?, number)?;
    }
    Ok(Parsed {
        tree: tree.finish(),
        remarks,
    })
}

/// A setting has a section, so its name has at least two parts; a slip such as
/// `SFTPD_BIND_PORT` must still be found.
fn is_foreign(key: &str) -> bool {
    let lower = key.to_lowercase();
    let ours = ["sftpgo", "sftpd", "httpd", "data_provider"]
        .iter()
        .any(|p| lower.starts_with(p));
    !ours && !key.is_empty() && !key.contains('.') && !key.contains("__")
}

fn unquote(value: &str, line: usize) -> Result<String, String> {
    if let Some(rest) = value.strip_prefix('\'') {
        let (inner, after) = rest
            .split_once('\'')
            .ok_or_else(|| format!("an open quote at line {line}"))?;
        return only_comment(after, line).map(|()| inner.to_owned());
    }
    if let Some(rest) = value.strip_prefix('"') {
        return double_quoted(rest, line);
    }
    let comment = value.match_indices('#').find(|(at, _)| {
        value
            .get(..*at)
            .is_some_and(|before| before.is_empty() || before.ends_with([' ', '\t']))
    });
    let end = comment.map_or(value.len(), |(at, _)| at);
    Ok(value.get(..end).unwrap_or(value).trim_end().to_owned())
}

fn double_quoted(rest: &str, line: usize) -> Result<String, String> {
    let mut out = String::new();
    let mut chars = rest.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => return only_comment(chars.as_str(), line).map(|()| out),
            '\\' => match chars.next() {
                Some('n') => out.push('\n'),
                Some('r') => out.push('\r'),
                Some('t') => out.push('\t'),
                Some(c @ ('"' | '\\' | '$')) => out.push(c),
                Some(other) => out.extend(['\\', other]),
                None => break,
            },
            c => out.push(c),
        }
    }
    Err(format!("an open quote at line {line}"))
}

fn only_comment(after: &str, line: usize) -> Result<(), String> {
    let after = after.trim_start();
    if after.is_empty() || after.starts_with('#') {
        return Ok(());
    }
    Err(format!("text after the closing quote at line {line}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn tree(text: &str) -> Value {
        parse(text).unwrap().tree
    }

    #[test]
    fn keys_may_be_written_with_dots_or_as_variables() {
        let text = "SFTPD.BIND_PORT=22\nexport SFTPD__UMASK=0077\nSFTPGO_HTTPD__BIND_PORT=0\n\
                    SFTPGO_SFTPD__KEYS__0__PRIVATE_KEY=k\n";
        let expected = json!({
            "SFTPD": {"BIND_PORT": "22", "UMASK": "0077", "KEYS": {"0": {"PRIVATE_KEY": "k"}}},
            "HTTPD": {"BIND_PORT": "0"},
        });
        assert_eq!(tree(text), expected);
    }

    #[test]
    fn values_may_be_quoted_and_commented() {
        for (value, expected) in [
            ("'x # \\n'  # c", "x # \\n"),
            ("\"x\\n\\\"y\\z\"", "x\n\"y\\z"),
            ("x # c", "x"),
            ("x#y", "x#y"),
            (" # c", ""),
            ("", ""),
        ] {
            assert_eq!(
                tree(&format!("A.B={value}\n")),
                json!({"A": {"B": expected}})
            );
        }
    }

    #[test]
    fn variables_of_the_command_line_are_remarked_on() {
        let parsed = parse("SFTPGO_LOG_FILE_PATH=x\n").unwrap();
        assert_eq!(parsed.tree, json!({}));
        assert!(parsed.remarks[0].contains("SFTPGO_LOG_FILE_PATH"));
    }

    #[test]
    fn variables_of_other_programs_are_remarked_on() {
        let parsed = parse("TZ=UTC\nAWS_ACCESS_KEY_ID='x'\n").unwrap();
        assert_eq!((parsed.tree, parsed.remarks.len()), (json!({}), 2));
        let slip = parse("SFTPD_BIND_PORT=22\nSFTPGO_UMASK=22\n").unwrap();
        assert_eq!(slip.tree, json!({"SFTPD_BIND_PORT": "22", "UMASK": "22"}));
    }

    #[test]
    fn broken_quotes_are_refused() {
        for text in ["A.B='x", "A.B=\"x", "A.B=\"x\\", "A.B='x'y", "A", "=x"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
