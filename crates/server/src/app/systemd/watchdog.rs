//! Signs of life for the service manager, sent only while every thread that serves connections still does its work, and the
//! line that `systemctl status` shows.

use std::collections::HashSet;
use std::convert::Infallible;
use std::time::Duration;

use sd_notify::NotifyState;

use super::ServiceManager;
use crate::app::compose::App;

/// How often the status line is looked at if nobody wants signs of life more often.
const PERIOD: Duration = Duration::from_secs(10);

impl ServiceManager {
    /// Sends signs of life for as long as it is polled, and keeps the status line current. A thread that is stuck costs the
    /// signs, and so, when the time of the watchdog is over, the process.
    pub(in crate::app) async fn keep_informed(&self, app: &App) -> Infallible {
        if self.notifier.is_none() {
            std::future::pending::<()>().await;
        }
        // sd_watchdog_enabled(3): every half of the time.
        let half = self.watchdog.map(|limit| limit / 2);
        let period = half.map_or(PERIOD, |half| half.min(PERIOD));
        let mut told = status(app);
        loop {
            if half.is_some() {
                match tokio::time::timeout(period, app.answers()).await {
                    Ok(()) => self.tell(&[NotifyState::Watchdog]).await,
                    Err(_) => tracing::warn!(
                        sender = "service",
                        "threads of the server do not answer; the service manager gets no sign of life"
                    ),
                }
            }
            tokio::time::sleep(period).await;
            let now = status(app);
            if now != told {
                self.tell(&[NotifyState::Status(&now)]).await;
                told = now;
            }
        }
    }
}

/// Where clients are served, and how many there are.
pub(super) fn status(app: &App) -> String {
    let sessions = app.core().registry().connections();
    let connections: HashSet<&str> = sessions.iter().map(|one| one.info.id.as_str()).collect();
    let transfers: usize = sessions.iter().map(|one| one.transfer_count()).sum();
    let http = app
        .http_address()
        .map_or_else(String::new, |address| format!(", HTTP on {address}"));
    format!(
        "serving SFTP on {}{http}; connections: {}, transfers: {transfers}",
        app.ssh_address(),
        connections.len()
    )
}
