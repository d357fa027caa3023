//! [`Pace`]: how long a hook took lately. Who is not there waits as long as those for whom it is asked, so that nobody learns
//! by the clock who is there.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::sleep;

/// Durations that are remembered.
const REMEMBERED: usize = 32;

/// The last durations, handed out in turn.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    last: Mutex<Last>,
}

#[derive(Debug, Default)]
struct Last {
    durations: Vec<Duration>,
    noted: usize,
    taken: usize,
}

impl Pace {
    /// Waits as long as one of the last times took; not at all if there was none.
    pub(crate) async fn imitate(&self) {
        if let Some(duration) = self.take() {
            sleep(duration).await;
        }
    }

    /// Remembers how long it took.
    pub(crate) fn note(&self, duration: Duration) {
        let mut last = self.last.lock();
        let place = last.noted % REMEMBERED;
        last.noted = last.noted.wrapping_add(1);
        match last.durations.get_mut(place) {
            Some(old) => *old = duration,
            None => last.durations.push(duration),
        }
    }

    fn take(&self) -> Option<Duration> {
        let mut last = self.last.lock();
        let place = last.taken.checked_rem(last.durations.len())?;
        last.taken = last.taken.wrapping_add(1);
        last.durations.get(place).copied()
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_is_imitated_is_one_of_the_last() {
        let pace = Pace::default();
        let began = Instant::now();
        pace.imitate().await;
        assert_eq!(began.elapsed(), Duration::ZERO);
        for seconds in 0..100 {
            pace.note(Duration::from_secs(seconds));
        }
        for _ in 0..100 {
            let began = Instant::now();
            pace.imitate().await;
            let seconds = began.elapsed().as_secs();
            assert!(
                (100 - REMEMBERED as u64..100).contains(&seconds),
                "{seconds}"
            );
        }
    }
}
