//! The log file, which becomes a backup when it is large enough.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::backups::{Backups, Keeper};
use super::mode;

/// Used when no size is given, as in the reference.
const DEFAULT_MAX_SIZE: u64 = 100 << 20;

/// When to rotate and what to keep.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Bytes; 0 means [`DEFAULT_MAX_SIZE`].
    pub(super) max_size: u64,
    /// 0 keeps all.
    pub(super) max_backups: u32,
    /// 0 keeps them for ever.
    pub(super) max_age_days: u32,
    pub(super) compress: bool,
}

/// A file of lines that rotates.
#[derive(Debug)]
pub(super) struct RotatingFile {
    path: PathBuf,
    max_size: u64,
    /// `None` after the file could not be opened again; the next write tries anew.
    file: Option<File>,
    /// Bytes in the file.
    size: u64,
    /// The last write failed and may have left part of a line.
    torn: bool,
    backups: Backups,
    keeper: Keeper,
}

impl RotatingFile {
    /// Opens or creates the file and its directory.
    pub(super) fn open(path: PathBuf, limits: Limits) -> io::Result<Self> {
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)?;
        }
        let file = open_append(&path)?;
        let size = file.metadata()?.len();
        let backups = Backups::of(&path);
        let keeper = Keeper::spawn(backups.clone(), limits)?;
        let max_size = if limits.max_size == 0 {
            DEFAULT_MAX_SIZE
        } else {
            limits.max_size
        };
        Ok(Self {
            path,
            max_size,
            file: Some(file),
            size,
            torn: false,
            backups,
            keeper,
        })
    }

    /// Writes whole lines; a line is never split between two files.
    pub(super) fn write_lines(&mut self, lines: &[u8]) -> io::Result<()> {
        let mut rotation = Ok(());
        let mut rest = lines;
        while !rest.is_empty() {
            let fitting = self.fitting(rest);
            if fitting == 0 {
                // A failed rotation keeps the old file in use, so the lines are not lost.
                rotation = self.rotate();
                continue;
            }
            let (now, later) = rest.split_at(fitting);
            self.write(now)?;
            rest = later;
        }
        rotation
    }

    /// How many bytes of the lines fit; an empty file takes at least one line.
    fn fitting(&self, lines: &[u8]) -> usize {
        let mut fitting: usize = 0;
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            let total = self.size.saturating_add((fitting + line.len()) as u64);
            let first = self.size == 0 && fitting == 0;
            if total > self.max_size && !first {
                break;
            }
            fitting += line.len();
        }
        fitting
    }

    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(open_append(&self.path)?),
        };
        // Lines after a full disk must not be glued to half a line.
        let result = if self.torn {
            file.write_all(b"\n")
        } else {
            Ok(())
        };
        let result = result.and_then(|()| file.write_all(lines));
        self.torn = result.is_err();
        self.size = self.size.saturating_add(lines.len() as u64);
        result
    }

    /// Makes the file a backup and begins a new one.
    pub(super) fn rotate(&mut self) -> io::Result<()> {
        // After a failure the next attempt is due when the size is reached again.
        self.size = 0;
        let permissions = fs::metadata(&self.path).map(|metadata| metadata.permissions());
        // Windows does not rename an open file.
        self.file = None;
        let renamed = match fs::rename(&self.path, self.backups.next_name()) {
            // Somebody took the file away, so there is nothing to keep.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        };
        self.file = Some(open_append(&self.path)?);
        if let Ok(permissions) = permissions {
            fs::set_permissions(&self.path, permissions)?;
        }
        self.keeper.wake();
        renamed
    }
}

fn open_append(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    mode::owner_only(&mut options);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        max_size: 10,
        max_backups: 0,
        max_age_days: 0,
        compress: false,
    };

    /// The texts of all files in the directory, by name.
    fn files(directory: &Path) -> Vec<(String, String)> {
        let mut files: Vec<(String, String)> = fs::read_dir(directory)
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let text = fs::read_to_string(entry.path()).unwrap();
                (entry.file_name().into_string().unwrap(), text)
            })
            .collect();
        files.sort();
        files
    }

    #[test]
    fn a_line_that_does_not_fit_begins_a_new_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("logs/a.log");
        let mut file = RotatingFile::open(path.clone(), LIMITS).unwrap();
        file.write_lines(b"1234\n6789\nabcd\n").unwrap();
        file.write_lines(b"a line longer than the file\nx\n")
            .unwrap();
        drop(file);
        let files = files(path.parent().unwrap());
        let texts: Vec<&str> = files.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(
            texts,
            [
                "1234\n6789\n",
                "abcd\n",
                "a line longer than the file\n",
                "x\n"
            ]
        );
        assert_eq!(files[3].0, "a.log");
    }

    #[test]
    fn an_existing_file_is_continued() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.log");
        fs::write(&path, "old\n").unwrap();
        let mut file = RotatingFile::open(path, LIMITS).unwrap();
        file.write_lines(b"new\n").unwrap();
        file.write_lines(b"more\n").unwrap();
        drop(file);
        let texts: Vec<String> = files(directory.path())
            .into_iter()
            .map(|(_, t)| t)
            .collect();
        assert_eq!(texts, ["old\nnew\n", "more\n"]);
    }

    #[test]
    #[cfg(unix)]
    fn a_new_file_is_for_its_owner_and_keeps_a_given_mode() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.log");
        let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        let mut file = RotatingFile::open(path.clone(), LIMITS).unwrap();
        assert_eq!(mode(), 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        file.rotate().unwrap();
        assert_eq!(mode(), 0o640);
    }

    #[test]
    fn a_file_that_was_taken_away_is_begun_anew_at_the_next_rotation() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.log");
        let mut file = RotatingFile::open(path.clone(), LIMITS).unwrap();
        file.write_lines(b"12345678\n").unwrap();
        fs::remove_file(&path).unwrap();
        file.write_lines(b"abcdefgh\n").unwrap();
        assert_eq!(
            files(directory.path()),
            [("a.log".into(), "abcdefgh\n".into())]
        );
    }

    #[test]
    fn lines_are_kept_when_the_rotation_fails() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.log");
        let mut file = RotatingFile::open(path.clone(), LIMITS).unwrap();
        file.backups = Backups::of(&directory.path().join("not-a-directory/a.log"));
        fs::write(directory.path().join("not-a-directory"), "").unwrap();
        file.write_lines(b"12345678\n").unwrap();
        assert!(
            file.write_lines(b"abcdefgh\n").is_err(),
            "the failure is told"
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), "12345678\nabcdefgh\n");
    }
}
