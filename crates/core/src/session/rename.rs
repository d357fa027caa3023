//! Renaming.

use std::sync::Arc;

use sftpgo_model::{Permission, User, VirtualPath};
use sftpgo_storage::{
    Expected, FileKind, Links, RenameMode, Storage, StorageErrorKind, StorageResult, Target,
};

use super::links::climbs_out;
use super::{CommandLog, Session};
use crate::access::{Demand, Permit, gains_nothing_by_moving, tie};
use crate::error::{OpError, OpErrorKind, OpResult};

/// What has rules of its own is not replaced, nor does anything come under them that was not.
const RENAME: Demand = Demand {
    moves: true,
    ..Demand::named_entry(&[Permission::Rename])
};
const OVERWRITE: Demand = Demand::entry(&[Permission::Overwrite]);
/// The source directory is deliberately not asked for `rename` (reference 3.3): what it must give depends on the target, see
/// [`gains_nothing_by_moving`]. What has rules of its own stays where they hold: moved away, a closed directory would be
/// open.
const SOURCE: Demand = Demand {
    moves: true,
    ..Demand::named_entry(&Permission::ALL)
};

impl Session {
    /// Moves a file, link or directory. What is at the new name is replaced if the account may overwrite there.
    ///
    /// # Errors
    /// `PermissionDenied` also if the account could do more with it at the new place than at the old one, be it by
    /// permissions or, for what is in a directory, by extension filters, or if a link would lead out of the root there.
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
        let user = self.user();
        let fits =
            move |from: &VirtualPath, to: &VirtualPath| gains_nothing_by_moving(&user, from, to);
        let (source, target) =
            tie(source, target, fits).inspect_err(|error| self.log_denied(to, error))?;
        let replacing = if self.has(&to.parent(), Permission::Overwrite) {
            Some(self.permit(to, OVERWRITE)?)
        } else {
            None
        };
        let session = self.clone();
        self.to_the_end(async move {
            let user = &session.user();
            let (source, target) = session.check_kind(source, target).await?;
            let replacing = replacing.map(|replacing| replacing.and(&target));
            let storage = &**source.storage()?;
            let moving = Moving {
                storage,
                source: &source.target,
                target: &target.target,
                replacing: replacing.as_ref(),
                user,
            };
            let rename = |old, new| moving.rename(old, new);
            session
                .quota(&target)
                .move_name(storage, (&source.target, &target.target), rename)
                .await?;
            session.log_command(&CommandLog {
                target: &target.server_path(),
                ..CommandLog::new("Rename", &source.server_path())
            });
            session.report_rename(&source, &target);
            Ok(())
        })
        .await
    }

    /// What may be moved where also depends on what it is.
    async fn check_kind(&self, source: Permit, target: Permit) -> OpResult<(Permit, Permit)> {
        let user = &self.user();
        let rules = &user.extension_rules;
        let storage = source.storage()?;
        let found = storage.stat(&source.target, Links::NoFollow).await?;
        match found.kind {
            FileKind::File if !rules.allows(&source.path) || !rules.allows(&target.path) => {
                Err(OpErrorKind::NameNotAllowed.into())
            }
            FileKind::Directory if !rules.is_empty() => {
                let user = Arc::clone(user);
                // A filter stands for a directory and what is in it: what comes to another one would not have been let in, or
                // becomes what may be opened.
                tie(source, target, move |from, to| {
                    let rules = &user.extension_rules;
                    rules.are_alike(from, to)
                })
            }
            FileKind::Symlink => {
                let text = storage.read_link(&source.target).await?;
                Ok((source, stays_inside(target, text)?))
            }
            FileKind::File | FileKind::Directory | FileKind::Other => Ok((source, target)),
        }
    }
}

/// A permit for a link with a relative text, which must not lead out of the root at its new place: it is not followed there,
/// but other programs of the server would.
fn stays_inside(target: Permit, text: Vec<u8>) -> OpResult<Permit> {
    if text.starts_with(b"/") {
        return Ok(target);
    }
    if climbs_out(&target.target.path.parent(), &text) {
        return Err(OpErrorKind::PermissionDenied.into());
    }
    Ok(target.only_if(move |real| !climbs_out(&real.parent(), &text)))
}

/// What moves where.
#[derive(Clone, Copy)]
struct Moving<'a> {
    storage: &'a dyn Storage,
    source: &'a Target,
    target: &'a Target,
    /// The target if what is there may be replaced.
    replacing: Option<&'a Permit>,
    user: &'a User,
}

impl Moving<'_> {
    /// Replaces what is there if `overwrite` holds where links lead, too; otherwise only a new name may be taken.
    async fn rename(self, old: Expected, new: Expected) -> StorageResult<()> {
        let source = self.source.expecting(old);
        if let Some(replacing) = self.replacing {
            let target = replacing.target.expecting(new);
            let moved = self
                .storage
                .rename(&source, &target, RenameMode::Replace)
                .await;
            match moved {
                // The account may not replace what is there; if it may, it was the system that refused.
                Err(error)
                    if error.kind() == StorageErrorKind::PermissionDenied
                        && !replacing
                            .permissions(self.user)
                            .contains(Permission::Overwrite) => {}
                moved => return moved.map(drop),
            }
        }
        let target = self.target.expecting(new);
        let moved = self
            .storage
            .rename(&source, &target, RenameMode::NoReplace)
            .await;
        moved.map(drop)
    }
}
