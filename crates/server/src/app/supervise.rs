//! `serve` as a process: from the first signal handler to the last.

use std::path::PathBuf;
use std::time::Duration;

use super::compose::App;
use super::signals::{Signal, Signals};
use super::systemd::ServiceManager;
use super::{AppError, process, welcome};
use crate::config::Settings;
use crate::telemetry::LogHandle;
use crate::version;

/// What running transfers get to end when the server stops.
pub(super) const DRAIN: Duration = Duration::from_secs(20);

/// What `serve` needs besides the settings.
#[derive(Debug)]
pub struct ServeOptions {
    /// The settings file that was used, for the log.
    pub settings_file: Option<PathBuf>,
    /// The log, for a signal that asks to begin a new file.
    pub log: LogHandle,
    /// Whether stdout is for people; if not, the log is written there.
    pub greet: bool,
    /// Who started the server, and what it opened for it.
    pub manager: ServiceManager,
}

/// Runs the server until it is told to stop.
///
/// # Errors
/// The server could not start, or stopped by itself.
pub async fn serve(mut settings: Settings, mut options: ServeOptions) -> Result<(), AppError> {
    let mut signals = Signals::install()
        .map_err(|error| AppError(format!("cannot install the signal handlers: {error}")))?;
    process::raise_open_files();
    // Storages give new files exact modes, so the umask of the process itself is left alone.
    settings
        .sftpd
        .umask
        .get_or_insert_with(process::current_umask);
    log_beginning(&options);
    let sockets = options.manager.take_sockets();
    let app = tokio::select! {
        started = App::start_on(&settings, sockets) => started?,
        () = stop_signal(&mut signals, &options.log, None) => {
            tracing::info!(sender = "service", "stopped while starting");
            return Ok(());
        }
    };
    welcome::greet(&app, &settings, &options).await;
    let manager = &options.manager;
    manager.ready(&app).await;
    let work = async {
        let running = Some((&app, Some(manager)));
        let ended = tokio::select! {
            name = app.failed() => Err(AppError(format!("{name} stopped accepting connections"))),
            () = stop_signal(&mut signals, &options.log, running) => Ok(()),
        };
        manager.stopping().await;
        stop(&app, &mut signals, &options.log).await;
        ended
    };
    tokio::select! {
        ended = work => ended,
        never = manager.keep_informed(&app) => match never {},
    }
}

fn log_beginning(options: &ServeOptions) {
    let file = options.settings_file.as_ref();
    let settings = file.map_or_else(
        || "built-in settings, there is no settings file".to_owned(),
        |path| format!("settings file {}", path.display()),
    );
    let version = version::full();
    tracing::info!(sender = "service", "starting SFTPGo {version}, {settings}");
}

/// Waits for a signal to stop, and does what other signals ask for meanwhile: of a server, once it runs, which tells its service manager. A
/// reload can take a while and does not hold up other signals.
pub(super) async fn stop_signal(
    signals: &mut Signals,
    log: &LogHandle,
    running: Option<(&App, Option<&ServiceManager>)>,
) {
    let mut reloading = None;
    // Asked for while one is running, which may have read the file already.
    let mut again = false;
    loop {
        let reloaded = async {
            match &mut reloading {
                Some(reload) => reload.await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            signal = signals.next() => match signal {
                Signal::Stop => return,
                Signal::Reload if reloading.is_some() => again = true,
                Signal::Reload => reloading = Some(Box::pin(reload_if_running(running))),
                Signal::RotateLog => {
                    log.rotate();
                    tracing::info!(sender = "service", "the log file was rotated on request");
                }
            },
            () = reloaded => {
                reloading = std::mem::take(&mut again).then(|| Box::pin(reload_if_running(running)));
            }
        }
    }
}

async fn reload_if_running(running: Option<(&App, Option<&ServiceManager>)>) {
    let Some((app, manager)) = running else {
        say_that_nothing_changes();
        return;
    };
    if let Some(manager) = manager {
        manager.reloading().await;
    }
    reload(app).await;
    if let Some(manager) = manager {
        manager.ready(app).await;
    }
}

async fn reload(app: &App) {
    let lists = app.reload_lists().await;
    let users = app.reload_users().await;
    let keys = app.reload_user_keys().await;
    let certificate = app.reload_certificate().await;
    if matches!(
        (&lists, &users, &keys, &certificate),
        (Ok(None), Ok(None), Ok(None), Ok(None))
    ) {
        say_that_nothing_changes();
    }
    match lists {
        Ok(Some(sizes)) => tracing::info!(
            sender = "service",
            "asked to reload; the safe list has {} entries, the block list {}",
            sizes.safe,
            sizes.blocked
        ),
        Ok(None) => {}
        Err(error) => tracing::error!(
            sender = "service",
            "asked to reload; the safe list and the block list stay as they were: {error}"
        ),
    }
    match users {
        Ok(Some(count)) => tracing::info!(
            sender = "service",
            "asked to reload; the {count} users of the data provider were read again"
        ),
        Ok(None) => {}
        Err(error) => tracing::error!(
            sender = "service",
            "asked to reload; the users stay as they were: {error}"
        ),
    }
    match keys {
        Ok(Some(read)) => tracing::info!(
            sender = "service",
            "asked to reload; authorities for certificates ({}) and revoked keys were read again",
            read.authorities
        ),
        Ok(None) => {}
        Err(error) => tracing::error!(
            sender = "service",
            "asked to reload; authorities for certificates and revoked keys stay as they were: {error}"
        ),
    }
    match certificate {
        Ok(Some(())) => tracing::info!(
            sender = "service",
            "asked to reload; certificate and key of HTTPS were read again"
        ),
        Ok(None) => {}
        Err(error) => tracing::error!(
            sender = "service",
            "asked to reload; certificate and key of HTTPS stay as they were: {error}"
        ),
    }
}

fn say_that_nothing_changes() {
    tracing::info!(
        sender = "service",
        "asked to reload; nothing in use can change without a restart"
    );
}

/// Stops the server; asked a second time, at once.
pub(super) async fn stop(app: &App, signals: &mut Signals, log: &LogHandle) {
    tracing::info!(
        sender = "service",
        "stopping; running transfers have {} seconds to end",
        DRAIN.as_secs()
    );
    let stopped = app.stop(DRAIN);
    tokio::pin!(stopped);
    tokio::select! {
        () = &mut stopped => {}
        () = stop_signal(signals, log, None) => {
            tracing::info!(sender = "service", "asked again to stop; ending every connection");
            app.end_connections();
            stopped.await;
        }
    }
    tracing::info!(sender = "service", "stopped");
}
