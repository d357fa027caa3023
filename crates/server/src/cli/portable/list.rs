//! Flags that hold lists: keys and extensions.

use std::path::Path;
use std::str::FromStr;

use clap::builder::PossibleValuesParser;
use sftpgo_core::model::permission::ALL_NAME;
use sftpgo_core::model::{ExtensionFilter, Permission, StoredKey};

use crate::app::AppError;
use crate::cli::user::{key_lines, read_key_file};

/// What the text of a public key begins with.
const KEY_TYPES: [&str; 5] = ["ssh-", "ecdsa-", "sk-ssh-", "sk-ecdsa-", "@"];

/// The keys of one `--public-key`: a line of `authorized_keys`, several with commas between them (reference 15.1), or the
/// lines of a file.
pub(super) fn keys(text: &str) -> Result<Vec<String>, AppError> {
    let mut keys = Vec::new();
    for part in parts(text) {
        match part.trim().strip_prefix('@') {
            Some(file) => keys.extend(read_key_file(Path::new(file)).map_err(AppError)?),
            None => keys.extend(key_lines(&part)),
        }
    }
    if keys.is_empty() {
        return Err(AppError(format!("--public-key {text:?}: there is no key")));
    }
    for key in &keys {
        StoredKey::parse_all(key)
            .map_err(|error| AppError(format!("--public-key {key:?}: {error}")))?;
    }
    Ok(keys)
}

/// What commas separate. One is part of a key if no key begins behind it.
fn parts(text: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for part in text.split(',') {
        let begins = KEY_TYPES
            .iter()
            .any(|name| part.trim_start().starts_with(name));
        match parts.last_mut() {
            Some(last) if !begins => {
                last.push(',');
                last.push_str(part);
            }
            _ => parts.push(part.to_owned()),
        }
    }
    parts
}

/// Takes names of permissions, and tells those that there are.
pub(super) fn permissions() -> PossibleValuesParser {
    let names = Permission::ALL.iter().map(|permission| permission.as_str());
    PossibleValuesParser::new(std::iter::once(ALL_NAME).chain(names))
}

/// The extensions of one directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Extensions {
    directory: String,
    extensions: Vec<String>,
}

/// `/dir::.ext1,ext2`.
impl FromStr for Extensions {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (directory, extensions) = text
            .split_once("::")
            .ok_or("expected a directory and extensions, such as /docs::.pdf,.txt")?;
        if !directory.starts_with('/') {
            return Err("the directory must begin with `/`".into());
        }
        let extensions: Vec<_> = extensions
            .split(',')
            .map(str::trim)
            .filter(|extension| !extension.is_empty())
            .map(str::to_owned)
            .collect();
        if extensions.is_empty() {
            return Err("no extension after the directory".into());
        }
        Ok(Self {
            directory: directory.to_owned(),
            extensions,
        })
    }
}

/// One filter for each directory, whatever flags named it.
pub(super) fn filters(allowed: Vec<Extensions>, denied: Vec<Extensions>) -> Vec<ExtensionFilter> {
    let mut filters: Vec<ExtensionFilter> = Vec::new();
    let mut of = |directory: String, add: &mut dyn FnMut(&mut ExtensionFilter)| {
        let found = filters.iter_mut().find(|filter| filter.path == directory);
        match found {
            Some(filter) => add(filter),
            None => {
                let mut filter = ExtensionFilter {
                    path: directory,
                    ..ExtensionFilter::default()
                };
                add(&mut filter);
                filters.push(filter);
            }
        }
    };
    for one in allowed {
        of(one.directory, &mut |filter| {
            filter
                .allowed_extensions
                .extend(one.extensions.iter().cloned());
        });
    }
    for one in denied {
        of(one.directory, &mut |filter| {
            filter
                .denied_extensions
                .extend(one.extensions.iter().cloned());
        });
    }
    filters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_stand_between_keys_and_within_comments() {
        let text =
            "ssh-ed25519 AAAA me, at home,ecdsa-sha2-nistp256 BBBB,sk-ssh-ed25519@openssh.com CCCC";
        assert_eq!(
            parts(text),
            [
                "ssh-ed25519 AAAA me, at home",
                "ecdsa-sha2-nistp256 BBBB",
                "sk-ssh-ed25519@openssh.com CCCC"
            ]
        );
        assert!(keys("").is_err());
        let error = keys("@/no/such/file").unwrap_err().to_string();
        assert!(error.contains("/no/such/file"), "{error}");
    }

    #[test]
    fn flags_of_one_directory_become_one_filter() {
        let parse = |text: &str| text.parse::<Extensions>().unwrap();
        let allowed = vec![parse("/a::.jpg, .png"), parse("/a::.gif")];
        let filters = filters(allowed, vec![parse("/a::.exe"), parse("/b::.zip")]);
        assert_eq!(filters.len(), 2);
        assert_eq!(filters[0].allowed_extensions, [".jpg", ".png", ".gif"]);
        assert_eq!(filters[0].denied_extensions, [".exe"]);
        assert_eq!(
            (filters[1].path.as_str(), filters[1].denied_extensions.len()),
            ("/b", 1)
        );
        for text in ["/a", "a::.jpg", "/a::", "/a::,"] {
            assert!(text.parse::<Extensions>().is_err(), "{text}");
        }
    }
}
