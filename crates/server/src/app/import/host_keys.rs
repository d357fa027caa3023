//! Host keys of another server: with them clients go on without a question.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sftpgo_data::dump::read_bounded;
use sftpgo_ssh::config::HostKeys;
use sftpgo_ssh::{HostKeyFile, examine_host_key};
use tempfile::NamedTempFile;

use crate::app::AppError;

/// Files of a directory that are looked at.
const MOST_FILES: usize = 1000;
/// Largest private key.
const MAX_KEY: u64 = 64 << 10;

/// What became of a key, or would.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Outcome {
    Copied(PathBuf),
    /// It was there already.
    Same(PathBuf),
    Cannot(String),
}

/// A key of the other server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TakenKey {
    from: PathBuf,
    fingerprint: Option<String>,
    outcome: Outcome,
}

impl TakenKey {
    pub(super) fn failed(&self) -> bool {
        matches!(self.outcome, Outcome::Cannot(_))
    }

    pub(super) fn sentence(&self) -> String {
        let from = self.from.display();
        let fingerprint = self.fingerprint.as_deref().unwrap_or_default();
        match &self.outcome {
            Outcome::Copied(to) => format!("{from} -> {}  {fingerprint}", to.display()),
            Outcome::Same(to) => format!("{from} is {} already  {fingerprint}", to.display()),
            Outcome::Cannot(reason) => format!("{from} cannot be taken along: {reason}"),
        }
    }

    pub(super) fn json(&self) -> Value {
        let (action, to, reason) = match &self.outcome {
            Outcome::Copied(to) => ("copied", Some(to), None),
            Outcome::Same(to) => ("unchanged", Some(to), None),
            Outcome::Cannot(reason) => ("cannot", None, Some(reason)),
        };
        json!({
            "from": self.from, "to": to, "action": action, "reason": reason, "fingerprint": self.fingerprint,
        })
    }
}

/// Copies the host keys that are in the directories to where this server looks for them. Blocks on the disk.
///
/// # Errors
/// A directory cannot be read, or there is no key in it.
pub(super) fn take_along(
    directories: &[PathBuf],
    keys: &HostKeys,
    force: bool,
    dry_run: bool,
) -> Result<Vec<TakenKey>, AppError> {
    let mut taken: Vec<TakenKey> = Vec::new();
    for directory in directories {
        let files = private_keys(directory).map_err(|error| {
            AppError(format!(
                "--host-keys {}: cannot read it: {error}",
                directory.display()
            ))
        })?;
        if files.is_empty() {
            let directory = directory.display();
            return Err(AppError(format!(
                "--host-keys {directory}: no private key is in it"
            )));
        }
        for from in files {
            let examined = examine_host_key(&from);
            let fingerprint = examined.as_ref().ok().map(|key| key.fingerprint.clone());
            let outcome = match examined {
                Ok(key) => place(&from, &key, keys, &taken, force, dry_run),
                Err(reason) => Outcome::Cannot(reason),
            };
            taken.push(TakenKey {
                from,
                fingerprint,
                outcome,
            });
        }
    }
    Ok(taken)
}

/// Files that say that a private key is in them, in the order of their names.
fn private_keys(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)?.take(MOST_FILES) {
        let path = entry?.path();
        // Links, too; never a pipe that nobody writes to.
        if !path.is_file() {
            continue;
        }
        match read_bounded(&path, MAX_KEY) {
            Ok(Some(text)) if has_private_key(&text) => files.push(path),
            Ok(_) => {}
            // Whoever may not read a file that is called like a key shall know.
            Err(error) if is_called_like_one(&path) => {
                return Err(io::Error::new(
                    error.kind(),
                    format!("{}: {error}", path.display()),
                ));
            }
            Err(_) => {}
        }
    }
    files.sort();
    Ok(files)
}

fn has_private_key(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    let mut lines = text.lines().filter(|line| line.starts_with("-----BEGIN "));
    lines.any(|line| line.trim_end().ends_with("PRIVATE KEY-----"))
}

fn is_called_like_one(path: &Path) -> bool {
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let is_key =
        name.starts_with("id_") || (name.starts_with("ssh_host_") && name.ends_with("_key"));
    is_key && !name.ends_with(".pub")
}

fn place(
    from: &Path,
    key: &HostKeyFile,
    keys: &HostKeys,
    taken: &[TakenKey],
    force: bool,
    dry_run: bool,
) -> Outcome {
    let to = match keys {
        HostKeys::GenerateIn(directory) => directory.join(key.usual_name),
        // Of portable servers, which nobody imports into.
        HostKeys::InMemory => {
            return Outcome::Cannot("host keys are in memory only".to_owned());
        }
        HostKeys::Files(files) => {
            let named = files.iter().find(|file| file.ends_with(key.usual_name));
            let Some(file) = named else {
                return Outcome::Cannot(format!(
                    "sftpd.keys names no file {}: copy the key by hand, and add its file there",
                    key.usual_name
                ));
            };
            file.clone()
        }
    };
    let is_taken = |other: &TakenKey| {
        matches!(&other.outcome, Outcome::Copied(place) | Outcome::Same(place) if *place == to)
            && other.fingerprint.as_deref() != Some(&key.fingerprint)
    };
    if let Some(other) = taken.iter().find(|other| is_taken(other)) {
        let other = other.from.display();
        return Outcome::Cannot(format!(
            "{other} is a key of the same type and was taken along"
        ));
    }
    let there = fs::symlink_metadata(&to).is_ok();
    if there {
        match examine_host_key(&to) {
            Ok(known) if known.fingerprint == key.fingerprint => return Outcome::Same(to),
            Ok(_) | Err(_) if force => {}
            Ok(_) | Err(_) => {
                return Outcome::Cannot(format!(
                    "{} is there and differs: --force replaces it",
                    to.display()
                ));
            }
        }
    }
    if dry_run {
        return Outcome::Copied(to);
    }
    match copy(from, &to, &key.public) {
        Ok(()) => Outcome::Copied(to),
        Err(error) => Outcome::Cannot(format!("cannot write {}: {error}", to.display())),
    }
}

/// Writes the key and its public half, each whole or not at all, readable by the owner of the directory only.
fn copy(from: &Path, to: &Path, public: &str) -> io::Result<()> {
    let too_large = || io::Error::from(io::ErrorKind::FileTooLarge);
    let text = read_bounded(from, MAX_KEY)?.ok_or_else(too_large)?;
    write(to, &text)?;
    write(&to.with_extension("pub"), format!("{public}\n").as_bytes())
}

fn write(to: &Path, text: &[u8]) -> io::Result<()> {
    let directory = to.parent().ok_or(io::ErrorKind::InvalidInput)?;
    // Made with mode 0600.
    let mut file = NamedTempFile::new_in(directory)?;
    file.write_all(text)?;
    give_to_owner_of(directory, file.path())?;
    file.as_file().sync_all()?;
    file.persist(to).map_err(|error| error.error)?;
    fs::File::open(directory)?.sync_all()
}

/// The server often runs as somebody else than whoever imports.
#[cfg(unix)]
fn give_to_owner_of(directory: &Path, file: &Path) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;

    let (wanted, is) = (fs::metadata(directory)?, fs::metadata(file)?);
    if wanted.uid() == is.uid() {
        return Ok(());
    }
    std::os::unix::fs::chown(file, Some(wanted.uid()), Some(wanted.gid()))
}

#[cfg(not(unix))]
fn give_to_owner_of(_: &Path, _: &Path) -> io::Result<()> {
    Ok(())
}
