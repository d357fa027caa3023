//! `/api/v1/connection`: the sessions that are open, and closing one.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;
use sftpgo_core::registry::{ActiveTransfer, Connection};

use super::Api;
use crate::problem::{ApiResult, Problem, acknowledged};
use crate::reply;

// Field order is the order of the JSON keys (reference 11.5).
/// A session that is open.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Connection", deny_unknown_fields)]
pub(crate) struct ConnectionView {
    /// Whose it is.
    username: String,
    /// The same for all sessions of a connection.
    connection_id: String,
    /// What the client calls itself.
    client_version: String,
    /// Address and port.
    remote_address: String,
    /// Milliseconds since 1970.
    connection_time: i64,
    /// Milliseconds since 1970.
    last_activity: i64,
    /// `SFTP`, `SCP` or `SSH`.
    protocol: &'static str,
    /// Never null.
    active_transfers: Vec<TransferView>,
    /// What the client wants to be run; empty for SFTP.
    ssh_command: String,
}

/// A transfer that is under way.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Transfer", deny_unknown_fields)]
pub(crate) struct TransferView {
    /// `upload` or `download`.
    operation_type: &'static str,
    /// Milliseconds since 1970.
    start_time: i64,
    /// Bytes so far.
    size: u64,
    /// Milliseconds since 1970.
    last_activity: i64,
    /// The file, as the client sees it.
    path: String,
}

impl From<&Connection> for ConnectionView {
    fn from(connection: &Connection) -> Self {
        let transfers = connection.transfers();
        let mut active_transfers: Vec<_> = transfers
            .iter()
            .map(|transfer| TransferView::from(&**transfer))
            .collect();
        active_transfers.sort_by_key(|transfer| transfer.start_time);
        Self {
            username: connection.username.clone(),
            connection_id: connection.info.id.clone(),
            client_version: connection.info.client_version.clone(),
            remote_address: connection.info.peer.to_string(),
            connection_time: connection.started.0,
            last_activity: connection.last_activity().0,
            protocol: connection.protocol.as_str(),
            active_transfers,
            ssh_command: connection.command.clone(),
        }
    }
}

impl From<&ActiveTransfer> for TransferView {
    fn from(transfer: &ActiveTransfer) -> Self {
        Self {
            operation_type: transfer.direction.as_str(),
            start_time: transfer.started.0,
            size: transfer.bytes(),
            last_activity: transfer.last_activity().0,
            path: transfer.path.to_string(),
        }
    }
}

/// The sessions that are open, the oldest first.
pub(crate) async fn list(State(api): State<Arc<Api>>) -> Response {
    let connections = api.core.registry().connections();
    let mut views: Vec<_> = connections
        .iter()
        .map(|connection| ConnectionView::from(&**connection))
        .collect();
    views.sort_by(|a, b| {
        (a.connection_time, &a.connection_id).cmp(&(b.connection_time, &b.connection_id))
    });
    reply::json(StatusCode::OK, &views)
}

/// Closes a connection with all its sessions.
pub(crate) async fn close(
    State(api): State<Arc<Api>>,
    id: Result<Path<String>, PathRejection>,
) -> ApiResult {
    let Path(id) = id.map_err(|_| Problem::bad_request("Invalid connectionID"))?;
    if api.core.registry().close(&id) {
        tracing::info!(sender = "httpd", connection_id = %id, "connection closed by an administrator");
        Ok(acknowledged("Connection closed"))
    } else {
        Err(Problem::message(StatusCode::NOT_FOUND, "Not Found"))
    }
}

/// The path ends where the id should be.
pub(crate) async fn without_id() -> Problem {
    Problem::bad_request("Invalid connectionID")
}
