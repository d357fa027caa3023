//! The safe list and the block list, as files have them.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sftpgo_model::AddressSet;
use thiserror::Error;

use super::DefenderSettings;

/// The largest file that is read: some million entries.
const LARGEST: u64 = 32 << 20;

/// A list cannot be used.
#[derive(Debug, Error)]
#[error("{setting} {}: {reason}", path.display())]
pub struct ListError {
    setting: &'static str,
    path: PathBuf,
    reason: String,
}

/// How many entries the lists have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListSizes {
    /// The safe list.
    pub safe: usize,
    /// The block list.
    pub blocked: usize,
}

/// Both lists.
#[derive(Debug, Default)]
pub(super) struct Lists {
    /// Never banned.
    pub(super) safe: AddressSet,
    /// Always refused.
    pub(super) blocked: AddressSet,
    sizes: Option<ListSizes>,
}

impl Lists {
    /// Reads the files that the settings name.
    pub(super) fn load(settings: &DefenderSettings) -> Result<Self, ListError> {
        let load = |setting, file: &Option<PathBuf>| match file {
            Some(path) => load(path).map_err(|reason| ListError {
                setting,
                path: path.clone(),
                reason,
            }),
            None => Ok((AddressSet::default(), 0)),
        };
        let (safe, safe_entries) = load("defender.safelist_file", &settings.safelist_file)?;
        let (blocked, blocked_entries) = load("defender.blocklist_file", &settings.blocklist_file)?;
        let sizes = ListSizes {
            safe: safe_entries,
            blocked: blocked_entries,
        };
        Ok(Self {
            safe,
            blocked,
            sizes: Some(sizes),
        })
    }

    pub(super) fn sizes(&self) -> ListSizes {
        self.sizes.unwrap_or(ListSizes {
            safe: 0,
            blocked: 0,
        })
    }

    #[cfg(test)]
    pub(super) fn of(safe: &[&str], blocked: &[&str]) -> Self {
        Self {
            safe: AddressSet::parse(safe).unwrap(),
            blocked: AddressSet::parse(blocked).unwrap(),
            sizes: None,
        }
    }
}

fn load(path: &Path) -> Result<(AddressSet, usize), String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let mut text = String::new();
    let read = file.take(LARGEST + 1).read_to_string(&mut text);
    if read.map_err(|error| error.to_string())? as u64 > LARGEST {
        return Err(format!("larger than {} MiB", LARGEST >> 20));
    }
    parse(&text)
}

/// The two lists of a JSON file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JsonList {
    #[serde(default)]
    addresses: Vec<String>,
    #[serde(default)]
    networks: Vec<String>,
}

fn parse(text: &str) -> Result<(AddressSet, usize), String> {
    if text.trim_start().starts_with('{') {
        let list: JsonList = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let entries = list.addresses.iter().chain(&list.networks);
        let count = entries.clone().count();
        let set = AddressSet::parse(entries).map_err(|error| error.to_string())?;
        return Ok((set, count));
    }
    let mut entries = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let entry = line.split('#').next().unwrap_or_default().trim();
        if entry.is_empty() {
            continue;
        }
        // Alone, so that its line can be told.
        AddressSet::parse([entry]).map_err(|error| format!("line {}: {error}", number + 1))?;
        entries.push(entry);
    }
    let count = entries.len();
    let set = AddressSet::parse(entries).map_err(|error| error.to_string())?;
    Ok((set, count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_lines_or_json() {
        let lines = "# monitoring\n192.0.2.1\n\n 2001:db8::/32 # office\r\n";
        let json = r#"{"addresses": ["192.0.2.1"], "networks": ["2001:db8::/32"]}"#;
        let (set, count) = parse(lines).unwrap();
        assert_eq!(count, 2);
        assert_eq!(parse(json).unwrap(), (set.clone(), 2));
        assert!(set.contains("192.0.2.1".parse().unwrap()));
        assert!(set.contains("2001:db8:9::".parse().unwrap()));
        for empty in ["", "\n# nobody\n", "{}", "{\"networks\": []}"] {
            assert_eq!(parse(empty).unwrap(), (AddressSet::default(), 0));
        }
    }

    #[test]
    fn a_list_with_a_mistake_is_none() {
        let error = parse("192.0.2.1\n192.0.2.300\n").unwrap_err();
        assert!(
            error.contains("line 2") && error.contains("192.0.2.300"),
            "{error}"
        );
        for text in [
            "{",
            r#"{"adresses": []}"#,
            r#"{"addresses": ["x"]}"#,
            r#"{"networks": "10.0.0.0/8"}"#,
            "[\"192.0.2.1\"]",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named_with_its_setting() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("missing");
        let config = super::super::DefenderConfig {
            enabled: true,
            blocklist_file: path.to_str().unwrap().to_owned(),
            ..Default::default()
        };
        let settings = config.resolve("/".as_ref()).unwrap().0.unwrap();
        let error = Lists::load(&settings).unwrap_err().to_string();
        assert!(error.starts_with("defender.blocklist_file"), "{error}");
        assert!(error.contains("missing"), "{error}");
    }
}
