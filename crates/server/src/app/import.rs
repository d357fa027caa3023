//! `sftpgo import`: what [`sftpgo_import`] makes of files goes through [`UserAdmin`], with the rules of the REST API.

mod host_keys;
mod plan;
mod print;
mod source;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sftpgo_core::admin::UserAdmin;
use sftpgo_core::auth::check_stored_hash;
use sftpgo_data::config::{DataProviderSettings, Driver};
use sftpgo_data::{DataProvider, MemoryProvider};
use sftpgo_import::{Context, Import};

use super::{AppError, provider};
use crate::cli::import::{ImportArgs, ImportSource};
use crate::config::Settings;
use plan::Planned;

/// Imports users and host keys, or says what that would do. One that cannot be imported does not stop the others.
///
/// # Errors
/// The source or the data provider cannot be read, or one of the users or keys cannot be imported.
pub async fn import(settings: &Settings, args: ImportArgs) -> Result<(), AppError> {
    check(&args)?;
    let args = Arc::new(args);
    let (users, notes) = if args.source == ImportSource::HostKeys {
        (Vec::new(), Vec::new())
    } else {
        let import = import_users(&settings.data_provider, &args).await?;
        (import.0, import.1)
    };
    let directories = host_key_directories(&args);
    let (sftpd, options) = (settings.sftpd.host_keys.clone(), Arc::clone(&args));
    let keys = tokio::task::spawn_blocking(move || {
        host_keys::take_along(&directories, &sftpd, options.force, options.dry_run)
    });
    let keys = keys.await.map_err(AppError::new)??;
    let report = print::Report {
        dry_run: args.dry_run,
        users: &users,
        notes: &notes,
        keys: &keys,
    };
    say(&if args.json {
        report.json()?
    } else {
        report.text()
    })?;
    let failed = users.iter().filter(|user| user.failed()).count();
    let failed_keys = keys.iter().filter(|key| key.failed()).count();
    match (failed, failed_keys) {
        (0, 0) => Ok(()),
        (0, keys) => Err(AppError(format!("{keys} host keys cannot be taken along"))),
        (users, 0) => Err(AppError(format!("{users} users cannot be imported"))),
        (users, keys) => Err(AppError(format!(
            "{users} users and {keys} host keys cannot be imported"
        ))),
    }
}

/// What would fail for every user is told once.
fn check(args: &ImportArgs) -> Result<(), AppError> {
    if args.min_uid > args.max_uid {
        return Err(AppError::new("--min-uid is greater than --max-uid"));
    }
    if args.home_base.as_deref().is_some_and(Path::is_relative) {
        return Err(AppError::new("--home-base must be an absolute path"));
    }
    Ok(())
}

fn host_key_directories(args: &ImportArgs) -> Vec<PathBuf> {
    let mut directories = args.host_keys.clone();
    if args.source == ImportSource::HostKeys {
        directories.extend(args.files.iter().cloned());
    }
    directories
}

async fn import_users(
    data: &DataProviderSettings,
    args: &Arc<ImportArgs>,
) -> Result<(Vec<Planned>, Vec<sftpgo_import::Note>), AppError> {
    if data.driver == Driver::Memory {
        return Err(AppError::new(
            "the users of the memory data provider live in the running server only: import into a database with other \
             settings, and use `sftpgo dump` for the file of data_provider.name",
        ));
    }
    if !data.manage_users {
        return Err(AppError::new(
            "data_provider.manage_users is 0: accounts are managed elsewhere, and nothing can be imported",
        ));
    }
    let Import {
        users: found,
        notes,
    } = source::read(args).await?;
    let provider = target(data, args.dry_run).await?;
    let directories = provider::directories(data);
    let users = UserAdmin::new(Arc::clone(&provider), data.manage_users, directories);
    let planned = plan::carry_out(&users, found, args).await;
    DataProvider::close(&*provider).await;
    Ok((planned?, notes))
}

/// The data provider that users go into. To show what would be done, no database is made and no schema changed.
async fn target(
    data: &DataProviderSettings,
    dry_run: bool,
) -> Result<Arc<dyn DataProvider>, AppError> {
    if !dry_run {
        return Ok(provider::open(data).await?.provider);
    }
    let file = data
        .file
        .as_deref()
        .filter(|_| data.connection_string.is_none());
    if file.is_some_and(|file: &Path| !file.exists()) {
        let empty = MemoryProvider::with_users(Vec::new()).map_err(AppError::new)?;
        return Ok(Arc::new(empty));
    }
    let unchanged = DataProviderSettings {
        manage_users: false,
        ..data.clone()
    };
    Ok(provider::open(&unchanged).await?.provider)
}

/// What sources are told of this server.
fn context() -> Context<'static> {
    Context {
        now: jiff::Timestamp::now().as_millisecond(),
        check_hash: &check_stored_hash,
    }
}

fn say(text: &str) -> Result<(), AppError> {
    let mut stdout = std::io::stdout().lock();
    let written = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
    written.map_err(|error| AppError(format!("cannot write the result: {error}")))
}
