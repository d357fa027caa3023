//! `sftpd.limits`: how many connections there may be, how fast they may come, and what misconduct costs.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sftpgo_core::model::{AddressSet, SettingIssue};
use sftpgo_net::{AcceptLimits, Penalties, StartRate};

/// From where connections come that say nothing of their client: a proxy or a tunnel on the same machine.
const LOOPBACK: [&str; 2] = ["127.0.0.0/8", "::1"];

/// How many connections there may be. An IPv6 address counts with its network of 64 bits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct LimitsConfig {
    /// Connections at the same time; 0 means any number.
    pub max_connections: u32,
    /// Connections at the same time on which nobody is logged in yet; 0 means any number.
    pub max_unauthenticated: u32,
    /// Of these, from one address; 0 means any number.
    pub max_unauthenticated_per_address: u32,
    /// New connections a second from one address, in the long run; 0 means any number.
    pub start_rate: u32,
    /// New connections from one address that may come at once, before `start_rate` counts.
    pub start_burst: u32,
    /// Seconds that an address owes for a connection that ended after a wrong credential. What an address owes adds up, and
    /// passes with time; while it is `penalty_least` or more, its connections are closed at once. Each time after that
    /// everything costs twice as much, until nothing was owed for `penalty_most` seconds.
    pub penalty_failed_login: u32,
    /// Seconds that an address owes for a connection on which nothing was tried. One that is closed before the client
    /// identified itself, as health checks do, costs nothing.
    pub penalty_no_login: u32,
    /// Seconds that an address owes for a connection that did not log in within two minutes.
    pub penalty_too_slow: u32,
    /// Seconds that an address must owe to be refused.
    pub penalty_least: u32,
    /// Seconds that an address owes at most; 0 switches penalties off.
    pub penalty_most: u32,
    /// Addresses and networks to which `start_rate` and the penalties do not apply, because many clients share them: the
    /// address of a company, of a balancer that sends no PROXY header.
    pub exempt: Vec<String>,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            max_connections: 20_000,
            max_unauthenticated: 1_000,
            max_unauthenticated_per_address: 256,
            start_rate: 20,
            start_burst: 256,
            penalty_failed_login: 5,
            penalty_no_login: 1,
            penalty_too_slow: 10,
            penalty_least: 15,
            penalty_most: 120,
            exempt: LOOPBACK.map(String::from).into(),
        }
    }
}

impl LimitsConfig {
    pub(super) fn resolve(self) -> Result<AcceptLimits, SettingIssue> {
        let number = |number: u32| match number {
            0 => usize::MAX,
            number => usize::try_from(number).unwrap_or(usize::MAX),
        };
        let seconds = |seconds: u32| Duration::from_secs(seconds.into());
        if self.start_rate > 0 && self.start_burst == 0 {
            let reason =
                "0 would let nobody in; use 1 or more, or set sftpd.limits.start_rate to 0";
            return Err(SettingIssue::new("sftpd.limits.start_burst", reason));
        }
        if self.penalty_most > 0 && self.penalty_least > self.penalty_most {
            let reason = "more than sftpd.limits.penalty_most, so nobody would be refused; to switch penalties off set that to 0";
            return Err(SettingIssue::new("sftpd.limits.penalty_least", reason));
        }
        let exempt = AddressSet::parse(&self.exempt);
        Ok(AcceptLimits {
            connections: number(self.max_connections),
            unauthenticated: number(self.max_unauthenticated),
            unauthenticated_per_address: number(self.max_unauthenticated_per_address),
            start_rate: (self.start_rate > 0).then_some(StartRate {
                per_second: self.start_rate,
                burst: self.start_burst,
            }),
            penalties: (self.penalty_most > 0).then_some(Penalties {
                failed_login: seconds(self.penalty_failed_login),
                no_login: seconds(self.penalty_no_login),
                too_slow: seconds(self.penalty_too_slow),
                least: seconds(self.penalty_least),
                most: seconds(self.penalty_most),
            }),
            exempt: exempt
                .map_err(|error| SettingIssue::new("sftpd.limits.exempt", error.to_string()))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(config: LimitsConfig) -> &'static str {
        config.resolve().unwrap_err().key
    }

    #[test]
    fn the_defaults_limit_and_punish_everybody_but_the_machine_itself() {
        let limits = LimitsConfig::default().resolve().unwrap();
        let defaults = AcceptLimits::default();
        assert_eq!(limits.connections, defaults.connections);
        assert_eq!(limits.unauthenticated, defaults.unauthenticated);
        assert_eq!(
            limits.unauthenticated_per_address,
            defaults.unauthenticated_per_address
        );
        assert_eq!(limits.penalties, Some(Penalties::default()));
        assert!(limits.start_rate.is_some());
        assert!(limits.exempt.contains([127, 1, 2, 3].into()));
        assert!(!limits.exempt.contains([192, 0, 2, 1].into()));
    }

    #[test]
    fn zero_means_no_limit() {
        let limits = LimitsConfig {
            max_connections: 0,
            max_unauthenticated: 0,
            max_unauthenticated_per_address: 0,
            start_rate: 0,
            start_burst: 0,
            penalty_most: 0,
            exempt: Vec::new(),
            ..LimitsConfig::default()
        };
        assert_eq!(limits.resolve(), Ok(AcceptLimits::number(usize::MAX)));
    }

    #[test]
    fn limits_that_make_no_sense_stop_the_start() {
        let config = LimitsConfig {
            start_burst: 0,
            ..LimitsConfig::default()
        };
        assert_eq!(refused(config), "sftpd.limits.start_burst");
        let config = LimitsConfig {
            penalty_least: 121,
            ..LimitsConfig::default()
        };
        assert_eq!(refused(config), "sftpd.limits.penalty_least");
        let config = LimitsConfig {
            exempt: vec!["office".to_owned()],
            ..LimitsConfig::default()
        };
        assert_eq!(refused(config), "sftpd.limits.exempt");
    }
}
