//! What happened to accounts in a store that one process has: a log of the last changes, in memory.

use std::collections::VecDeque;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::engine::KvEngine;
use super::provider::KvProvider;
use crate::error::DataResult;
use crate::provider::{ChangeFeed, ChangeMark, Changes};

/// Changes that are remembered; who is further behind is told that anything may have changed.
const MOST: usize = 1000;

/// The last changes.
#[derive(Debug, Default)]
pub(super) struct ChangeLog {
    entries: Mutex<Entries>,
    noted: Notify,
}

#[derive(Debug, Default)]
struct Entries {
    /// The names of the changes `newest - names.len() + 1` up to `newest`.
    names: VecDeque<String>,
    newest: i64,
}

impl ChangeLog {
    /// Notes a change of one account; to be called when it can be seen.
    pub(super) fn note(&self, username: &str) {
        let mut entries = self.entries.lock();
        entries.newest += 1;
        entries.names.push_back(username.to_owned());
        if entries.names.len() > MOST {
            entries.names.pop_front();
        }
        drop(entries);
        self.noted.notify_one();
    }

    /// Notes that every account may have changed.
    pub(super) fn note_everybody(&self) {
        let mut entries = self.entries.lock();
        entries.newest += 1;
        entries.names.clear();
        drop(entries);
        self.noted.notify_one();
    }

    fn newest(&self) -> ChangeMark {
        ChangeMark(self.entries.lock().newest)
    }

    fn since(&self, after: ChangeMark) -> Changes {
        let entries = self.entries.lock();
        let mark = ChangeMark(entries.newest);
        let behind = usize::try_from(entries.newest.saturating_sub(after.0));
        match behind {
            Ok(behind) if behind <= entries.names.len() => {
                let mut names: Vec<String> =
                    entries.names.iter().rev().take(behind).cloned().collect();
                names.sort();
                names.dedup();
                Changes::Of(names, mark)
            }
            Ok(_) | Err(_) => Changes::Unknown(mark),
        }
    }
}

#[async_trait]
impl<E: KvEngine> ChangeFeed for KvProvider<E> {
    async fn change_mark(&self) -> DataResult<ChangeMark> {
        Ok(self.changes().newest())
    }

    async fn wait_for_changes(&self, at_most: Duration) {
        // Either way there is nothing more to wait for.
        let _ = timeout(at_most, self.changes().noted.notified()).await;
    }

    async fn touch(&self, username: &str) -> DataResult<()> {
        self.changes().note(username);
        Ok(())
    }

    async fn changes(&self, after: ChangeMark) -> DataResult<Changes> {
        Ok(self.changes().since(after))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_too_far_behind_is_told_that_anything_may_have_changed() {
        let log = ChangeLog::default();
        for number in 0..MOST {
            log.note(&number.to_string());
        }
        let Changes::Of(names, mark) = log.since(ChangeMark(0)) else {
            panic!("all are remembered");
        };
        assert_eq!((names.len(), mark), (MOST, ChangeMark(1000)));
        log.note("one more");
        assert_eq!(log.since(ChangeMark(0)), Changes::Unknown(ChangeMark(1001)));
        assert_eq!(
            log.since(mark),
            Changes::Of(vec!["one more".to_owned()], ChangeMark(1001))
        );
    }

    #[test]
    fn when_all_accounts_are_replaced_anything_may_have_changed() {
        let log = ChangeLog::default();
        log.note("alice");
        log.note_everybody();
        assert_eq!(log.since(ChangeMark(1)), Changes::Unknown(ChangeMark(2)));
        assert_eq!(
            log.since(ChangeMark(2)),
            Changes::Of(Vec::new(), ChangeMark(2))
        );
        // A mark of another provider.
        assert_eq!(log.since(ChangeMark(7)), Changes::Unknown(ChangeMark(2)));
    }
}
