//! The sessions that are open, and closing one (`/api/v1/connection`).

use http::Method;
use serde::{Deserialize, Serialize};

use crate::call::Call;
use crate::client::Client;
use crate::error::ClientError;

/// A session that is open (reference 11.5). What a client chose itself, such as its version, may hold anything.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Connection {
    /// Whose it is.
    pub username: String,
    /// The same for all sessions of a connection.
    pub connection_id: String,
    /// What the client calls itself.
    pub client_version: String,
    /// Address and port.
    pub remote_address: String,
    /// Milliseconds since 1970.
    pub connection_time: i64,
    /// Milliseconds since 1970.
    pub last_activity: i64,
    /// `SFTP`, `SCP` or `SSH`.
    pub protocol: String,
    /// Transfers that are under way.
    pub active_transfers: Vec<Transfer>,
    /// What the client wants to be run; empty for SFTP.
    pub ssh_command: String,
}

/// A transfer that is under way.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Transfer {
    /// `upload` or `download`.
    pub operation_type: String,
    /// Milliseconds since 1970.
    pub start_time: i64,
    /// Bytes so far.
    pub size: u64,
    /// Milliseconds since 1970.
    pub last_activity: i64,
    /// The file, as the client sees it.
    pub path: String,
}

impl Client {
    /// The sessions that are open, the oldest first.
    ///
    /// # Errors
    /// No answer, or a refusal.
    pub async fn connections(&self) -> Result<Vec<Connection>, ClientError> {
        self.value(Call::api(Method::GET, &["connection"])).await
    }

    /// Closes a connection with all its sessions.
    ///
    /// # Errors
    /// `NotFound` if there is none of that id.
    pub async fn close_connection(&self, id: &str) -> Result<(), ClientError> {
        let call = Call::api(Method::DELETE, &["connection", id]);
        let absent = format!("there is no connection {id:?}: `sftpgo connections list` shows all");
        self.done(call.about(absent)).await
    }
}
