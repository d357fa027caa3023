//! Which algorithms are offered: profiles, and lists of names that replace a profile's. How they work is the transport's.

use sftpgo_core::model::SettingIssue;

use Offered::{ByName, Since};
use Profile::{Compat, Legacy, Modern};

/// Which clients are served; each profile offers what the ones before it offer, first, and more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Profile {
    /// What an audit finds nothing to complain about: key exchange that holds against quantum computers, MACs over what is
    /// encrypted.
    Modern,
    /// Clients of the last ten years.
    Compat,
    /// Clients that know SHA-1 only.
    Legacy,
}

const PROFILES: [(&str, Profile); 3] = [("modern", Modern), ("compat", Compat), ("legacy", Legacy)];

/// When an algorithm is offered.
#[derive(Debug, Clone, Copy)]
enum Offered {
    /// By this profile and those behind it.
    Since(Profile),
    /// If a setting names it.
    ByName,
}

/// The algorithms of one kind, best first.
type Known = &'static [(&'static str, Offered)];

const KEX: Known = &[
    ("mlkem768x25519-sha256", Since(Modern)),
    ("sntrup761x25519-sha512", Since(Modern)),
    ("sntrup761x25519-sha512@openssh.com", Since(Modern)),
    ("curve25519-sha256", Since(Compat)),
    ("curve25519-sha256@libssh.org", Since(Compat)),
    ("ecdh-sha2-nistp256", Since(Compat)),
    ("ecdh-sha2-nistp384", Since(Compat)),
    ("ecdh-sha2-nistp521", Since(Compat)),
    ("diffie-hellman-group16-sha512", Since(Compat)),
    ("diffie-hellman-group-exchange-sha256", Since(Compat)),
    ("diffie-hellman-group14-sha256", Since(Compat)),
    ("diffie-hellman-group15-sha512", ByName),
    ("diffie-hellman-group17-sha512", ByName),
    ("diffie-hellman-group18-sha512", ByName),
    ("diffie-hellman-group14-sha1", Since(Legacy)),
    ("diffie-hellman-group-exchange-sha1", Since(Legacy)),
    ("diffie-hellman-group1-sha1", ByName),
];

const CIPHERS: Known = &[
    ("aes128-gcm@openssh.com", Since(Modern)),
    ("chacha20-poly1305@openssh.com", Since(Modern)),
    ("aes256-gcm@openssh.com", Since(Modern)),
    ("aes128-ctr", Since(Modern)),
    ("aes192-ctr", Since(Modern)),
    ("aes256-ctr", Since(Modern)),
    ("aes128-cbc", Since(Legacy)),
    ("aes192-cbc", Since(Legacy)),
    ("aes256-cbc", Since(Legacy)),
];

const MACS: Known = &[
    ("hmac-sha2-256-etm@openssh.com", Since(Modern)),
    ("hmac-sha2-512-etm@openssh.com", Since(Modern)),
    ("hmac-sha2-256", Since(Compat)),
    ("hmac-sha2-512", Since(Compat)),
    ("hmac-sha1-etm@openssh.com", Since(Legacy)),
    ("hmac-sha1", Since(Legacy)),
];

/// Signatures of host keys. An ECDSA key that an operator put there is offered by every profile: clients know it.
const HOST_KEYS: Known = &[
    ("ssh-ed25519", Since(Modern)),
    ("ecdsa-sha2-nistp256", Since(Modern)),
    ("ecdsa-sha2-nistp384", Since(Modern)),
    ("ecdsa-sha2-nistp521", Since(Modern)),
    ("rsa-sha2-512", Since(Modern)),
    ("rsa-sha2-256", Since(Modern)),
    ("ssh-rsa", Since(Legacy)),
];

/// Signatures of users' keys.
const PUBLIC_KEYS: Known = &[
    ("ssh-ed25519", Since(Modern)),
    ("sk-ssh-ed25519@openssh.com", Since(Modern)),
    ("ecdsa-sha2-nistp256", Since(Modern)),
    ("ecdsa-sha2-nistp384", Since(Modern)),
    ("ecdsa-sha2-nistp521", Since(Modern)),
    ("sk-ecdsa-sha2-nistp256@openssh.com", Since(Modern)),
    ("rsa-sha2-512", Since(Modern)),
    ("rsa-sha2-256", Since(Modern)),
    ("ssh-rsa", Since(Legacy)),
];

/// Names that settings files of the reference may have and that are never served: broken, or with blocks or tags too short.
/// Without them such a file goes on working.
const RETIRED: [&str; 6] = [
    "3des-cbc",
    "arcfour",
    "arcfour128",
    "arcfour256",
    "hmac-sha1-96",
    "ssh-dss",
];

/// What is offered, by name and best first. No list is empty, no name unknown, none there twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Algorithms {
    /// The profile that the lists are of, where no setting replaced them.
    pub profile: Profile,
    /// Ways to exchange keys.
    pub kex: Vec<&'static str>,
    /// Ciphers.
    pub ciphers: Vec<&'static str>,
    /// Message authentication codes.
    pub macs: Vec<&'static str>,
    /// Signatures of host keys; those are offered for which there is a key.
    pub host_keys: Vec<&'static str>,
    /// Signatures of users' keys.
    pub public_keys: Vec<&'static str>,
    /// Whether an ECDSA host key that we made ourselves is offered.
    pub offers_made_ecdsa: bool,
}

/// The settings as written: the name of a profile, and lists that are empty or replace the profile's.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Wanted<'a> {
    pub(crate) profile: &'a str,
    pub(crate) kex: &'a [String],
    pub(crate) ciphers: &'a [String],
    pub(crate) macs: &'a [String],
    pub(crate) host_keys: &'a [String],
    pub(crate) public_keys: &'a [String],
}

impl Wanted<'_> {
    /// Looks every name up.
    ///
    /// # Errors
    /// The first name that nobody knows, or a list of which nothing is served.
    pub(crate) fn resolve(
        self,
        warnings: &mut Vec<SettingIssue>,
    ) -> Result<Algorithms, SettingIssue> {
        let profile = profile(self.profile)?;
        let mut choose = |key, known, names| choose(key, known, profile, names, warnings);
        Ok(Algorithms {
            profile,
            kex: choose("sftpd.kex_algorithms", KEX, self.kex)?,
            ciphers: choose("sftpd.ciphers", CIPHERS, self.ciphers)?,
            macs: choose("sftpd.macs", MACS, self.macs)?,
            host_keys: choose("sftpd.host_key_algorithms", HOST_KEYS, self.host_keys)?,
            public_keys: choose("sftpd.public_key_algorithms", PUBLIC_KEYS, self.public_keys)?,
            offers_made_ecdsa: profile > Modern || !self.host_keys.is_empty(),
        })
    }
}

fn profile(name: &str) -> Result<Profile, SettingIssue> {
    let found = PROFILES.iter().find(|(known, _)| *known == name);
    found.map(|(_, profile)| *profile).ok_or_else(|| {
        let reason = format!("{name:?} is not one of modern, compat, legacy");
        SettingIssue::new("sftpd.algorithms_profile", reason)
    })
}

/// The named ones in the order of `names`; without any, those of the profile.
fn choose(
    key: &'static str,
    known: Known,
    profile: Profile,
    names: &[String],
    warnings: &mut Vec<SettingIssue>,
) -> Result<Vec<&'static str>, SettingIssue> {
    let all = || known.iter().map(|(name, _)| *name);
    if names.is_empty() {
        let offered = known.iter().filter(|(_, offered)| match offered {
            Since(first) => *first <= profile,
            ByName => false,
        });
        return Ok(offered.map(|(name, _)| *name).collect());
    }
    let mut chosen = Vec::new();
    for name in names {
        if let Some(name) = all().find(|known| known == name) {
            if !chosen.contains(&name) {
                chosen.push(name);
            }
        } else if RETIRED.contains(&name.as_str()) {
            let reason = format!("{name} is not safe and not served any more; left out");
            warnings.push(SettingIssue::new(key, reason));
        } else {
            let reason = format!("unknown algorithm {name:?}; known are {}", listed(all()));
            return Err(SettingIssue::new(key, reason));
        }
    }
    if chosen.is_empty() {
        let reason = format!("none of these is served; known are {}", listed(all()));
        return Err(SettingIssue::new(key, reason));
    }
    Ok(chosen)
}

fn listed(names: impl Iterator<Item = &'static str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

/// Everything that a setting may name.
#[cfg(test)]
pub(crate) fn every_name() -> Algorithms {
    let all = |known: Known| known.iter().map(|(name, _)| *name).collect();
    Algorithms {
        profile: Legacy,
        kex: all(KEX),
        ciphers: all(CIPHERS),
        macs: all(MACS),
        host_keys: all(HOST_KEYS),
        public_keys: all(PUBLIC_KEYS),
        offers_made_ecdsa: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(profile: &str) -> Algorithms {
        let wanted = Wanted {
            profile,
            ..Wanted::default()
        };
        let mut warnings = Vec::new();
        let algorithms = wanted.resolve(&mut warnings).unwrap();
        assert_eq!(warnings, []);
        algorithms
    }

    fn texts(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    /// Every list with its setting and what is known of the kind.
    fn lists(algorithms: &Algorithms) -> [&[&'static str]; 5] {
        [
            &algorithms.kex,
            &algorithms.ciphers,
            &algorithms.macs,
            &algorithms.host_keys,
            &algorithms.public_keys,
        ]
    }

    #[test]
    fn each_profile_offers_what_the_one_before_it_offers_first_and_more() {
        let profiles = ["modern", "compat", "legacy"].map(of);
        for pair in profiles.windows(2) {
            for (fewer, more) in lists(&pair[0]).into_iter().zip(lists(&pair[1])) {
                assert!(fewer.iter().all(|name| more.contains(name)));
                assert_eq!(fewer[0], more[0]);
            }
            assert!(pair[0].kex.len() < pair[1].kex.len());
        }
    }

    #[test]
    fn sha1_is_in_legacy_only() {
        let has_sha1 = |algorithms: &Algorithms| {
            let named = |name: &&str| name.contains("sha1") || *name == "ssh-rsa";
            lists(algorithms).map(|list| list.iter().any(named))
        };
        assert_eq!(has_sha1(&of("modern")), [false; 5]);
        assert_eq!(has_sha1(&of("compat")), [false; 5]);
        assert_eq!(has_sha1(&of("legacy")), [true, false, true, true, true]);
    }

    #[test]
    fn post_quantum_key_exchange_comes_first_and_is_all_there_is_in_modern() {
        for profile in ["modern", "compat", "legacy"] {
            assert_eq!(of(profile).kex[0], "mlkem768x25519-sha256");
        }
        let hybrid = |name: &&str| name.starts_with("mlkem") || name.starts_with("sntrup");
        assert!(of("modern").kex.iter().all(hybrid));
    }

    #[test]
    fn named_algorithms_replace_those_of_the_profile_in_their_order() {
        let names = texts(&["curve25519-sha256", "diffie-hellman-group1-sha1"]);
        let wanted = Wanted {
            profile: "modern",
            kex: &names,
            ..Wanted::default()
        };
        let algorithms = wanted.resolve(&mut Vec::new()).unwrap();
        assert_eq!(algorithms.kex, names);
        assert_eq!(algorithms.ciphers, of("modern").ciphers);
    }

    #[test]
    fn an_unknown_algorithm_stops_the_start_and_the_known_ones_are_listed() {
        // `none` and `clear` mean something to the library: no encryption.
        for name in [
            "no-such",
            "none",
            "clear",
            "",
            "kex-strict-s-v00@openssh.com",
        ] {
            let names = texts(&[name]);
            let none = Wanted {
                profile: "modern",
                ..Wanted::default()
            };
            let every = [
                (
                    Wanted {
                        kex: &names,
                        ..none
                    },
                    "sftpd.kex_algorithms",
                    KEX,
                ),
                (
                    Wanted {
                        ciphers: &names,
                        ..none
                    },
                    "sftpd.ciphers",
                    CIPHERS,
                ),
                (
                    Wanted {
                        macs: &names,
                        ..none
                    },
                    "sftpd.macs",
                    MACS,
                ),
                (
                    Wanted {
                        host_keys: &names,
                        ..none
                    },
                    "sftpd.host_key_algorithms",
                    HOST_KEYS,
                ),
                (
                    Wanted {
                        public_keys: &names,
                        ..none
                    },
                    "sftpd.public_key_algorithms",
                    PUBLIC_KEYS,
                ),
            ];
            for (wanted, key, known) in every {
                let issue = wanted.resolve(&mut Vec::new()).unwrap_err();
                assert_eq!(issue.key, key);
                assert!(issue.reason.contains(&format!("{name:?}")), "{issue}");
                assert!(known.iter().all(|(name, _)| issue.reason.contains(name)));
            }
        }
    }

    #[test]
    fn an_unknown_profile_stops_the_start() {
        for profile in ["", "Modern", "strict"] {
            let wanted = Wanted {
                profile,
                ..Wanted::default()
            };
            let issue = wanted.resolve(&mut Vec::new()).unwrap_err();
            assert_eq!(issue.key, "sftpd.algorithms_profile");
            assert!(issue.reason.contains("modern, compat, legacy"), "{issue}");
        }
    }

    /// 2.4: every name that a file of the reference may have.
    #[test]
    fn what_the_reference_served_and_nobody_should_is_left_out_with_a_warning() {
        let ciphers = texts(&[
            "arcfour256",
            "aes128-ctr",
            "3des-cbc",
            "arcfour128",
            "arcfour",
        ]);
        let macs = texts(&["hmac-sha1-96", "hmac-sha1"]);
        let wanted = Wanted {
            profile: "modern",
            ciphers: &ciphers,
            macs: &macs,
            ..Wanted::default()
        };
        let mut warnings = Vec::new();
        let algorithms = wanted.resolve(&mut warnings).unwrap();
        assert_eq!(algorithms.ciphers, ["aes128-ctr"]);
        assert_eq!(algorithms.macs, ["hmac-sha1"]);
        let keys: Vec<_> = warnings.iter().map(|warning| warning.key).collect();
        assert_eq!(keys.len(), 5);
        assert!(keys.contains(&"sftpd.ciphers") && keys.contains(&"sftpd.macs"));

        let wanted = Wanted {
            ciphers: &ciphers[2..],
            ..wanted
        };
        let issue = wanted.resolve(&mut Vec::new()).unwrap_err();
        assert_eq!(issue.key, "sftpd.ciphers");
        assert!(issue.reason.contains("none of these"), "{issue}");
    }

    #[test]
    fn no_name_is_known_twice() {
        for known in [KEX, CIPHERS, MACS, HOST_KEYS, PUBLIC_KEYS] {
            let mut names: Vec<_> = known.iter().map(|(name, _)| *name).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), known.len());
            assert!(names.iter().all(|name| !RETIRED.contains(name)));
        }
    }
}
