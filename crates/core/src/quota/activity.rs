//! Whether anything moves in the counters of a user while somebody scans the user's files.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

/// Open uploads and changes, by user. Only users that have either an upload or a scan are in it.
#[derive(Debug, Clone, Default)]
pub(super) struct Activity(Arc<Mutex<HashMap<String, Movement>>>);

#[derive(Debug, Default)]
struct Movement {
    uploads: usize,
    watches: usize,
    changes: u64,
}

impl Activity {
    /// Notes an upload, from before it reserves anything until it is settled.
    pub(super) fn enter(&self, username: &str) -> Moving {
        let mut users = self.0.lock();
        let movement = users.entry(username.to_owned()).or_default();
        movement.uploads += 1;
        movement.changes += 1;
        Moving {
            activity: self.clone(),
            username: username.to_owned(),
        }
    }

    /// Notes that counters changed.
    pub(super) fn note_change(&self, username: &str) {
        if let Some(movement) = self.0.lock().get_mut(username) {
            movement.changes += 1;
        }
    }

    /// Watches from now on.
    pub(super) fn watch(&self, username: &str) -> Watch {
        let mut users = self.0.lock();
        let movement = users.entry(username.to_owned()).or_default();
        movement.watches += 1;
        Watch {
            activity: self.clone(),
            username: username.to_owned(),
            still_at: (movement.uploads == 0).then_some(movement.changes),
        }
    }

    fn leave(&self, username: &str, leave: impl FnOnce(&mut Movement)) {
        let mut users = self.0.lock();
        if let Some(movement) = users.get_mut(username) {
            leave(movement);
            if movement.uploads == 0 && movement.watches == 0 {
                users.remove(username);
            }
        }
    }
}

/// An upload that is not settled.
#[derive(Debug)]
pub(super) struct Moving {
    activity: Activity,
    username: String,
}

impl Drop for Moving {
    fn drop(&mut self) {
        self.activity.leave(&self.username, |movement| {
            movement.uploads = movement.uploads.saturating_sub(1);
            movement.changes += 1;
        });
    }
}

/// A look at a user's files that must not be disturbed.
#[derive(Debug)]
pub(crate) struct Watch {
    activity: Activity,
    username: String,
    /// `None` if uploads were open from the start.
    still_at: Option<u64>,
}

impl Watch {
    /// Whether nothing moved since it began.
    pub(crate) fn is_still(&self) -> bool {
        let users = self.activity.0.lock();
        let changes = users.get(&self.username).map(|movement| movement.changes);
        self.still_at.is_some() && self.still_at == changes
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.activity.leave(&self.username, |movement| {
            movement.watches = movement.watches.saturating_sub(1);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uploads_and_changes_disturb_a_scan_and_other_users_do_not() {
        let activity = Activity::default();
        let watch = activity.watch("alice");
        drop(activity.enter("bob"));
        activity.note_change("bob");
        assert!(watch.is_still());
        activity.note_change("alice");
        assert!(!watch.is_still());
        drop(watch);

        let upload = activity.enter("alice");
        let watch = activity.watch("alice");
        assert!(!watch.is_still());
        drop(upload);
        assert!(!watch.is_still());
        assert!(activity.watch("alice").is_still());
        drop(watch);
        assert!(activity.0.lock().is_empty(), "nothing is kept for ever");
    }
}
