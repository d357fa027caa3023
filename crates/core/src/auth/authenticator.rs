//! [`Authenticator`]: what all attempts share. Accounts are looked up here, and results are counted, logged and told.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use sftpgo_model::LoginMethod;

use super::authentication::Authentication;
use super::error::{AuthError, LoginObserver, LoginOutcome};
use super::key::ForcedCommands;
use crate::engine::Core;
use crate::registry::ConnectionInfo;

/// Evaluates credentials.
#[derive(Debug, Clone)]
pub struct Authenticator {
    core: Arc<Core>,
    observer: Option<Arc<dyn LoginObserver>>,
    commands: Option<Arc<dyn ForcedCommands>>,
}

impl Authenticator {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self {
            core,
            observer: None,
            commands: None,
        }
    }

    /// The same, whose attempts `observer` is told of.
    #[must_use]
    pub fn observed_by(self, observer: Arc<dyn LoginObserver>) -> Self {
        let observer = Some(observer);
        Self { observer, ..self }
    }

    /// The same, for a front end that can run `commands` if a key or a certificate forces one. The others let nobody in.
    #[must_use]
    pub fn serving(self, commands: Arc<dyn ForcedCommands>) -> Self {
        let commands = Some(commands);
        Self { commands, ..self }
    }

    /// The authentication on a connection on which nothing was proved so far.
    pub fn begin(&self) -> Authentication {
        Authentication::new(self.clone())
    }

    /// The methods that there are on this server, whoever asks.
    pub fn offered(&self) -> Vec<LoginMethod> {
        let mut offered = vec![LoginMethod::PublicKey, LoginMethod::Password];
        if self.core.hooks.settings.keyboard_interactive.is_some() {
            offered.push(LoginMethod::KeyboardInteractive);
        }
        offered
    }

    /// Whether an attempt may wait for a hook.
    pub fn asks_hooks(&self) -> bool {
        self.core.hooks.are_there()
    }

    /// Drops what is known of the logins of an account that changed. A login is checked against what is stored then in any
    /// case; this only keeps less in memory.
    pub fn forget(&self, username: &str) {
        self.core.passwords.forget(username);
    }

    /// Writes the log line of a connection that failed before any credential was evaluated.
    pub fn log_untried(&self, info: &ConnectionInfo, error: &dyn fmt::Display) {
        // Sic: log filters of existing installations look for this spelling.
        log_failure(info, "", "no_auth_tryed", error);
        self.tell(info, None, LoginOutcome::Untried);
    }

    pub(super) fn core(&self) -> &Arc<Core> {
        &self.core
    }

    pub(super) fn commands(&self) -> Option<&dyn ForcedCommands> {
        self.commands.as_deref()
    }

    /// Counts and tells an attempt that logged somebody in.
    pub(super) fn succeeded(&self, tried: &Tried<'_>) {
        let Tried { info, method, .. } = *tried;
        let metrics = self.core.metrics();
        metrics.record_login(method, true, tried.begun.elapsed());
        self.tell(info, Some(method), LoginOutcome::LoggedIn);
    }

    /// Counts, logs and tells an attempt that failed.
    pub(super) fn failed(&self, tried: &Tried<'_>, error: &AuthError) {
        let Tried {
            info,
            username,
            method,
            begun,
        } = *tried;
        let metrics = self.core.metrics();
        metrics.record_login(method, false, begun.elapsed());
        if error.outcome() != LoginOutcome::Abandoned {
            log_failure(info, username, method.as_str(), error);
        }
        self.tell(info, Some(method), error.outcome());
    }

    fn tell(&self, info: &ConnectionInfo, method: Option<LoginMethod>, outcome: LoginOutcome) {
        if let Some(observer) = &self.observer {
            observer.ended(info, method, outcome);
        }
    }
}

/// An attempt, as far as it is counted and logged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tried<'a> {
    pub(super) info: &'a ConnectionInfo,
    pub(super) username: &'a str,
    pub(super) method: LoginMethod,
    pub(super) begun: Instant,
}

impl<'a> Tried<'a> {
    /// One that begins now.
    pub(super) fn now(info: &'a ConnectionInfo, username: &'a str, method: LoginMethod) -> Self {
        Self {
            info,
            username,
            method,
            begun: Instant::now(),
        }
    }
}

/// The line that ban tools such as fail2ban read; field order is part of the interface (reference 14.5).
fn log_failure(info: &ConnectionInfo, username: &str, login_type: &str, error: &dyn fmt::Display) {
    tracing::debug!(
        sender = "connection_failed",
        client_ip = %info.peer.ip().to_canonical(),
        username,
        login_type,
        error = %error,
    );
}
