//! Backups of the log: their names, and a thread that compresses and removes them.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use super::mode;
use super::rotation::Limits;

/// `sftpgo-2020-03-04T10-00-00.123.log`: UTC, so that names sort by age.
const TIME_FORMAT: &str = "%Y-%m-%dT%H-%M-%S%.3f";

/// The backups of one log file.
#[derive(Debug, Clone)]
pub(super) struct Backups {
    directory: PathBuf,
    /// `sftpgo-`
    prefix: String,
    /// `.log`, or empty
    extension: String,
}

/// One backup on disk.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Backup {
    time: Timestamp,
    path: PathBuf,
    compressed: bool,
}

impl Backups {
    pub(super) fn of(log: &Path) -> Self {
        let text = |part: Option<&OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
        let extension = log.extension().map(|e| format!(".{}", e.to_string_lossy()));
        Self {
            directory: log.parent().unwrap_or(Path::new("")).to_owned(),
            prefix: format!("{}-", text(log.file_stem())),
            extension: extension.unwrap_or_default(),
        }
    }

    /// A name that no backup has yet, for a file that becomes a backup now.
    pub(super) fn next_name(&self) -> PathBuf {
        let mut time = Timestamp::now();
        loop {
            let path = self.name(time);
            let compressed = with_suffix(&path, ".gz");
            if !path.exists() && !compressed.exists() {
                return path;
            }
            // Two rotations within a millisecond: the later one must not replace the earlier.
            time = time.saturating_add(1.millisecond()).unwrap_or(time);
        }
    }

    fn name(&self, time: Timestamp) -> PathBuf {
        let time = time
            .to_zoned(TimeZone::UTC)
            .strftime(TIME_FORMAT)
            .to_string();
        self.directory
            .join(format!("{}{time}{}", self.prefix, self.extension))
    }

    /// All backups, the newest first.
    fn list(&self) -> io::Result<Vec<Backup>> {
        let mut backups = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            let name = entry?.file_name();
            let Some(name) = name.to_str() else { continue };
            let (plain, compressed) = match name.strip_suffix(".gz") {
                Some(plain) => (plain, true),
                None => (name, false),
            };
            if let Some(time) = self.time_of(plain) {
                backups.push(Backup {
                    time,
                    path: self.directory.join(name),
                    compressed,
                });
            }
        }
        backups.sort_by(|a, b| b.cmp(a));
        Ok(backups)
    }

    /// The time in the name of a backup; `None` for any other file.
    fn time_of(&self, name: &str) -> Option<Timestamp> {
        let time = name
            .strip_prefix(&self.prefix)?
            .strip_suffix(&self.extension)?;
        let time = DateTime::strptime(TIME_FORMAT, time).ok()?;
        Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
    }

    /// Removes what is too much or too old, and compresses the rest if wanted.
    fn tidy(&self, limits: Limits, now: Timestamp) -> io::Result<()> {
        let mut kept = BTreeSet::new();
        let mut result = Ok(());
        for backup in self.list()? {
            let age = now.duration_since(backup.time);
            let most_age = SignedDuration::from_hours(24 * i64::from(limits.max_age_days));
            let too_old = limits.max_age_days > 0 && age > most_age;
            // A backup and its half-made compressed form count once.
            kept.insert(backup.time);
            let too_many = limits.max_backups > 0 && kept.len() > limits.max_backups as usize;
            let done = if too_old || too_many {
                fs::remove_file(&backup.path)
            } else if limits.compress && !backup.compressed {
                compress(&backup.path)
            } else {
                Ok(())
            };
            // One bad file must not keep the others.
            result = result.and(done);
        }
        result
    }
}

/// Compresses beside the file and renames, so that no reader meets half an archive.
fn compress(path: &Path) -> io::Result<()> {
    let partial = with_suffix(path, ".gz.partial");
    let mut source = File::open(path)?;
    let permissions = source.metadata()?.permissions();
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    mode::owner_only(&mut options);
    let mut encoder = GzEncoder::new(options.open(&partial)?, Compression::default());
    io::copy(&mut source, &mut encoder)?;
    encoder.finish()?.sync_all()?;
    fs::set_permissions(&partial, permissions)?;
    fs::rename(&partial, with_suffix(path, ".gz"))?;
    fs::remove_file(path)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut text = path.as_os_str().to_owned();
    text.push(suffix);
    text.into()
}

/// Owns the thread that tidies up; dropping it waits for work in progress.
#[derive(Debug)]
pub(super) struct Keeper {
    wake: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    /// Starts the thread, which tidies up once and then whenever it is woken.
    pub(super) fn spawn(backups: Backups, limits: Limits) -> io::Result<Self> {
        // One waiting call is enough: it covers everything before it.
        let (wake, woken) = sync_channel(1);
        let thread = std::thread::Builder::new()
            .name("log-backups".into())
            .spawn(move || keep(&backups, limits, &woken))?;
        Ok(Self {
            wake: Some(wake),
            thread: Some(thread),
        })
    }

    pub(super) fn wake(&self) {
        if let Some(wake) = &self.wake {
            let _ = wake.try_send(());
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.wake = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn keep(backups: &Backups, limits: Limits, woken: &Receiver<()>) {
    let mut told = false;
    loop {
        if let Err(error) = backups.tidy(limits, Timestamp::now())
            && !told
        {
            told = true;
            let _ = io::Write::write_fmt(
                &mut io::stderr(),
                format_args!("Error: cannot tidy up rotated logs: {error}\n"),
            );
        }
        if woken.recv().is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    const NOW: &str = "2020-03-10T00:00:00Z";

    fn limits(max_backups: u32, max_age_days: u32, compress: bool) -> Limits {
        Limits {
            max_size: 10,
            max_backups,
            max_age_days,
            compress,
        }
    }

    /// A directory with three backups of different days and two files that are none.
    fn setup() -> (tempfile::TempDir, Backups) {
        let directory = tempfile::tempdir().unwrap();
        for name in [
            "a.log",
            "a-2020-03-01T00-00-00.000.log",
            "a-2020-03-02T00-00-00.000.log.gz",
            "a-2020-03-09T00-00-00.123.log",
            "a-notes.log",
        ] {
            fs::write(directory.path().join(name), name).unwrap();
        }
        let backups = Backups::of(&directory.path().join("a.log"));
        (directory, backups)
    }

    fn names(directory: &tempfile::TempDir) -> Vec<String> {
        let entries = fs::read_dir(directory.path()).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn tidied(limits: Limits) -> Vec<String> {
        let (directory, backups) = setup();
        backups.tidy(limits, NOW.parse().unwrap()).unwrap();
        names(&directory)
            .into_iter()
            .filter(|name| name.contains("-2020"))
            .collect()
    }

    #[test]
    fn names_carry_the_time_in_utc() {
        let backups = Backups::of(Path::new("/var/log/sftpgo.log"));
        let time: Timestamp = "2020-03-04T10:00:00.123Z".parse().unwrap();
        let name = Path::new("/var/log/sftpgo-2020-03-04T10-00-00.123.log");
        assert_eq!(backups.name(time), name);
        assert_eq!(
            backups.time_of("sftpgo-2020-03-04T10-00-00.123.log"),
            Some(time)
        );
        let bare = Backups::of(Path::new("log"));
        assert_eq!(bare.name(time), Path::new("log-2020-03-04T10-00-00.123"));
    }

    #[test]
    fn no_limit_keeps_everything() {
        assert_eq!(tidied(limits(0, 0, false)).len(), 3);
    }

    #[test]
    fn the_oldest_backups_above_the_count_are_removed() {
        let kept = [
            "a-2020-03-02T00-00-00.000.log.gz",
            "a-2020-03-09T00-00-00.123.log",
        ];
        assert_eq!(tidied(limits(2, 0, false)), kept);
    }

    #[test]
    fn backups_that_are_too_old_are_removed() {
        assert_eq!(
            tidied(limits(0, 3, false)),
            ["a-2020-03-09T00-00-00.123.log"]
        );
    }

    #[test]
    fn other_files_are_left_alone() {
        let (directory, backups) = setup();
        backups
            .tidy(limits(1, 1, true), NOW.parse().unwrap())
            .unwrap();
        let names = names(&directory);
        assert!(names.contains(&"a.log".into()) && names.contains(&"a-notes.log".into()));
    }

    #[test]
    fn backups_are_compressed_in_place() {
        let (directory, backups) = setup();
        backups
            .tidy(limits(1, 0, true), NOW.parse().unwrap())
            .unwrap();
        let name = "a-2020-03-09T00-00-00.123.log";
        let archive = directory.path().join(format!("{name}.gz"));
        let mut text = String::new();
        let archive = File::open(archive).unwrap();
        flate2::read::GzDecoder::new(archive)
            .read_to_string(&mut text)
            .unwrap();
        assert_eq!(text, name);
        assert!(!directory.path().join(name).exists());
    }

    #[test]
    fn a_backup_never_replaces_another() {
        let directory = tempfile::tempdir().unwrap();
        let backups = Backups::of(&directory.path().join("a.log"));
        for _ in 0..20 {
            let name = backups.next_name();
            assert!(!name.exists());
            fs::write(name, "").unwrap();
        }
        assert_eq!(names(&directory).len(), 20);
    }

    #[test]
    fn the_keeper_tidies_at_the_start_and_when_woken() {
        let (directory, backups) = setup();
        drop(Keeper::spawn(backups.clone(), limits(1, 0, false)).unwrap());
        assert_eq!(names(&directory).len(), 3);
        let keeper = Keeper::spawn(backups, limits(1, 0, false)).unwrap();
        fs::write(directory.path().join("a-2020-01-01T00-00-00.000.log"), "").unwrap();
        keeper.wake();
        drop(keeper);
        assert_eq!(names(&directory).len(), 3);
    }
}
