//! INI: `[section]` lines (`[sftpd.actions]` for a group within), `key = value` lines, comments
//! from `;` or `#` at the start of a line. A value may be in single or double quotes, which are
//! removed; there are no escapes.

use serde_json::Value;

use super::lines::Tree;

pub(super) fn parse(text: &str) -> Result<Value, String> {
    let mut tree = Tree::default();
    let mut section = String::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with([';', '#']) {
            continue;
        }
        if let Some(rest) = line.strip_prefix('[') {
            let name = rest
                .strip_suffix(']')
                .map(str::trim)
                .filter(|name| !name.is_empty());
            let name = name.ok_or_else(|| format!("a section without `]` at line {number}"))?;
            section = format!("{name}.");
            continue;
        }
        let (key, value) = line
            .split_once('=')
            .ok_or_else(|| format!("no `=` at line {number}"))?;
        tree.set(
            &format!("{section}{}", key.trim()),
            unquote(value.trim()),
            number,
        )?;
    }
    Ok(tree.finish())
}

fn unquote(value: &str) -> String {
    let inner = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    inner('"')
        .or_else(|| inner('\''))
        .unwrap_or(value)
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn sections_group_keys() {
        let text = "; comment\n[sftpd]\nbind_port = 22\n# comment\nbanner=\"a;b\"\n\
                    [sftpd.actions]\ncommand =\n[sftpd.keys.0]\nprivate_key='k'\n";
        let expected = json!({"sftpd": {
            "bind_port": "22", "banner": "a;b", "actions": {"command": ""},
            "keys": {"0": {"private_key": "k"}},
        }});
        assert_eq!(parse(text), Ok(expected));
    }

    #[test]
    fn what_is_no_line_of_ini_is_refused() {
        for text in ["[sftpd", "[]", "bind_port", "= 1", "[a]\nb=1\nb=2"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
