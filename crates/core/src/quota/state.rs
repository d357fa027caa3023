//! What the counters hold for one file, and what they are to hold: pure arithmetic.
//!
//! While nobody has a file open for writing the counters hold what it is: its size, and one file, for each of its names.
//! While somebody has, they hold what it was at the beginning, what was reserved for it, and the names that came and went.
//! When the last one closes it, one change makes them what the file is then.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sftpgo_data::QuotaDelta;
use sftpgo_storage::Metadata;

/// What a file counts for: each of its names for itself. Anything but a regular file counts for nothing.
pub(super) fn counts(file: &Metadata) -> QuotaDelta {
    counts_of(file, file.size)
}

fn counts_of(file: &Metadata, size: u64) -> QuotaDelta {
    if !file.is_file() {
        return QuotaDelta::default();
    }
    QuotaDelta {
        files: to_signed(file.links),
        bytes: to_signed(size.saturating_mul(file.links)),
    }
}

/// What must be added to `from` to get `to`.
pub(super) fn difference(from: QuotaDelta, to: QuotaDelta) -> QuotaDelta {
    QuotaDelta {
        files: to.files.saturating_sub(from.files),
        bytes: to.bytes.saturating_sub(from.bytes),
    }
}

/// Both together.
pub(super) fn sum(one: QuotaDelta, other: QuotaDelta) -> QuotaDelta {
    QuotaDelta {
        files: one.files.saturating_add(other.files),
        bytes: one.bytes.saturating_add(other.bytes),
    }
}

/// What the counters have to be changed by if one file took the place of another, or of nothing; or nothing the place of one.
pub(super) fn exchanged(before: Option<&Metadata>, now: Option<&Metadata>) -> QuotaDelta {
    let id = |file: Option<&Metadata>| file.and_then(|file| file.id);
    if id(before) == id(now) {
        return QuotaDelta::default();
    }
    let count = |file: Option<&Metadata>| file.map_or(QuotaDelta::default(), counts);
    difference(count(before), count(now))
}

/// A file that somebody has open for writing, or that nobody has (the default).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct FileState {
    /// How many have it open, by server.
    writers: BTreeMap<String, u32>,
    /// What the counters hold for it.
    files: i64,
    bytes: i64,
    /// Up to where bytes may be written without reserving more.
    covered: u64,
}

impl FileState {
    /// A file that nobody else knows, of which `covered` bytes are counted already.
    pub(super) fn hidden(covered: u64) -> Self {
        Self {
            files: 1,
            covered,
            ..Self::default()
        }
    }

    /// What was reserved for a file that nobody else knows.
    pub(super) fn reserved(&self) -> i64 {
        self.bytes
    }

    /// Whether somebody writes it.
    pub(super) fn is_open(&self) -> bool {
        !self.writers.is_empty()
    }

    /// The servers on which somebody writes it.
    pub(super) fn servers(&self) -> impl Iterator<Item = &str> {
        self.writers.keys().map(String::as_str)
    }

    /// Up to where bytes may be written without reserving more.
    pub(super) fn covered(&self) -> u64 {
        self.covered
    }

    /// Notes that somebody has the file open, which is `now` as it is.
    pub(super) fn enter(&mut self, server: &str, now: &Metadata) {
        if !self.is_open() {
            self.set(counts(now));
            self.covered = now.size;
        }
        *self.writers.entry(server.to_owned()).or_default() += 1;
    }

    /// Notes that somebody has closed the file; the last one learns what the counters have to be changed by.
    pub(super) fn leave(&mut self, server: &str, now: &Metadata) -> QuotaDelta {
        if let Some(writers) = self.writers.get_mut(server) {
            *writers = writers.saturating_sub(1);
            if *writers == 0 {
                self.writers.remove(server);
            }
        }
        if self.is_open() {
            return QuotaDelta::default();
        }
        let counted = std::mem::take(self).counted();
        difference(counted, counts(now))
    }

    /// Forgets those who had it open on a server that died.
    pub(super) fn forget(&mut self, server: &str) {
        self.writers.remove(server);
    }

    /// Bytes that must be reserved, for all names together, before the file may be `more` bytes longer than it is covered.
    pub(super) fn price(&self, more: u64) -> u64 {
        more.saturating_mul(u64::try_from(self.files).unwrap_or(0))
    }

    /// Notes that [`price`](Self::price) was paid.
    pub(super) fn grow(&mut self, more: u64) {
        self.bytes = self.bytes.saturating_add(to_signed(self.price(more)));
        self.covered = self.covered.saturating_add(more);
    }

    /// Notes that names came or went, or that the size was changed by somebody who has not entered: what the counters have
    /// to be changed by. `before` and `after` are the file as it was and is.
    pub(super) fn changed(&mut self, before: &Metadata, after: &Metadata) -> QuotaDelta {
        if !self.is_open() {
            return difference(counts(before), counts(after));
        }
        // What is reserved stays so.
        let wanted = counts_of(after, after.size.max(self.covered));
        let change = difference(self.counted(), wanted);
        self.set(wanted);
        change
    }

    /// What a further name of the file will cost: what it may grow to without asking again counts, too.
    pub(super) fn price_of_name(&self, file: &Metadata) -> QuotaDelta {
        let size = if self.is_open() {
            file.size.max(self.covered)
        } else {
            file.size
        };
        QuotaDelta {
            files: 1,
            bytes: to_signed(size),
        }
    }

    fn counted(&self) -> QuotaDelta {
        QuotaDelta {
            files: self.files,
            bytes: self.bytes,
        }
    }

    fn set(&mut self, counted: QuotaDelta) {
        self.files = counted.files;
        self.bytes = counted.bytes;
    }
}

pub(super) fn to_signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sftpgo_storage::{FileKind, FileTime};

    use super::*;

    fn file(size: u64, links: u64) -> Metadata {
        Metadata {
            kind: FileKind::File,
            size,
            mode: 0o100_644,
            uid: 0,
            gid: 0,
            links,
            accessed: FileTime::default(),
            modified: FileTime::default(),
            id: None,
        }
    }

    #[test]
    fn a_closed_file_changes_the_counters_by_what_it_changes_by() {
        let change = FileState::default().changed(&file(10, 2), &file(10, 1));
        assert_eq!(
            change,
            QuotaDelta {
                files: -1,
                bytes: -10
            }
        );
        let directory = Metadata {
            kind: FileKind::Directory,
            ..file(4096, 2)
        };
        let change = FileState::default().changed(&directory, &directory);
        assert_eq!(change, QuotaDelta::default());
    }

    #[test]
    fn reservations_of_an_open_file_stay_until_the_last_one_closes_it() {
        let mut state = FileState::default();
        state.enter("a", &file(10, 1));
        state.enter("b", &file(10, 1));
        state.grow(90);
        assert_eq!(state.leave("b", &file(40, 1)), QuotaDelta::default());
        // 10 were counted and 90 reserved.
        assert_eq!(
            state.leave("a", &file(40, 1)),
            QuotaDelta {
                files: 0,
                bytes: -60
            }
        );
        assert_eq!(state, FileState::default());
    }

    #[test]
    fn a_file_that_lost_its_last_name_is_free_to_grow() {
        let mut state = FileState::default();
        state.enter("a", &file(10, 1));
        let change = state.changed(&file(10, 1), &file(10, 0));
        assert_eq!(
            change,
            QuotaDelta {
                files: -1,
                bytes: -10
            }
        );
        assert_eq!(state.price(1000), 0);
        assert_eq!(state.leave("a", &file(5000, 0)), QuotaDelta::default());
    }

    #[derive(Debug, Clone)]
    enum Step {
        Enter(bool),
        Leave(bool),
        Write(u64),
        Cut(u64),
        Name,
        Unname,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            any::<bool>().prop_map(Step::Enter),
            any::<bool>().prop_map(Step::Leave),
            (0..200_u64).prop_map(Step::Write),
            (0..200_u64).prop_map(Step::Cut),
            Just(Step::Name),
            Just(Step::Unname),
        ]
    }

    proptest! {
        /// Whatever happens to a file: when nobody has it open, the counters are what it is, and never below before.
        #[test]
        fn counters_are_what_a_closed_file_is(steps in prop::collection::vec(step(), 0..40)) {
            let mut state = FileState::default();
            let mut counters = QuotaDelta { files: 1, bytes: 0 };
            let (mut size, mut links) = (0_u64, 1_u64);
            let mut open = [0_u32; 2];
            let server = |second: bool| if second { "b" } else { "a" };
            for step in steps {
                match step {
                    Step::Enter(second) => {
                        state.enter(server(second), &file(size, links));
                        open[usize::from(second)] += 1;
                    }
                    Step::Leave(second) => {
                        if open[usize::from(second)] > 0 {
                            open[usize::from(second)] -= 1;
                            counters = sum(counters, state.leave(server(second), &file(size, links)));
                        }
                    }
                    Step::Write(end) if state.is_open() => {
                        if end > state.covered() {
                            let more = end - state.covered();
                            counters.bytes += to_signed(state.price(more));
                            state.grow(more);
                        }
                        size = size.max(end);
                    }
                    Step::Cut(at) if state.is_open() && at < size => size = at,
                    Step::Write(_) | Step::Cut(_) => {}
                    Step::Name | Step::Unname => {
                        let before = file(size, links);
                        links = if matches!(step, Step::Name) {
                            links + 1
                        } else {
                            links.saturating_sub(1)
                        };
                        counters = sum(counters, state.changed(&before, &file(size, links)));
                    }
                }
                let real = counts(&file(size, links));
                if state.is_open() {
                    prop_assert!(counters.files >= real.files && counters.bytes >= real.bytes);
                } else {
                    prop_assert_eq!(counters, real);
                }
            }
        }
    }
}
