//! [`PasswordChecks`]: what the login asks. It asks the hasher in turn, unless the answer is known or on its way.
//!
//! Attempts that are the same in name, stored hash and password, at the same time, share one computation; also those
//! that fail, and those of names that do not exist, so that neither is told apart by how long many of them take.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use tokio::sync::OnceCell;

use super::hasher::{PasswordHasher, Verdict};
use super::recent::{RecentLogins, Tag, Tagger};
use crate::error::{OpError, OpErrorKind, OpResult};

/// A computation that one does and others wait for. If who does it goes away, the next one does.
type Flight = OnceCell<Result<Verdict, OpErrorKind>>;

/// Checks passwords of logins.
pub(crate) struct PasswordChecks {
    hasher: Arc<PasswordHasher>,
    /// Without random numbers every attempt is on its own.
    tagger: Option<Tagger>,
    recent: RecentLogins,
    /// As many as there are attempts; the hasher bounds those that compute, and the front ends those that wait.
    flights: Mutex<HashMap<Tag, Weak<Flight>>>,
}

impl PasswordChecks {
    pub(crate) fn new(hasher: Arc<PasswordHasher>) -> Self {
        Self {
            hasher,
            tagger: Tagger::new(),
            recent: RecentLogins::default(),
            flights: Mutex::default(),
        }
    }

    /// Whether it is the password that `stored` was made from. Without `stored` nothing matches, after the time of a
    /// check.
    pub(crate) async fn check(
        &self,
        username: &str,
        password: &str,
        stored: Option<&str>,
    ) -> OpResult<Verdict> {
        let Some(tagger) = &self.tagger else {
            return self.compute(password, stored).await;
        };
        let tag = tagger.tag(username, stored, password);
        if stored.is_some() && self.recent.knows(username, &tag) {
            return Ok(Verdict::Matches);
        }
        let flight = self.flight(tag);
        let shared = flight.get_or_init(|| async {
            let verdict = self.compute(password, stored).await;
            if matches!(verdict, Ok(Verdict::Matches)) {
                self.recent.note(username, tag);
            }
            verdict.map_err(|error| error.kind())
        });
        (*shared.await).map_err(OpError::from)
    }

    /// Whether this was right a moment ago; if so, that moment is now.
    pub(super) fn renew(&self, username: &str, password: &str, stored: &str) -> bool {
        let Some(tagger) = &self.tagger else {
            return false;
        };
        let tag = tagger.tag(username, Some(stored), password);
        let known = self.recent.knows(username, &tag);
        if known {
            self.recent.note(username, tag);
        }
        known
    }

    /// Takes the time of a check against `like`, or against a new hash, and tells nothing.
    pub(super) async fn pretend(&self, password: &str, like: Option<&str>) -> OpResult<()> {
        self.compute(password, like).await.map(drop)
    }

    /// Drops what is known of an account that changed. Nobody depends on it: another hash is another tag.
    pub(crate) fn forget(&self, username: &str) {
        self.recent.forget(username);
    }

    async fn compute(&self, password: &str, stored: Option<&str>) -> OpResult<Verdict> {
        match stored {
            Some(stored) => self.hasher.verify(password, stored).await,
            None => self.hasher.verify_decoy(password).await,
        }
    }

    /// The computation on its way, or a new one. One that has landed is not used again: its verdict may be a failure,
    /// which costs each attempt a check.
    fn flight(&self, tag: Tag) -> Arc<Flight> {
        let mut flights = self.flights.lock();
        if let Some(flight) = flights.get(&tag).and_then(Weak::upgrade)
            && !flight.initialized()
        {
            return flight;
        }
        flights.retain(|_, flight| flight.strong_count() > 0);
        let flight = Arc::new(Flight::new());
        flights.insert(tag, Arc::downgrade(&flight));
        flight
    }
}

impl fmt::Debug for PasswordChecks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordChecks").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use futures_util::future::join_all;

    use super::*;

    /// Two hashes of "password", and one of something else.
    const STORED: [&str; 3] = [
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
        "$1$b5caebda$AAAAAAAAAAAAAAAAAAAAAA",
    ];

    fn checks() -> PasswordChecks {
        PasswordChecks::new(Arc::new(PasswordHasher::new()))
    }

    async fn check(checks: &PasswordChecks, password: &str, stored: Option<&str>) -> Verdict {
        checks.check("alice", password, stored).await.unwrap()
    }

    #[tokio::test]
    async fn a_password_that_was_right_a_moment_ago_costs_no_hash() {
        let checks = checks();
        for _ in 0..10 {
            assert_eq!(
                check(&checks, "password", Some(STORED[0])).await,
                Verdict::Matches
            );
        }
        assert_eq!(checks.hasher.computed(), 1);
    }

    #[tokio::test]
    async fn a_wrong_password_and_a_name_that_does_not_exist_cost_a_hash_each_time() {
        let checks = checks();
        check(&checks, "password", Some(STORED[0])).await;
        for attempts in 1..=3 {
            assert_eq!(
                check(&checks, "wrong", Some(STORED[0])).await,
                Verdict::Differs
            );
            assert_eq!(checks.hasher.computed(), 1 + attempts);
        }
        for attempts in 1..=3 {
            assert_eq!(check(&checks, "password", None).await, Verdict::Differs);
            assert_eq!(checks.hasher.computed(), 4 + attempts);
        }
    }

    #[tokio::test]
    async fn another_stored_hash_is_checked_anew_and_locks_out_the_old_password_at_once() {
        let checks = checks();
        check(&checks, "password", Some(STORED[0])).await;
        assert_eq!(
            check(&checks, "password", Some(STORED[2])).await,
            Verdict::Differs
        );
        assert_eq!(
            check(&checks, "password", Some(STORED[1])).await,
            Verdict::Matches
        );
        assert_eq!(check(&checks, "password", None).await, Verdict::Differs);
        assert_eq!(checks.hasher.computed(), 4);
    }

    #[tokio::test]
    async fn what_is_known_is_of_one_name() {
        let checks = checks();
        check(&checks, "password", Some(STORED[0])).await;
        let bob = checks.check("bob", "password", Some(STORED[0])).await;
        assert_eq!(bob.unwrap(), Verdict::Matches);
        assert_eq!(checks.hasher.computed(), 2);
        checks.forget("alice");
        check(&checks, "password", Some(STORED[0])).await;
        assert_eq!(checks.hasher.computed(), 3);
    }

    #[tokio::test]
    async fn the_same_attempts_at_the_same_time_share_one_computation() {
        let checks = checks();
        for (password, stored, expected) in [
            ("password", Some(STORED[0]), Verdict::Matches),
            ("wrong", Some(STORED[0]), Verdict::Differs),
            ("password", None, Verdict::Differs),
        ] {
            let before = checks.hasher.computed();
            let attempts = (0..100).map(|_| check(&checks, password, stored));
            let verdicts = join_all(attempts).await;
            assert!(verdicts.iter().all(|verdict| *verdict == expected));
            assert_eq!(checks.hasher.computed() - before, 1);
        }
    }

    #[tokio::test]
    async fn an_attempt_that_goes_away_does_not_take_the_others_with_it() {
        let checks = checks();
        let mut gone = Box::pin(check(&checks, "password", Some(STORED[0])));
        // Where this thread has to wait for its turn, the check may be over already.
        let _ = (&mut gone).now_or_never();
        let mut waits = Box::pin(check(&checks, "password", Some(STORED[0])));
        let early = (&mut waits).now_or_never();
        drop(gone);
        let verdict = match early {
            Some(verdict) => verdict,
            None => waits.await,
        };
        assert_eq!(verdict, Verdict::Matches);
    }

    #[tokio::test]
    async fn nothing_stays_of_attempts_that_are_over() {
        let checks = checks();
        for number in 0..20 {
            check(&checks, &number.to_string(), Some(STORED[0])).await;
        }
        assert!(checks.flights.lock().len() <= 1);
    }
}
