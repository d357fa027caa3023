//! Renaming.

use sftpgo_model::{Permission, VirtualPath};
use sftpgo_storage::{Links, RenameMode};

use super::{CommandLog, Session};
use crate::access::Demand;
use crate::error::{OpError, OpErrorKind, OpResult};

const RENAME: Demand = Demand::entry(&[Permission::Rename]);
/// The source directory is deliberately not asked for `rename` (reference 3.3): only that it may be left.
const SOURCE: Demand = Demand::entry(&Permission::ALL);

impl Session {
    /// Moves a file, link or directory. What is at the new name is replaced if the account may overwrite there.
    pub async fn rename(&self, from: &VirtualPath, to: &VirtualPath) -> OpResult<()> {
        self.refuse_fixed(from)?;
        self.refuse_fixed(to)?;
        let target = self.permit(to, RENAME)?;
        let source = self.permit(from, SOURCE)?;
        if !source.same_mount(&target) {
            return Err(OpError::new(
                OpErrorKind::AlreadyExists,
                "Failure: cannot rename between different storages",
            ));
        }
        let rules = &self.inner.user.extension_rules;
        if !rules.allows(from) || !rules.allows(to) {
            let found = source
                .storage()?
                .stat(&source.target, Links::NoFollow)
                .await?;
            if found.is_file() {
                return Err(OpErrorKind::NameNotAllowed.into());
            }
        }
        let mode = if self.has(&to.parent(), Permission::Overwrite) {
            RenameMode::Replace
        } else {
            RenameMode::NoReplace
        };
        let session = self.clone();
        self.to_the_end(async move {
            let replaced = source
                .storage()?
                .rename(&source.target, &target.target, mode)
                .await?;
            if let Some(replaced) = &replaced {
                session
                    .inner
                    .core
                    .quota
                    .apply_removed(&session.inner.user, replaced)
                    .await;
            }
            let (from, to) = (source.server_path(), target.server_path());
            session.log_command(&CommandLog {
                target: &to,
                ..CommandLog::new("Rename", &from)
            });
            Ok(())
        })
        .await
    }
}
