//! `sftpgo user`: the commands, on the data provider or a running server, with the rules of the REST API.

mod place;
mod record;
mod shown;

use sftpgo_client::NewPassword;
use sftpgo_core::model::UserRecord;
use zeroize::Zeroizing;

use super::output::{json, plain, print};
use super::{AppError, Target};
use crate::cli::user::{ChangeArgs, Command};
use crate::cli::{Format, PasswordChoice};
use place::Place;

/// Runs a `user` command. A server may use the same data provider meanwhile.
///
/// # Errors
/// The data provider or the server cannot be reached, or refuses the change.
pub async fn manage_users(target: Target, command: Command) -> Result<(), AppError> {
    let place = Place::open(target).await?;
    let result = run(&place, command).await;
    place.close().await;
    print(&result?)
}

/// Carries the command out; gives what to print.
async fn run(place: &Place, command: Command) -> Result<String, AppError> {
    match command {
        Command::Add(args) => add(place, *args).await,
        Command::Set(args) => set(place, *args).await,
        Command::Show(args) => {
            let user = there(place.find(&args.username).await?, &args.username)?;
            match args.output.format() {
                Format::Table => Ok(shown::user(&user)),
                Format::Json => json(&user),
            }
        }
        Command::List(args) => {
            let list = place.all().await?;
            match args.output.format() {
                Format::Table => Ok(shown::list(&list)),
                Format::Json => json(&list),
            }
        }
        Command::Remove(args) => {
            let user = there(place.find(&args.username).await?, &args.username)?;
            place.remove(&user).await?;
            let (name, home) = (plain(&user.username), plain(&user.home_dir));
            Ok(format!(
                "User {name} removed; its files are still in {home}\n"
            ))
        }
    }
}

async fn add(place: &Place, args: ChangeArgs) -> Result<String, AppError> {
    // Before a person types a password twice for nothing.
    if place.find(&args.username).await?.is_some() {
        return Err(taken(&args.username));
    }
    let mut user = record::new(&args)?;
    let choice = args.password.choice().unwrap_or(PasswordChoice::Ask);
    if let Some(password) = obtain(choice).await? {
        user.password = password.to_string();
    }
    let added = place.add(user).await?;
    let added = added.ok_or_else(|| taken(&args.username))?;
    match args.output.format() {
        Format::Table => {
            let (name, home) = (plain(&added.username), plain(&added.home_dir));
            Ok(format!("User {name} added; its home is {home}\n"))
        }
        Format::Json => json(&added),
    }
}

async fn set(place: &Place, args: ChangeArgs) -> Result<String, AppError> {
    let before = there(place.find_whole(&args.username).await?, &args.username)?;
    let mut after = before.clone();
    record::change(&mut after, &args)?;
    let password = match args.password.choice() {
        None => NewPassword::Kept,
        Some(choice) => obtain(choice)
            .await?
            .map_or(NewPassword::Removed, NewPassword::Set),
    };
    place.change(&before, after, password).await?;
    match args.output.format() {
        Format::Table => Ok(format!("User {} changed\n", plain(&args.username))),
        Format::Json => json(&there(place.find(&args.username).await?, &args.username)?),
    }
}

/// Waits for a person: off the threads of the runtime.
async fn obtain(choice: PasswordChoice) -> Result<Option<Zeroizing<String>>, AppError> {
    let obtained = tokio::task::spawn_blocking(move || choice.obtain()).await;
    obtained.map_err(AppError::new)?.map_err(AppError::new)
}

fn there(user: Option<UserRecord>, username: &str) -> Result<UserRecord, AppError> {
    let absent = || AppError(format!("Not found: username {username:?} does not exist"));
    user.ok_or_else(absent)
}

fn taken(username: &str) -> AppError {
    AppError(format!(
        "user {username:?} exists already; change it with `sftpgo user set`"
    ))
}
