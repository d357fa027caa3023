//! Follows what happens to accounts: running sessions keep to the rules of now, and end where there is no leave any more.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use sftpgo_data::{ChangeMark, Changes, DataResult};
use sftpgo_model::{Progress, User, UserRecord};

use super::{Live, LiveLogin};
use crate::auth::{AuthError, check_restrictions, check_usable, compile};
use crate::engine::Core;

/// How long to wait, at most, before looking for changes.
const WAIT: Duration = Duration::from_millis(500);

impl Core {
    /// The background work; ends when the server stops.
    pub(crate) async fn follow_accounts(self: Arc<Self>) {
        let mut follower = Follower {
            mark: None,
            due: BTreeSet::new(),
            reached: true,
        };
        loop {
            if let Err(error) = follower.step(&self).await {
                if std::mem::replace(&mut follower.reached, false) {
                    tracing::error!(%error, "changes of accounts cannot be seen");
                }
                if !self.pause(WAIT).await {
                    return;
                }
                continue;
            }
            if !std::mem::replace(&mut follower.reached, true) {
                tracing::info!("changes of accounts are seen again");
            }
            tokio::select! {
                () = self.stopping() => return,
                () = self.provider.wait_for_changes(WAIT) => {}
            }
        }
    }

    /// Looks an account up again for its logins.
    pub(crate) async fn review(&self, username: &str) -> DataResult<()> {
        let live: &Live = &self.live;
        let _turn = live.review().await;
        let logins = live.changed(username);
        if logins.is_empty() {
            return Ok(());
        }
        let record = self.provider.user_by_name(username).await?;
        let user = usable(record);
        for login in logins {
            let judged = user.as_ref().map_err(ToString::to_string);
            match judged.and_then(|user| judge(&login, user).map(|()| user)) {
                Ok(user) => login.replace(Arc::clone(user)),
                Err(reason) => login.end(&reason),
            }
        }
        Ok(())
    }
}

/// How far changes were followed.
struct Follower {
    /// Everything before it was seen; `None` before the data provider answered for the first time.
    mark: Option<ChangeMark>,
    /// Accounts that are still to be looked at.
    due: BTreeSet<String>,
    /// Whether the data provider answered the last time.
    reached: bool,
}

impl Follower {
    async fn step(&mut self, core: &Core) -> DataResult<()> {
        let (mark, everybody) = match self.mark {
            // The mark comes first: who logs in later looks the account up later.
            None => (core.provider.change_mark().await?, true),
            Some(after) => match core.provider.changes(after).await? {
                Changes::Of(names, mark) => {
                    for name in names {
                        core.concerned.forget(Some(&name));
                        self.due.insert(name);
                    }
                    (mark, false)
                }
                Changes::Unknown(mark) => (mark, true),
            },
        };
        if everybody {
            core.concerned.forget(None);
            self.due.extend(core.live.usernames());
        }
        self.mark = Some(mark);
        // One whose look-up fails stays due.
        while let Some(name) = self.due.first() {
            core.sessions.look_around(name).await?;
            core.review(name).await?;
            self.due.pop_first();
        }
        Ok(())
    }
}

/// The account as it would have to be for a login now.
fn usable(record: Option<UserRecord>) -> Result<Arc<User>, AuthError> {
    let record = record.ok_or_else(|| AuthError::not_allowed("the account was removed"))?;
    check_usable(&record)?;
    compile(&record)
}

/// Whether a login may go on with these rules; if not, why.
fn judge(login: &LiveLogin, new: &User) -> Result<(), String> {
    let old = login.user();
    if old.id != new.id {
        return Err("the account was replaced by another one".to_owned());
    }
    let places = |user: &User| {
        (
            user.home_dir.clone(),
            user.virtual_folders.clone(),
            user.filesystem.clone(),
        )
    };
    if places(&old) != places(new) {
        return Err("the home or the virtual folders of the account were changed".to_owned());
    }
    // What the server offers does not change while it runs.
    let progress = check_restrictions(new, &login.info, login.proved(), |_| true);
    match progress.map_err(|error| error.to_string())? {
        Progress::Complete => Ok(()),
        Progress::Continue(_) | Progress::Nowhere => {
            Err("the account asks for more login methods now".to_owned())
        }
    }
}
