//! Which attributes may be changed through an open handle.

use sftpgo_model::{Permission, PermissionSet};
use sftpgo_storage::SetAttributes;

use crate::error::{OpErrorKind, OpResult};

/// The rule of one open file, as it was when the file was opened.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Changeable {
    /// Changes are silently left out (`sftpd.setstat_mode` 1).
    pub(crate) ignored: bool,
    /// The permissions of the file's directory.
    pub(crate) permissions: PermissionSet,
}

impl Changeable {
    /// What is to be applied of `changes`.
    ///
    /// # Errors
    /// `PermissionDenied` if any part of them is not allowed; nothing is applied then.
    pub(crate) fn check(self, changes: &SetAttributes) -> OpResult<SetAttributes> {
        if self.ignored {
            return Ok(SetAttributes::default());
        }
        let wanted = [
            (changes.mode.is_some(), Permission::Chmod),
            (changes.owner.is_some(), Permission::Chown),
            (changes.times.is_some(), Permission::Chtimes),
        ];
        if wanted
            .iter()
            .any(|(wanted, permission)| *wanted && !self.permissions.contains(*permission))
        {
            return Err(OpErrorKind::PermissionDenied.into());
        }
        Ok(*changes)
    }
}
