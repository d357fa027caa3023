//! `sftpgo quota`: counting the files of users of a running server anew.

use std::time::Duration;

use sftpgo_client::{Client, ClientSettings, QuotaScan, Started};
use sftpgo_core::model::UserRecord;
use tokio::time::{Instant, sleep};

use super::refused;
use crate::app::AppError;
use crate::app::output::{Table, json, local_time, plain, print, size};
use crate::app::target::client;
use crate::cli::Format;
use crate::cli::quota::{Command, ScanArgs};

/// How often a scan is looked at.
const INTERVAL: Duration = Duration::from_millis(500);

/// Runs a `quota` command.
///
/// # Errors
/// The server cannot be asked, or refuses; a scan that is waited for takes too long, or has no result.
pub async fn manage_quota(server: ClientSettings, command: Command) -> Result<(), AppError> {
    let client = client(server).await?;
    match command {
        Command::Scans(args) => {
            let scans = client.quota_scans().await.map_err(refused)?;
            print(&match args.output.format() {
                Format::Table => table(&scans).text(),
                Format::Json => json(&scans)?,
            })
        }
        Command::Scan(args) => scan(&client, &args).await,
    }
}

fn table(scans: &[QuotaScan]) -> Table<2> {
    let mut table = Table::new(["USERNAME", "SINCE"]);
    for scan in scans {
        table.row([scan.username.clone(), local_time(scan.start_time)]);
    }
    table
}

async fn scan(client: &Client, args: &ScanArgs) -> Result<(), AppError> {
    let shown = plain(&args.username);
    let counted = |user: Option<UserRecord>| user.map_or(0, |user| user.last_quota_update);
    let before = counted(user(client, args).await?);
    let started = client.start_quota_scan(&args.username).await;
    match (started.map_err(refused)?, args.wait) {
        (Started::Now, false) => {
            return print(&format!("The files of {shown} are being counted\n"));
        }
        (Started::Before, false) => {
            return Err(AppError(format!(
                "the files of {shown} are being counted already: --wait waits for the end"
            )));
        }
        (Started::Now | Started::Before, true) => {}
    }
    wait(client, args).await?;
    let user = user(client, args).await?;
    let Some(user) = user.filter(|user| user.last_quota_update > before) else {
        return Err(AppError(format!(
            "the files of {shown} were not counted: the log of the server says why"
        )));
    };
    let (files, bytes) = (user.used_quota_files, size(user.used_quota_size));
    print(&format!("{shown} has {files} files of {bytes}\n"))
}

async fn user(client: &Client, args: &ScanArgs) -> Result<Option<UserRecord>, AppError> {
    client.user(&args.username).await.map_err(refused)
}

async fn wait(client: &Client, args: &ScanArgs) -> Result<(), AppError> {
    let deadline = Instant::now() + Duration::from_secs(args.timeout);
    loop {
        let scans = client.quota_scans().await.map_err(refused)?;
        if scans.iter().all(|scan| scan.username != args.username) {
            return Ok(());
        }
        if Instant::now() + INTERVAL > deadline {
            return Err(AppError(format!(
                "the files of {} are still being counted after {} s: the scan goes on, and `sftpgo quota scans` shows it \
                 (--timeout waits longer)",
                plain(&args.username),
                args.timeout
            )));
        }
        sleep(INTERVAL).await;
    }
}
