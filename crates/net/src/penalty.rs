//! Addresses that misbehave are refused for a while, each time longer: what a program that guesses passwords gets, and nobody
//! who mistypes one. After `PerSourcePenalties` of OpenSSH.

use std::time::{Duration, Instant};

/// How a connection ended that should have ended in a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misconduct {
    /// Something was tried, and refused.
    FailedLogin,
    /// Nothing was tried.
    NoLogin,
    /// The time to log in was over.
    TooSlow,
}

/// What misconduct costs. The time that an address owes adds up, and passes; it is refused once it owes `least`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Penalties {
    /// For [`Misconduct::FailedLogin`].
    pub failed_login: Duration,
    /// For [`Misconduct::NoLogin`].
    pub no_login: Duration,
    /// For [`Misconduct::TooSlow`].
    pub too_slow: Duration,
    /// Less than this is forgiven: nobody is refused for it.
    pub least: Duration,
    /// More than this is never owed. Who owed nothing for as long again has a clean record.
    pub most: Duration,
}

impl Default for Penalties {
    fn default() -> Self {
        Self {
            failed_login: Duration::from_secs(5),
            no_login: Duration::from_secs(1),
            too_slow: Duration::from_secs(10),
            least: Duration::from_secs(15),
            most: Duration::from_secs(120),
        }
    }
}

impl Penalties {
    fn price(&self, misconduct: Misconduct) -> Duration {
        match misconduct {
            Misconduct::FailedLogin => self.failed_login,
            Misconduct::NoLogin => self.no_login,
            Misconduct::TooSlow => self.too_slow,
        }
    }
}

/// What one address owes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Debt {
    /// When it will owe nothing any more.
    until: Instant,
    /// Whether it owed enough to be refused until then.
    refused: bool,
    /// How often it has been refused. Everything costs twice as much each time.
    times: u32,
}

impl Debt {
    pub(crate) fn none(now: Instant) -> Self {
        Self {
            until: now,
            refused: false,
            times: 0,
        }
    }

    /// Whether connections are refused.
    pub(crate) fn refuses(&self, now: Instant) -> bool {
        self.refused && now < self.until
    }

    /// When the record of it is of no use any more, as far as is known now.
    pub(crate) fn matters_until(&self, penalties: &Penalties) -> Instant {
        self.until + penalties.most
    }

    pub(crate) fn add(&mut self, misconduct: Misconduct, penalties: &Penalties, now: Instant) {
        if now >= self.matters_until(penalties) {
            *self = Self::none(now);
        }
        if self.refused && now >= self.until {
            self.refused = false;
            self.times = self.times.saturating_add(1);
        }
        let factor = 1_u32.checked_shl(self.times).unwrap_or(u32::MAX);
        let price = penalties.price(misconduct).saturating_mul(factor);
        let owed = self.until.saturating_duration_since(now);
        let owed = owed.saturating_add(price).min(penalties.most);
        self.until = now + owed;
        self.refused |= owed >= penalties.least && !owed.is_zero();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// The seconds at which connections that fail at once are let in, if one is tried every second.
    fn let_in(misconduct: Misconduct, seconds: u32) -> Vec<u32> {
        let (start, penalties) = (Instant::now(), Penalties::default());
        let mut debt = Debt::none(start);
        let mut times = Vec::new();
        for second in 0..seconds {
            let now = start + SECOND * second;
            if !debt.refuses(now) {
                times.push(second);
                debt.add(misconduct, &penalties, now);
            }
        }
        times
    }

    #[test]
    fn who_fails_again_and_again_waits_longer_each_time() {
        let times = let_in(Misconduct::FailedLogin, 1000);
        // Four failures owe 17 seconds, then two 19, then one 20, 40, 80 and 120.
        assert_eq!(
            times,
            [
                0, 1, 2, 3, 20, 21, 40, 60, 100, 180, 300, 420, 540, 660, 780, 900
            ]
        );
    }

    #[test]
    fn little_and_seldom_is_forgiven() {
        assert_eq!(let_in(Misconduct::NoLogin, 50).len(), 50);
        let (start, penalties) = (Instant::now(), Penalties::default());
        let mut debt = Debt::none(start);
        for attempt in 0..100_u32 {
            let now = start + SECOND * 6 * attempt;
            assert!(!debt.refuses(now));
            debt.add(Misconduct::FailedLogin, &penalties, now);
        }
    }

    #[test]
    fn many_at_once_owe_no_more_than_the_most_and_are_forgiven_in_the_end() {
        let (start, penalties) = (Instant::now(), Penalties::default());
        let mut debt = Debt::none(start);
        for _ in 0..1000 {
            debt.add(Misconduct::TooSlow, &penalties, start);
        }
        assert!(debt.refuses(start + SECOND * 119));
        assert!(!debt.refuses(start + SECOND * 120));
        // The record lasts as long again: then a failure costs twice as much, and after that it costs the same as ever.
        let mut remembered = debt;
        remembered.add(Misconduct::TooSlow, &penalties, start + SECOND * 239);
        assert!(remembered.refuses(start + SECOND * 239));
        debt.add(Misconduct::TooSlow, &penalties, start + SECOND * 240);
        assert!(!debt.refuses(start + SECOND * 240));
    }

    #[test]
    fn misconduct_that_costs_nothing_never_refuses() {
        let penalties = Penalties {
            no_login: Duration::ZERO,
            least: Duration::ZERO,
            ..Penalties::default()
        };
        let start = Instant::now();
        let mut debt = Debt::none(start);
        for _ in 0..1000 {
            debt.add(Misconduct::NoLogin, &penalties, start);
        }
        assert!(!debt.refuses(start));
    }
}
