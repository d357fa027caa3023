//! Renaming.

use sftpgo_model::{Permission, User, VirtualPath};
use sftpgo_storage::{Links, Removed, RenameMode, StorageErrorKind};

use super::{CommandLog, Session};
use crate::access::{Demand, Permit};
use crate::error::{OpError, OpErrorKind, OpResult};

const RENAME: Demand = Demand::named_entry(&[Permission::Rename]);
const OVERWRITE: Demand = Demand::entry(&[Permission::Overwrite]);
/// The source directory is deliberately not asked for `rename` (reference 3.3): only that it may be left. What has rules
/// of its own stays where they hold: moved away, a closed directory would be open.
const SOURCE: Demand = Demand {
    moves: true,
    ..Demand::named_entry(&Permission::ALL)
};

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
        let replacing = if self.has(&to.parent(), Permission::Overwrite) {
            Some(self.permit(to, OVERWRITE)?.and(&target))
        } else {
            None
        };
        let session = self.clone();
        self.to_the_end(async move {
            let user = &session.inner.user;
            let quota = &session.inner.core.quota;
            let (from, to) = (source.server_path(), target.server_path());
            let _names = quota.lock_names(from.clone(), to.clone()).await;
            let replaced = move_entry(user, &source, &target, replacing.as_ref()).await?;
            if let Some(replaced) = &replaced {
                quota.apply_removed(user, replaced).await;
            }
            session.log_command(&CommandLog {
                target: &to,
                ..CommandLog::new("Rename", &from)
            });
            Ok(())
        })
        .await
    }
}

/// Replaces what is there if `overwrite` holds where links lead, too; otherwise only a new name may be taken.
async fn move_entry(
    user: &User,
    source: &Permit,
    target: &Permit,
    replacing: Option<&Permit>,
) -> OpResult<Removed> {
    let storage = source.storage()?;
    if let Some(replacing) = replacing {
        let moved = storage
            .rename(&source.target, &replacing.target, RenameMode::Replace)
            .await;
        match moved {
            // The account may not replace what is there; if it may, it was the system that refused.
            Err(error)
                if error.kind() == StorageErrorKind::PermissionDenied
                    && !replacing.permissions(user).contains(Permission::Overwrite) => {}
            moved => return Ok(moved?),
        }
    }
    let mode = RenameMode::NoReplace;
    Ok(storage.rename(&source.target, &target.target, mode).await?)
}
