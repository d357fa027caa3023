//! The list of all settings: key, kind, default and description, read from the schema of
//! [`Config`].
//!
//! A list is one setting, so that it is always replaced as a whole.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use super::settings::Config;

/// What a setting may hold.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    /// A whole number within these bounds.
    Integer { least: i64, most: i64 },
    /// Text.
    Text,
    /// True or false.
    Bool,
    /// A list of texts.
    Texts,
    /// A list of groups of settings; keys are relative to the group.
    Groups(Vec<Setting>),
}

impl Kind {
    /// As it reads in a sentence: `sftpd.bind_port must be ...`.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Integer {
                least: i64::MIN, ..
            } => "a whole number".into(),
            Self::Integer { least, most } => format!("a whole number from {least} to {most}"),
            Self::Text => "text (quote it)".into(),
            Self::Bool => "true or false".into(),
            Self::Texts => "a list of texts".into(),
            Self::Groups(settings) => {
                let keys: Vec<&str> = settings.iter().map(|s| s.key.as_str()).collect();
                format!("a list of groups of {}", keys.join(", "))
            }
        }
    }
}

/// One setting.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Setting {
    /// Full key in lower case, `sftpd.actions.command`.
    pub(crate) key: String,
    pub(crate) kind: Kind,
    pub(crate) default: Value,
    /// Whether the value is never shown.
    pub(crate) secret: bool,
    /// What it does, in one paragraph.
    pub(crate) description: String,
}

/// All settings, sorted by key.
#[derive(Debug)]
pub(crate) struct Shape {
    settings: Vec<Setting>,
}

impl Shape {
    /// The settings of [`Config`].
    pub(crate) fn of_config() -> Self {
        let generator = SchemaSettings::default().with(|s| s.inline_subschemas = true);
        let schema = generator.into_generator().into_root_schema_for::<Config>();
        let mut settings = Vec::new();
        collect("", schema.as_value(), &mut settings);
        Self { settings }
    }

    pub(crate) fn settings(&self) -> &[Setting] {
        &self.settings
    }

    /// The setting with exactly this key (lower case).
    pub(crate) fn find(&self, key: &str) -> Option<&Setting> {
        self.settings.iter().find(|setting| setting.key == key)
    }

    /// Whether settings are below this key, as below `sftpd`.
    pub(crate) fn is_group(&self, key: &str) -> bool {
        self.groups().any(|group| group == key)
    }

    /// Every key that a file may use: settings and the groups that hold them.
    pub(crate) fn known_keys(&self) -> impl Iterator<Item = &str> {
        self.settings
            .iter()
            .map(|setting| setting.key.as_str())
            .chain(self.groups())
    }

    fn groups(&self) -> impl Iterator<Item = &str> {
        self.settings.iter().flat_map(|setting| {
            let key = setting.key.as_str();
            key.match_indices('.')
                .filter_map(move |(dot, _)| key.get(..dot))
        })
    }
}

fn collect(prefix: &str, schema: &Value, into: &mut Vec<Setting>) {
    for (name, property) in properties(schema) {
        let key = if prefix.is_empty() {
            name.clone()
        } else {
            format!("{prefix}.{name}")
        };
        match kind_of(property) {
            Some(kind) => into.push(Setting {
                key,
                kind,
                default: property.get("default").cloned().unwrap_or_default(),
                secret: property
                    .get("writeOnly")
                    .and_then(Value::as_bool)
                    .unwrap_or(false),
                description: description(property),
            }),
            None => collect(&key, property, into),
        }
    }
}

fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(Map::iter)
}

/// `None` for a group of settings.
fn kind_of(schema: &Value) -> Option<Kind> {
    match schema.get("type").and_then(Value::as_str)? {
        "integer" => {
            let (least, most) = match schema.get("format").and_then(Value::as_str) {
                Some("uint16") => (0, i64::from(u16::MAX)),
                Some("uint32") => (0, i64::from(u32::MAX)),
                Some("int32") => (i64::from(i32::MIN), i64::from(i32::MAX)),
                _ => (i64::MIN, i64::MAX),
            };
            Some(Kind::Integer { least, most })
        }
        "boolean" => Some(Kind::Bool),
        "string" => Some(Kind::Text),
        "array" => {
            let items = schema.get("items")?;
            if kind_of(items) == Some(Kind::Text) {
                return Some(Kind::Texts);
            }
            let mut settings = Vec::new();
            collect("", items, &mut settings);
            Some(Kind::Groups(settings))
        }
        _ => None,
    }
}

/// Doc comments are wrapped; a description is one line.
fn description(schema: &Value) -> String {
    let text = schema
        .get("description")
        .and_then(Value::as_str)
        .unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_of_the_structs_is_listed_once() {
        let shape = Shape::of_config();
        let mut expected = Vec::new();
        leaves(
            "",
            &serde_json::to_value(Config::default()).unwrap(),
            &mut expected,
        );
        let keys: Vec<&str> = shape.settings().iter().map(|s| s.key.as_str()).collect();
        assert_eq!(keys, expected);
    }

    fn leaves(prefix: &str, value: &Value, into: &mut Vec<String>) {
        let Some(object) = value.as_object() else {
            into.push(prefix.trim_start_matches('.').to_owned());
            return;
        };
        for (key, value) in object {
            leaves(&format!("{prefix}.{key}"), value, into);
        }
    }

    #[test]
    fn every_setting_is_described_and_has_its_default() {
        let defaults = serde_json::to_value(Config::default()).unwrap();
        for setting in Shape::of_config().settings() {
            assert!(!setting.description.is_empty(), "{}", setting.key);
            let pointer = format!("/{}", setting.key.replace('.', "/"));
            assert_eq!(
                Some(&setting.default),
                defaults.pointer(&pointer),
                "{}",
                setting.key
            );
        }
    }

    #[test]
    fn kinds_come_from_the_field_types() {
        let shape = Shape::of_config();
        let kind = |key: &str| shape.find(key).unwrap().kind.clone();
        assert_eq!(
            kind("sftpd.bind_port"),
            Kind::Integer {
                least: 0,
                most: 65535
            }
        );
        assert_eq!(kind("sftpd.umask"), Kind::Text);
        assert_eq!(kind("sftpd.ciphers"), Kind::Texts);
        assert_eq!(kind("httpd.allow_no_auth"), Kind::Bool);
        let Kind::Groups(fields) = kind("sftpd.keys") else {
            panic!("keys are groups")
        };
        assert_eq!(fields[0].key, "private_key");
    }

    #[test]
    fn secrets_are_marked() {
        let shape = Shape::of_config();
        let secrets: Vec<&str> = shape
            .settings()
            .iter()
            .filter(|s| s.secret)
            .map(|s| s.key.as_str())
            .collect();
        assert_eq!(
            secrets,
            ["data_provider.connection_string", "data_provider.password"]
        );
    }
}
