//! Live connections and transfers: what the connection list shows, what idle closing watches.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use sftpgo_model::{Protocol, UnixMillis, VirtualPath};
use tokio_util::sync::CancellationToken;

use crate::error::OpError;
use crate::metrics::Metrics;

/// Direction of a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Client to server.
    Upload,
    /// Server to client.
    Download,
}

impl Direction {
    /// `upload` or `download`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Upload => "upload",
            Self::Download => "download",
        }
    }
}

/// One open file of a connection.
#[derive(Debug)]
pub struct ActiveTransfer {
    /// Which way the bytes go.
    pub direction: Direction,
    /// What the client sees.
    pub path: VirtualPath,
    /// When it was opened.
    pub started: UnixMillis,
    bytes: AtomicU64,
    last_activity: AtomicI64,
    /// Until when the bandwidth limit holds bytes back.
    held_until: AtomicI64,
    metrics: Arc<Metrics>,
}

impl ActiveTransfer {
    pub(crate) fn new(direction: Direction, path: VirtualPath, metrics: Arc<Metrics>) -> Self {
        let now = UnixMillis::now();
        Self {
            metrics,
            direction,
            path,
            started: now,
            bytes: AtomicU64::new(0),
            last_activity: AtomicI64::new(now.0),
            held_until: AtomicI64::new(0),
        }
    }

    /// Notes `bytes` more.
    pub fn record(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.metrics.transfers(self.direction).passed.add(bytes);
        self.last_activity
            .store(UnixMillis::now().0, Ordering::Relaxed);
    }

    /// Bytes so far.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Notes that the account's bandwidth limit makes the client wait for that long: it does not idle meanwhile.
    pub(crate) fn hold(&self, time: Duration) {
        let millis = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        let until = UnixMillis::now().0.saturating_add(millis);
        self.held_until.fetch_max(until, Ordering::Relaxed);
    }

    /// When the last byte went through.
    pub fn last_activity(&self) -> UnixMillis {
        UnixMillis(self.last_activity.load(Ordering::Relaxed))
    }
}

/// What a front end knows of a connection before anybody logged in on it.
#[derive(Debug, Clone)]
pub struct ConnectionInfo {
    /// Unique name of the connection, hexadecimal.
    pub id: String,
    /// The client's address, after a PROXY header if there is one.
    pub peer: SocketAddr,
    /// The client's identification line.
    pub client_version: String,
    /// Cancelled when the connection must end: closed by an administrator, idle, server stopping.
    pub cancel: CancellationToken,
}

/// One session in the connection list: a channel of a connection that acts for a user.
#[derive(Debug)]
pub struct Connection {
    /// What the front end told.
    pub info: ConnectionInfo,
    /// For whom it acts.
    pub username: String,
    /// What it speaks.
    pub protocol: Protocol,
    /// The text of the exec request; empty for SFTP.
    pub command: String,
    /// When it was opened.
    pub started: UnixMillis,
    last_activity: AtomicI64,
    transfers: Mutex<HashMap<u64, Arc<ActiveTransfer>>>,
    next_transfer: AtomicU64,
    /// Changes that go on to their end, whatever becomes of the client.
    changes: AtomicUsize,
    metrics: Arc<Metrics>,
}

impl Connection {
    /// Notes that the client asked for something.
    pub fn touch(&self) {
        self.last_activity
            .store(UnixMillis::now().0, Ordering::Relaxed);
    }

    /// The later of the last request and the last byte of any transfer.
    pub fn last_activity(&self) -> UnixMillis {
        let own = UnixMillis(self.last_activity.load(Ordering::Relaxed));
        let transfers = self.transfers.lock();
        transfers
            .values()
            .map(|transfer| transfer.last_activity())
            .fold(own, Ord::max)
    }

    /// Until when some transfer is held back by a bandwidth limit; in the past if none is.
    fn held_until(&self) -> UnixMillis {
        let transfers = self.transfers.lock();
        let times = transfers
            .values()
            .map(|transfer| transfer.held_until.load(Ordering::Relaxed));
        UnixMillis(times.max().unwrap_or(0))
    }

    /// The open transfers.
    pub fn transfers(&self) -> Vec<Arc<ActiveTransfer>> {
        self.transfers.lock().values().cloned().collect()
    }

    /// Number of open transfers.
    pub fn transfer_count(&self) -> usize {
        self.transfers.lock().len()
    }

    /// Whether something is under way whose end the client wants to hear of: a transfer, or a change such as a rename, which
    /// takes its time in an object store.
    pub fn is_busy(&self) -> bool {
        self.is_changing() || self.transfer_count() > 0
    }

    fn is_changing(&self) -> bool {
        self.changes.load(Ordering::Acquire) > 0
    }

    /// Notes that a change has begun.
    pub(crate) fn begin_change(self: &Arc<Self>) -> ChangeGuard {
        self.changes.fetch_add(1, Ordering::AcqRel);
        ChangeGuard(Arc::clone(self))
    }

    /// Says why a file of this connection cannot be used further; the line of the transfer that has failed follows.
    pub(crate) fn log_failure(&self, cannot: &str, server_path: &str, error: &OpError) {
        tracing::info!(
            connection_id = self.info.id,
            username = self.username,
            file_path = server_path,
            "the file cannot be {cannot}: {error}"
        );
    }

    fn log(&self, verb: &str) {
        tracing::debug!(
            connection_id = self.info.id,
            username = self.username,
            "{} session {verb}, {} are open",
            self.protocol,
            self.metrics.active_connections.value()
        );
    }

    pub(crate) fn begin_transfer(
        self: &Arc<Self>,
        direction: Direction,
        path: VirtualPath,
    ) -> TransferGuard {
        let transfer = ActiveTransfer::new(direction, path, Arc::clone(&self.metrics));
        let transfer = Arc::new(transfer);
        self.metrics.transfers(direction).active.add(1);
        let key = self.next_transfer.fetch_add(1, Ordering::Relaxed);
        self.transfers.lock().insert(key, Arc::clone(&transfer));
        TransferGuard {
            connection: Arc::clone(self),
            key,
            transfer,
        }
    }
}

/// A change that is under way; dropping it says that it ended.
#[derive(Debug)]
pub(crate) struct ChangeGuard(Arc<Connection>);

impl Drop for ChangeGuard {
    fn drop(&mut self) {
        self.0.touch();
        self.0.changes.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Keeps a transfer in the list; dropping it takes the transfer out.
#[derive(Debug)]
pub(crate) struct TransferGuard {
    connection: Arc<Connection>,
    key: u64,
    pub(crate) transfer: Arc<ActiveTransfer>,
}

impl TransferGuard {
    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }
}

impl Drop for TransferGuard {
    fn drop(&mut self) {
        self.connection.transfers.lock().remove(&self.key);
        let metrics = &self.connection.metrics;
        metrics.transfers(self.transfer.direction).active.add(-1);
    }
}

/// All live sessions.
#[derive(Debug)]
pub struct Registry {
    metrics: Arc<Metrics>,
    connections: Mutex<HashMap<u64, Arc<Connection>>>,
    next: AtomicU64,
}

impl Registry {
    pub(crate) fn new(metrics: Arc<Metrics>) -> Self {
        Self {
            metrics,
            connections: Mutex::default(),
            next: AtomicU64::new(0),
        }
    }

    /// The sessions now, in no particular order.
    pub fn connections(&self) -> Vec<Arc<Connection>> {
        self.connections.lock().values().cloned().collect()
    }

    /// Ends every session of the connection with that id. `false` if there is none.
    pub fn close(&self, connection_id: &str) -> bool {
        let mut found = false;
        for connection in self.connections.lock().values() {
            if connection.info.id == connection_id {
                connection.info.cancel.cancel();
                found = true;
            }
        }
        found
    }

    /// Ends the connections whose client did nothing for `limit`.
    pub fn close_idle(&self, limit: Duration) {
        let limit = i64::try_from(limit.as_millis()).unwrap_or(i64::MAX);
        let now = UnixMillis::now().0;
        let mut newest: HashMap<String, (i64, CancellationToken, String)> = HashMap::new();
        // Channels of one connection keep each other alive: the newest activity of any of them counts.
        for connection in self.connections() {
            let seen = if connection.is_changing() {
                now
            } else {
                connection.last_activity().max(connection.held_until()).0
            };
            let entry = newest.entry(connection.info.id.clone()).or_insert_with(|| {
                (
                    seen,
                    connection.info.cancel.clone(),
                    connection.username.clone(),
                )
            });
            entry.0 = entry.0.max(seen);
        }
        for (id, (seen, cancel, username)) in newest {
            if now.saturating_sub(seen) > limit {
                tracing::info!(connection_id = %id, username, "idle connection closed");
                cancel.cancel();
            }
        }
    }

    pub(crate) fn register(
        self: &Arc<Self>,
        info: ConnectionInfo,
        username: String,
        protocol: Protocol,
        command: String,
    ) -> RegistryGuard {
        let now = UnixMillis::now();
        let connection = Arc::new(Connection {
            info,
            username,
            protocol,
            command,
            started: now,
            last_activity: AtomicI64::new(now.0),
            transfers: Mutex::default(),
            next_transfer: AtomicU64::new(0),
            changes: AtomicUsize::new(0),
            metrics: Arc::clone(&self.metrics),
        });
        let key = self.next.fetch_add(1, Ordering::Relaxed);
        self.connections.lock().insert(key, Arc::clone(&connection));
        self.metrics.active_connections.add(1);
        self.metrics.sessions.of(protocol).add(1);
        connection.log("opened");
        RegistryGuard {
            registry: Arc::clone(self),
            key,
            connection,
        }
    }
}

/// Keeps a session in the list; dropping it takes the session out.
#[derive(Debug)]
pub(crate) struct RegistryGuard {
    registry: Arc<Registry>,
    key: u64,
    pub(crate) connection: Arc<Connection>,
}

impl Drop for RegistryGuard {
    fn drop(&mut self) {
        self.registry.connections.lock().remove(&self.key);
        let metrics = &self.registry.metrics;
        metrics.active_connections.add(-1);
        metrics.sessions.of(self.connection.protocol).add(-1);
        self.connection.log("closed");
    }
}
