//! Which failed attempts are made again, and when.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::{Duration, Instant};

use super::failure::Failure;

/// How long a server that restarts is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longest pause while a server is waited for.
const LONGEST_WAIT: Duration = Duration::from_millis(500);
/// How often other transactions may be in the way, of one statement.
const CONFLICTS: u32 = 10;
/// Longest pause before a statement is taken again after a conflict.
const LONGEST_STEP_ASIDE: Duration = Duration::from_millis(300);

/// When an attempt failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// There was no connection yet; nothing was sent.
    Connecting,
    /// A statement that changes nothing, or begins a transaction.
    Reading,
    /// A statement that makes a change.
    Changing,
}

/// The attempts at one call.
#[derive(Debug)]
pub(crate) struct Attempts {
    began: Instant,
    breaks: u32,
    conflicts: u32,
    /// How many connections may yet turn out to have a prepared statement that is out of date.
    stale: u32,
}

impl Attempts {
    /// Attempts on a pool of this many connections. Each of them may have a statement that is out of date, and is
    /// closed then.
    pub(crate) fn new(connections: u32) -> Self {
        Self {
            began: Instant::now(),
            breaks: 0,
            conflicts: 0,
            stale: connections,
        }
    }

    /// How long to wait before the next attempt; `None` if there is to be none.
    pub(crate) fn next(&mut self, stage: Stage, failure: Failure) -> Option<Duration> {
        match failure {
            Failure::Conflict => {
                self.conflicts += 1;
                let most = pause(self.conflicts, LONGEST_STEP_ASIDE);
                (self.conflicts <= CONFLICTS).then(|| jittered(most))
            }
            Failure::Stale => {
                self.stale = self.stale.checked_sub(1)?;
                Some(Duration::ZERO)
            }
            // A change that was on its way when the connection broke may have been made.
            Failure::Lost if stage == Stage::Changing => None,
            Failure::Lost | Failure::Refused => {
                self.breaks += 1;
                // The first is only the news that an idle connection is of no use.
                let wait = match (stage, self.breaks) {
                    (Stage::Reading | Stage::Changing, 1) => Duration::ZERO,
                    _ => pause(self.breaks, LONGEST_WAIT),
                };
                (self.began.elapsed() + wait < PATIENCE).then_some(wait)
            }
            Failure::Duplicate
            | Failure::ReadOnly
            | Failure::Unavailable
            | Failure::Login
            | Failure::Database
            | Failure::Tls
            | Failure::Corrupt
            | Failure::Internal => None,
        }
    }
}

fn pause(count: u32, longest: Duration) -> Duration {
    Duration::from_millis(5 << count.min(10)).min(longest)
}

/// Between a quarter of `most` and all of it, so that those who met do not meet again.
fn jittered(most: Duration) -> Duration {
    // Keyed with random numbers each time, so that the hash of nothing is one.
    let random = RandomState::new().build_hasher().finish() % 1024;
    let share = 256 + 3 * u32::try_from(random).unwrap_or(0) / 4;
    most * share / 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_that_was_on_its_way_is_not_made_twice() {
        assert_eq!(Attempts::new(3).next(Stage::Changing, Failure::Lost), None);
        for (stage, failure) in [
            (Stage::Changing, Failure::Refused),
            (Stage::Changing, Failure::Stale),
            (Stage::Changing, Failure::Conflict),
            (Stage::Connecting, Failure::Lost),
            (Stage::Reading, Failure::Lost),
        ] {
            assert!(
                Attempts::new(3).next(stage, failure).is_some(),
                "{stage:?} {failure:?}"
            );
        }
    }

    #[test]
    fn a_server_that_stays_away_is_not_waited_for_for_ever() {
        let mut attempts = Attempts {
            began: Instant::now().checked_sub(PATIENCE).unwrap(),
            ..Attempts::new(3)
        };
        assert_eq!(attempts.next(Stage::Connecting, Failure::Lost), None);
        assert_eq!(attempts.next(Stage::Reading, Failure::Refused), None);
    }

    #[test]
    fn conflicts_are_taken_a_few_times_with_growing_pauses() {
        let mut attempts = Attempts::new(3);
        let mut waited = Duration::ZERO;
        for _ in 0..CONFLICTS {
            let wait = attempts.next(Stage::Changing, Failure::Conflict).unwrap();
            assert!(wait <= LONGEST_STEP_ASIDE);
            waited += wait;
        }
        assert!(waited > Duration::from_millis(200), "{waited:?}");
        assert_eq!(attempts.next(Stage::Changing, Failure::Conflict), None);
    }

    #[test]
    fn what_will_fail_again_is_not_tried_again() {
        for failure in [
            Failure::Duplicate,
            Failure::ReadOnly,
            Failure::Login,
            Failure::Database,
            Failure::Tls,
            Failure::Internal,
        ] {
            assert_eq!(Attempts::new(3).next(Stage::Reading, failure), None);
        }
    }
}
