//! `sftpgo user`: the commands, on the data provider, with the rules of the REST API.

mod print;
mod record;

use std::io::Write as _;

use sftpgo_core::admin::{AdminError, AdminErrorKind, UserAdmin};
use sftpgo_core::data::{SortOrder, UserQuery};
use sftpgo_core::model::UserRecord;
use sftpgo_data::DataProvider;
use sftpgo_data::config::Driver;
use zeroize::Zeroizing;

use super::{AppError, provider};
use crate::cli::PasswordChoice;
use crate::cli::user::{ChangeArgs, Command};
use crate::config::Settings;

/// Users read at a time by `user list`.
const PAGE: u32 = 500;

/// Runs a `user` command against the data provider. A server may use the same database meanwhile.
///
/// # Errors
/// The data provider cannot be reached, or refuses the change.
pub async fn manage_users(settings: &Settings, command: Command) -> Result<(), AppError> {
    let settings = &settings.data_provider;
    if settings.driver == Driver::Memory {
        return Err(AppError::new(
            "the users of the memory data provider live in the running server only: manage them with its REST API, or \
             in the file of data_provider.name",
        ));
    }
    let provider = provider::open(settings).await?.provider;
    let directories = provider::directories(settings);
    let users = UserAdmin::new(provider.clone(), settings.manage_users, directories);
    let result = run(&users, command).await;
    DataProvider::close(&*provider).await;
    print(&result?)
}

/// Carries the command out; gives what to print.
async fn run(users: &UserAdmin, command: Command) -> Result<String, AppError> {
    match command {
        Command::Add(args) => add(users, *args).await,
        Command::Set(args) => set(users, *args).await,
        Command::Show(args) => {
            let user = users.by_name(&args.username).await.map_err(refused)?;
            if args.json {
                print::json(&user)
            } else {
                Ok(print::user(&user))
            }
        }
        Command::List(args) => {
            let list = all(users).await.map_err(refused)?;
            if args.json {
                print::json(&list)
            } else {
                Ok(print::list(&list))
            }
        }
        Command::Remove(args) => {
            let user = users.by_name(&args.username).await.map_err(refused)?;
            users.delete(user.id).await.map_err(refused)?;
            Ok(format!(
                "User {} removed; its files are still in {}\n",
                user.username, user.home_dir
            ))
        }
    }
}

async fn add(users: &UserAdmin, args: ChangeArgs) -> Result<String, AppError> {
    // Before a person types a password twice for nothing.
    match users.by_name(&args.username).await {
        Ok(_) => return Err(taken(&args.username)),
        Err(error) if error.kind() == AdminErrorKind::NotFound => {}
        Err(error) => return Err(refused(error)),
    }
    let mut user = record::new(&args)?;
    let choice = args.password.choice().unwrap_or(PasswordChoice::Ask);
    if let Some(password) = obtain(choice).await? {
        user.password = password.to_string();
    }
    let added = users.add(user).await.map_err(|error| {
        if error.kind() == AdminErrorKind::Duplicate {
            return taken(&args.username);
        }
        refused(error)
    })?;
    Ok(format!(
        "User {} added; its home is {}\n",
        added.username, added.home_dir
    ))
}

async fn set(users: &UserAdmin, args: ChangeArgs) -> Result<String, AppError> {
    let mut user = users
        .stored_by_name(&args.username)
        .await
        .map_err(refused)?;
    record::change(&mut user, &args)?;
    if let Some(choice) = args.password.choice() {
        let password = obtain(choice).await?;
        user.password = password
            .map(|password| password.to_string())
            .unwrap_or_default();
    }
    users.update(user).await.map_err(refused)?;
    Ok(format!("User {} changed\n", args.username))
}

async fn all(users: &UserAdmin) -> Result<Vec<UserRecord>, AdminError> {
    let mut all = Vec::new();
    loop {
        let query = UserQuery {
            limit: PAGE,
            offset: u32::try_from(all.len()).unwrap_or(u32::MAX),
            order: SortOrder::Ascending,
            ..UserQuery::default()
        };
        let page = users.list(&query).await?;
        let last = page.len() < PAGE as usize;
        all.extend(page);
        if last {
            return Ok(all);
        }
    }
}

/// Waits for a person: off the threads of the runtime.
async fn obtain(choice: PasswordChoice) -> Result<Option<Zeroizing<String>>, AppError> {
    let obtained = tokio::task::spawn_blocking(move || choice.obtain()).await;
    obtained.map_err(AppError::new)?.map_err(AppError::new)
}

fn taken(username: &str) -> AppError {
    AppError(format!(
        "user {username:?} exists already; change it with `sftpgo user set`"
    ))
}

fn refused(error: AdminError) -> AppError {
    AppError::new(error)
}

fn print(text: &str) -> Result<(), AppError> {
    let mut stdout = std::io::stdout().lock();
    let written = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
    written.map_err(|error| AppError(format!("cannot write the result: {error}")))
}
