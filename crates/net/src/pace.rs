//! Handshakes give way to transfers.
//!
//! A handshake is signatures and key agreements: about as much work as sending some MiB. A storm of logins would take the time
//! of all cores from those who are already in, the more so as each connection of the storm counts as much as theirs. So while
//! bytes of logged-in connections move, the connections on which nobody is logged in yet get a part of the cores' time, and
//! new ones wait for their turn before their first byte. With no such bytes, or few, nobody waits.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// One part in so many of the cores' time is for handshakes: some hundred a second for each core, which no crowd of people
/// needs. A quarter left transfers less than half of their speed where the clients of both run beside the server, as theirs
/// cost as much again (`bench/accounts logins`).
const PART: u32 = 8;
/// Handshakes' time that may be saved up, for each core: some 50 handshakes at once are a busy morning and no storm.
const SAVED: Duration = Duration::from_millis(25);
/// Bytes a second of logged-in connections from which on handshakes are held back: less needs no protection.
const BUSY: u64 = 1 << 20;
/// How often it is looked whether bytes move.
const PERIOD: Duration = Duration::from_millis(50);
/// Bytes that moved hold handshakes back for so long: who transfers many files pauses between two.
const AFTERWARDS: Duration = Duration::from_secs(1);
/// What a handshake is taken to cost before one was seen.
const FIRST_COST: Duration = Duration::from_millis(1);

/// The turns of connections on which nobody is logged in yet, over all threads.
#[derive(Debug)]
pub struct Pace {
    started: Instant,
    /// Bytes of connections that are logged in.
    moved: AtomicU64,
    budget: Mutex<Budget>,
    /// Who waits for a turn, in the order of their coming. Their number is bounded by the limits of the listener.
    queue: tokio::sync::Mutex<()>,
}

impl Pace {
    /// For a machine, or the part of one, with so many cores.
    pub(crate) fn new(cores: usize) -> Arc<Self> {
        Arc::new(Self {
            started: Instant::now(),
            moved: AtomicU64::new(0),
            budget: Mutex::new(Budget::new(u32::try_from(cores).unwrap_or(u32::MAX))),
            queue: tokio::sync::Mutex::new(()),
        })
    }

    /// Waits until one more connection may begin.
    pub async fn turn(self: &Arc<Self>) -> Arc<Newcomer> {
        let _first = self.queue.lock().await;
        loop {
            let moved = self.moved.load(Ordering::Relaxed);
            let answer = self.budget.lock().admit(self.started.elapsed(), moved);
            match answer {
                Ok(estimate) => {
                    return Arc::new(Newcomer {
                        pace: Arc::clone(self),
                        estimate,
                        spent: AtomicU64::new(0),
                        over: AtomicBool::new(false),
                    });
                }
                Err(wait) => tokio::time::sleep(wait).await,
            }
        }
    }
}

/// The time that handshakes have.
#[derive(Debug)]
struct Budget {
    cores: u32,
    /// Nanoseconds they may still take.
    left: i64,
    filled: Duration,
    /// What a handshake costs, smoothed.
    cost: Duration,
    looked: Duration,
    moved: u64,
    busy_until: Duration,
}

impl Budget {
    fn new(cores: u32) -> Self {
        let cores = cores.max(1);
        Self {
            cores,
            left: nanos(SAVED * cores),
            filled: Duration::ZERO,
            cost: FIRST_COST,
            looked: Duration::ZERO,
            moved: 0,
            busy_until: Duration::ZERO,
        }
    }

    /// Takes the time of a handshake, which it returns, or says when to ask again. `now` never goes back; `moved` is the count
    /// of all bytes so far.
    fn admit(&mut self, now: Duration, moved: u64) -> Result<Duration, Duration> {
        self.look(now, moved);
        let since = now.saturating_sub(self.filled);
        self.filled = now;
        let full = nanos(SAVED * self.cores);
        let more = nanos((since / PART).saturating_mul(self.cores));
        self.left = self.left.saturating_add(more).min(full);
        if now >= self.busy_until {
            // What was taken while nobody needed it is not asked back.
            self.left = full;
        }
        if self.left < 0 {
            let missing = Duration::from_nanos(self.left.unsigned_abs());
            let wait = (missing / self.cores).saturating_mul(PART);
            return Err(wait.clamp(Duration::from_millis(1), PERIOD));
        }
        self.left = self.left.saturating_sub(nanos(self.cost));
        Ok(self.cost)
    }

    fn look(&mut self, now: Duration, moved: u64) {
        let since = now.saturating_sub(self.looked);
        if since < PERIOD {
            return;
        }
        let bytes = u128::from(moved.saturating_sub(self.moved));
        if bytes * 1_000_000_000 >= u128::from(BUSY) * since.as_nanos() {
            self.busy_until = now.saturating_add(AFTERWARDS);
        }
        self.looked = now;
        self.moved = moved;
    }

    /// A handshake that was taken to cost `estimate` did cost `spent`.
    fn settle(&mut self, estimate: Duration, spent: Duration) {
        let correction = nanos(estimate).saturating_sub(nanos(spent));
        self.left = self.left.saturating_add(correction);
        self.cost = (self.cost * 7 + spent) / 8;
    }
}

fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

/// A connection that had its turn. Its time counts as that of a handshake until somebody is logged in or it ends.
#[derive(Debug)]
pub struct Newcomer {
    pace: Arc<Pace>,
    estimate: Duration,
    /// Nanoseconds.
    spent: AtomicU64,
    over: AtomicBool,
}

impl Newcomer {
    /// Runs the connection, and measures the time it takes of its thread until somebody is logged in.
    pub fn measure<F: Future>(self: &Arc<Self>, connection: F) -> Measured<F> {
        Measured {
            newcomer: Arc::clone(self),
            connection: Box::pin(connection),
        }
    }

    /// Somebody is logged in.
    pub fn logged_in(&self) {
        if !self.over.swap(true, Ordering::Relaxed) {
            let spent = Duration::from_nanos(self.spent.load(Ordering::Relaxed));
            self.pace.budget.lock().settle(self.estimate, spent);
        }
    }

    /// Bytes went to the client or came from it. Before the login they do not count.
    pub fn moved(&self, bytes: usize) {
        if self.over.load(Ordering::Relaxed) {
            self.pace.moved.fetch_add(bytes as u64, Ordering::Relaxed);
        }
    }
}

impl Drop for Newcomer {
    fn drop(&mut self) {
        self.logged_in();
    }
}

/// See [`Newcomer::measure`].
#[derive(Debug)]
pub struct Measured<F> {
    newcomer: Arc<Newcomer>,
    connection: Pin<Box<F>>,
}

impl<F: Future> Future for Measured<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        if self.newcomer.over.load(Ordering::Relaxed) {
            return self.connection.as_mut().poll(cx);
        }
        let begun = Instant::now();
        let state = self.connection.as_mut().poll(cx);
        let spent = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.newcomer.spent.fetch_add(spent, Ordering::Relaxed);
        state
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);
    /// Bytes in a ms of a transfer at full speed.
    const FAST: u64 = 500_000;

    /// How many of as many as come were admitted within a second, where each costs `cost` and `per_ms` bytes move.
    fn admitted(cores: u32, cost: Duration, per_ms: u64) -> u32 {
        let mut budget = Budget::new(cores);
        budget
            .admit(PERIOD, u64::from(PERIOD.subsec_millis()) * per_ms)
            .unwrap();
        let mut count = 0;
        for ms in 51..=1_050_u32 {
            // No core computes more than that.
            for _ in 0..10 {
                let Ok(estimate) = budget.admit(MS * ms, u64::from(ms) * per_ms) else {
                    break;
                };
                budget.settle(estimate, cost);
                count += 1;
            }
        }
        count
    }

    #[test]
    fn a_storm_gets_its_part_of_the_time_while_bytes_move() {
        for cores in [1, 2, 64] {
            for cost in [MS / 2, MS, 8 * MS] {
                let took = cost * admitted(cores, cost, FAST);
                let wanted = Duration::from_secs(1) / PART * cores;
                let most = wanted + SAVED * cores + cost;
                // Ten a ms are offered.
                let least = wanted.min(cost * 10_000) - cost;
                assert!(
                    least <= took && took <= most,
                    "{cores} cores, {cost:?}: {took:?}"
                );
            }
        }
    }

    #[test]
    fn nobody_waits_while_few_bytes_move() {
        assert_eq!(admitted(1, MS, 0), 10_000);
        assert_eq!(admitted(1, MS, BUSY / 1_000 - 100), 10_000);
    }

    #[test]
    fn a_pause_between_two_transfers_is_no_end() {
        let mut budget = Budget::new(1);
        budget.look(PERIOD, FAST * 50);
        let end = PERIOD + AFTERWARDS;
        budget.left = -1;
        budget.filled = end - MS;
        assert!(budget.admit(end - MS, FAST * 50).is_err());
        assert!(budget.admit(end, FAST * 50).is_ok());
    }

    #[test]
    fn what_is_missing_is_waited_for_and_no_longer() {
        let mut budget = Budget::new(1);
        budget.busy_until = AFTERWARDS;
        let estimate = budget.admit(MS, 0).unwrap();
        budget.settle(estimate, SAVED + 2 * MS);
        let wait = budget.admit(MS, 0).unwrap_err();
        assert!(
            (PART - 1) * 2 * MS <= wait && wait <= PART * 2 * MS,
            "{wait:?}"
        );
        budget.admit(MS + wait, 0).unwrap();
    }

    #[tokio::test]
    async fn a_connection_is_measured_until_its_login() {
        let pace = Pace::new(1);
        let newcomer = pace.turn().await;
        let work = Duration::from_millis(3);
        let inner = Arc::clone(&newcomer);
        newcomer
            .measure(async move {
                let begun = Instant::now();
                while begun.elapsed() < work {}
                tokio::task::yield_now().await;
                inner.moved(7);
                inner.logged_in();
                inner.moved(5);
                tokio::task::yield_now().await;
                // From here on nothing is measured.
                inner.spent.store(0, Ordering::Relaxed);
                tokio::task::yield_now().await;
            })
            .await;
        assert_eq!(newcomer.spent.load(Ordering::Relaxed), 0);
        drop(newcomer);
        let least = (FIRST_COST * 7 + work) / 8;
        let cost = pace.budget.lock().cost;
        assert!(cost >= least, "{cost:?}");
        assert_eq!(pace.moved.load(Ordering::Relaxed), 5);
    }
}
