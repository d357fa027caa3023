//! Scans of quotas, on request.

use std::sync::Arc;

use super::error::{AdminError, AdminErrorKind};
use crate::engine::Core;
use crate::quota::{NotListed, Quiet, QuotaScan};

/// What became of the wish for a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Started {
    /// It is under way.
    Now,
    /// The files of this user are being scanned already.
    Before,
}

impl Core {
    /// Starts to count the files of a user, and returns at once. How it ends is in the log.
    ///
    /// # Errors
    /// `NotFound` if there is no such user, `MethodDisabled` if quotas are not counted, `Unavailable` if too many scans wait.
    pub async fn start_quota_scan(self: &Arc<Self>, username: &str) -> Result<Started, AdminError> {
        self.user_admin().stored_by_name(username).await?;
        if self.quota.is_off() {
            return Err(AdminError::new(
                AdminErrorKind::MethodDisabled,
                "data_provider.track_quota is 0: quotas are not counted",
            ));
        }
        let listed = match self.scans.begin(username) {
            Ok(listed) => listed,
            Err(NotListed::Running) => return Ok(Started::Before),
            Err(NotListed::TooMany) => {
                let message = "too many quota scans wait already; try again later";
                return Err(AdminError::new(AdminErrorKind::Unavailable, message));
            }
        };
        let (core, username) = (Arc::clone(self), username.to_owned());
        self.tasks().spawn(async move {
            // How it went is in the log.
            let _ = core.scan_quota(&username, listed, Quiet::Serving).await;
        });
        Ok(Started::Now)
    }

    /// Scans that are not done, by the names of their users.
    pub fn quota_scans(&self) -> Vec<QuotaScan> {
        self.scans.list()
    }
}
