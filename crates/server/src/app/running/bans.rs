//! `sftpgo bans`: whom the defender of a running server keeps out.

use sftpgo_client::{ClientSettings, Host};

use super::refused;
use crate::app::AppError;
use crate::app::output::{Table, json, plain, print};
use crate::app::target::client;
use crate::cli::Format;
use crate::cli::bans::Command;

/// Runs a `bans` command.
///
/// # Errors
/// The server cannot be asked, or refuses.
pub async fn manage_bans(server: ClientSettings, command: Command) -> Result<(), AppError> {
    let client = client(server).await?;
    match command {
        Command::List(args) => {
            let mut hosts = client.hosts().await.map_err(refused)?;
            hosts.retain(|host| args.all || host.ban_time.is_some());
            hosts.sort_by(|one, other| (&other.ban_time, &one.ip).cmp(&(&one.ban_time, &other.ip)));
            print(&match args.output.format() {
                Format::Table => table(&hosts).text(),
                Format::Json => json(&hosts)?,
            })
        }
        Command::Remove(args) => {
            client.forgive(&args.address).await.map_err(refused)?;
            let address = plain(&args.address);
            print(&format!(
                "{address} may connect again, and its points are forgotten\n"
            ))
        }
    }
}

fn table(hosts: &[Host]) -> Table<3> {
    let mut table = Table::new(["ADDRESS", "BANNED UNTIL", "POINTS"]);
    for host in hosts {
        let points = host.score.map(|score| score.to_string());
        table.row([
            host.ip.clone(),
            host.ban_time.clone().unwrap_or_default(),
            points.unwrap_or_default(),
        ]);
    }
    table
}
