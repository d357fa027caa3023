//! [`Attempts`]: who checks a password when, and how many failures an address has left.
//!
//! Attempts of one address are made one after the other. So a page that asks for ten things at once with the right
//! password costs one hash, and nobody can have more guesses under way than failures are left.

use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use sftpgo_core::model::{Source, SourceMap};
use tokio::sync::{MutexGuard, Semaphore, SemaphorePermit};

use super::Refusal;

/// Failures at once, after a while without any.
const BURST: u32 = 10;
/// In the long run, one in so long.
const EACH: Duration = Duration::from_secs(5);
/// Addresses whose failures are remembered, and how many stay when there are more: those that failed most.
const MOST: usize = 4096;
const KEPT: usize = 3072;
/// Attempts that are checked or wait for their turn.
const PLACES: usize = 128;
/// Addresses that share a turn by chance only wait for each other.
const TURNS: usize = 64;
/// For a turn to come.
const TURN_DEADLINE: Duration = Duration::from_secs(20);

/// Of all addresses.
#[derive(Debug)]
pub(super) struct Attempts {
    places: Semaphore,
    /// Of tokio, because a check is waited for in a turn.
    turns: [tokio::sync::Mutex<()>; TURNS],
    sharing: RandomState,
    failures: Mutex<SourceMap<Failures>>,
}

/// The failures of an address, as the time at which they will be forgotten.
#[derive(Debug, Clone, Copy)]
struct Failures {
    forgotten_at: Instant,
}

impl Failures {
    /// How long it is until one more is allowed.
    fn wait(self, now: Instant) -> Option<Duration> {
        let counted = self.forgotten_at.saturating_duration_since(now);
        let wait = counted.saturating_sub(EACH * (BURST - 1));
        (!wait.is_zero()).then_some(wait)
    }

    fn add(&mut self, now: Instant) {
        self.forgotten_at = self.forgotten_at.max(now) + EACH;
    }
}

impl Default for Attempts {
    fn default() -> Self {
        Self {
            places: Semaphore::new(PLACES),
            turns: std::array::from_fn(|_| tokio::sync::Mutex::default()),
            sharing: RandomState::new(),
            failures: Mutex::new(SourceMap::new(KEPT, MOST)),
        }
    }
}

/// The right of an address to check one password.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    attempts: &'a Attempts,
    source: Source,
    _turn: MutexGuard<'a, ()>,
    _place: SemaphorePermit<'a>,
}

impl Attempts {
    /// Waits for the turn of an address.
    pub(super) async fn turn(&self, source: Source) -> Result<Turn<'_>, Refusal> {
        let place = self.places.try_acquire().map_err(|_| Refusal::Busy)?;
        let turns = u64::try_from(TURNS).unwrap_or(1);
        let number = usize::try_from(self.sharing.hash_one(source) % turns).unwrap_or(0);
        let turn = self.turns.get(number).ok_or(Refusal::Busy)?;
        let turn = tokio::time::timeout(TURN_DEADLINE, turn.lock());
        let turn = turn.await.map_err(|_| Refusal::Busy)?;
        if let Some(wait) = self.wait(source, Instant::now()) {
            return Err(Refusal::TooMany { wait });
        }
        Ok(Turn {
            attempts: self,
            source,
            _turn: turn,
            _place: place,
        })
    }

    fn wait(&self, source: Source, now: Instant) -> Option<Duration> {
        self.failures.lock().get(source)?.wait(now)
    }

    fn add(&self, source: Source, now: Instant) {
        let mut failures = self.failures.lock();
        let none = || Failures { forgotten_at: now };
        let of_source = failures.entry(source, none, |failures| failures.forgotten_at);
        of_source.add(now);
    }
}

impl Turn<'_> {
    /// The password was wrong.
    pub(super) fn failed(self) {
        self.attempts.add(self.source, Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(last: u8) -> Source {
        Source::of([192, 0, 2, last].into())
    }

    #[test]
    fn ten_failures_are_put_up_with_and_then_one_in_five_seconds() {
        let attempts = Attempts::default();
        let start = Instant::now();
        for _ in 0..BURST {
            assert_eq!(attempts.wait(source(1), start), None);
            attempts.add(source(1), start);
        }
        assert_eq!(attempts.wait(source(1), start), Some(EACH));
        assert_eq!(attempts.wait(source(2), start), None);
        let mut failed = 0;
        for second in 1..=600 {
            let now = start + Duration::from_secs(second);
            if attempts.wait(source(1), now).is_none() {
                attempts.add(source(1), now);
                failed += 1;
            }
        }
        assert_eq!(failed, 120);
    }

    #[test]
    fn who_waits_as_long_as_told_may_try_again() {
        let attempts = Attempts::default();
        let start = Instant::now();
        (0..BURST).for_each(|_| attempts.add(source(1), start));
        let now = start + Duration::from_millis(1700);
        let wait = attempts.wait(source(1), now).unwrap();
        assert_eq!(super::super::seconds(wait), "4");
        assert!(attempts.wait(source(1), now + wait).is_none());
        let a_moment = Duration::from_millis(1);
        assert!(attempts.wait(source(1), now + wait - a_moment).is_some());
    }

    #[test]
    fn many_addresses_push_out_only_those_that_failed_least() {
        let attempts = Attempts::default();
        let start = Instant::now();
        (0..BURST).for_each(|_| attempts.add(source(1), start));
        for address in 0..100_000_u32 {
            let address = std::net::Ipv4Addr::from(0x0a00_0000 + address);
            attempts.add(Source::of(address.into()), start);
        }
        assert_eq!(attempts.wait(source(1), start), Some(EACH));
    }

    #[tokio::test]
    async fn an_address_has_one_turn_at_a_time() {
        let attempts = Attempts::default();
        let first = attempts.turn(source(1)).await.unwrap();
        let mut second = Box::pin(attempts.turn(source(1)));
        let waits = tokio::time::timeout(Duration::from_millis(20), &mut second).await;
        assert!(waits.is_err());
        first.failed();
        assert!(second.await.is_ok());
    }
}
