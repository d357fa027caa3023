//! What becomes of each user of a source.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use sftpgo_core::admin::{AdminError, AdminErrorKind, UserAdmin};
use sftpgo_core::model::UserRecord;
use sftpgo_import::{Found, Note};

use crate::app::AppError;
use crate::cli::import::{Existing, ImportArgs};

/// Fields that belong to the server, not to whoever writes a record.
const OF_THE_SERVER: [&str; 5] = [
    "id",
    "used_quota_size",
    "used_quota_files",
    "last_quota_update",
    "last_login",
];

/// What is done with a user, or would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    /// It is new.
    Add,
    /// These fields change.
    Change(Vec<String>),
    /// It is there as the source has it.
    Same,
    /// It is there, and stays as it is.
    Keep,
    /// It is not imported, for this reason.
    Cannot(String),
}

/// A user of the source.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) name: String,
    pub(super) action: Action,
    /// As it is or would be stored.
    pub(super) user: Option<UserRecord>,
    pub(super) notes: Vec<Note>,
}

impl Planned {
    pub(super) fn failed(&self) -> bool {
        matches!(self.action, Action::Cannot(_))
    }
}

/// Imports the users one after the other, or finds out what that would do.
///
/// # Errors
/// The data provider does not answer, or `--only` names somebody who is not there.
pub(super) async fn carry_out(
    users: &UserAdmin,
    found: Vec<Found>,
    args: &ImportArgs,
) -> Result<Vec<Planned>, AppError> {
    let missing = |name: &&String| !found.iter().any(|user| user.name == **name);
    if let Some(name) = args.only.iter().find(missing) {
        return Err(AppError(format!(
            "--only {name:?}: there is no such user in the source"
        )));
    }
    let mut seen = BTreeSet::new();
    let mut planned = Vec::new();
    for user in found {
        if !args.only.is_empty() && !args.only.contains(&user.name) {
            continue;
        }
        let is_first = seen.insert(user.name.clone());
        planned.push(one(users, user, is_first, args).await?);
    }
    Ok(planned)
}

async fn one(
    users: &UserAdmin,
    found: Found,
    is_first: bool,
    args: &ImportArgs,
) -> Result<Planned, AppError> {
    let Found { name, user, notes } = found;
    let user = match user {
        Ok(_) if !is_first => {
            Err("another user of this name stands before it in the source".into())
        }
        Ok(user) => with_home(user, args.home_base.as_deref()),
        Err(reason) => Err(reason),
    };
    let (action, user) = match user {
        Ok(user) => match import(users, user, args).await {
            Ok((action, user)) => (action, Some(user)),
            // It would be the same for all that follow, after a wait each.
            Err(error) if error.kind() == AdminErrorKind::Unavailable => {
                return Err(AppError::new(error));
            }
            Err(error) => (Action::Cannot(error.to_string()), None),
        },
        Err(reason) => (Action::Cannot(reason), None),
    };
    Ok(Planned {
        name,
        action,
        user,
        notes,
    })
}

fn with_home(user: UserRecord, base: Option<&Path>) -> Result<UserRecord, String> {
    let Some(base) = base else {
        return Ok(user);
    };
    let name = user.username.as_str();
    if matches!(name, "" | "." | "..") || name.contains(['/', '\\', '\0']) {
        return Err("its name cannot be that of a directory below --home-base".into());
    }
    let home = base.join(name).to_str().map(str::to_owned);
    let home_dir = home.ok_or("--home-base is not UTF-8")?;
    Ok(UserRecord { home_dir, ..user })
}

async fn import(
    users: &UserAdmin,
    user: UserRecord,
    args: &ImportArgs,
) -> Result<(Action, UserRecord), AdminError> {
    let (stored, prepared) = users.preview(user).await?;
    let Some(stored) = stored else {
        if !args.dry_run {
            users.add(prepared.clone()).await?;
        }
        return Ok((Action::Add, prepared));
    };
    match args.existing {
        Existing::Keep => return Ok((Action::Keep, stored)),
        Existing::Fail => {
            let reason = "it exists already (--existing says what becomes of those)";
            return Ok((Action::Cannot(reason.into()), stored));
        }
        Existing::Update => {}
    }
    let changed = changed_fields(&stored, &prepared);
    if changed.is_empty() {
        return Ok((Action::Same, stored));
    }
    let prepared = UserRecord {
        id: stored.id,
        ..prepared
    };
    if !args.dry_run {
        users.update(prepared.clone()).await?;
    }
    Ok((Action::Change(changed), prepared))
}

fn changed_fields(stored: &UserRecord, prepared: &UserRecord) -> Vec<String> {
    let fields = |user: &UserRecord| serde_json::to_value(user).unwrap_or_default();
    let (stored, prepared) = (fields(stored), fields(prepared));
    let (Value::Object(stored), Value::Object(prepared)) = (stored, prepared) else {
        // Both can be written: they are what is stored.
        return vec!["all".to_owned()];
    };
    let names: BTreeSet<&String> = stored.keys().chain(prepared.keys()).collect();
    let changed = names.into_iter().filter(|name| {
        !OF_THE_SERVER.contains(&name.as_str()) && stored.get(*name) != prepared.get(*name)
    });
    changed.cloned().collect()
}
