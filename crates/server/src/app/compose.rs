//! [`App`]: every part of a running server, put together. A further front end is a row in [`App::start`].

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use sftpgo_core::action::ActionSettings;
use sftpgo_core::auth::{KeyTrust, Reloaded};
use sftpgo_core::defender::ListSizes;
use sftpgo_core::hook::LoginHooks;
use sftpgo_core::quota::QuotaTracking;
use sftpgo_core::{Core, CoreParts, CoreSettings, UploadMode};
use sftpgo_data::config::TrackQuota;
use sftpgo_http::{HttpError, HttpFrontEnd, ListenerInfo, StatusInfo, VersionInfo};
use sftpgo_net::{Listener, Server, Tls, Workers};
use sftpgo_ssh::SshFrontEnd;
use sftpgo_storage::registry::Backends;

use super::AppError;
use super::provider::{self, MemoryUsers, Opened};
use super::systemd::InheritedSockets;
use crate::config::Settings;
use crate::version;

/// For transfers whose client is gone to be cleaned up, and for what is counted to be written.
const CLEAN_UP: Duration = Duration::from_secs(10);
/// How often a stopping server looks for connections that have nothing left to finish.
const DRAIN_STEP: Duration = Duration::from_millis(50);

/// A running server. [`stop`](Self::stop) it: dropping it would leave its tasks running.
#[derive(Debug)]
pub struct App {
    core: Arc<Core>,
    memory: Option<MemoryUsers>,
    /// Outlives the clean-up of transfers, which runs on its threads.
    workers: Arc<Workers>,
    servers: Vec<Server>,
    ssh: SocketAddr,
    http: Option<SocketAddr>,
    tls: Option<Arc<Tls>>,
    fingerprints: Vec<String>,
    host_keys: Vec<String>,
}

struct Listeners {
    ssh: Listener,
    http: Option<Listener>,
}

impl App {
    /// Starts a server: binds first, so that a port in use changes nothing on disk, and serves last, so that the first
    /// client meets a complete server. Must be called on a runtime.
    ///
    /// # Errors
    /// The first part that cannot be had; nothing is left running then.
    pub async fn start(settings: &Settings) -> Result<Self, AppError> {
        Self::start_on(settings, InheritedSockets::default()).await
    }

    /// As [`start`](Self::start), on these sockets where there are some.
    ///
    /// # Errors
    /// Also a socket that must not be served with these settings.
    pub async fn start_on(
        settings: &Settings,
        sockets: InheritedSockets,
    ) -> Result<Self, AppError> {
        let listeners = bind(settings, sockets)?;
        let files = settings.sftpd.user_keys.clone();
        let keys = tokio::task::spawn_blocking(|| KeyTrust::load(files)).await;
        let keys = keys.map_err(AppError::new)?.map_err(AppError::new)?;
        let Opened { provider, memory } = provider::open_patiently(&settings.data_provider).await?;
        let core = Core::start(CoreParts {
            provider,
            backends: Backends::with(&settings.object_stores),
            settings: core_settings(settings),
            keys,
        });
        match Self::serve(settings, &core, listeners).await {
            Ok(app) => Ok(Self { memory, ..app }),
            Err(error) => {
                core.stop(CLEAN_UP).await;
                Err(error)
            }
        }
    }

    async fn serve(
        settings: &Settings,
        core: &Arc<Core>,
        listeners: Listeners,
    ) -> Result<Self, AppError> {
        let sftpd = settings.sftpd.clone();
        let ssh = tokio::task::spawn_blocking(move || SshFrontEnd::prepare(&sftpd)).await;
        let ssh = ssh.map_err(AppError::new)?.map_err(AppError::new)?;
        load_lists(core).await?;
        let http = match listeners.http {
            Some(listener) => {
                let (core, mut httpd) = (Arc::clone(core), settings.httpd.clone());
                httpd.bind = Some(listener.local_addr());
                let front_end = move || HttpFrontEnd::new(core, &httpd, version());
                let front_end = tokio::task::spawn_blocking(front_end).await;
                let front_end = front_end.map_err(AppError::new)?;
                let front_end = front_end.map_err(AppError::new)?;
                let status = status_info(&listeners.ssh, &listener, ssh.fingerprints());
                Some((front_end.with_status(status), listener))
            }
            None => None,
        };
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        let workers = Workers::start(threads).map_err(AppError::new)?;
        // From here on nothing can fail.
        let mut app = Self {
            core: Arc::clone(core),
            memory: None,
            workers,
            servers: Vec::new(),
            ssh: listeners.ssh.local_addr(),
            http: http.as_ref().map(|(_, listener)| listener.local_addr()),
            tls: http
                .as_ref()
                .and_then(|(front_end, _)| front_end.tls().cloned()),
            fingerprints: ssh.fingerprints().to_vec(),
            host_keys: ssh.public_keys().to_vec(),
        };
        let workers = Arc::clone(&app.workers);
        app.servers
            .push(ssh.serve(Arc::clone(core), listeners.ssh, workers));
        if let Some((front_end, listener)) = http {
            app.servers.push(front_end.serve(listener));
        }
        Ok(app)
    }

    /// What all connections share.
    #[must_use]
    pub fn core(&self) -> &Arc<Core> {
        &self.core
    }

    /// Reads the users of a data provider in memory again from its file; gives their number. `None` if there is no such
    /// file. Users who are logged in stay so; ids, used quotas and last logins are kept.
    ///
    /// # Errors
    /// The file cannot be read, or a user in it is not valid; then nothing changed.
    pub async fn reload_users(&self) -> Result<Option<usize>, AppError> {
        match &self.memory {
            Some(memory) => memory.reload().await,
            None => Ok(None),
        }
    }

    /// Reads the safe list and the block list of the defender again. `None` if there is none of them.
    ///
    /// # Errors
    /// A list cannot be used; then both stay as they were.
    pub async fn reload_lists(&self) -> Result<Option<ListSizes>, AppError> {
        load_lists(&self.core).await
    }

    /// Reads again whose certificates are believed, and what was revoked; `None` if no file says so. Who is logged in stays
    /// so.
    ///
    /// # Errors
    /// A file cannot be read or understood; then nothing changed.
    pub async fn reload_user_keys(&self) -> Result<Option<Reloaded>, AppError> {
        let core = Arc::clone(&self.core);
        let read = tokio::task::spawn_blocking(move || core.keys().reload()).await;
        read.map_err(AppError::new)?.map_err(AppError::new)
    }

    /// Reads certificate and key of HTTPS again, for new connections; `None` if HTTP is spoken in the clear.
    ///
    /// # Errors
    /// They cannot be used; then nothing changed.
    pub async fn reload_certificate(&self) -> Result<Option<()>, AppError> {
        let Some(tls) = self.tls.clone() else {
            return Ok(None);
        };
        let read = tokio::task::spawn_blocking(move || tls.reload()).await;
        let read = read.map_err(AppError::new)?.map_err(HttpError::from);
        read.map(Some).map_err(AppError::new)
    }

    /// Whether HTTP is served over TLS.
    #[must_use]
    pub fn has_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// Where SSH is served.
    #[must_use]
    pub fn ssh_address(&self) -> SocketAddr {
        self.ssh
    }

    /// Where HTTP is served.
    #[must_use]
    pub fn http_address(&self) -> Option<SocketAddr> {
        self.http
    }

    /// Type and fingerprint of each host key.
    #[must_use]
    pub fn fingerprints(&self) -> &[String] {
        &self.fingerprints
    }

    /// Comes back when every thread that serves connections has done something: a sign that none of them is stuck.
    pub async fn answers(&self) {
        // A failure is that of a runtime that ends.
        let _ = tokio::spawn(async {}).await;
        self.workers.all_answer().await;
    }

    /// The public half of each host key, as `known_hosts` has it behind the name of the host.
    #[must_use]
    pub fn host_keys(&self) -> &[String] {
        &self.host_keys
    }

    /// Waits until a front end stops accepting without having been told to; gives its name.
    pub async fn failed(&self) -> &'static str {
        let ends = self.servers.iter().map(|server| {
            Box::pin(async move {
                server.stopped().await;
                server.name()
            })
        });
        futures_util::future::select_all(ends).await.0
    }

    /// Stops accepting and gives running transfers and changes `limit` to end; connections without one end at once. Then
    /// writes what is counted and closes the data provider.
    pub async fn stop(&self, limit: Duration) {
        let drained = async {
            join_all(self.servers.iter().map(|server| server.drain(limit))).await;
        };
        tokio::select! {
            () = drained => {}
            never = self.end_idle_connections() => match never {},
        }
        self.core.stop(CLEAN_UP).await;
    }

    /// Ends every connection, and every action, now; for a [`stop`](Self::stop) that must not wait any longer.
    pub fn end_connections(&self) {
        self.core.give_up_actions();
        self.servers.iter().for_each(Server::end_connections);
    }

    /// A client that only keeps its connection open must not hold the stop. It is looked at twice: what has just ended may
    /// still have to be answered.
    async fn end_idle_connections(&self) -> std::convert::Infallible {
        let mut idle_before = HashSet::new();
        loop {
            let connections = self.core.registry().connections();
            let busy: HashSet<&str> = connections
                .iter()
                .filter(|connection| connection.is_busy())
                .map(|connection| connection.info.id.as_str())
                .collect();
            let mut idle = HashSet::new();
            for connection in &connections {
                let id = &connection.info.id;
                if busy.contains(id.as_str()) {
                    continue;
                }
                if idle_before.contains(id) {
                    connection.info.cancel.cancel();
                }
                idle.insert(id.clone());
            }
            idle_before = idle;
            tokio::time::sleep(DRAIN_STEP).await;
        }
    }
}

fn bind(settings: &Settings, sockets: InheritedSockets) -> Result<Listeners, AppError> {
    let open = |address, setting, socket| match socket {
        Some(socket) => Listener::inherit(socket).map_err(AppError::new),
        None => Listener::bind(address, setting).map_err(AppError::new),
    };
    let http = match (settings.httpd.bind, sockets.http) {
        (None, None) => None,
        (None, Some(_)) => {
            return Err(AppError::new(
                "the service manager passes a socket for HTTP, and httpd.bind_port is 0, which switches HTTP off: set \
                 httpd.bind_port, or disable the socket unit",
            ));
        }
        (Some(address), socket) => {
            let listener = open(address, "httpd.bind_port", socket)?;
            check_exposure(settings, &listener)?;
            Some(listener)
        }
    };
    Ok(Listeners {
        ssh: open(settings.sftpd.bind, "sftpd.bind_port", sockets.ssh)?,
        http,
    })
}

/// An inherited socket must not let everybody in where the settings would not: without a password HTTP is for loopback, unless
/// the settings, which were checked, have it elsewhere.
fn check_exposure(settings: &Settings, listener: &Listener) -> Result<(), AppError> {
    let is_local = |address: SocketAddr| address.ip().to_canonical().is_loopback();
    let address = listener.local_addr();
    let agreed = settings.httpd.bind.is_some_and(|bind| !is_local(bind));
    if is_local(address) || agreed || settings.httpd.auth_user_file.is_some() {
        return Ok(());
    }
    Err(AppError(format!(
        "refusing to serve the user management on {address}, the socket of the service manager, without a password: set \
         httpd.auth_user_file, or ListenStream= in the socket unit to an address of loopback"
    )))
}

async fn load_lists(core: &Core) -> Result<Option<ListSizes>, AppError> {
    let Some(defender) = core.defender().filter(|defender| defender.has_lists()) else {
        return Ok(None);
    };
    let defender = Arc::clone(defender);
    let loaded = tokio::task::spawn_blocking(move || defender.load_lists()).await;
    let sizes = loaded.map_err(AppError::new)?.map_err(AppError::new)?;
    Ok(Some(sizes))
}

fn status_info(ssh: &Listener, http: &Listener, host_keys: &[String]) -> StatusInfo {
    let listener = |name: &str, listener: &Listener| ListenerInfo {
        name: name.to_owned(),
        address: listener.local_addr().to_string(),
    };
    StatusInfo {
        listeners: vec![listener("SSH", ssh), listener("HTTP", http)],
        host_keys: host_keys.to_vec(),
        ..StatusInfo::default()
    }
}

fn version() -> VersionInfo {
    VersionInfo {
        version: version::VERSION.to_owned(),
        build_date: version::BUILD_DATE.unwrap_or_default().to_owned(),
        commit_hash: version::COMMIT.unwrap_or_default().to_owned(),
    }
}

pub(super) fn core_settings(settings: &Settings) -> CoreSettings {
    use sftpgo_ssh::config::UploadMode as Configured;
    let (sftpd, data) = (&settings.sftpd, &settings.data_provider);
    let defaults = CoreSettings::default();
    CoreSettings {
        upload_mode: match sftpd.upload_mode {
            Configured::Standard => UploadMode::Standard,
            Configured::Atomic => UploadMode::Atomic,
            Configured::AtomicResume => UploadMode::AtomicResume,
        },
        umask: sftpd.umask.map_or(defaults.umask, u32::from),
        ignore_setstat: sftpd.ignore_setstat,
        quota_tracking: match data.track_quota {
            TrackQuota::Off => QuotaTracking::Off,
            TrackQuota::Always => QuotaTracking::Always,
            TrackQuota::LimitedOnly => QuotaTracking::LimitedOnly,
        },
        manage_users: data.manage_users,
        users_base_dir: data.users_base_dir.clone(),
        credentials_dir: data.credentials_dir.clone(),
        idle_timeout: sftpd.idle_timeout,
        max_transfers_per_session: defaults.max_transfers_per_session,
        defender: settings.defender.clone(),
        login_hooks: LoginHooks {
            external_auth: data.external_auth.clone(),
            external_auth_scope: data.external_auth_scope.clone(),
            pre_login: data.pre_login.clone(),
            keyboard_interactive: sftpd.keyboard_interactive.clone(),
            limit: sftpd.limits.hooks,
        },
        actions: ActionSettings {
            files: sftpd.actions.clone(),
            users: data.actions.clone(),
            limits: sftpd.action_limits,
        },
    }
}
