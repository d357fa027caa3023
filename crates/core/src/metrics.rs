//! Counters of what happens, read by the metrics page. Plain atomics: counting never waits.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use sftpgo_model::LoginMethod;

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds one.
    pub fn increment(&self) {
        self.add(1);
    }

    /// Adds `amount`.
    pub fn add(&self, amount: u64) {
        self.0.fetch_add(amount, Ordering::Relaxed);
    }

    /// The value now.
    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A number that goes up and down.
#[derive(Debug, Default)]
pub struct Gauge(AtomicI64);

impl Gauge {
    /// Adds `amount`, which may be negative.
    pub fn add(&self, amount: i64) {
        self.0.fetch_add(amount, Ordering::Relaxed);
    }

    /// Sets the value.
    pub fn set(&self, value: i64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// The value now.
    pub fn value(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Attempts, successes and failures of a kind of login.
#[derive(Debug, Default)]
pub struct LoginCounters {
    /// Evaluations begun.
    pub attempts: Counter,
    /// Evaluations that ended in a login.
    pub ok: Counter,
    /// Evaluations that failed.
    pub failed: Counter,
}

impl LoginCounters {
    fn record(&self, ok: bool) {
        self.attempts.increment();
        if ok {
            self.ok.increment()
        } else {
            self.failed.increment()
        }
    }
}

/// Attempts, successes, failures and bytes of a direction of transfer.
#[derive(Debug, Default)]
pub struct TransferCounters {
    /// Transfers that ended well.
    pub completed: Counter,
    /// Transfers that failed.
    pub failed: Counter,
    /// Bytes of both.
    pub bytes: Counter,
}

/// The metrics of reference section 13 that exist without a front end.
#[derive(Debug, Default)]
pub struct Metrics {
    /// 1 while the data provider answers.
    pub provider_available: Gauge,
    /// Sessions that are open.
    pub active_connections: Gauge,
    /// Logged-in sessions on all servers that share the data provider.
    pub cluster_sessions: Gauge,
    /// Running transfers on all of them.
    pub cluster_transfers: Gauge,
    /// Uploads.
    pub uploads: TransferCounters,
    /// Downloads.
    pub downloads: TransferCounters,
    /// SSH commands that ended well.
    pub ssh_commands: Counter,
    /// SSH commands that failed.
    pub ssh_command_errors: Counter,
    /// Every login.
    pub logins: LoginCounters,
    /// Password logins.
    pub password_logins: LoginCounters,
    /// Public key logins.
    pub public_key_logins: LoginCounters,
    /// Keyboard-interactive logins.
    pub keyboard_interactive_logins: LoginCounters,
    /// Connections that were closed without a byte: limits, penalties, bans.
    pub refused_connections: Counter,
    /// Connections that their clients closed before they identified themselves.
    pub probes: Counter,
    /// Bans of the defender.
    pub bans: Counter,
    /// Actions that were carried out, those included that failed.
    pub actions: Counter,
    /// Programs and URLs of actions that failed.
    pub action_errors: Counter,
    /// Actions that were not carried out: too many were waiting, or the server stopped.
    pub actions_dropped: Counter,
    /// What gates refused, or could not be asked about.
    pub gate_refusals: Counter,
}

impl Metrics {
    /// Counts one evaluated login attempt.
    pub fn record_login(&self, method: LoginMethod, ok: bool) {
        self.logins.record(ok);
        match method {
            LoginMethod::Password => self.password_logins.record(ok),
            LoginMethod::PublicKey => self.public_key_logins.record(ok),
            LoginMethod::KeyboardInteractive => self.keyboard_interactive_logins.record(ok),
        }
    }
}
