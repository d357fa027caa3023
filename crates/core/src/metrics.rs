//! Counters of what happens, read by the metrics page. Plain atomics: counting never waits.

pub mod histogram;

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use sftpgo_model::{LoginMethod, Protocol};
pub use sftpgo_storage::counters::Counter;

use crate::registry::Direction;
use histogram::{Histogram, LoginTime, TransferSize, TransferTime};

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

/// How long evaluations of one method took that came to their end.
#[derive(Debug, Default)]
pub struct LoginTimes {
    /// Those that ended in a login.
    pub ok: Histogram<LoginTime>,
    /// Those that failed.
    pub failed: Histogram<LoginTime>,
}

/// What is counted of a direction of transfer.
#[derive(Debug, Default)]
pub struct TransferCounters {
    /// Transfers that ended well.
    pub completed: Counter,
    /// Transfers that failed.
    pub failed: Counter,
    /// Bytes of both.
    pub bytes: Counter,
    /// Bytes as they pass, those of running transfers included.
    pub passed: Counter,
    /// Transfers that are running.
    pub active: Gauge,
    /// From the opening to the end, of those that ended well.
    pub times: Histogram<TransferTime>,
    /// Bytes of each that ended well.
    pub sizes: Histogram<TransferSize>,
}

impl TransferCounters {
    /// Counts a transfer that ended well.
    pub(crate) fn record_completed(&self, bytes: u64, time: Duration) {
        self.bytes.add(bytes);
        self.completed.increment();
        self.times.observe_time(time);
        self.sizes.observe(bytes);
    }

    /// Counts one that failed.
    pub(crate) fn record_failed(&self, bytes: u64) {
        self.bytes.add(bytes);
        self.failed.increment();
    }
}

/// Sessions that are open, by what they speak.
#[derive(Debug, Default)]
pub struct SessionGauges {
    /// SFTP subsystems.
    pub sftp: Gauge,
    /// SCP commands.
    pub scp: Gauge,
    /// Other SSH commands.
    pub ssh: Gauge,
}

impl SessionGauges {
    /// The sessions that speak this.
    pub fn of(&self, protocol: Protocol) -> &Gauge {
        match protocol {
            Protocol::Sftp => &self.sftp,
            Protocol::Scp => &self.scp,
            Protocol::Ssh => &self.ssh,
        }
    }
}

/// The metrics of reference section 13 that exist without a front end.
#[derive(Debug, Default)]
pub struct Metrics {
    /// 1 while the data provider answers.
    pub provider_available: Gauge,
    /// Sessions that are open.
    pub active_connections: Gauge,
    /// The same by protocol.
    pub sessions: SessionGauges,
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
    /// How long password logins took.
    pub password_times: LoginTimes,
    /// How long public key logins took.
    pub public_key_times: LoginTimes,
    /// How long keyboard-interactive logins took, whoever answers included.
    pub keyboard_interactive_times: LoginTimes,
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
    /// What is counted of the transfers that go that way.
    pub fn transfers(&self, direction: Direction) -> &TransferCounters {
        match direction {
            Direction::Upload => &self.uploads,
            Direction::Download => &self.downloads,
        }
    }

    /// Counts one evaluated login attempt, which took that long.
    pub(crate) fn record_login(&self, method: LoginMethod, ok: bool, time: Duration) {
        self.logins.record(ok);
        let (counters, times) = match method {
            LoginMethod::Password => (&self.password_logins, &self.password_times),
            LoginMethod::PublicKey => (&self.public_key_logins, &self.public_key_times),
            LoginMethod::KeyboardInteractive => (
                &self.keyboard_interactive_logins,
                &self.keyboard_interactive_times,
            ),
        };
        counters.record(ok);
        let times = if ok { &times.ok } else { &times.failed };
        times.observe_time(time);
    }
}
