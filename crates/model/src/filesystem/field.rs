//! What a table says of a setting of a back end, and how its value is read and written by that.

use super::{FilesystemConfig, FilesystemProvider};
use crate::secret::Secret;
use crate::user::{UserRules, ValidationError};

/// A back end with settings in accounts.
#[derive(Debug)]
pub struct BackEnd {
    /// Which one.
    pub provider: FilesystemProvider,
    /// What people call it.
    pub title: &'static str,
    /// The short form of that, for lists.
    pub short: &'static str,
    /// The key of its settings in the `filesystem` object.
    pub object: &'static str,
    /// Its settings, in the order in which people see them.
    pub fields: &'static [Field],
    /// The rules that are about more than one setting; those about one hold already.
    pub(super) check: fn(&mut FilesystemConfig, &UserRules) -> Result<(), ValidationError>,
    /// What an update means that sends secrets empty: takes out of it what stays as it is stored.
    pub(super) keep: fn(&FilesystemConfig, &mut serde_json::Map<String, serde_json::Value>),
    /// What follows for secrets from what was laid over the settings before it, in which they stayed where nobody typed one.
    pub settle: fn(&FilesystemConfig, &mut FilesystemConfig),
}

/// One setting of a back end.
#[derive(Debug)]
pub struct Field {
    /// Its key in JSON.
    pub name: &'static str,
    /// What people call it.
    pub label: &'static str,
    /// A sentence or two for people, in forms and in the description of the API.
    pub help: &'static str,
    /// Its name in the web form.
    pub form: &'static str,
    /// Its flag on the command line, without the dashes.
    pub flag: &'static str,
    /// Whether it must not be empty.
    pub required: bool,
    /// Whether the form of the reference has it. What programs made for that leave out is empty; of all else they know
    /// nothing, so it stays.
    pub in_reference_form: bool,
    /// What it holds, and where.
    pub kind: Kind,
}

/// What a setting holds, and where it is.
#[derive(Debug)]
pub enum Kind {
    /// A text.
    Text(fn(&mut FilesystemConfig) -> &mut String, TextRule),
    /// A secret.
    Secret(fn(&mut FilesystemConfig) -> &mut Secret, SecretFrom),
    /// A number; 0 is the usual one.
    Number(fn(&mut FilesystemConfig) -> &mut i64, Bounds),
    /// Yes or no.
    Flag(fn(&mut FilesystemConfig) -> &mut bool),
    /// Yes or no as a number, 1 or 0.
    Switch(fn(&mut FilesystemConfig) -> &mut i64),
}

/// Which texts there may be; empty is another matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextRule {
    /// Any.
    Any,
    /// What keys begin with; cleaned, and ended with a slash.
    KeyPrefix,
    /// A URL with `http://` or `https://`.
    Url,
    /// Certificates in PEM, on several lines.
    Certificates,
    /// One of these, or empty.
    OneOf(&'static [&'static str]),
}

/// Where people have a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretFrom {
    /// They type it.
    Text,
    /// In a file, of which it is the contents.
    File,
}

/// Which numbers there may be, beside 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The smallest.
    pub least: i64,
    /// The largest.
    pub most: i64,
    /// What 0 means.
    pub usual: i64,
    /// Of what; empty for things.
    pub unit: &'static str,
}

/// MiB, which the reference calls MB.
const MB: &str = "MB";

impl Bounds {
    /// The size of a part, in MiB.
    pub(super) const fn part(least: i64, usual: i64) -> Self {
        Self {
            least,
            // A few of them must fit into memory.
            most: 256,
            usual,
            unit: MB,
        }
    }

    /// Calls at a time.
    pub(super) const fn calls() -> Self {
        Self {
            least: 1,
            most: 32,
            usual: 5,
            unit: "",
        }
    }
}

impl Field {
    /// The secret, if it is one.
    pub fn secret<'a>(&self, config: &'a mut FilesystemConfig) -> Option<&'a mut Secret> {
        match self.kind {
            Kind::Secret(at, _) => Some(at(config)),
            Kind::Text(..) | Kind::Number(..) | Kind::Flag(_) | Kind::Switch(_) => None,
        }
    }

    /// Whether it is a secret that is the contents of a file.
    pub fn is_file(&self) -> bool {
        matches!(self.kind, Kind::Secret(_, SecretFrom::File))
    }

    /// The value as a text, as [`set`](Self::set) takes it; nothing of a secret.
    pub fn shown(&self, config: &mut FilesystemConfig) -> String {
        let yes = |yes: bool| if yes { "true" } else { "" }.to_owned();
        match self.kind {
            Kind::Text(at, _) => at(config).clone(),
            Kind::Secret(..) => String::new(),
            Kind::Number(at, _) => at(config).to_string(),
            Kind::Flag(at) => yes(*at(config)),
            Kind::Switch(at) => yes(*at(config) > 0),
        }
    }

    /// Sets the value that a text stands for; empty is none, 0 or no.
    ///
    /// # Errors
    /// What is wrong with the text, to be written behind the name of the setting.
    pub fn set(&self, config: &mut FilesystemConfig, text: &str) -> Result<(), String> {
        match self.kind {
            Kind::Text(at, _) => text.clone_into(at(config)),
            Kind::Secret(at, _) => *at(config) = Secret::from_text(text),
            Kind::Number(at, _) => *at(config) = number(text)?,
            Kind::Flag(at) => *at(config) = yes_or_no(text)?,
            Kind::Switch(at) => *at(config) = i64::from(yes_or_no(text)?),
        }
        Ok(())
    }

    /// Makes the value that of nobody who said anything.
    pub fn clear(&self, config: &mut FilesystemConfig) {
        match self.kind {
            Kind::Text(at, _) => at(config).clear(),
            Kind::Secret(at, _) => *at(config) = Secret::Empty,
            Kind::Number(at, _) | Kind::Switch(at) => *at(config) = 0,
            Kind::Flag(at) => *at(config) = false,
        }
    }
}

fn number(text: &str) -> Result<i64, String> {
    if text.is_empty() {
        return Ok(0);
    }
    let number = text.parse();
    number.map_err(|_| format!("{text:?} is not a whole number"))
}

fn yes_or_no(text: &str) -> Result<bool, String> {
    match text {
        "1" | "true" => Ok(true),
        "" | "0" | "false" => Ok(false),
        _ => Err(format!("{text:?} is neither true nor false")),
    }
}
