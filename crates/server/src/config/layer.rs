//! One layer of settings: the values that a file or the environment sets, by key, checked
//! against the list of known settings.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value};

use super::coerce::coerce;
use super::shape::Shape;
use super::suggest::nearest;

/// Other spellings of a key that existing files use. The reference documents the first one, and later versions of it use the
/// others.
const ALIASES: &[(&str, &str)] = &[
    (
        "data_provider.connectionstring",
        "data_provider.connection_string",
    ),
    (
        "data_provider.external_auth_hook",
        "data_provider.external_auth_program",
    ),
    (
        "data_provider.pre_login_hook",
        "data_provider.pre_login_program",
    ),
    (
        "sftpd.keyboard_interactive_auth_hook",
        "sftpd.keyboard_interactive_auth_program",
    ),
];

/// What a layer is read from; decides how its keys are spelled in messages.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Origin<'a> {
    /// A settings file.
    File(&'a Path),
    /// Environment variables.
    Environment,
}

impl Origin<'_> {
    /// `sftpd.bind_port in sftpgo.json`, or `SFTPGO_SFTPD__BIND_PORT`.
    fn locate(self, key: &str) -> String {
        match self {
            Self::File(path) => format!("{key} in {}", path.display()),
            Self::Environment => variable_name(key),
        }
    }

    fn unknown(self, key: &str, shape: &Shape) -> String {
        let what = match self {
            Self::File(_) => "setting",
            Self::Environment => "variable",
        };
        let meant = nearest(key, shape.known_keys()).map(|known| match self {
            Self::File(_) => known.to_owned(),
            Self::Environment => variable_name(known),
        });
        let hint = meant
            .map(|name| format!(" (did you mean {name}?)"))
            .unwrap_or_default();
        format!("unknown {what} {}{hint}", self.locate(key))
    }
}

/// The environment variable that sets `key`.
pub(crate) fn variable_name(key: &str) -> String {
    format!("SFTPGO_{}", key.replace('.', "__").to_uppercase())
}

/// Values by key, each of the kind that its setting has.
#[derive(Debug, Default)]
pub(crate) struct Layer {
    pub(crate) values: BTreeMap<String, Value>,
    /// Everything that was wrong, in words.
    pub(crate) problems: Vec<String>,
}

impl Layer {
    /// Reads a tree of objects, matching keys without regard to case.
    pub(crate) fn read(tree: Value, origin: Origin<'_>, shape: &Shape) -> Self {
        let mut layer = Self::default();
        layer.group("", tree, origin, shape);
        layer
    }

    fn group(&mut self, key: &str, value: Value, origin: Origin<'_>, shape: &Shape) {
        match value {
            Value::Object(object) => {
                for (name, value) in object {
                    let key = if key.is_empty() {
                        name
                    } else {
                        format!("{key}.{name}")
                    };
                    self.entry(&key, value, origin, shape);
                }
            }
            // HCL: a block that is written several times.
            Value::Array(blocks) if blocks.iter().all(Value::is_object) => {
                for block in blocks {
                    self.group(key, block, origin, shape);
                }
            }
            Value::Null => {}
            Value::Array(_) | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                let place = if key.is_empty() { "the top level" } else { key };
                self.problems.push(format!(
                    "{} must be a group of settings",
                    origin.locate(place)
                ));
            }
        }
    }

    fn entry(&mut self, key: &str, value: Value, origin: Origin<'_>, shape: &Shape) {
        let lower = key.to_lowercase();
        let alias = ALIASES.iter().find(|(alias, _)| *alias == lower);
        let lower = alias.map_or(lower, |(_, key)| (*key).to_owned());
        if let Some(setting) = shape.find(&lower) {
            // A key without a value leaves the setting alone.
            if value.is_null() {
                return;
            }
            match coerce(value, &setting.kind) {
                Ok(value) => {
                    if self.values.insert(lower, value).is_some() {
                        self.problems
                            .push(format!("{} is set twice", origin.locate(key)));
                    }
                }
                Err(mismatch) => {
                    let parts = [key, &mismatch.within];
                    let key = parts.join(".").trim_end_matches('.').to_owned();
                    self.problems.push(format!(
                        "{} must be {}",
                        origin.locate(&key),
                        mismatch.expected
                    ));
                }
            }
        } else if shape.is_group(&lower) {
            self.group(key, value, origin, shape);
        } else {
            self.problems.push(origin.unknown(key, shape));
        }
    }
}

/// Puts `value` at `path` into a tree of objects. `Err` if a value is already there or above.
pub(crate) fn insert(
    tree: &mut Map<String, Value>,
    path: &[&str],
    value: Value,
) -> Result<(), Conflict> {
    let Some((first, rest)) = path.split_first() else {
        return Err(Conflict);
    };
    if rest.is_empty() {
        return match tree.insert((*first).to_owned(), value) {
            None => Ok(()),
            Some(_) => Err(Conflict),
        };
    }
    let below = tree
        .entry(*first)
        .or_insert_with(|| Value::Object(Map::new()));
    below
        .as_object_mut()
        .ok_or(Conflict)
        .and_then(|below| insert(below, rest, value))
}

/// Two values for one key, or a value where a group is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Conflict;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(tree: Value) -> Layer {
        Layer::read(
            tree,
            Origin::File(Path::new("sftpgo.json")),
            &Shape::of_config(),
        )
    }

    fn problem(tree: Value) -> String {
        let problems = read(tree).problems;
        assert_eq!(problems.len(), 1, "{problems:?}");
        problems[0].clone()
    }

    #[test]
    fn a_misspelt_key_names_the_one_that_was_meant() {
        assert_eq!(
            problem(json!({"sftpd": {"bind_prot": 1}})),
            "unknown setting sftpd.bind_prot in sftpgo.json (did you mean sftpd.bind_port?)"
        );
        assert_eq!(
            problem(json!({"sftp": {"bind_port": 1}})),
            "unknown setting sftp in sftpgo.json (did you mean sftpd?)"
        );
        assert_eq!(
            problem(json!({"users_base_dir": ""})),
            "unknown setting users_base_dir in sftpgo.json \
             (did you mean data_provider.users_base_dir?)"
        );
        assert_eq!(
            problem(json!({"smtp": {}})),
            "unknown setting smtp in sftpgo.json"
        );
    }

    #[test]
    fn a_wrong_type_names_the_key_and_what_it_must_be() {
        assert_eq!(
            problem(json!({"sftpd": {"bind_port": "ssh"}})),
            "sftpd.bind_port in sftpgo.json must be a whole number from 0 to 65535"
        );
        assert_eq!(
            problem(json!({"sftpd": {"keys": [{"path": "x"}]}})),
            "sftpd.keys.0.path in sftpgo.json must be one of private_key"
        );
        assert_eq!(
            problem(json!({"sftpd": 1})),
            "sftpd in sftpgo.json must be a group of settings"
        );
        assert_eq!(
            problem(json!([1])),
            "the top level in sftpgo.json must be a group of settings"
        );
    }

    #[test]
    fn the_value_of_a_secret_is_not_told() {
        assert!(!problem(json!({"data_provider": {"password": ["hunter2"]}})).contains("hunter2"));
    }

    #[test]
    fn keys_are_matched_without_regard_to_case() {
        let layer = read(json!({"SFTPD": {"Bind_Port": 1}}));
        assert_eq!(layer.values["sftpd.bind_port"], json!(1));
        let twice = json!({"sftpd": {"bind_port": 1, "BIND_PORT": 2}});
        assert_eq!(
            problem(twice),
            "sftpd.bind_port in sftpgo.json is set twice"
        );
    }

    #[test]
    fn repeated_blocks_are_one_group() {
        let layer = read(json!({"sftpd": [{"bind_port": 1}, {"umask": 22}]}));
        assert_eq!(layer.values["sftpd.umask"], json!("22"));
        assert_eq!(layer.values.len(), 2);
    }

    #[test]
    fn the_documented_spelling_of_connection_string_is_accepted() {
        let layer = read(json!({"data_provider": {"ConnectionString": "x"}}));
        assert_eq!(layer.values["data_provider.connection_string"], json!("x"));
        assert_eq!(layer.problems, Vec::<String>::new());
    }

    #[test]
    fn a_key_without_a_value_sets_nothing() {
        let layer = read(json!({"sftpd": {"banner": null}, "httpd": null}));
        assert!(layer.values.is_empty() && layer.problems.is_empty());
    }

    #[test]
    fn two_values_for_one_path_conflict() {
        let mut tree = Map::new();
        assert_eq!(insert(&mut tree, &["a", "b"], json!(1)), Ok(()));
        assert_eq!(insert(&mut tree, &["a", "b", "c"], json!(1)), Err(Conflict));
        assert_eq!(insert(&mut tree, &["a", "b"], json!(2)), Err(Conflict));
    }
}
