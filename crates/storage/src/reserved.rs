//! Names that storages keep for themselves: those of files whose upload has not ended yet.
//!
//! Such a file is an upload's, whoever may use the directory: it could otherwise be renamed, linked or cut while it is written,
//! past every quota. So clients neither see nor make these names. They are those of the reference but for the first letter of
//! the random part, which no name of the reference has before the year 2101: what it has left behind is a file like any other.

use sftpgo_model::StoragePath;

use crate::error::{StorageError, StorageErrorKind, StorageResult};

/// What every temporary name starts with; the reference's, so that its users' clean-up jobs keep working.
pub(crate) const PREFIX: &[u8] = b".sftpgo-upload.";
/// Letters of the random part.
pub(crate) const ID_LEN: usize = 20;
/// The letters it is made of.
pub(crate) const BASE32HEX: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";
/// The first letter of the random part of a reserved name. The reference has the seconds since 1970 there, in 32 bits.
pub(crate) const MARK: u8 = b'v';

/// Whether a name is one of a running upload.
pub(crate) fn is_reserved(name: &[u8]) -> bool {
    let split = name
        .strip_prefix(PREFIX)
        .and_then(|rest| rest.split_at_checked(ID_LEN));
    let Some((id, rest)) = split else {
        return false;
    };
    id.first() == Some(&MARK)
        && id.iter().all(|letter| BASE32HEX.contains(letter))
        && rest.len() > 1
        && rest.starts_with(b".")
}

/// Refuses a path whose last name is reserved, where something is to be made or moved to.
pub(crate) fn check_new(path: &StoragePath) -> StorageResult<()> {
    if is_reserved(path.file_name()) {
        let context = "a name of running uploads";
        return Err(StorageError::new(
            StorageErrorKind::PermissionDenied,
            context,
        ));
    }
    Ok(())
}

/// Says that nothing is there, for a name that is reserved.
pub(crate) fn check_there(name: &[u8]) -> StorageResult<()> {
    if is_reserved(name) {
        let context = "a name of running uploads";
        return Err(StorageError::new(StorageErrorKind::NotFound, context));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_only_look_alike_are_not_reserved() {
        assert!(is_reserved(b".sftpgo-upload.v0123456789abcdefghi.x"));
        for name in [
            &b""[..],
            b".sftpgo-upload.",
            b".sftpgo-upload.v",
            b".sftpgo-upload.v0123456789abcdefghi",
            b".sftpgo-upload.v0123456789abcdefghi.",
            b".sftpgo-upload.v0123456789abcdefghix",
            b".sftpgo-upload.v0123456789abcdefgh.xx",
            b".sftpgo-upload.V0123456789abcdefghi.x",
            b".sftpgo-upload.v0123456789abcdefghw.x",
            b"sftpgo-upload.v0123456789abcdefghi.x",
            // One of the reference, of the year 2021.
            b".sftpgo-upload.c03pq4lvqc7j3p6v4g4g.x",
        ] {
            assert!(!is_reserved(name), "{}", name.escape_ascii());
        }
    }
}
