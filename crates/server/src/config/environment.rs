//! Settings from the environment: `SFTPGO_SFTPD__BIND_PORT`,
//! `SFTPGO_SFTPD__KEYS__0__PRIVATE_KEY`; and from files that they name: `SFTPGO_DATA_PROVIDER__PASSWORD_FILE`.
//!
//! Unlike in the reference these work for every key and without a settings file, and a variable
//! that means nothing stops the start.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Read as _;

use serde_json::{Map, Value};

use super::layer::{Layer, Origin, insert, variable_name};
use super::shape::Shape;
use super::suggest::nearest;

const PREFIX: &str = "SFTPGO_";

/// At the end of a variable: its value is a file with the value.
const IN_A_FILE: &str = "_file";
/// Largest such file.
const LARGEST_FILE: u64 = 1024 * 1024;

/// Variables of the command line (reference 1.3; those of a running server are new).
pub(crate) const COMMAND_LINE_VARIABLES: &[&str] = &[
    "SFTPGO_CONFIG_DIR",
    "SFTPGO_CONFIG_FILE",
    "SFTPGO_LOG_FILE_PATH",
    "SFTPGO_LOG_MAX_SIZE",
    "SFTPGO_LOG_MAX_BACKUPS",
    "SFTPGO_LOG_MAX_AGE",
    "SFTPGO_LOG_COMPRESS",
    "SFTPGO_LOG_VERBOSE",
    "SFTPGO_URL",
    "SFTPGO_AUTH_USER",
    "SFTPGO_AUTH_PASSWORD",
];

/// Variables that programs started by a server receive (reference 9.3, 9.4, 10); present when
/// such a program starts us.
const HOOK_PREFIXES: &[&str] = &[
    "SFTPGO_AUTHD_",
    "SFTPGO_LOGIND_",
    "SFTPGO_ACTION_",
    "SFTPGO_USER_",
];

/// The environment variables of a process.
///
/// It has no `Debug` on purpose: the environment may hold passwords.
#[derive(Clone, Default)]
pub struct Environment {
    variables: BTreeMap<OsString, OsString>,
}

impl Environment {
    /// The variables of this process.
    #[must_use]
    pub fn of_process() -> Self {
        Self {
            variables: std::env::vars_os().collect(),
        }
    }

    /// The value of one variable, if it is set and not empty.
    pub(crate) fn value(&self, name: &str) -> Option<&OsString> {
        self.variables
            .get(&OsString::from(name))
            .filter(|value| !value.is_empty())
    }

    /// The settings in the environment, and for each key the variable that set it.
    pub(crate) fn read(&self, shape: &Shape) -> (Layer, BTreeMap<String, String>) {
        let mut tree = Map::new();
        let mut problems = Vec::new();
        let mut names = BTreeMap::new();
        for (name, value) in &self.variables {
            let Some((name, key)) = name.to_str().and_then(setting_key) else {
                continue;
            };
            let Some(value) = value.to_str() else {
                problems.push(format!("{name} is not valid UTF-8"));
                continue;
            };
            if is_service_link(name, value) {
                continue;
            }
            let (key, value) = match without_file(&key, shape) {
                None => (key, value.to_owned()),
                Some(setting) => match read_value(value) {
                    Ok(value) => (setting.to_owned(), value),
                    Err(why) => {
                        problems.push(format!("{name}: {value}: {why}"));
                        continue;
                    }
                },
            };
            let path: Vec<&str> = key.split('.').collect();
            if insert(&mut tree, &path, Value::from(value)).is_err() {
                problems.push(format!("{name} contradicts another variable"));
            } else if let Some(setting) = setting_of(&key, shape) {
                names
                    .entry(setting.to_owned())
                    .or_insert_with(|| name.to_owned());
            }
        }
        let mut layer = Layer::read(Value::Object(tree), Origin::Environment, shape);
        suggest_command_line_variables(&mut layer.problems);
        layer.problems.extend(problems);
        (layer, names)
    }
}

impl FromIterator<(OsString, OsString)> for Environment {
    fn from_iter<I: IntoIterator<Item = (OsString, OsString)>>(variables: I) -> Self {
        Self {
            variables: variables.into_iter().collect(),
        }
    }
}

/// The key that a variable sets, with its name; `None` if the variable is none of ours.
fn setting_key(name: &str) -> Option<(&str, String)> {
    let key = name.strip_prefix(PREFIX)?;
    let of_hook = name == "SFTPGO_ACTION" || HOOK_PREFIXES.iter().any(|p| name.starts_with(p));
    if of_hook || COMMAND_LINE_VARIABLES.contains(&name) {
        return None;
    }
    Some((name, key.to_lowercase().replace("__", ".")))
}

/// The setting whose value is in a file if a variable has this key. There are settings with such names, too.
fn without_file<'a>(key: &'a str, shape: &Shape) -> Option<&'a str> {
    let setting = key.strip_suffix(IN_A_FILE)?;
    let is_meant = shape.find(key).is_none() && shape.find(setting).is_some();
    is_meant.then_some(setting)
}

/// The text of a file, without the end of its last line.
fn read_value(path: &str) -> Result<String, String> {
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    let read = file.take(LARGEST_FILE + 1).read_to_string(&mut text);
    let length = read.map_err(|error| error.to_string())?;
    if u64::try_from(length).unwrap_or(u64::MAX) > LARGEST_FILE {
        return Err("it is larger than 1 MiB".to_owned());
    }
    let value = text.strip_suffix('\n').unwrap_or(&text);
    Ok(value.strip_suffix('\r').unwrap_or(value).to_owned())
}

/// Kubernetes announces a service called `sftpgo` or `sftpgo-web` with variables such as
/// `SFTPGO_SERVICE_HOST`, `SFTPGO_WEB_PORT_8080_TCP_ADDR`; nobody wrote those.
fn is_service_link(name: &str, value: &str) -> bool {
    let port_detail = || {
        let (_, detail) = name.rsplit_once("_PORT_")?;
        let rest = detail.trim_start_matches(|c: char| c.is_ascii_digit());
        Some(rest.starts_with("_TCP") || rest.starts_with("_UDP"))
    };
    !name.contains("__")
        && (name.ends_with("_SERVICE_HOST")
            || name.contains("_SERVICE_PORT")
            || value.starts_with("tcp://")
            || value.starts_with("udp://")
            || port_detail().unwrap_or(false))
}

/// The setting that `key` belongs to: itself, or the list that it is an element of.
fn setting_of<'a>(key: &str, shape: &'a Shape) -> Option<&'a str> {
    let mut above = Some(key);
    while let Some(key) = above {
        if let Some(setting) = shape.find(key) {
            return Some(&setting.key);
        }
        above = key.rsplit_once('.').map(|(above, _)| above);
    }
    None
}

/// A misspelt `SFTPGO_LOG_MAX_SZIE` is nearer to the command line than to any setting.
fn suggest_command_line_variables(problems: &mut [String]) {
    for problem in problems {
        let Some(name) = problem.strip_prefix("unknown variable ") else {
            continue;
        };
        if name.contains(' ') {
            continue;
        }
        let lower: Vec<String> = COMMAND_LINE_VARIABLES
            .iter()
            .map(|known| known.to_lowercase())
            .collect();
        if let Some(known) = nearest(name, lower.iter().map(String::as_str)) {
            *problem = format!("{problem} (did you mean {}?)", known.to_uppercase());
        }
    }
}

/// The variable that sets `key`, for messages and the config reference.
pub(crate) fn variable_for(key: &str) -> String {
    variable_name(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(variables: &[(&str, &str)]) -> (Layer, BTreeMap<String, String>) {
        let pairs = variables
            .iter()
            .map(|(name, value)| (name.into(), value.into()));
        pairs.collect::<Environment>().read(&Shape::of_config())
    }

    fn problem(variables: &[(&str, &str)]) -> String {
        let problems = read(variables).0.problems;
        assert_eq!(problems.len(), 1, "{problems:?}");
        problems[0].clone()
    }

    #[test]
    fn a_variable_may_name_a_file_that_has_the_value() {
        let directory = tempfile::tempdir().unwrap();
        let secret = |name: &str, text: &str| {
            let path = directory.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let name = "SFTPGO_DATA_PROVIDER__PASSWORD_FILE";
        for (text, value) in [
            ("hunter2\n", "hunter2"),
            ("hunter2\r\n", "hunter2"),
            (" two words ", " two words "),
            ("one\ntwo\n\n", "one\ntwo\n"),
            ("", ""),
        ] {
            let (layer, names) = read(&[(name, &secret("password", text))]);
            assert_eq!(layer.problems, Vec::<String>::new());
            assert_eq!(layer.values["data_provider.password"], json!(value));
            assert_eq!(names["data_provider.password"], name);
        }
        // The name of a setting is that setting.
        let (layer, _) = read(&[("SFTPGO_HTTPD__AUTH_USER_FILE", "/etc/users")]);
        assert_eq!(layer.values["httpd.auth_user_file"], json!("/etc/users"));

        assert!(problem(&[(name, "/no/such/file")]).contains("PASSWORD_FILE: /no/such/file: "));
        let path = secret("password", "hunter2");
        let twice = problem(&[(name, &path), ("SFTPGO_DATA_PROVIDER__PASSWORD", "x")]);
        assert!(twice.contains("contradicts another variable"), "{twice}");
        let large = secret("large", &"x".repeat(1024 * 1024 + 1));
        assert!(problem(&[(name, &large)]).contains("larger than 1 MiB"));
        assert!(problem(&[("SFTPGO_SFTPD__NO_SUCH_FILE", &path)]).contains("unknown variable"));
    }

    #[test]
    fn a_variable_sets_its_key_and_is_remembered() {
        let (layer, names) = read(&[
            ("SFTPGO_SFTPD__BIND_PORT", "2222"),
            ("SFTPGO_SFTPD__ACTIONS__EXECUTE_ON", "upload,download"),
            ("SFTPGO_HTTPD__BIND_ADDRESS", ""),
            ("PATH", "/bin"),
        ]);
        assert_eq!(layer.problems, Vec::<String>::new());
        assert_eq!(layer.values["sftpd.bind_port"], json!(2222));
        assert_eq!(
            layer.values["sftpd.actions.execute_on"],
            json!(["upload", "download"])
        );
        assert_eq!(layer.values["httpd.bind_address"], json!(""));
        assert_eq!(names["sftpd.bind_port"], "SFTPGO_SFTPD__BIND_PORT");
    }

    #[test]
    fn a_list_of_groups_is_set_by_index() {
        let (layer, names) = read(&[
            ("SFTPGO_SFTPD__KEYS__1__PRIVATE_KEY", "b"),
            ("SFTPGO_SFTPD__KEYS__0__PRIVATE_KEY", "a"),
        ]);
        let expected = json!([{"private_key": "a"}, {"private_key": "b"}]);
        assert_eq!(layer.values["sftpd.keys"], expected);
        assert_eq!(names["sftpd.keys"], "SFTPGO_SFTPD__KEYS__0__PRIVATE_KEY");
    }

    #[test]
    fn an_unknown_variable_names_the_one_that_was_meant() {
        assert_eq!(
            problem(&[("SFTPGO_SFTPD__BIND_PROT", "1")]),
            "unknown variable SFTPGO_SFTPD__BIND_PROT (did you mean SFTPGO_SFTPD__BIND_PORT?)"
        );
        assert_eq!(
            problem(&[("SFTPGO_SFTPD_BIND_PORT", "1")]),
            "unknown variable SFTPGO_SFTPD_BIND_PORT (did you mean SFTPGO_SFTPD__BIND_PORT?)"
        );
        assert_eq!(
            problem(&[("SFTPGO_LOG_MAX_SZIE", "1")]),
            "unknown variable SFTPGO_LOG_MAX_SZIE (did you mean SFTPGO_LOG_MAX_SIZE?)"
        );
    }

    #[test]
    fn variables_of_the_command_line_and_of_hooks_are_known() {
        let mut variables: Vec<(&str, &str)> = COMMAND_LINE_VARIABLES
            .iter()
            .map(|name| (*name, "x"))
            .collect();
        variables.extend([
            ("SFTPGO_ACTION", "upload"),
            ("SFTPGO_ACTION_FILE_SIZE", "1"),
            ("SFTPGO_AUTHD_PASSWORD", "x"),
            ("SFTPGO_LOGIND_USER", "{}"),
            ("SFTPGO_USER_HOME_DIR", "/"),
        ]);
        let (layer, _) = read(&variables);
        assert!(
            layer.values.is_empty() && layer.problems.is_empty(),
            "{:?}",
            layer.problems
        );
    }

    #[test]
    fn variables_that_kubernetes_sets_are_not_settings() {
        let (layer, _) = read(&[
            ("SFTPGO_SERVICE_HOST", "10.0.0.1"),
            ("SFTPGO_SERVICE_PORT_SFTP", "2022"),
            ("SFTPGO_PORT", "tcp://10.0.0.1:2022"),
            ("SFTPGO_WEB_PORT_8080_TCP_ADDR", "10.0.0.1"),
        ]);
        assert_eq!(layer.problems, Vec::<String>::new());
        problem(&[("SFTPGO_PORT", "2022")]);
    }

    #[test]
    fn an_empty_number_is_refused() {
        assert_eq!(
            problem(&[("SFTPGO_SFTPD__BIND_PORT", "")]),
            "SFTPGO_SFTPD__BIND_PORT must be a whole number from 0 to 65535"
        );
    }

    #[test]
    fn a_list_set_whole_and_by_index_is_contradictory() {
        let text = problem(&[
            ("SFTPGO_SFTPD__CIPHERS", "a"),
            ("SFTPGO_SFTPD__CIPHERS__0", "b"),
        ]);
        assert_eq!(
            text,
            "SFTPGO_SFTPD__CIPHERS__0 contradicts another variable"
        );
    }
}
