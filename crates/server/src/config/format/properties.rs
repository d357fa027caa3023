//! Java properties as `java.util.Properties.load` reads them: `key=value`, `key: value` or
//! `key value`, comments from `#` or `!`, backslash escapes, and lines continued by a backslash.
//! The file is UTF-8.

use serde_json::Value;

use super::lines::Tree;

pub(super) fn parse(text: &str) -> Result<Value, String> {
    let mut tree = Tree::default();
    let mut lines = (1..).zip(text.lines());
    while let Some((number, line)) = lines.next() {
        let line = line.trim_start_matches(BLANK);
        if line.is_empty() || line.starts_with(['#', '!']) {
            continue;
        }
        let mut logical = line.to_owned();
        while ends_in_continuation(&logical) {
            logical.pop();
            let Some((_, next)) = lines.next() else { break };
            logical.push_str(next.trim_start_matches(BLANK));
        }
        let (key, value) = split(&logical);
        tree.set(&unescape(key, number)?, unescape(value, number)?, number)?;
    }
    Ok(tree.finish())
}

const BLANK: [char; 3] = [' ', '\t', '\u{c}'];

fn ends_in_continuation(line: &str) -> bool {
    line.chars().rev().take_while(|c| *c == '\\').count() % 2 == 1
}

/// Key and value, both still escaped. The separator is the first unescaped `=`, `:` or blank;
/// blanks around a `=` or `:` belong to it.
fn split(line: &str) -> (&str, &str) {
    let mut escaped = false;
    for (index, c) in line.char_indices() {
        let separates = !escaped && (matches!(c, '=' | ':') || BLANK.contains(&c));
        if separates {
            let (key, rest) = line.split_at(index);
            let rest = rest.trim_start_matches(BLANK);
            let rest = rest.strip_prefix(['=', ':']).unwrap_or(rest);
            return (key, rest.trim_start_matches(BLANK));
        }
        escaped = c == '\\' && !escaped;
    }
    (line, "")
}

fn unescape(text: &str, line: usize) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('t') => out.push('\t'),
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('f') => out.push('\u{c}'),
            Some('u') => {
                let digits: String = chars.by_ref().take(4).collect();
                let code = u32::from_str_radix(&digits, 16)
                    .ok()
                    .filter(|_| digits.len() == 4);
                let c = code.and_then(char::from_u32);
                out.push(c.ok_or_else(|| format!("a bad \\u escape at line {line}"))?);
            }
            Some(other) => out.push(other),
            None => {}
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_separator_and_comment_works() {
        let text = "# c\n! c\nsftpd.bind_port=22\nsftpd.umask : 0077\n  httpd.bind_port 0\n\
                    httpd.bind_address=\nsftpd.banner = a=b:c d \n";
        let expected = json!({
            "sftpd": {"bind_port": "22", "umask": "0077", "banner": "a=b:c d "},
            "httpd": {"bind_port": "0", "bind_address": ""},
        });
        assert_eq!(parse(text), Ok(expected));
    }

    #[test]
    fn escapes_and_continued_lines_work() {
        let text = "a.b=c:\\\\dir\\u00e9\\\n   more\na.c\\=d=1\n";
        assert_eq!(
            parse(text),
            Ok(json!({"a": {"b": "c:\\diré".to_owned() + "more", "c=d": "1"}}))
        );
    }

    #[test]
    fn a_key_set_twice_is_refused() {
        assert!(parse("a=1\na=2").is_err());
        assert!(parse("a=1\na.b=2").is_err());
        assert!(parse("a=\\u12g4").is_err());
    }
}
