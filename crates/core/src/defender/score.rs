//! The points of one address over a sliding window of time.

use std::collections::VecDeque;

/// The window is looked at in so many parts: points count for all of it, and for one part more at most.
pub(super) const PARTS: u64 = 16;

/// Points by the part of time in which they came; never more than `PARTS + 1` of them.
#[derive(Debug, Clone, Default)]
pub(super) struct Score(VecDeque<(u64, u32)>);

impl Score {
    /// Adds points in the part of time that is now. Parts do not go back.
    pub(super) fn add(&mut self, now: u64, points: u32) {
        self.0.retain(|(part, _)| counts(*part, now));
        match self.0.back_mut() {
            Some((part, sum)) if *part == now => *sum = sum.saturating_add(points),
            Some(_) | None => self.0.push_back((now, points)),
        }
    }

    /// The points that count.
    pub(super) fn value(&self, now: u64) -> u32 {
        let counted = self.0.iter().filter(|(part, _)| counts(*part, now));
        counted.fold(0, |sum, (_, points)| sum.saturating_add(*points))
    }
}

fn counts(part: u64, now: u64) -> bool {
    now.saturating_sub(part) <= PARTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_count_for_the_whole_window_and_then_no_more() {
        let mut score = Score::default();
        score.add(3, 5);
        score.add(3, 1);
        score.add(10, 2);
        assert_eq!(score.value(10), 8);
        assert_eq!(score.value(3 + PARTS), 8);
        assert_eq!(score.value(3 + PARTS + 1), 2);
        assert_eq!(score.value(10 + PARTS + 1), 0);
    }

    #[test]
    fn what_is_kept_and_the_sum_are_bounded() {
        let mut score = Score::default();
        for now in 0..1000 {
            score.add(now, u32::MAX / 2);
            assert!(score.0.len() as u64 <= PARTS + 1);
        }
        assert_eq!(score.value(999), u32::MAX);
    }
}
