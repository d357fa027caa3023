//! `/web/connections`: who is connected and what is moved, now. The script asks for the page again every few seconds.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Serialize;
use sftpgo_core::model::UnixMillis;
use sftpgo_core::registry::{ActiveTransfer, Connection, Direction};

use super::form::Form;
use super::page::{Page, Question};
use super::text;
use super::visit::{Done, Visit};
use super::{Admin, csrf};

/// Rows of the page: more than that nobody reads, and REST has them all.
const MAX_ROWS: usize = 500;

const CONNECTIONS: &str = "/web/connections";

#[derive(Serialize)]
struct List {
    rows: Vec<Row>,
    /// All of them, whether they are shown or not.
    total: usize,
    transfers: usize,
}

#[derive(Serialize)]
struct Row {
    id: String,
    username: String,
    protocol: &'static str,
    client: String,
    address: String,
    command: String,
    since: String,
    time: String,
    idle: Option<String>,
    transfers: Vec<Transfer>,
    /// Channels of the same connection: disconnecting one ends them all.
    channels: usize,
}

#[derive(Serialize)]
struct Transfer {
    label: &'static str,
    is_upload: bool,
    path: String,
    bytes: u64,
    started: i64,
    size: String,
    elapsed: String,
    /// The mean since it began; nothing before the first byte.
    speed: Option<String>,
}

impl Row {
    fn of(connection: &Connection, channels: usize, now: UnixMillis) -> Self {
        let mut transfers = connection.transfers();
        transfers.sort_by_key(|transfer| transfer.started);
        let idle = since(connection.last_activity(), now);
        Self {
            id: connection.info.id.clone(),
            username: connection.username.clone(),
            protocol: connection.protocol.as_str(),
            client: connection.info.client_version.clone(),
            address: connection.info.peer.to_string(),
            command: connection.command.clone(),
            since: text::local_time(connection.started),
            time: text::clock(since(connection.started, now)),
            idle: (idle.as_secs() >= 60).then(|| text::lasting(idle)),
            transfers: transfers
                .iter()
                .map(|transfer| Transfer::of(transfer, now))
                .collect(),
            channels,
        }
    }
}

impl Transfer {
    fn of(transfer: &ActiveTransfer, now: UnixMillis) -> Self {
        let elapsed = since(transfer.started, now);
        let bytes = transfer.bytes();
        let (label, is_upload) = match transfer.direction {
            Direction::Upload => ("UL", true),
            Direction::Download => ("DL", false),
        };
        Self {
            label,
            is_upload,
            path: transfer.path.to_string(),
            bytes,
            started: transfer.started.0,
            size: text::size(bytes),
            elapsed: text::clock(elapsed),
            speed: (bytes > 0).then(|| speed(bytes, elapsed)),
        }
    }
}

/// `12.3 KB/s`, as the reference writes it.
fn speed(bytes: u64, elapsed: Duration) -> String {
    let millis = elapsed.as_millis().max(1);
    // Bytes in a millisecond are kilobytes in a second.
    let tenths = u128::from(bytes) * 10 / millis;
    format!("{}.{} KB/s", tenths / 10, tenths % 10)
}

fn since(time: UnixMillis, now: UnixMillis) -> Duration {
    let millis = now.0.saturating_sub(time.0);
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

/// `GET /web/connections`.
pub(super) async fn list(State(admin): State<Arc<Admin>>, headers: HeaderMap) -> Response {
    let visit = Visit::of(&headers);
    let page = Page {
        status: StatusCode::OK,
        title: "Connections",
        section: "connections",
        template: "connections.html",
    };
    let connections = admin.api.core.registry().connections();
    admin.show(&visit, &page, &listed(connections, UnixMillis::now()))
}

/// The oldest first.
fn listed(mut connections: Vec<Arc<Connection>>, now: UnixMillis) -> List {
    let total = connections.len();
    let transfers = connections.iter().map(|open| open.transfer_count()).sum();
    let mut channels: HashMap<String, usize> = HashMap::new();
    for connection in &connections {
        *channels.entry(connection.info.id.clone()).or_default() += 1;
    }
    connections.sort_by(|a, b| (a.started, &a.info.id).cmp(&(b.started, &b.info.id)));
    connections.truncate(MAX_ROWS);
    let rows = connections.iter().map(|connection| {
        let channels = channels.get(&connection.info.id).copied().unwrap_or(1);
        Row::of(connection, channels, now)
    });
    List {
        rows: rows.collect(),
        total,
        transfers,
    }
}

type ConnectionId = Result<Path<String>, PathRejection>;

impl Admin {
    fn connection(&self, id: ConnectionId) -> Option<Arc<Connection>> {
        let Path(id) = id.ok()?;
        let mut connections = self.api.core.registry().connections().into_iter();
        connections.find(|connection| connection.info.id == id)
    }

    fn say_gone(&self, visit: &Visit) -> Response {
        let text = "This connection is not open any more.";
        self.say(visit, "connections", StatusCode::NOT_FOUND, text)
    }
}

/// `GET /web/connection/{id}/disconnect`: asks first.
pub(super) async fn ask(
    State(admin): State<Arc<Admin>>,
    id: ConnectionId,
    headers: HeaderMap,
) -> Response {
    let visit = Visit::of(&headers);
    let Some(connection) = admin.connection(id) else {
        return admin.say_gone(&visit);
    };
    let (username, info) = (&connection.username, &connection.info);
    let question = Question {
        text: format!("Disconnect {username} from {}?", info.peer),
        detail: "Running transfers of this connection fail, with everything else that it has open. The client may \
                 connect again.",
        action: format!("/web/connection/{}/disconnect", info.id),
        button: "Disconnect",
        dangerous: true,
        back: CONNECTIONS,
        field: None,
    };
    admin.ask(&visit, "connections", &question)
}

/// `POST /web/connection/{id}/disconnect`.
pub(super) async fn disconnect(
    State(admin): State<Arc<Admin>>,
    id: ConnectionId,
    request: Request,
) -> Response {
    let visit = Visit::of(request.headers());
    let form = match Form::read(request, &admin.api.limits).await {
        Ok(form) => form,
        Err(problem) => return admin.say_problem(&visit, "connections", &problem),
    };
    if !admin.site.csrf.allows(&visit, form.sent_text(csrf::FIELD)) {
        return admin.say_stale(&visit, "connections");
    }
    let Some(connection) = admin.connection(id) else {
        return admin.say_gone(&visit);
    };
    let id = &connection.info.id;
    admin.api.core.registry().close(id);
    tracing::info!(sender = "httpd", connection_id = %id, "connection closed by an administrator");
    admin.done(CONNECTIONS, Done::Disconnected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_speed_is_in_kilobytes_a_second() {
        assert_eq!(speed(0, Duration::ZERO), "0.0 KB/s");
        assert_eq!(speed(12_345, Duration::from_secs(1)), "12.3 KB/s");
        assert_eq!(
            speed(5_000_000_000, Duration::from_secs(1)),
            "5000000.0 KB/s"
        );
    }
}
