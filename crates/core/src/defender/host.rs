//! The tables: addresses with points, and banned ones. Time is told, so that it can be anything in tests.

use std::time::{Duration, Instant};

use sftpgo_model::{Source, SourceMap, UnixMillis};

use super::score::{PARTS, Score};
use super::{DefendedHost, DefenderSettings};

/// No connection that is tried makes a ban end later than so long after it: a client that goes on by itself, for weeks, is not
/// kept out for years.
const LONGEST_BAN: Duration = Duration::from_secs(7 * 24 * 3600);

#[derive(Debug)]
pub(super) struct Hosts {
    began: Instant,
    part: Duration,
    scores: SourceMap<Score>,
    /// When the ban of each banned address ends.
    bans: SourceMap<Instant>,
}

impl Hosts {
    pub(super) fn new(settings: &DefenderSettings, now: Instant) -> Self {
        let (soft, hard) = (settings.entries_soft_limit, settings.entries_hard_limit);
        let parts = u32::try_from(PARTS).unwrap_or(1);
        Self {
            began: now,
            part: settings.observation_time / parts,
            scores: SourceMap::new(soft, hard),
            bans: SourceMap::new(soft, hard),
        }
    }

    fn part_of(&self, now: Instant) -> u64 {
        let elapsed = now.saturating_duration_since(self.began).as_millis();
        let parts = elapsed / self.part.as_millis().max(1);
        u64::try_from(parts).unwrap_or(u64::MAX)
    }

    /// Adds points; `true` if that bans the source.
    pub(super) fn add(
        &mut self,
        source: Source,
        points: u32,
        settings: &DefenderSettings,
        now: Instant,
    ) -> bool {
        if self.bans.get(source).is_some_and(|until| now < *until) {
            return false;
        }
        let part = self.part_of(now);
        let worth = |score: &Score| score.value(part);
        let score = self.scores.entry(source, Score::default, worth);
        score.add(part, points);
        if score.value(part) < settings.threshold {
            return false;
        }
        self.scores.remove(source);
        let until = now + settings.ban_time;
        *self.bans.entry(source, || until, |until| *until) = until;
        true
    }

    /// Whether a connection is refused; if so, the ban gets longer.
    pub(super) fn refuses(
        &mut self,
        source: Source,
        settings: &DefenderSettings,
        now: Instant,
    ) -> bool {
        let Some(until) = self.bans.get_mut(source) else {
            return false;
        };
        if *until <= now {
            self.bans.remove(source);
            return false;
        }
        let longer = *until + settings.ban_time_increment;
        *until = longer.min(now + LONGEST_BAN).max(*until);
        true
    }

    /// When the ban of a source ends or ended, if it was banned.
    pub(super) fn banned_until(&self, source: Source) -> Option<Instant> {
        self.bans.get(source).copied()
    }

    pub(super) fn forget(&mut self, source: Source) {
        self.bans.remove(source);
        self.scores.remove(source);
    }

    pub(super) fn banned(&self, now: Instant) -> usize {
        self.bans.iter().filter(|(_, until)| now < **until).count()
    }

    pub(super) fn one(&self, source: Source, now: Instant) -> Option<DefendedHost> {
        let banned = self.bans.get(source).filter(|until| now < **until);
        if let Some(until) = banned {
            return Some(banned_host(source, *until, now));
        }
        let score = self.scores.get(source)?.value(self.part_of(now));
        (score > 0).then_some(DefendedHost {
            source,
            score,
            banned_until: None,
        })
    }

    /// Every source of which something is known, in no particular order. What is over is forgotten.
    pub(super) fn all(&mut self, now: Instant) -> Vec<DefendedHost> {
        let part = self.part_of(now);
        self.scores.retain(|score| score.value(part) > 0);
        self.bans.retain(|until| now < *until);
        let banned = self.bans.iter();
        let banned = banned.map(|(source, until)| banned_host(source, *until, now));
        let others = self.scores.iter().map(|(source, score)| DefendedHost {
            source,
            score: score.value(part),
            banned_until: None,
        });
        banned.chain(others).collect()
    }
}

fn banned_host(source: Source, until: Instant, now: Instant) -> DefendedHost {
    let left = until.saturating_duration_since(now).as_millis();
    let left = i64::try_from(left).unwrap_or(i64::MAX);
    DefendedHost {
        source,
        score: 0,
        banned_until: Some(UnixMillis(UnixMillis::now().0.saturating_add(left))),
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::super::DefenderConfig;
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn settings(change: impl FnOnce(&mut DefenderConfig)) -> DefenderSettings {
        let mut config = DefenderConfig {
            enabled: true,
            threshold: 3,
            entries_soft_limit: 10,
            entries_hard_limit: 20,
            ..DefenderConfig::default()
        };
        change(&mut config);
        config.resolve("/".as_ref()).unwrap().0.unwrap()
    }

    fn source(number: u32) -> Source {
        Source::of(IpAddr::V4(Ipv4Addr::from_bits(number)))
    }

    #[test]
    fn points_that_are_far_apart_do_not_ban() {
        let (settings, start) = (settings(|_| {}), Instant::now());
        let mut hosts = Hosts::new(&settings, start);
        for step in 0..100 {
            let now = start + MINUTE * 16 * step;
            assert!(!hosts.add(source(1), 1, &settings, now), "{step}");
        }
        // Within the observation time they do.
        let now = start + MINUTE * 16 * 99;
        assert!(hosts.add(source(1), 1, &settings, now));
    }

    #[test]
    fn a_ban_ends_and_points_begin_anew() {
        let (settings, start) = (settings(|_| {}), Instant::now());
        let mut hosts = Hosts::new(&settings, start);
        assert!(hosts.add(source(1), 3, &settings, start));
        let end = start + MINUTE * 30;
        assert_eq!(hosts.banned_until(source(1)), Some(end));
        // What open connections go on with changes nothing.
        assert!(!hosts.add(source(1), 3, &settings, start + MINUTE));
        assert_eq!(hosts.banned(end), 0);
        assert!(!hosts.refuses(source(1), &settings, end));
        assert!(!hosts.add(source(1), 2, &settings, end));
        assert_eq!(hosts.one(source(1), end).unwrap().score, 2);
    }

    #[test]
    fn a_banned_address_that_tries_again_is_banned_longer_and_not_for_ever() {
        let (settings, start) = (settings(|_| {}), Instant::now());
        let mut hosts = Hosts::new(&settings, start);
        hosts.add(source(1), 3, &settings, start);
        assert!(hosts.refuses(source(1), &settings, start));
        assert_eq!(hosts.banned_until(source(1)), Some(start + MINUTE * 45));
        for _ in 0..10_000 {
            assert!(hosts.refuses(source(1), &settings, start));
        }
        assert_eq!(hosts.banned_until(source(1)), Some(start + LONGEST_BAN));
    }

    #[test]
    fn a_ban_may_be_of_a_fixed_length() {
        let settings = settings(|config| {
            config.ban_time_increment = 0;
            config.ban_time = 60 * 24 * 30;
        });
        let start = Instant::now();
        let mut hosts = Hosts::new(&settings, start);
        hosts.add(source(1), 3, &settings, start);
        for _ in 0..10 {
            hosts.refuses(source(1), &settings, start);
        }
        assert_eq!(
            hosts.banned_until(source(1)),
            Some(start + settings.ban_time)
        );
    }

    #[test]
    fn many_addresses_push_out_neither_bans_nor_those_near_one() {
        let (settings, start) = (settings(|_| {}), Instant::now());
        let mut hosts = Hosts::new(&settings, start);
        hosts.add(source(1), 3, &settings, start);
        hosts.add(source(2), 2, &settings, start);
        for number in 100..10_000 {
            hosts.add(source(number), 1, &settings, start);
            assert!(hosts.all(start).len() <= 1 + settings.entries_hard_limit);
        }
        assert!(hosts.refuses(source(1), &settings, start));
        assert!(hosts.add(source(2), 1, &settings, start));
    }

    #[test]
    fn bans_are_bounded_and_those_that_last_longest_stay() {
        let (settings, start) = (settings(|_| {}), Instant::now());
        let mut hosts = Hosts::new(&settings, start);
        for number in 0..1000 {
            let now = start + Duration::from_secs(number.into());
            hosts.add(source(number), 3, &settings, now);
            assert!(hosts.banned(now) <= settings.entries_hard_limit);
        }
        let now = start + Duration::from_secs(1000);
        assert!(hosts.refuses(source(999), &settings, now));
        assert!(!hosts.refuses(source(0), &settings, now));
    }
}
