//! [`RecentLogins`]: who proved a password a moment ago, so that a storm of logins is not a storm of hashes.
//!
//! An entry stands for one name, one stored hash and one password together, of which it keeps a keyed digest. So it is
//! of no use once another hash is stored, whoever changed it and where; and to who reads it in memory it is as good as
//! random. Only successes are kept: a wrong password always costs a whole check.

use std::collections::HashMap;
use std::time::Duration;

use aws_lc_rs::hmac;
use parking_lot::Mutex;
use subtle::ConstantTimeEq as _;
use tokio::time::Instant;

/// How long a proof is good for.
const LIFETIME: Duration = Duration::from_secs(60);
/// Names that are kept; the oldest goes first.
const MOST: usize = 4096;

/// The digest of a name, a stored hash and a password under a key of this process.
pub(super) type Tag = [u8; 32];

/// Makes tags. The key exists in this process only.
pub(super) struct Tagger(hmac::Key);

impl Tagger {
    /// `None` if there are no random numbers.
    pub(super) fn new() -> Option<Self> {
        let mut key = zeroize::Zeroizing::new([0; 32]);
        aws_lc_rs::rand::fill(&mut *key).ok()?;
        Some(Self(hmac::Key::new(hmac::HMAC_SHA256, &*key)))
    }

    /// The tag of an attempt. `stored` is `None` where there is no hash to compare with.
    pub(super) fn tag(&self, username: &str, stored: Option<&str>, password: &str) -> Tag {
        let mut context = hmac::Context::with_key(&self.0);
        let mut add = |part: &str| {
            // With the lengths, no two attempts are the same text.
            context.update(&(part.len() as u64).to_le_bytes());
            context.update(part.as_bytes());
        };
        add(username);
        add(if stored.is_some() { "hash" } else { "none" });
        add(stored.unwrap_or_default());
        add(password);
        let mut tag = Tag::default();
        let digest = context.sign();
        // Both have 32 bytes.
        tag.iter_mut()
            .zip(digest.as_ref())
            .for_each(|(to, from)| *to = *from);
        tag
    }
}

/// Proofs of the last minute. No `Debug`: what is in it is nobody's business.
#[derive(Default)]
pub(super) struct RecentLogins {
    proofs: Mutex<HashMap<String, Proof>>,
}

struct Proof {
    tag: Tag,
    at: Instant,
}

impl RecentLogins {
    /// Whether this was proved a moment ago. Takes the same time whichever password was tried.
    pub(super) fn knows(&self, username: &str, tag: &Tag) -> bool {
        let proofs = self.proofs.lock();
        proofs
            .get(username)
            .is_some_and(|proof| proof.at.elapsed() < LIFETIME && proof.tag.ct_eq(tag).into())
    }

    /// Notes a proof, in place of the last one of that name.
    pub(super) fn note(&self, username: &str, tag: Tag) {
        let at = Instant::now();
        let mut proofs = self.proofs.lock();
        if proofs.len() >= MOST && !proofs.contains_key(username) {
            proofs.retain(|_, proof| proof.at.elapsed() < LIFETIME);
            if proofs.len() >= MOST {
                let oldest = proofs.iter().min_by_key(|(_, proof)| proof.at);
                if let Some(oldest) = oldest.map(|(name, _)| name.clone()) {
                    proofs.remove(&oldest);
                }
            }
        }
        proofs.insert(username.to_owned(), Proof { tag, at });
    }

    /// Drops what is known of a name.
    pub(super) fn forget(&self, username: &str) {
        self.proofs.lock().remove(username);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(number: usize) -> Tag {
        let mut tag = Tag::default();
        tag[..8].copy_from_slice(&number.to_le_bytes());
        tag
    }

    #[test]
    fn a_tag_depends_on_each_part_and_on_where_the_parts_end() {
        let tagger = Tagger::new().unwrap();
        let tags = [
            tagger.tag("alice", Some("hash"), "password"),
            tagger.tag("alic", Some("ehash"), "password"),
            tagger.tag("alice", Some("hashp"), "assword"),
            tagger.tag("alice", Some("other"), "password"),
            tagger.tag("alice", Some("hash"), "Password"),
            tagger.tag("alice", Some(""), "password"),
            tagger.tag("alice", None, "password"),
        ];
        for (place, one) in tags.iter().enumerate() {
            assert!(!tags[place + 1..].contains(one), "{place}");
        }
        assert_eq!(tags[0], tagger.tag("alice", Some("hash"), "password"));
        let other = Tagger::new().unwrap();
        assert_ne!(tags[0], other.tag("alice", Some("hash"), "password"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_proof_is_good_for_its_lifetime_however_often_it_is_used() {
        let recent = RecentLogins::default();
        recent.note("alice", tag(1));
        assert!(!recent.knows("alice", &tag(2)));
        assert!(!recent.knows("bob", &tag(1)));
        for _ in 0..59 {
            tokio::time::advance(Duration::from_secs(1)).await;
            assert!(recent.knows("alice", &tag(1)));
        }
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(!recent.knows("alice", &tag(1)));
    }

    #[tokio::test]
    async fn a_name_is_forgotten_at_once_and_others_are_not() {
        let recent = RecentLogins::default();
        recent.note("alice", tag(1));
        recent.note("bob", tag(2));
        recent.forget("alice");
        assert!(!recent.knows("alice", &tag(1)));
        assert!(recent.knows("bob", &tag(2)));
    }

    #[tokio::test(start_paused = true)]
    async fn of_too_many_names_the_oldest_goes() {
        let recent = RecentLogins::default();
        for number in 0..=MOST {
            recent.note(&number.to_string(), tag(number));
            tokio::time::advance(Duration::from_millis(1)).await;
        }
        assert_eq!(recent.proofs.lock().len(), MOST);
        assert!(!recent.knows("0", &tag(0)));
        assert!(recent.knows("1", &tag(1)));
        assert!(recent.knows(&MOST.to_string(), &tag(MOST)));
    }
}
