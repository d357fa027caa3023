//! The dumps that lie where they are written, for whoever wants to restore one.

use std::fs::{self, Metadata};
use std::io;
use std::path::Path;

use sftpgo_model::UnixMillis;

/// The newest ones that are told; a directory may hold anything.
const SHOWN: usize = 200;

/// A file that may be a dump: what is in it shows when it is restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupFile {
    /// Its name in the directory.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// When it was written.
    pub written: UnixMillis,
}

/// The regular files `*.json` of a directory, the newest first, at most 200; nothing if there is no such directory. Blocks.
///
/// # Errors
/// The directory cannot be read.
pub fn backup_files(directory: &Path) -> io::Result<Vec<BackupFile>> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        // One that was removed meanwhile is none.
        let Ok(attributes) = entry.metadata() else {
            continue;
        };
        if attributes.is_file() && name.ends_with(".json") && !name.starts_with('.') {
            files.push(described(name, &attributes));
        }
    }
    files.sort_by(|a, b| (b.written, &b.name).cmp(&(a.written, &a.name)));
    files.truncate(SHOWN);
    Ok(files)
}

fn described(name: String, attributes: &Metadata) -> BackupFile {
    BackupFile {
        name,
        size: attributes.len(),
        written: attributes
            .modified()
            .map(UnixMillis::from_system)
            .unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    #[test]
    fn the_dumps_of_a_directory_are_listed_the_newest_first() {
        let directory = tempfile::tempdir().unwrap();
        let at = directory.path();
        for (name, age) in [
            ("old.json", 100),
            ("new.json", 1),
            ("other.txt", 1),
            (".x.json", 1),
        ] {
            let file = fs::File::create(at.join(name)).unwrap();
            let time = SystemTime::now() - Duration::from_secs(age);
            file.set_modified(time).unwrap();
        }
        fs::create_dir(at.join("directory.json")).unwrap();
        let found = backup_files(at).unwrap();
        let names: Vec<_> = found.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, ["new.json", "old.json"]);
        assert_eq!(backup_files(&at.join("missing")).unwrap(), []);
    }
}
