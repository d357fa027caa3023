//! Public keys: the `authorized_keys` files of users, and files of keys in the form of RFC 4716, which `mod_sftp` of ProFTPD has.

mod rfc4716;

use sftpgo_model::{StoredKey, UserRecord};

use crate::report::Notes;

/// Keys of one user; more is a mistake.
const MOST_KEYS: usize = 1000;

/// A file with keys of a user, read by the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFile {
    /// Its name, for the report.
    pub name: String,
    /// What is in it, or why it cannot be read. A file that is not there is not given at all.
    pub content: Result<Vec<u8>, String>,
}

/// Adds the keys of the files; each once.
pub(crate) fn add(user: &mut UserRecord, notes: &mut Notes, files: &[KeyFile]) {
    for file in files {
        match &file.content {
            Ok(content) => {
                let content = String::from_utf8_lossy(content);
                if content.contains(rfc4716::BEGIN) {
                    add_blocks(user, notes, &file.name, &content);
                } else {
                    add_file(user, notes, &file.name, &content);
                }
            }
            Err(reason) => notes.lost(
                "keys",
                format!(
                    "{} cannot be read ({reason}): its keys are left out",
                    file.name
                ),
            ),
        }
    }
}

fn add_file(user: &mut UserRecord, notes: &mut Notes, name: &str, content: &str) {
    for (index, line) in content.split('\n').enumerate() {
        let (line, place) = (line.trim(), format!("line {} of {name}", index + 1));
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if user.public_keys.len() >= MOST_KEYS {
            notes.lost(
                "keys",
                format!("from {place} on: more than {MOST_KEYS} keys"),
            );
            return;
        }
        match StoredKey::parse_all(line) {
            Ok(keys) => {
                if let Some(error) = keys.iter().find_map(|key| key.options.as_ref().err()) {
                    notes.lost(
                        "keys",
                        format!("{place}: its options are not understood ({error}): no login with this key"),
                    );
                }
                if !user.public_keys.iter().any(|known| known == line) {
                    user.public_keys.push(line.to_owned());
                }
            }
            Err(error) => notes.lost(
                "keys",
                format!("{place} is no key that can be used: {error}"),
            ),
        }
    }
}

fn add_blocks(user: &mut UserRecord, notes: &mut Notes, name: &str, content: &str) {
    for (index, key) in rfc4716::blocks(content).enumerate() {
        let place = format!("key {} of {name}", index + 1);
        match key {
            Some(_) if user.public_keys.len() >= MOST_KEYS => {
                notes.lost(
                    "keys",
                    format!("from {place} on: more than {MOST_KEYS} keys"),
                );
                return;
            }
            Some(line) if !user.public_keys.contains(&line) => user.public_keys.push(line),
            Some(_) => {}
            None => notes.lost("keys", format!("{place} is no key that can be used")),
        }
    }
}
