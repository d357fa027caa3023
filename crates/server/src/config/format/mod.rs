//! The formats of a settings file, each parsed into one tree of JSON values.
//!
//! What a parser says is shown without the line it stumbled over: that line may be the database
//! password.

mod envfile;
mod ini;
mod lines;
mod properties;

use serde_json::Value;

/// A format and the file extensions that mean it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    Toml,
    Yaml,
    Properties,
    Hcl,
    Envfile,
    Ini,
}

/// Extensions in the order in which a directory is searched (reference 2.1).
pub(crate) const EXTENSIONS: &[(&str, Format)] = &[
    ("json", Format::Json),
    ("toml", Format::Toml),
    ("yaml", Format::Yaml),
    ("yml", Format::Yaml),
    ("properties", Format::Properties),
    ("props", Format::Properties),
    ("prop", Format::Properties),
    ("hcl", Format::Hcl),
    ("dotenv", Format::Envfile),
    ("env", Format::Envfile),
    ("ini", Format::Ini),
];

/// The parsed file, and remarks on parts of it that are not used.
#[derive(Debug, Default)]
pub(crate) struct Parsed {
    pub(crate) tree: Value,
    pub(crate) remarks: Vec<String>,
}

impl Format {
    /// The format that a file extension means.
    pub(crate) fn of_extension(extension: &str) -> Option<Self> {
        let found = EXTENSIONS
            .iter()
            .find(|(known, _)| extension.eq_ignore_ascii_case(known));
        found.map(|(_, format)| *format)
    }

    /// Parses a whole file; the error says where and what, without quoting the file.
    pub(crate) fn parse(self, text: &str) -> Result<Parsed, String> {
        // Editors on Windows put a byte order mark first.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let tree = match self {
            Self::Json => parse_json(text)?,
            Self::Toml => toml::from_str(text).map_err(|error| {
                at_offset(text, error.span().map(|span| span.start), error.message())
            })?,
            Self::Yaml => parse_yaml(text)?,
            Self::Hcl => hcl::from_str(text).map_err(|error| hcl_message(&error))?,
            Self::Properties => properties::parse(text)?,
            Self::Envfile => return envfile::parse(text),
            Self::Ini => ini::parse(text)?,
        };
        Ok(Parsed {
            tree,
            remarks: Vec::new(),
        })
    }
}

fn parse_json(text: &str) -> Result<Value, String> {
    // Into a plain value nothing but the syntax can be wrong, so the message quotes nothing.
    serde_json::from_str(text).map_err(|error| error.to_string())
}

fn parse_yaml(text: &str) -> Result<Value, String> {
    if text
        .lines()
        .all(|line| matches!(line.trim_start().chars().next(), None | Some('#')))
    {
        return Ok(Value::Null);
    }
    serde_saphyr::from_str(text).map_err(|error| match error.location() {
        Some(place) => format!(
            "not valid YAML at line {} column {}",
            place.line(),
            place.column()
        ),
        None => "not valid YAML".to_owned(),
    })
}

fn hcl_message(error: &hcl::Error) -> String {
    let hcl::Error::Parse(error) = error else {
        return "not valid HCL".to_owned();
    };
    let place = error.location();
    format!(
        "{} at line {} column {}",
        error.message(),
        place.line(),
        place.column()
    )
}

fn at_offset(text: &str, offset: Option<usize>, message: &str) -> String {
    let Some(before) = offset.and_then(|offset| text.get(..offset)) else {
        return message.to_owned();
    };
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .map_or(0, |last| last.chars().count())
        + 1;
    format!("{message} at line {line} column {column}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn tree(format: Format, text: &str) -> Value {
        format.parse(text).unwrap().tree
    }

    #[test]
    fn extensions_mean_their_format() {
        assert_eq!(Format::of_extension("YML"), Some(Format::Yaml));
        assert_eq!(Format::of_extension("prop"), Some(Format::Properties));
        assert_eq!(Format::of_extension("txt"), None);
    }

    #[test]
    fn json_toml_and_yaml_give_the_same_tree() {
        let expected = json!({
            "sftpd": {"bind_port": 22, "enable_scp": true, "keys": [{"private_key": "k"}]},
        });
        let json = r#"{"sftpd":{"bind_port":22,"enable_scp":true,"keys":[{"private_key":"k"}]}}"#;
        assert_eq!(tree(Format::Json, &format!("\u{feff}{json}")), expected);
        let toml = "[sftpd]\nbind_port = 22\nenable_scp = true\n[[sftpd.keys]]\nprivate_key='k'";
        assert_eq!(tree(Format::Toml, toml), expected);
        let yaml = "sftpd:\n  bind_port: 22\n  enable_scp: true\n  keys:\n    - private_key: k\n";
        assert_eq!(tree(Format::Yaml, yaml), expected);
    }

    #[test]
    fn hcl_blocks_and_attributes_both_work() {
        let block = "sftpd {\n bind_port = 22\n keys {\n private_key = \"k\"\n }\n}\n";
        let expected = json!({"sftpd": {"bind_port": 22, "keys": {"private_key": "k"}}});
        assert_eq!(tree(Format::Hcl, block), expected);
        let attribute = "sftpd = {\n bind_port = 22\n \"keys\" = [{ private_key = \"k\" }]\n}\n";
        let expected = json!({"sftpd": {"bind_port": 22, "keys": [{"private_key": "k"}]}});
        assert_eq!(tree(Format::Hcl, attribute), expected);
        let repeated =
            "sftpd {\n keys {\n private_key = \"a\"\n }\n keys {\n private_key = \"b\"\n }\n}\n";
        let expected = json!({"sftpd": {"keys": [{"private_key": "a"}, {"private_key": "b"}]}});
        assert_eq!(tree(Format::Hcl, repeated), expected);
    }

    #[test]
    fn a_file_with_comments_only_sets_nothing() {
        assert_eq!(tree(Format::Yaml, "# nothing\n\n"), Value::Null);
        assert_eq!(tree(Format::Toml, "# nothing\n"), json!({}));
        assert_eq!(tree(Format::Hcl, "# nothing\n"), json!({}));
    }

    #[test]
    fn what_cannot_be_parsed_is_told_without_quoting_it() {
        for (format, text) in [
            (Format::Json, "{\n\"password\": hunter2}"),
            (Format::Toml, "\npassword = hunter2"),
            (Format::Yaml, "\npassword: [hunter2"),
            (Format::Hcl, "\npassword = \"hunter2"),
            (Format::Properties, "\npassword=\\uhunter2"),
            (Format::Envfile, "\ndata.password='hunter2"),
            (Format::Ini, "\nhunter2"),
        ] {
            let error = format.parse(text).unwrap_err();
            assert!(!error.contains("hunter2"), "{format:?}: {error}");
            assert!(error.contains("line"), "{format:?}: {error}");
        }
    }
}
