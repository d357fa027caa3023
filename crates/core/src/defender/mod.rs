//! Bans addresses that misbehave: what clients do wrong scores points, and an address with too many within a while is closed
//! out for some time. Off unless `defender.enabled` says otherwise.
//!
//! Front ends [report](Defender::report) what happened and ask [`Defender::refuses`] about each new connection. An IPv6 address
//! counts with its network of 64 bits. Everything is in memory, bounded, and of this server: others on the same database keep
//! scores of their own.

mod config;
mod host;
mod lists;
mod score;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use sftpgo_model::{Source, UnixMillis};

use crate::metrics::Metrics;

pub use config::{DefenderConfig, DefenderSettings, Scores};
pub use lists::{ListError, ListSizes};

use host::Hosts;
use lists::Lists;

/// Something that scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostEvent {
    /// A login was tried as somebody who does not exist.
    UnknownUser,
    /// A login was tried with a wrong password, key or answer.
    WrongCredential,
    /// A client identified itself, and left or was cut off without trying to log in.
    NoLogin,
    /// A connection was refused because of a limit of its address.
    LimitExceeded,
}

impl fmt::Display for HostEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownUser => "login as somebody who does not exist",
            Self::WrongCredential => "login with a wrong credential",
            Self::NoLogin => "connection without a login",
            Self::LimitExceeded => "too many connections",
        })
    }
}

/// An address of which something is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DefendedHost {
    /// Which.
    pub source: Source,
    /// The points it has now; 0 while it is banned.
    pub score: u32,
    /// Until when it is banned, if it is.
    pub banned_until: Option<UnixMillis>,
}

/// Who is banned, and how near others are to it.
#[derive(Debug)]
pub struct Defender {
    settings: DefenderSettings,
    lists: ArcSwap<Lists>,
    hosts: Mutex<Hosts>,
    metrics: Arc<Metrics>,
}

impl Defender {
    /// One that knows nobody, and whose lists are not [loaded](Self::load_lists) yet.
    pub(crate) fn new(settings: DefenderSettings, metrics: Arc<Metrics>) -> Self {
        Self {
            hosts: Mutex::new(Hosts::new(&settings, Instant::now())),
            lists: ArcSwap::default(),
            settings,
            metrics,
        }
    }

    /// Reads the safe list and the block list from their files; they hold from then on. Blocks.
    ///
    /// # Errors
    /// The first file that cannot be used; then both lists stay as they were.
    pub fn load_lists(&self) -> Result<ListSizes, ListError> {
        let lists = Lists::load(&self.settings)?;
        let sizes = lists.sizes();
        self.lists.store(Arc::new(lists));
        Ok(sizes)
    }

    /// Whether lists are read from files.
    pub fn has_lists(&self) -> bool {
        self.settings.safelist_file.is_some() || self.settings.blocklist_file.is_some()
    }

    /// Whether a new connection from `address` is refused. Trying it makes a ban longer.
    pub fn refuses(&self, address: IpAddr) -> bool {
        let lists = self.lists.load();
        if lists.blocked.contains(address) {
            return true;
        }
        if lists.safe.contains(address) {
            return false;
        }
        let mut hosts = self.hosts.lock();
        hosts.refuses(Source::of(address), &self.settings, Instant::now())
    }

    /// Whether `address` is banned or on the block list; nothing changes by asking.
    pub fn is_banned(&self, address: IpAddr) -> bool {
        let lists = self.lists.load();
        let banned = || {
            let until = self.hosts.lock().banned_until(Source::of(address));
            until.is_some_and(|until| Instant::now() < until)
        };
        lists.blocked.contains(address) || (banned() && !lists.safe.contains(address))
    }

    /// Counts what a client from `address` did. Nobody on the safe list is counted.
    pub fn report(&self, address: IpAddr, event: HostEvent) {
        let points = self.settings.scores.of(event);
        if points == 0 || self.lists.load().safe.contains(address) {
            return;
        }
        let source = Source::of(address);
        let now = Instant::now();
        let banned = self.hosts.lock().add(source, points, &self.settings, now);
        if banned {
            self.metrics.bans.increment();
            tracing::info!(
                sender = "defender",
                "{source} is banned for {} minutes: {event}, and more before",
                self.settings.ban_time.as_secs() / 60
            );
        }
    }

    /// Every address that is banned or has points, in order.
    pub fn hosts(&self) -> Vec<DefendedHost> {
        let now = Instant::now();
        let mut hosts = self.hosts.lock().all(now);
        hosts.sort_by_key(|host| host.source);
        hosts
    }

    /// What is known of one address; `None` if it is neither banned nor has points.
    pub fn host(&self, source: Source) -> Option<DefendedHost> {
        self.hosts.lock().one(source, Instant::now())
    }

    /// Lifts the ban of an address and forgets its points. `false` if there was neither.
    pub fn forgive(&self, source: Source) -> bool {
        let now = Instant::now();
        let mut hosts = self.hosts.lock();
        let known = hosts.one(source, now).is_some();
        hosts.forget(source);
        known
    }

    /// How many addresses are banned now.
    pub fn banned(&self) -> usize {
        self.hosts.lock().banned(Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn defender(config: DefenderConfig) -> Defender {
        let config = DefenderConfig {
            enabled: true,
            ..config
        };
        let (settings, _) = config.resolve("/".as_ref()).unwrap();
        Defender::new(settings.unwrap(), Arc::default())
    }

    fn with_lists(safe: &[&str], blocked: &[&str]) -> Defender {
        let defender = defender(DefenderConfig::default());
        defender.lists.store(Arc::new(Lists::of(safe, blocked)));
        defender
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_with_too_many_points_is_banned_and_others_are_not() {
        let defender = defender(DefenderConfig::default());
        let (one, two) = (address("192.0.2.1"), address("192.0.2.2"));
        for _ in 0..7 {
            defender.report(one, HostEvent::UnknownUser);
            defender.report(one, HostEvent::WrongCredential);
        }
        assert_eq!(defender.hosts()[0].score, 14);
        assert!(!defender.refuses(one));
        defender.report(one, HostEvent::WrongCredential);
        assert!(defender.is_banned(one) && defender.refuses(one));
        assert!(!defender.refuses(two));
        let host = defender.host(Source::of(one)).unwrap();
        assert_eq!(host.score, 0);
        let minutes = (host.banned_until.unwrap().0 - UnixMillis::now().0) / 60_000;
        // Half of the 30 minutes more for the connection that was tried.
        assert!((44..=45).contains(&minutes), "{minutes}");
        assert_eq!((defender.banned(), defender.metrics.bans.value()), (1, 1));
    }

    #[test]
    fn every_address_of_an_ipv6_network_is_banned() {
        let defender = defender(DefenderConfig::default());
        for last in 1..=15 {
            defender.report(
                address(&format!("2001:db8::{last}")),
                HostEvent::WrongCredential,
            );
        }
        assert!(defender.refuses(address("2001:db8::ffff")));
        assert!(!defender.refuses(address("2001:db8:0:1::1")));
    }

    #[test]
    fn events_without_points_are_not_remembered() {
        let defender = defender(DefenderConfig::default());
        for _ in 0..100 {
            defender.report(address("192.0.2.1"), HostEvent::NoLogin);
        }
        assert_eq!(defender.hosts(), []);
    }

    #[test]
    fn a_ban_that_is_lifted_leaves_nothing() {
        let defender = defender(DefenderConfig {
            threshold: 2,
            ..DefenderConfig::default()
        });
        let one = address("192.0.2.1");
        assert!(!defender.forgive(Source::of(one)));
        defender.report(one, HostEvent::WrongCredential);
        assert!(defender.forgive(Source::of(one)));
        assert!(!defender.refuses(one));
        assert_eq!(defender.hosts(), []);
    }

    #[test]
    fn nobody_on_the_safe_list_is_counted_or_banned() {
        let banned = address("192.0.2.1");
        let defender = with_lists(&[], &[]);
        for _ in 0..15 {
            defender.report(banned, HostEvent::UnknownUser);
        }
        assert!(defender.refuses(banned));
        // The list is changed meanwhile.
        let lists = Lists::of(&["192.0.2.0/24"], &[]);
        defender.lists.store(Arc::new(lists));
        assert!(!defender.refuses(banned) && !defender.is_banned(banned));
        for _ in 0..100 {
            defender.report(address("192.0.2.2"), HostEvent::UnknownUser);
        }
        assert!(defender.host(Source::of(address("192.0.2.2"))).is_none());
    }

    #[test]
    fn who_is_on_the_block_list_is_refused_also_if_on_the_safe_list() {
        let defender = with_lists(&["192.0.2.0/24"], &["192.0.2.7", "2001:db8::/32"]);
        for blocked in ["192.0.2.7", "::ffff:192.0.2.7", "2001:db8:9::1"] {
            let blocked = address(blocked);
            assert!(defender.refuses(blocked) && defender.is_banned(blocked));
        }
        assert!(!defender.refuses(address("192.0.2.8")));
        assert_eq!(defender.hosts(), [], "bans only");
    }
}
