//! Starting the front end: what it needs, what it refuses to serve with, and its limits.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;
use sftpgo_core::Core;
use sftpgo_net::{AcceptLimits, Entrance, Listener, Server, Tls, TlsError};
use thiserror::Error;

use crate::admin::{Admin, Site, StatusInfo};
use crate::api::Api;
use crate::auth::Lock;
use crate::config::HttpdSettings;
use crate::connection;
use crate::front::Front;
use crate::guard::Guard;
use crate::metrics::HttpMetrics;
use crate::routes;

/// Why the front end does not start.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HttpError {
    /// The password file cannot be used. Serving without it would be worse than not serving.
    #[error("httpd.auth_user_file: {0}")]
    UserFile(String),
    /// The certificate cannot be used.
    #[error("httpd.certificate_file: {0}")]
    Certificate(String),
    /// The key cannot be used, or is not that of the certificate.
    #[error("httpd.certificate_key_file: {0}")]
    Key(String),
    /// A template or a static file of the operator cannot be used.
    #[error(
        "{setting}: {reason}; correct it, or name a directory that is not there to use the built-in files"
    )]
    UnusableFile {
        /// The full key.
        setting: &'static str,
        /// Which file, and what is wrong with it.
        reason: String,
    },
    /// The keys of forms need them.
    #[error("this system has no random numbers")]
    NoRandomNumbers,
}

impl From<TlsError> for HttpError {
    fn from(error: TlsError) -> Self {
        match error {
            TlsError::Certificate(reason) => Self::Certificate(reason),
            TlsError::Key(reason) => Self::Key(reason),
        }
    }
}

/// Which build answers; the reply of `GET /api/v1/version`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Version", deny_unknown_fields)]
pub struct VersionInfo {
    /// `0.9.6`.
    pub version: String,
    /// When it was built, or empty.
    pub build_date: String,
    /// What it was built from, or empty.
    pub commit_hash: String,
}

/// Bounds of the HTTP server; the default values are those of the reference (11.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HttpLimits {
    /// Connections at the same time.
    pub connections: usize,
    /// Bytes of the request line and all header fields.
    pub header_bytes: usize,
    /// Bytes of a request body.
    pub body_bytes: usize,
    /// From the first byte of a request to the end of its header, and again to the end of its body.
    pub read: Duration,
    /// For one response to be taken by the client.
    pub write: Duration,
    /// From one request to the next.
    pub idle: Duration,
    /// For a handler to come to its answer.
    pub handling: Duration,
    /// For the data provider to answer a health check.
    pub health: Duration,
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            connections: 512,
            header_bytes: 64 * 1024,
            body_bytes: 1024 * 1024,
            read: Duration::from_secs(60),
            write: Duration::from_secs(60),
            idle: Duration::from_secs(120),
            handling: Duration::from_secs(120),
            health: Duration::from_secs(5),
        }
    }
}

/// Serves the REST API on `listener` with the limits of the reference. Must be called on a runtime.
///
/// # Errors
/// See [`HttpFrontEnd::new`].
pub fn serve(
    core: Arc<Core>,
    settings: &HttpdSettings,
    version: VersionInfo,
    listener: Listener,
) -> Result<Server, HttpError> {
    Ok(HttpFrontEnd::new(core, settings, version)?.serve(listener))
}

/// The front end before it listens.
#[derive(Debug)]
pub struct HttpFrontEnd {
    core: Arc<Core>,
    backups_path: PathBuf,
    version: VersionInfo,
    limits: HttpLimits,
    lock: Option<Arc<Lock>>,
    tls: Option<Arc<Tls>>,
    site: Site,
    status: StatusInfo,
}

impl HttpFrontEnd {
    /// A front end with the default limits. Reads the password file, certificate and key that the settings name, and the
    /// operator's templates and static files; blocks.
    ///
    /// # Errors
    /// One of them cannot be used.
    pub fn new(
        core: Arc<Core>,
        settings: &HttpdSettings,
        version: VersionInfo,
    ) -> Result<Self, HttpError> {
        let user_file = settings.auth_user_file.clone();
        let lock = user_file.map(|path| Lock::open(path, &core));
        let lock = lock.transpose().map_err(HttpError::UserFile)?;
        let tls = settings.tls.clone();
        let tls = tls
            .map(|files| Tls::load(files, &["http/1.1"]))
            .transpose()?;
        let limits = HttpLimits::default();
        Ok(Self {
            core,
            backups_path: settings.backups_path.clone(),
            version,
            limits,
            lock: lock.map(Arc::new),
            tls: tls.map(Arc::new),
            site: Site::load(settings)?,
            status: StatusInfo::default(),
        })
    }

    /// Certificate and key, to be read again; `None` if HTTP is spoken in the clear.
    #[must_use]
    pub fn tls(&self) -> Option<&Arc<Tls>> {
        self.tls.as_ref()
    }

    /// Tells the status page what only the composed server knows.
    #[must_use]
    pub fn with_status(mut self, status: StatusInfo) -> Self {
        self.status = status;
        self
    }

    /// Replaces the limits.
    #[must_use]
    pub fn with_limits(mut self, limits: HttpLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Accepts connections on `listener` until the server is drained. Must be called on a runtime.
    pub fn serve(self, listener: Listener) -> Server {
        let limits = self.limits;
        let address = listener.local_addr();
        let metrics = Arc::new(HttpMetrics::default());
        let api = Api {
            users: self.core.user_admin(),
            core: self.core,
            backups_path: self.backups_path,
            version: self.version,
            metrics: Arc::clone(&metrics),
            limits,
        };
        let mut guard = Guard::for_listener(address);
        if self.lock.is_some() {
            guard = guard.with_password();
        }
        let api = Arc::new(api);
        let admin = Arc::new(Admin {
            api: Arc::clone(&api),
            site: self.site,
            status: self.status,
        });
        let router = routes::router(api, admin, self.lock);
        let mut front = Front::new(router, guard, metrics, limits);
        if self.tls.is_some() {
            front = front.over_tls();
        }
        let (front, tls) = (Arc::new(front), self.tls);
        let secured = if tls.is_some() { " with TLS" } else { "" };
        tracing::info!(
            sender = "httpd",
            "HTTP server listening on {address}{secured}"
        );
        // Nobody logs in on a connection here, and behind a proxy everybody has one address: one limit serves for all.
        let entrance = Entrance::new("http", AcceptLimits::number(limits.connections));
        sftpgo_net::serve(
            "http",
            listener,
            entrance,
            move |stream, peer, slot, end| {
                connection::run(Arc::clone(&front), tls.clone(), stream, peer, slot, end)
            },
        )
    }
}
