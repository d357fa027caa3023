//! A server without settings and accounts: one user, who gets what the flags name, until Ctrl-C (reference 15). Nothing is
//! left behind, and nothing is written into what is shared but what the user may upload.

mod advertise;
mod feed;
mod port;
mod ready;
mod screen;
mod settings;
mod shared;

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use sftpgo_core::model::{ExtensionFilter, FilesystemConfig};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use super::compose::App;
use super::signals::Signals;
use super::{AppError, process, supervise};
use crate::telemetry::LogHandle;

use advertise::Advertisement;
pub use feed::{Events, feed};
use ready::Ready;
use screen::Screen;
pub use shared::Shared;

/// What to share, with whom, and how.
#[derive(Debug)]
pub struct Share {
    /// The directories.
    pub shared: Shared,
    /// The store of the home.
    pub store: FilesystemConfig,
    /// Port to listen on; 0 takes a free one.
    pub port: u16,
    /// Address to listen on; `None` is every one.
    pub address: Option<IpAddr>,
    /// SSH commands; `*` stands for all.
    pub commands: Vec<String>,
    /// Name of the user.
    pub username: String,
    /// The password; `None` makes one up if there is no key either.
    pub password: Option<Zeroizing<String>>,
    /// Keys of the user, lines of `authorized_keys`.
    pub public_keys: Vec<String>,
    /// Names of permissions.
    pub permissions: Vec<String>,
    /// Which files may be used.
    pub filters: Vec<ExtensionFilter>,
    /// Private host keys; none makes some.
    pub host_keys: Vec<PathBuf>,
    /// Whether the local network hears of it.
    pub advertise: bool,
    /// Whether it hears name and password too.
    pub advertise_credentials: bool,
    /// File of the log; `None` logs nothing.
    pub log_file: Option<PathBuf>,
}

/// Where the password of the user comes from.
#[derive(Debug, Clone)]
enum Password {
    /// The operator gave it and knows it.
    Given(Zeroizing<String>),
    /// It was made up, so it must be shown.
    Made(Zeroizing<String>),
    /// Only keys log in.
    None,
}

/// Serves until it is told to stop; then running transfers get some seconds to end.
///
/// # Errors
/// The server could not start, or stopped by itself.
pub async fn run(share: Share, events: Events, log: LogHandle) -> Result<(), AppError> {
    let mut signals = Signals::install()
        .map_err(|error| AppError(format!("cannot install the signal handlers: {error}")))?;
    process::raise_open_files();
    let private = private_directory()?;
    let app = tokio::select! {
        started = start(&share, &private) => started?,
        () = supervise::stop_signal(&mut signals, &log, None) => return Ok(()),
    };
    let running = Running {
        share: &share,
        app: &app,
        log: &log,
    };
    let served = running.serve(&private, events, &mut signals).await;
    drop(private);
    served
}

/// A share that is served.
struct Running<'a> {
    share: &'a Share,
    app: &'a App,
    log: &'a LogHandle,
}

impl Running<'_> {
    async fn serve(
        &self,
        private: &TempDir,
        events: Events,
        signals: &mut Signals,
    ) -> Result<(), AppError> {
        let (share, app, log) = (self.share, self.app, self.log);
        let password = match add_user(share, app, private).await {
            Ok(password) => password,
            Err(error) => {
                supervise::stop(app, signals, log).await;
                return Err(error);
            }
        };
        let advertised = Advertisement::begin(share, app.ssh_address().port(), &password);
        let ready = Ready {
            share,
            password: &password,
            port: app.ssh_address().port(),
            fingerprints: app.fingerprints(),
            public_keys: app.host_keys(),
            advertised: advertised.as_ref(),
        };
        ready.print();
        let ended = CancellationToken::new();
        let screen = Screen::new(Arc::clone(app.core()), events);
        let screen = tokio::spawn(screen.run(ended.clone()));
        let result = tokio::select! {
            name = app.failed() => Err(AppError(format!("{name} stopped accepting connections"))),
            () = supervise::stop_signal(signals, log, Some((app, None))) => Ok(()),
        };
        if let Some(Ok(advertisement)) = advertised {
            advertisement.end().await;
        }
        supervise::stop(app, signals, log).await;
        ended.cancel();
        // It has nothing to fail with.
        let _ = screen.await;
        result
    }
}

/// For what the server needs and nobody shares: readable by its owner only, gone at the end.
fn private_directory() -> Result<TempDir, AppError> {
    let made = tempfile::Builder::new()
        .prefix("sftpgo-portable-")
        .tempdir();
    made.map_err(|error| {
        AppError(format!(
            "cannot make a directory below {}: {error}; set TMPDIR",
            std::env::temp_dir().display()
        ))
    })
}

/// A free port was free a moment ago: another one is tried if it is not any more.
async fn start(share: &Share, private: &TempDir) -> Result<App, AppError> {
    let mut result = Err(AppError("no free port".to_owned()));
    for port in port::candidates(share.port)? {
        let settings = settings::settings(share, port, private.path())?;
        result = App::start(&settings).await;
        let taken = result.is_err() && share.port == 0 && port::is_taken(settings.sftpd.bind);
        if !taken {
            break;
        }
    }
    result
}

async fn add_user(share: &Share, app: &App, private: &TempDir) -> Result<Password, AppError> {
    let password = match &share.password {
        Some(password) => Password::Given(password.clone()),
        None if share.public_keys.is_empty() => Password::Made(settings::new_password()?),
        None => Password::None,
    };
    let user = share.user(&password, &private.path().join("home"));
    let added = app.core().user_admin().add(user).await;
    added.map(|_| password).map_err(AppError::new)
}
