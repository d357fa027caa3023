//! `/api/v1/connection`: the sessions that are open, and closing one.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use sftpgo_core::registry::{ActiveTransfer, Connection};

use super::Api;
use crate::problem::{ApiResult, Problem, acknowledged};
use crate::reply;

/// Field order is the order of the JSON keys (reference 11.5).
#[derive(Serialize)]
struct ConnectionView {
    username: String,
    connection_id: String,
    client_version: String,
    remote_address: String,
    connection_time: i64,
    last_activity: i64,
    protocol: &'static str,
    active_transfers: Vec<TransferView>,
    ssh_command: String,
}

#[derive(Serialize)]
struct TransferView {
    operation_type: &'static str,
    start_time: i64,
    size: u64,
    last_activity: i64,
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
