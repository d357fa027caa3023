//! [`Overflow`]: actions that found no place. The first is logged at once, those that follow once a period.

use std::time::Duration;

use parking_lot::Mutex;

/// How often drops are logged, however many there are.
pub(super) const PERIOD: Duration = Duration::from_secs(60);

/// How many found no place.
#[derive(Debug, Default)]
pub(super) struct Overflow {
    /// Since the last line, once there was one in this period.
    unsaid: Mutex<Option<u64>>,
}

impl Overflow {
    /// Notes one; whether a period begins with it, so that there is a line to write now and one at its end.
    pub(super) fn note(&self) -> bool {
        let mut unsaid = self.unsaid.lock();
        match &mut *unsaid {
            Some(count) => {
                *count = count.saturating_add(1);
                false
            }
            None => {
                *unsaid = Some(0);
                true
            }
        }
    }

    /// Ends the period; how many there were beside the first.
    pub(super) fn end_period(&self) -> u64 {
        self.unsaid.lock().take().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_begins_a_period_and_one_ends_it() {
        let overflow = Overflow::default();
        assert!(overflow.note());
        assert!(!overflow.note() && !overflow.note());
        assert_eq!(overflow.end_period(), 2);
        assert!(overflow.note());
        assert_eq!(overflow.end_period(), 0);
    }
}
