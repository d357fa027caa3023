//! `sftpgo dump` and `sftpgo restore`: all accounts of the data provider, without a running server, or of one that runs. That
//! one reads and writes files of its own machine: what is in a dump does not travel.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sftpgo_client::Client;
use sftpgo_core::action::ActionSettings;
use sftpgo_core::admin::{
    AdminError, DumpFile, MakeDirectories, Restore, RestoreCounts, UserAdmin, UserDump,
};
use sftpgo_core::auth::KeyTrust;
use sftpgo_core::model::{RestoreOptions, ScanAfter, StoragePath, UserRecord};
use sftpgo_core::quota::{Quiet, ScanSummary};
use sftpgo_core::{Core, CoreParts, CoreSettings};
use sftpgo_data::config::{DataProviderSettings, Driver};
use sftpgo_data::dump::{Next, read_each};
use sftpgo_data::{DataProvider, DataResult};
use sftpgo_storage::registry::Backends;
use tokio::sync::mpsc;

use super::output::{plain, print};
use super::target::client;
use super::{AppError, Target, compose, provider};
use crate::config::Settings;

/// Largest dump that is restored, in bytes: some million users. It is read user by user.
const MAX_DUMP: u64 = 4 << 30;
/// Users that are read ahead of what is stored.
const READ_AHEAD: usize = 64;
/// For what is counted to be written.
const CLEAN_UP: Duration = Duration::from_secs(10);

/// Where a dump comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RestoreSource {
    /// Standard input.
    Stdin,
    /// A file.
    File(PathBuf),
}

/// Writes all users to `file`, or to stdout if that is `-`. A running server writes a file below its `httpd.backups_path`.
///
/// # Errors
/// The data provider cannot be read, or the file not be written; the server cannot be asked, or refuses.
pub async fn dump_users(target: Target, file: &Path, indented: bool) -> Result<(), AppError> {
    match target {
        Target::Provider(settings) => dump_provider(&settings, file, indented).await,
        Target::Server(server) => {
            let name = name_there(file, "dumps are written below its httpd.backups_path")?;
            let client = client(*server).await?;
            client.dump(name, indented).await.map_err(AppError::new)?;
            print(&format!(
                "The users are in {}, below httpd.backups_path of {}\n",
                plain(name),
                client.base()
            ))
        }
    }
}

/// The name of a file of the server, as it travels.
fn name_there<'a>(file: &'a Path, instead: &str) -> Result<&'a str, AppError> {
    if file == Path::new("-") {
        return Err(AppError(format!(
            "a running server never sends or takes a dump: name a file of the server instead of `-` ({instead})"
        )));
    }
    let name = file.to_str();
    name.ok_or_else(|| AppError(format!("{} is not UTF-8", file.display())))
}

async fn dump_provider(settings: &Settings, file: &Path, indented: bool) -> Result<(), AppError> {
    let data = &settings.data_provider;
    refuse_memory(data, "name it with --url, or use GET /api/v1/dumpdata")?;
    // Opening would make one, and an empty dump might take the place of a good one.
    if let Some(database) = data
        .file
        .as_ref()
        .filter(|_| data.connection_string.is_none())
        && !database.exists()
    {
        return Err(AppError(format!(
            "there is no database {} (data_provider.name, relative to --config-dir)",
            database.display()
        )));
    }
    let provider = provider::open(data).await?.provider;
    let directories = provider::directories(data);
    let users = UserAdmin::new(Arc::clone(&provider), data.manage_users, directories);
    let dump = users.dump(indented);
    let written = if file == Path::new("-") {
        to_stdout(dump).await
    } else {
        to_file(dump, file).await
    };
    DataProvider::close(&*provider).await;
    written
}

async fn to_stdout(mut dump: UserDump) -> Result<(), AppError> {
    while let Some(piece) = dump.next_piece().await.map_err(AppError::new)? {
        let mut stdout = io::stdout().lock();
        let written = stdout.write_all(&piece).and_then(|()| stdout.flush());
        written.map_err(|error| AppError(format!("cannot write to stdout: {error}")))?;
    }
    Ok(())
}

async fn to_file(dump: UserDump, file: &Path) -> Result<(), AppError> {
    let cannot = |error: &dyn std::fmt::Display| {
        AppError(format!("cannot write {}: {error}", file.display()))
    };
    // A link is the administrator's: what it leads to is written.
    let real = file.canonicalize();
    let real = real.or_else(|_| std::path::absolute(file));
    let real = real.map_err(|error| cannot(&error))?;
    let (Some(root), Some(name)) = (real.parent(), real.file_name()) else {
        return Err(cannot(&"it is no name of a file"));
    };
    let path = StoragePath::parse(name.as_encoded_bytes()).map_err(|error| cannot(&error))?;
    let to = DumpFile {
        root: root.to_owned(),
        path,
        directories: MakeDirectories::None,
    };
    let users = to.write(&Backends::new(), dump).await;
    let users = users.map_err(AppError::new)?;
    print(&format!("{users} users written to {}\n", file.display()))
}

/// Adds and updates the users of a dump. A file that is no dump changes nothing; the first user that cannot be stored ends
/// it, and those before it stay. A running server reads a file of its own machine.
///
/// # Errors
/// The dump cannot be read, or a user in it not be stored; the server cannot be asked, or refuses.
pub async fn restore_users(
    target: Target,
    source: RestoreSource,
    options: RestoreOptions,
) -> Result<(), AppError> {
    match target {
        Target::Provider(settings) => restore_provider(&settings, source, options).await,
        Target::Server(server) => {
            let file = match &source {
                RestoreSource::Stdin => Path::new("-"),
                RestoreSource::File(path) => path,
            };
            let name = name_there(file, "with its absolute path")?;
            let client = client(*server).await?;
            restore_there(&client, name, options).await
        }
    }
}

async fn restore_there(
    client: &Client,
    name: &str,
    options: RestoreOptions,
) -> Result<(), AppError> {
    let restored = client.restore(name, options).await;
    restored.map_err(AppError::new)?;
    let scans = match options.scan {
        ScanAfter::Nobody => "",
        ScanAfter::Everybody | ScanAfter::Limited => {
            "; files are being counted (`sftpgo quota scans`)"
        }
    };
    print(&format!(
        "The users of {} of {} are restored{scans}\n",
        plain(name),
        client.base()
    ))
}

async fn restore_provider(
    settings: &Settings,
    source: RestoreSource,
    options: RestoreOptions,
) -> Result<(), AppError> {
    let data = &settings.data_provider;
    refuse_memory(
        data,
        "it reads the file of data_provider.name when it starts, or name the server with --url, or use GET /api/v1/loaddata",
    )?;
    check(&source).await?;
    let core = Core::start(CoreParts {
        provider: provider::open(data).await?.provider,
        backends: Backends::new(),
        settings: CoreSettings {
            // As with `sftpgo user`: whoever runs a command knows what it does.
            actions: ActionSettings::default(),
            ..compose::core_settings(settings)
        },
        keys: KeyTrust::default(),
    });
    let mut restore = Restore::new(core.user_admin(), options);
    let result = restore_all(&mut restore, &source).await;
    let RestoreCounts {
        added,
        replaced,
        kept,
    } = restore.counts();
    let done = format!("{added} users added, {replaced} updated, {kept} left as they were");
    if options.scan != ScanAfter::Nobody {
        let scanned = core.scan_quotas(restore.into_scans(), Quiet::Alone).await;
        warn_of(&scanned);
    }
    core.stop(CLEAN_UP).await;
    match result {
        Ok(()) => print(&format!("{done}\n")),
        Err(error) => Err(AppError(format!("{error} ({done} before that)"))),
    }
}

/// Reads a file to its end, so that a mistake in it is known before anything is changed. What is no file can be read once
/// only.
async fn check(source: &RestoreSource) -> Result<(), AppError> {
    let RestoreSource::File(path) = source else {
        return Ok(());
    };
    if !path.is_file() {
        return Ok(());
    }
    let copy = source.clone();
    let reading = tokio::task::spawn_blocking(move || read(&copy, |_| Next::GoOn));
    reading.await.map_err(AppError::new)?
}

async fn restore_all(restore: &mut Restore, source: &RestoreSource) -> Result<(), AppError> {
    let (sender, mut users) = mpsc::channel::<UserRecord>(READ_AHEAD);
    let source = source.clone();
    let reading = tokio::task::spawn_blocking(move || {
        read(&source, |user| match sender.blocking_send(user) {
            Ok(()) => Next::GoOn,
            Err(_) => Next::Stop,
        })
    });
    while let Some(user) = users.recv().await {
        // Nobody waits for the reader then: more may never come.
        restore
            .user(user)
            .await
            .map_err(|error: AdminError| AppError::new(error))?;
    }
    reading.await.map_err(AppError::new)?
}

fn read(source: &RestoreSource, each: impl FnMut(UserRecord) -> Next) -> Result<(), AppError> {
    let (name, read): (_, DataResult<()>) = match source {
        RestoreSource::Stdin => ("stdin".to_owned(), read_each(io::stdin(), MAX_DUMP, each)),
        RestoreSource::File(path) => {
            let name = path.display().to_string();
            let file = File::open(path)
                .map_err(|error| AppError(format!("cannot open {name}: {error}")))?;
            (name, read_each(file, MAX_DUMP, each))
        }
    };
    read.map_err(|error| AppError(format!("{name}: {error}")))
}

fn refuse_memory(data: &DataProviderSettings, instead: &str) -> Result<(), AppError> {
    if data.driver == Driver::Memory {
        return Err(AppError(format!(
            "the users of the memory data provider live in the running server only: {instead}"
        )));
    }
    Ok(())
}

fn warn_of(scanned: &ScanSummary) {
    let mut stderr = io::stderr().lock();
    for reason in &scanned.reasons {
        // Nothing better can be done if the terminal is gone.
        let _ = writeln!(stderr, "Warning: the quota was not scanned: {reason}");
    }
    let more = scanned.failed.saturating_sub(scanned.reasons.len());
    if more > 0 {
        let _ = writeln!(
            stderr,
            "Warning: the quotas of {more} more users were not scanned"
        );
    }
}
