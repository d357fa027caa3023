//! Reading the files of a source.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;
use sftpgo_core::data::UserQuery;
use sftpgo_core::model::UserRecord;
use sftpgo_data::config::{DataProviderConfig, DataProviderSettings};
use sftpgo_data::dump::read_bounded;
use sftpgo_data::{DataError, DataErrorKind, DataProvider};
use sftpgo_import::{
    Import, ImportError, KeyFile, LinuxFiles, ProftpdFiles, UidRange, linux, proftpd, pure_ftpd,
    reference_bolt, reference_dump,
};

use super::context;
use crate::app::AppError;
use crate::cli::import::{ImportArgs, ImportSource};

/// Largest file of users, in bytes: some million lines.
const MAX_LIST: u64 = 256 << 20;
/// Largest database.
const MAX_DATABASE: u64 = 1 << 30;
/// Largest file of keys of one user.
const MAX_KEYS: u64 = 1 << 20;

const SQLITE_FILE: &[u8] = b"SQLite format 3\0";
const PURE_FTPD_FILE: &str = "/etc/pure-ftpd/pureftpd.passwd";
/// Users read at a time.
const PAGE: u32 = 500;

/// Reads the source that the arguments name.
pub(super) async fn read(args: &Arc<ImportArgs>) -> Result<Import, AppError> {
    let options = Arc::clone(args);
    let reading = tokio::task::spawn_blocking(move || read_files(&options));
    match reading.await.map_err(AppError::new)?? {
        Read::Import(import) => Ok(import),
        Read::Sqlite(file) => read_sqlite(&file, &args.users_table).await,
    }
}

enum Read {
    Import(Import),
    /// A SQLite database.
    Sqlite(PathBuf),
}

fn read_files(args: &ImportArgs) -> Result<Read, AppError> {
    let files: Vec<&Path> = args.files.iter().map(PathBuf::as_path).collect();
    let named = |file: &Path, import: Result<Import, ImportError>| {
        let import = import.map_err(|error| AppError(format!("{}: {error}", file.display())));
        import.map(Read::Import)
    };
    match (args.source, files.as_slice()) {
        (ImportSource::Linux, files @ ([] | [_] | [_, _])) => {
            let (passwd, shadow) = linux_files(&args.root, files);
            let text = contents(&passwd, MAX_LIST)?;
            let shadow = shadow
                .map(|shadow| contents(&shadow, MAX_LIST))
                .transpose()?;
            let range = UidRange(args.min_uid..=args.max_uid);
            let files = LinuxFiles {
                passwd: &text,
                shadow: shadow.as_deref(),
            };
            let mut keys = |name: &str, home: &str| key_files(args, name, home);
            named(&passwd, linux(files, &range, &mut keys, context()))
        }
        (ImportSource::Proftpd, [users, groups @ ..]) if groups.len() <= 1 => {
            let text = contents(users, MAX_LIST)?;
            let groups = groups.first().map(|groups| contents(groups, MAX_LIST));
            let groups = groups.transpose()?;
            let files = ProftpdFiles {
                users: &text,
                groups: groups.as_deref(),
            };
            let mut keys = |name: &str, home: &str| key_files(args, name, home);
            named(users, proftpd(files, &mut keys, context()))
        }
        (ImportSource::PureFtpd, files @ ([] | [_])) => {
            let file = files.first().copied().unwrap_or(Path::new(PURE_FTPD_FILE));
            named(file, pure_ftpd(&contents(file, MAX_LIST)?, context()))
        }
        (ImportSource::ReferenceDump, [file]) => {
            named(file, reference_dump(&contents(file, MAX_LIST)?, context()))
        }
        (ImportSource::ReferenceDb, [file]) => {
            let bytes = contents(file, MAX_DATABASE)?;
            if bytes.starts_with(SQLITE_FILE) {
                return Ok(Read::Sqlite((*file).to_owned()));
            }
            named(file, reference_bolt(&bytes, context()))
        }
        (source, _) => Err(AppError::new(expected(source))),
    }
}

/// Which files a source wants.
fn expected(source: ImportSource) -> &'static str {
    match source {
        ImportSource::Linux => "linux: the files are none, PASSWD, or PASSWD and SHADOW",
        ImportSource::Proftpd => {
            "proftpd: name the AuthUserFile, and the AuthGroupFile if there is one"
        }
        ImportSource::PureFtpd => "pure-ftpd: name no file or one, the pureftpd.passwd",
        ImportSource::ReferenceDump => "reference-dump: name one file, the dump, or - for stdin",
        ImportSource::ReferenceDb => "reference-db: name one file, the database",
        ImportSource::HostKeys => "host-keys: name directories",
    }
}

/// `passwd` and `shadow`: those that are named, else those of the system below `root`.
fn linux_files(root: &Path, files: &[&Path]) -> (PathBuf, Option<PathBuf>) {
    match files {
        [] => (root.join("etc/passwd"), Some(root.join("etc/shadow"))),
        [passwd, rest @ ..] => (
            (*passwd).to_owned(),
            rest.first().map(|file| (*file).to_owned()),
        ),
    }
}

/// Those of OpenSSH and its default; ProFTPD has none.
fn key_patterns(args: &ImportArgs) -> Vec<&str> {
    if args.authorized_keys.is_empty() && args.source == ImportSource::Linux {
        return vec![".ssh/authorized_keys", ".ssh/authorized_keys2"];
    }
    args.authorized_keys.iter().map(String::as_str).collect()
}

/// The key files of a user, by the patterns of `AuthorizedKeysFile` (sshd_config(5)).
fn key_files(args: &ImportArgs, name: &str, home: &str) -> Vec<KeyFile> {
    let mut files = Vec::new();
    for pattern in key_patterns(args) {
        let path = expanded(pattern, name, home);
        let path = if path.starts_with('/') {
            path
        } else {
            format!("{home}/{path}")
        };
        let file = args.root.join(path.trim_start_matches('/'));
        let content = match read_bounded(&file, MAX_KEYS) {
            Ok(Some(content)) => Ok(content),
            Ok(None) => Err(format!("it is larger than {MAX_KEYS} bytes")),
            Err(error) if is_absent(&error) => continue,
            Err(error) => Err(error.to_string()),
        };
        let name = file.display().to_string();
        files.push(KeyFile { name, content });
    }
    files
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

fn expanded(pattern: &str, name: &str, home: &str) -> String {
    let mut path = String::new();
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        match (character, character == '%') {
            (_, false) => path.push(character),
            (_, true) => match characters.next() {
                Some('h') => path.push_str(home),
                Some('u') => path.push_str(name),
                Some('%') | None => path.push('%'),
                Some(other) => path.extend(['%', other]),
            },
        }
    }
    path
}

/// The bytes of a file, or of stdin.
fn contents(file: &Path, limit: u64) -> Result<Vec<u8>, AppError> {
    let read = if file == Path::new("-") {
        let mut bytes = Vec::new();
        let read = io::stdin().lock().take(limit + 1).read_to_end(&mut bytes);
        read.map(|_| (bytes.len() as u64 <= limit).then_some(bytes))
    } else {
        read_bounded(file, limit)
    };
    let cannot = |reason: &dyn std::fmt::Display| {
        AppError(format!("cannot read {}: {reason}", file.display()))
    };
    read.map_err(|error| cannot(&error))?
        .ok_or_else(|| cannot(&format!("it is larger than {limit} bytes")))
}

/// Opens a private copy: neither is the file changed, nor does the old server notice.
async fn read_sqlite(file: &Path, users_table: &str) -> Result<Import, AppError> {
    let cannot = |reason: &dyn std::fmt::Display| {
        AppError(format!("cannot read {}: {reason}", file.display()))
    };
    let directory = tempfile::tempdir().map_err(|error| cannot(&error))?;
    copy_database(file, directory.path()).map_err(|error| cannot(&error))?;
    let config = DataProviderConfig {
        driver: "sqlite".to_owned(),
        name: "copy.db".to_owned(),
        users_table: users_table.to_owned(),
        ..DataProviderConfig::default()
    };
    let (settings, _) = config
        .resolve(directory.path())
        .map_err(|issue| cannot(&issue.reason))?;
    let settings = DataProviderSettings {
        manage_users: true,
        ..settings
    };
    let opened = sftpgo_data::open(&settings, Vec::new()).await;
    let provider = opened.map_err(|error| cannot(&explained(&error)))?;
    let users = all_users(&*provider).await;
    DataProvider::close(&*provider).await;
    let users = users.map_err(|error| cannot(&error))?;
    // As in a dump, with the same report.
    let dump = serde_json::to_vec(&json!({ "users": users }));
    let dump = dump.map_err(|_| cannot(&"a secret in it is not in the form of the reference"))?;
    reference_dump(&dump, context()).map_err(|error| cannot(&error))
}

/// With what SQLite keeps beside the file, if the old server did not end in peace. The copies have modes of their own: one that
/// is read only could not be opened.
fn copy_database(file: &Path, directory: &Path) -> io::Result<()> {
    for suffix in ["", "-wal", "-journal"] {
        let mut from = file.as_os_str().to_owned();
        from.push(suffix);
        match File::open(from) {
            Ok(mut from) => {
                let mut to = File::create(directory.join(format!("copy.db{suffix}")))?;
                io::copy(&mut from, &mut to)?;
            }
            Err(error) if is_absent(&error) && !suffix.is_empty() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn explained(error: &DataError) -> String {
    if error.kind() == DataErrorKind::TooNew {
        return "it was written by a later version than 0.9.6: make a dump with the old server (`dumpdata`), and import \
                that with `sftpgo import reference-dump`"
            .to_owned();
    }
    error.to_string()
}

async fn all_users(provider: &dyn DataProvider) -> Result<Vec<UserRecord>, DataError> {
    let mut all: Vec<UserRecord> = Vec::new();
    loop {
        let query = UserQuery {
            limit: PAGE,
            after: all.last().map(|user| user.username.clone()),
            ..UserQuery::default()
        };
        let page = provider.users(&query).await?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}
