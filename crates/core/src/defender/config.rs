//! The `defender` section: [`DefenderConfig`] as written in a settings file, and [`DefenderSettings`] as the defender may rely
//! on it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sftpgo_model::SettingIssue;

use super::HostEvent;

/// The most that a number of minutes may be: a year.
const MOST_MINUTES: u32 = 366 * 24 * 60;
/// The most addresses that may be remembered: some hundred MiB.
const MOST_ENTRIES: u32 = 1_000_000;

/// Bans addresses that misbehave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct DefenderConfig {
    /// Whether addresses that misbehave are banned. If not, the other keys of this section mean nothing.
    pub enabled: bool,
    /// Minutes that a ban lasts.
    pub ban_time: u32,
    /// Each connection that a banned address tries makes its ban longer by so many per cent of `ban_time`, up to a week from
    /// then; 0 leaves it as it is.
    pub ban_time_increment: u32,
    /// An address with so many points within `observation_time` is banned.
    pub threshold: u32,
    /// Points for a login as somebody who does not exist. If they are others than `score_valid`, the number of attempts up to a
    /// ban tells which accounts exist.
    pub score_invalid: u32,
    /// Points for a login with a wrong password, key or answer, of somebody who does exist. Keys that are refused on one
    /// connection count once, and only if nobody logs in on it: clients try all they have.
    pub score_valid: u32,
    /// Points for a connection on which a client identified itself and nobody tried to log in; 0, because that is how the
    /// server is monitored.
    pub score_no_auth: u32,
    /// Points for a connection that is refused because of a limit of its address (`sftpd.limits`).
    pub score_limit_exceeded: u32,
    /// Minutes for which points count.
    pub observation_time: u32,
    /// When `entries_hard_limit` is reached, so many addresses stay: those with most points, and those banned longest.
    pub entries_soft_limit: u32,
    /// Addresses with points, and banned addresses, that are remembered at most, of each so many.
    pub entries_hard_limit: u32,
    /// File with addresses and networks that are never scored or banned, of the same form as `blocklist_file`.
    pub safelist_file: String,
    /// File with addresses and networks that are always refused, also if they are in `safelist_file`; absolute or relative to
    /// the configuration directory. One entry a line, `#` begins a comment; or JSON with the lists `addresses` and `networks`.
    /// Read again on SIGHUP.
    pub blocklist_file: String,
}

impl Default for DefenderConfig {
    fn default() -> Self {
        Self {
            enabled: false,
            ban_time: 30,
            ban_time_increment: 50,
            threshold: 15,
            score_invalid: 1,
            score_valid: 1,
            score_no_auth: 0,
            score_limit_exceeded: 3,
            observation_time: 30,
            entries_soft_limit: 10_000,
            entries_hard_limit: 15_000,
            safelist_file: String::new(),
            blocklist_file: String::new(),
        }
    }
}

/// The points of each kind of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scores {
    unknown_user: u32,
    wrong_credential: u32,
    no_login: u32,
    limit_exceeded: u32,
}

impl Scores {
    pub(super) fn of(&self, event: HostEvent) -> u32 {
        match event {
            HostEvent::UnknownUser => self.unknown_user,
            HostEvent::WrongCredential => self.wrong_credential,
            HostEvent::NoLogin => self.no_login,
            HostEvent::LimitExceeded => self.limit_exceeded,
        }
    }
}

/// The `defender` section after validation, if it is enabled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefenderSettings {
    /// How long a ban lasts; a minute at least.
    pub ban_time: Duration,
    /// How much longer each connection makes it that is tried meanwhile.
    pub ban_time_increment: Duration,
    /// Who has as many points is banned; one at least.
    pub threshold: u32,
    /// The points.
    pub scores: Scores,
    /// How long points count; a minute at least.
    pub observation_time: Duration,
    /// Addresses that stay when there are too many; fewer than `entries_hard_limit`.
    pub entries_soft_limit: usize,
    /// The most addresses of a kind.
    pub entries_hard_limit: usize,
    /// Who is never banned.
    pub safelist_file: Option<PathBuf>,
    /// Who is always refused.
    pub blocklist_file: Option<PathBuf>,
}

impl DefenderConfig {
    /// Checks the section and turns it into settings, `None` if it is not enabled; relative paths are below `base_dir`.
    ///
    /// # Errors
    /// The first value that the server cannot start with.
    pub fn resolve(
        self,
        base_dir: &Path,
    ) -> Result<(Option<DefenderSettings>, Vec<SettingIssue>), SettingIssue> {
        if !self.enabled {
            return Ok((None, self.unused()));
        }
        let file = |name: &str| (!name.is_empty()).then(|| base_dir.join(name));
        let ban_time = minutes("defender.ban_time", self.ban_time)?;
        if self.ban_time_increment > 10_000 {
            let reason = "more than 10000 per cent; use a longer ban_time";
            return Err(SettingIssue::new("defender.ban_time_increment", reason));
        }
        if self.threshold == 0 {
            let reason = "0 would ban everybody at once; use 1 or more";
            return Err(SettingIssue::new("defender.threshold", reason));
        }
        let observation_time = minutes("defender.observation_time", self.observation_time)?;
        if !(1..=MOST_ENTRIES).contains(&self.entries_hard_limit) {
            let reason = format!("must be from 1 to {MOST_ENTRIES}");
            return Err(SettingIssue::new("defender.entries_hard_limit", reason));
        }
        if self.entries_soft_limit >= self.entries_hard_limit {
            let reason = "must be below entries_hard_limit";
            return Err(SettingIssue::new("defender.entries_soft_limit", reason));
        }
        let settings = DefenderSettings {
            ban_time,
            ban_time_increment: ban_time * self.ban_time_increment / 100,
            threshold: self.threshold,
            scores: Scores {
                unknown_user: self.score_invalid,
                wrong_credential: self.score_valid,
                no_login: self.score_no_auth,
                limit_exceeded: self.score_limit_exceeded,
            },
            observation_time,
            entries_soft_limit: self.entries_soft_limit as usize,
            entries_hard_limit: self.entries_hard_limit as usize,
            safelist_file: file(&self.safelist_file),
            blocklist_file: file(&self.blocklist_file),
        };
        Ok((Some(settings), Vec::new()))
    }

    /// What is set for nothing and may be missed.
    fn unused(&self) -> Vec<SettingIssue> {
        let lists = [
            ("defender.safelist_file", &self.safelist_file),
            ("defender.blocklist_file", &self.blocklist_file),
        ];
        let named = lists.into_iter().filter(|(_, file)| !file.is_empty());
        let issue =
            |(key, _)| SettingIssue::new(key, "not used, because defender.enabled is false");
        named.map(issue).collect()
    }
}

fn minutes(key: &'static str, number: u32) -> Result<Duration, SettingIssue> {
    if (1..=MOST_MINUTES).contains(&number) {
        return Ok(Duration::from_secs(u64::from(number) * 60));
    }
    let reason = format!("must be from 1 to {MOST_MINUTES} minutes");
    Err(SettingIssue::new(key, reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enabled(change: impl FnOnce(&mut DefenderConfig)) -> Result<DefenderSettings, &'static str> {
        let mut config = DefenderConfig {
            enabled: true,
            ..DefenderConfig::default()
        };
        change(&mut config);
        let resolved = config.resolve(Path::new("/srv/conf"));
        resolved
            .map(|(settings, warnings)| {
                assert_eq!(warnings, []);
                settings.unwrap()
            })
            .map_err(|issue| issue.key)
    }

    #[test]
    fn it_is_off_by_default_and_lists_for_nothing_are_told() {
        let (settings, warnings) = DefenderConfig::default().resolve(Path::new("/")).unwrap();
        assert_eq!((settings, warnings), (None, vec![]));
        let config = DefenderConfig {
            blocklist_file: "blocked".to_owned(),
            threshold: 0,
            ..DefenderConfig::default()
        };
        let (settings, warnings) = config.resolve(Path::new("/")).unwrap();
        assert_eq!(settings, None);
        assert_eq!(warnings[0].key, "defender.blocklist_file");
    }

    #[test]
    fn minutes_and_per_cent_become_times() {
        let settings = enabled(|_| {}).unwrap();
        assert_eq!(settings.ban_time, Duration::from_secs(30 * 60));
        assert_eq!(settings.ban_time_increment, Duration::from_secs(15 * 60));
        assert_eq!(settings.observation_time, Duration::from_secs(30 * 60));
        let settings = enabled(|config| config.safelist_file = "safe".to_owned()).unwrap();
        assert_eq!(
            settings.safelist_file.as_deref(),
            Some(Path::new("/srv/conf/safe"))
        );
    }

    #[test]
    fn values_that_make_no_sense_stop_the_start() {
        type Change = fn(&mut DefenderConfig);
        let cases: [(&str, Change); 7] = [
            ("defender.ban_time", |config| config.ban_time = 0),
            ("defender.ban_time", |config| config.ban_time = u32::MAX),
            ("defender.ban_time_increment", |config| {
                config.ban_time_increment = u32::MAX
            }),
            ("defender.threshold", |config| config.threshold = 0),
            ("defender.observation_time", |config| {
                config.observation_time = 0
            }),
            ("defender.entries_soft_limit", |config| {
                config.entries_soft_limit = 15_000
            }),
            ("defender.entries_hard_limit", |config| {
                config.entries_hard_limit = u32::MAX
            }),
        ];
        for (key, change) in cases {
            assert_eq!(enabled(change), Err(key));
        }
    }
}
