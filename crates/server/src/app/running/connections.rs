//! `sftpgo connections`: who is connected to a running server.

use sftpgo_client::{ClientSettings, Connection, Transfer};

use super::refused;
use crate::app::AppError;
use crate::app::output::{Table, json, local_time, plain, print, size};
use crate::app::target::client;
use crate::cli::Format;
use crate::cli::connections::Command;

/// Runs a `connections` command.
///
/// # Errors
/// The server cannot be asked, or refuses.
pub async fn manage_connections(server: ClientSettings, command: Command) -> Result<(), AppError> {
    let client = client(server).await?;
    match command {
        Command::List(args) => {
            let connections = client.connections().await.map_err(refused)?;
            print(&match args.output.format() {
                Format::Table => table(&connections).text(),
                Format::Json => json(&connections)?,
            })
        }
        Command::Close(args) => {
            client.close_connection(&args.id).await.map_err(refused)?;
            print(&format!("Connection {} closed\n", plain(&args.id)))
        }
    }
}

fn table(connections: &[Connection]) -> Table<8> {
    let mut table = Table::new([
        "ID",
        "USERNAME",
        "PROTOCOL",
        "ADDRESS",
        "CLIENT",
        "SINCE",
        "LAST ACTIVE",
        "DOING",
    ]);
    for connection in connections {
        table.row([
            connection.connection_id.clone(),
            connection.username.clone(),
            connection.protocol.clone(),
            connection.remote_address.clone(),
            connection.client_version.clone(),
            local_time(connection.connection_time),
            local_time(connection.last_activity),
            doing(connection),
        ]);
    }
    table
}

/// The transfers, or else the command.
fn doing(connection: &Connection) -> String {
    if connection.active_transfers.is_empty() {
        return connection.ssh_command.clone();
    }
    let transfers = connection.active_transfers.iter().map(transfer);
    transfers.collect::<Vec<_>>().join(", ")
}

fn transfer(transfer: &Transfer) -> String {
    let Transfer {
        operation_type,
        path,
        size: bytes,
        ..
    } = transfer;
    format!("{operation_type} {path} ({})", size(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_chose_stays_on_its_line() {
        let connection = Connection {
            connection_id: "1f".to_owned(),
            username: "alice".to_owned(),
            client_version: "SSH-2.0-\u{1b}]0;x\u{7}\n".to_owned(),
            active_transfers: vec![Transfer {
                operation_type: "upload".to_owned(),
                path: "/a\u{202e}b".to_owned(),
                size: 1500,
                ..Transfer::default()
            }],
            ssh_command: "scp -t /".to_owned(),
            ..Connection::default()
        };
        let text = table(&[connection]).text();
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(text.contains("upload /a\\u202eb (1.5 KB)"), "{text}");
        assert!(!text.contains('\u{1b}') && !text.contains("scp"), "{text}");
    }
}
