//! The service manager, systemd or what speaks like it: it is told when the server is ready, reloads and stops, hears from it
//! that it is alive, and may have opened its sockets.
//!
//! Everything comes from the environment (`NOTIFY_SOCKET`, `WATCHDOG_USEC`, `LISTEN_FDS`). Without it nothing is told and no
//! socket is taken. Programs that the server starts get none of these variables (`core/src/program`).

mod notify;
mod sockets;
mod watchdog;

use std::time::Duration;

use sd_notify::NotifyState;

use self::notify::Notifier;
pub use self::sockets::InheritedSockets;
use super::AppError;
use super::compose::App;

/// What the service manager wants of this process.
#[derive(Debug)]
pub struct ServiceManager {
    notifier: Option<Notifier>,
    /// Without a sign of life for this long the service is ended and started anew.
    watchdog: Option<Duration>,
    sockets: InheritedSockets,
}

impl ServiceManager {
    /// Takes what the service manager gave this process. To be called once, as the first thing a server does: the inherited
    /// descriptors belong to the result.
    ///
    /// # Errors
    /// Sockets that are none, or that nothing here serves. A notification socket that cannot be used is only logged.
    pub fn of_process() -> Result<Self, AppError> {
        Ok(Self {
            sockets: InheritedSockets::of_process()?,
            notifier: Notifier::of_process(),
            watchdog: sd_notify::watchdog_enabled(),
        })
    }

    /// The sockets, which whoever calls first gets.
    pub(super) fn take_sockets(&mut self) -> InheritedSockets {
        std::mem::take(&mut self.sockets)
    }

    /// Clients are served from now on.
    pub(super) async fn ready(&self, app: &App) {
        let status = watchdog::status(app);
        self.tell(&[NotifyState::Ready, NotifyState::Status(&status)])
            .await;
    }

    /// A reload began. [`ready`](Self::ready) says that it is over.
    pub(super) async fn reloading(&self) {
        let mut states = vec![NotifyState::Reloading, NotifyState::Status("reloading")];
        // Since version 253 systemd compares it with the time of its request.
        states.extend(NotifyState::monotonic_usec_now());
        self.tell(&states).await;
    }

    /// The server ends, and nothing is wrong with that.
    pub(super) async fn stopping(&self) {
        let status = "stopping; running transfers may end";
        self.tell(&[NotifyState::Stopping, NotifyState::Status(status)])
            .await;
    }

    async fn tell(&self, states: &[NotifyState<'_>]) {
        if let Some(notifier) = &self.notifier {
            notifier.send(states).await;
        }
    }
}
