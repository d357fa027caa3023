//! Puts the layers together: default, settings file, environment.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use sftpgo_model::SettingIssue;
use sftpgo_model::hook::without_credentials;

use super::environment::Environment;
use super::error::LoadError;
use super::file;
use super::layer::{Layer, Origin, insert};
use super::settings::{Config, Settings};
use super::shape::Shape;

/// Where settings are looked for.
#[derive(Clone)]
pub struct Inputs {
    /// Where the file is looked for first, and the base of relative paths.
    pub config_dir: PathBuf,
    /// Name of the file without extension; empty means `sftpgo`.
    pub config_file: String,
    /// Variables that override the file.
    pub environment: Environment,
}

/// Where the value of a setting comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Built in.
    Default,
    /// This settings file.
    File(PathBuf),
    /// This environment variable.
    Variable(String),
    /// This flag of the command line.
    Flag(String),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => path.display().fmt(f),
            Self::Variable(name) | Self::Flag(name) => f.write_str(name),
        }
    }
}

/// A setting as `config show` prints it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownValue {
    /// Full key.
    pub key: String,
    /// The value; `[redacted]` for a secret that is set.
    pub value: Value,
    /// Where it comes from.
    pub source: Source,
}

/// Settings that were read, with the source of every value.
///
/// `Debug` is not derived on purpose: the values hold secrets.
pub struct Loaded {
    config: Config,
    config_dir: PathBuf,
    file: Option<PathBuf>,
    shown: Vec<ShownValue>,
    warnings: Vec<String>,
}

/// Reads the settings file, if there is one, and the environment.
///
/// # Errors
/// A file that cannot be read or parsed; an unknown key or variable; a value of a wrong type.
/// All of them are reported together.
pub fn load(inputs: &Inputs) -> Result<Loaded, LoadError> {
    let shape = Shape::of_config();
    let mut sources = Sources::defaults(&shape);
    let mut warnings = Vec::new();
    let mut problems = Vec::new();

    let file = load_file(inputs, &shape, &mut warnings)?;
    if let Some((path, layer)) = &file {
        problems.extend(layer.problems.iter().cloned());
        sources.overlay(layer, |_| Source::File(path.clone()));
    }
    let (layer, names) = inputs.environment.read(&shape);
    problems.extend(layer.problems.iter().cloned());
    sources.overlay(&layer, |key| {
        Source::Variable(names.get(key).cloned().unwrap_or_else(|| key.to_owned()))
    });
    LoadError::unless_empty(problems)?;

    Ok(Loaded {
        config: sources.deserialize()?,
        config_dir: absolute(&inputs.config_dir),
        file: file.map(|(path, _)| path),
        shown: sources.shown(&shape),
        warnings,
    })
}

impl Loaded {
    /// The settings file, if one was found.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// Every setting with its value and source, sorted by key, secrets hidden.
    #[must_use]
    pub fn values(&self) -> &[ShownValue] {
        &self.shown
    }

    /// Checks the values; gives the settings and everything the operator should know.
    ///
    /// A host name in a bind address is looked up here, so this may block.
    ///
    /// # Errors
    /// Values that the server cannot start with.
    pub fn settings(self) -> Result<(Settings, Vec<String>), LoadError> {
        let Self {
            config,
            config_dir,
            shown,
            mut warnings,
            ..
        } = self;
        let describe = |issue: &SettingIssue| {
            let value = shown.iter().find(|value| value.key == issue.key);
            let source = value
                .map(|value| &value.source)
                .filter(|s| **s != Source::Default);
            let from = source
                .map(|source| format!(" (set by {source})"))
                .unwrap_or_default();
            format!("{}: {}{from}", issue.key, issue.reason)
        };
        match config.resolve(&config_dir) {
            Ok((settings, issues)) => {
                warnings.extend(issues.iter().map(describe));
                Ok((settings, warnings))
            }
            Err(issues) => {
                LoadError::unless_empty(issues.iter().map(describe).collect())?;
                Err(LoadError::one("the settings cannot be used"))
            }
        }
    }
}

/// The file layer, or a warning that there is no file.
fn load_file(
    inputs: &Inputs,
    shape: &Shape,
    warnings: &mut Vec<String>,
) -> Result<Option<(PathBuf, Layer)>, LoadError> {
    let directories = file::directories(&inputs.config_dir, &inputs.environment);
    let Some(found) = file::find(&inputs.config_file, &directories) else {
        let name = Some(inputs.config_file.as_str()).filter(|name| !name.is_empty());
        let searched: Vec<String> = directories
            .iter()
            .map(|d| d.display().to_string())
            .collect();
        warnings.push(format!(
            "no settings file {} in {}; using built-in defaults and the environment",
            name.unwrap_or(file::DEFAULT_NAME),
            searched.join(", ")
        ));
        return Ok(None);
    };
    let text = file::read(&found.path)?;
    let parsed = found.format.parse(&text).map_err(|error| {
        LoadError::one(format!("cannot parse {}: {error}", found.path.display()))
    })?;
    let shadowed = found.shadowed.iter();
    warnings.extend(shadowed.map(|other| {
        format!(
            "{} is not used, because {} exists",
            other.display(),
            found.path.display()
        )
    }));
    let remarks = parsed.remarks.into_iter();
    warnings.extend(remarks.map(|remark| format!("{}: {remark}", found.path.display())));
    let layer = Layer::read(parsed.tree, Origin::File(&found.path), shape);
    Ok(Some((found.path, layer)))
}

/// The value of every setting so far, and who set it.
struct Sources {
    values: BTreeMap<String, (Value, Source)>,
}

impl Sources {
    fn defaults(shape: &Shape) -> Self {
        let settings = shape.settings().iter();
        let values = settings.map(|s| (s.key.clone(), (s.default.clone(), Source::Default)));
        Self {
            values: values.collect(),
        }
    }

    fn overlay(&mut self, layer: &Layer, source: impl Fn(&str) -> Source) {
        for (key, value) in &layer.values {
            self.values
                .insert(key.clone(), (value.clone(), source(key)));
        }
    }

    /// The layers are checked, so this fails only if a struct wants more than its schema says.
    fn deserialize(&self) -> Result<Config, LoadError> {
        let mut tree = Map::new();
        for (key, (value, _)) in &self.values {
            let path: Vec<&str> = key.split('.').collect();
            let inserted = insert(&mut tree, &path, value.clone());
            inserted.map_err(|_| LoadError::one(format!("{key} contradicts another setting")))?;
        }
        serde_path_to_error::deserialize(Value::Object(tree)).map_err(|error| {
            let key = error.path().to_string();
            let source = self
                .values
                .get(&key)
                .map(|(_, source)| format!(" (set by {source})"));
            // The inner message would quote the value, which may be a secret.
            let source = source.unwrap_or_default();
            LoadError::one(format!("{key} has a value that cannot be used{source}"))
        })
    }

    fn shown(self, shape: &Shape) -> Vec<ShownValue> {
        let hidden = |key: &str, value: &Value| {
            shape.find(key).is_some_and(|setting| setting.secret) && value.as_str() != Some("")
        };
        let values = self.values.into_iter().map(|(key, (value, source))| {
            let value = if hidden(&key, &value) {
                Value::from("[redacted]")
            } else if let Some(text) = value.as_str() {
                Value::from(without_credentials(text))
            } else {
                value
            };
            ShownValue { key, value, source }
        });
        values.collect()
    }
}

/// Lexically clean and absolute; nothing needs to exist.
fn absolute(path: &Path) -> PathBuf {
    let path = if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    };
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let mut clean = PathBuf::new();
    for part in path.components() {
        if part == std::path::Component::ParentDir {
            clean.pop();
        } else {
            clean.push(part);
        }
    }
    clean
}
