//! Connections that are closed without a byte: why, and a line in the log for many of them.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use parking_lot::Mutex;

/// How often refusals are logged, however many there are.
pub(crate) const PERIOD: Duration = Duration::from_secs(60);

/// Why a connection was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// The address is banned.
    Banned,
    /// The address misbehaved a moment ago.
    Penalized,
    /// There are as many connections as there may be.
    Connections,
    /// As many are not logged in yet as may be.
    Unauthenticated,
    /// As many from this address are not logged in yet as may be.
    UnauthenticatedFromAddress,
    /// They come too fast from this address.
    StartRate,
    /// The peer is no proxy, and only proxies may connect.
    NotAProxy,
}

impl Refusal {
    /// Whether the address asked for more than it may: a limit of its own, and not one that others have reached.
    pub fn is_excess(self) -> bool {
        match self {
            Self::UnauthenticatedFromAddress | Self::StartRate => true,
            Self::Banned
            | Self::Penalized
            | Self::Connections
            | Self::Unauthenticated
            | Self::NotAProxy => false,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Banned => "banned",
            Self::Penalized => "misbehaved before (penalty_*)",
            Self::Connections => "too many connections (max_connections)",
            Self::Unauthenticated => "too many without a login (max_unauthenticated)",
            Self::UnauthenticatedFromAddress => {
                "too many without a login from one address (max_unauthenticated_per_address)"
            }
            Self::StartRate => "too fast from one address (start_rate)",
            Self::NotAProxy => "no proxy (proxy_allowed)",
        })
    }
}

/// Logs the first refusal at once, and the number of those that follow once a period.
#[derive(Debug)]
pub(crate) struct RefusalLog {
    listener: &'static str,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Whether a line was written since the last tick.
    said: bool,
    counts: BTreeMap<Refusal, u64>,
    last: Option<IpAddr>,
}

impl RefusalLog {
    pub(crate) fn new(listener: &'static str) -> Self {
        Self {
            listener,
            state: Mutex::default(),
        }
    }

    /// Notes a refusal.
    pub(crate) fn note(&self, refusal: Refusal, address: IpAddr) {
        let mut state = self.state.lock();
        if std::mem::replace(&mut state.said, true) {
            *state.counts.entry(refusal).or_default() += 1;
            state.last = Some(address);
            return;
        }
        drop(state);
        tracing::info!(
            listener = self.listener,
            "a connection from {address} was refused: {refusal}; more of them are counted, and the number is logged once a \
             minute"
        );
    }

    /// Ends a period: says what was counted in it.
    pub(crate) fn tick(&self) {
        if let Some(text) = self.summary() {
            tracing::info!(listener = self.listener, "{text}");
        }
    }

    fn summary(&self) -> Option<String> {
        let mut state = self.state.lock();
        let State { counts, last, .. } = std::mem::take(&mut *state);
        let last = last?;
        // What follows now is counted, too.
        state.said = true;
        drop(state);
        let total: u64 = counts.values().sum();
        let each = counts.iter();
        let each: Vec<String> = each
            .map(|(refusal, count)| format!("{count} {refusal}"))
            .collect();
        Some(format!(
            "{total} more connections were refused, the last one from {last}: {}",
            each.join(", ")
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_counted_and_told_once_a_period() {
        let log = RefusalLog::new("test");
        let address = |last| IpAddr::from([192, 0, 2, last]);
        log.note(Refusal::Banned, address(1));
        assert_eq!(log.summary(), None, "it was told by itself");
        for last in [1, 2, 3] {
            log.note(Refusal::Banned, address(last));
        }
        let told = log.summary().unwrap();
        assert_eq!(
            told,
            "2 more connections were refused, the last one from 192.0.2.3: 2 banned"
        );
        // The next period begins with a line as well.
        log.note(Refusal::StartRate, address(4));
        assert!(log.summary().unwrap().starts_with("1 more"));
        assert_eq!(log.summary(), None);
    }
}
