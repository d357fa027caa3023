//! Extensions that are served: a row here and an arm in `table::extended` each.

pub(super) mod check_file;
pub(super) mod copy_data;
pub(super) mod expand_path;
pub(super) mod home_directory;
pub(super) mod lsetstat;
pub(super) mod space;
pub(super) mod users_groups_by_id;

use bytes::{Bytes, BytesMut};
use sftpgo_wire::sftp::encode_version;
use sftpgo_wire::sftp::extension::{LimitsReply, row};

use super::handles::MAX_HANDLES;

/// The requests that are served. VERSION announces those whose row has an announcement: `check-file` is one for two.
const ANNOUNCED: [&[u8]; 14] = [
    b"posix-rename@openssh.com",
    b"statvfs@openssh.com",
    b"fstatvfs@openssh.com",
    b"hardlink@openssh.com",
    b"fsync@openssh.com",
    b"lsetstat@openssh.com",
    b"limits@openssh.com",
    b"expand-path@openssh.com",
    b"copy-data",
    b"home-directory",
    b"users-groups-by-id@openssh.com",
    b"check-file-handle",
    b"check-file-name",
    b"space-available",
];

/// The VERSION packet.
pub(super) fn version() -> Bytes {
    let announced: Vec<_> = ANNOUNCED
        .iter()
        .filter_map(|name| row(name)?.announcement)
        .collect();
    let mut out = BytesMut::new();
    encode_version(&mut out, &announced);
    out.freeze()
}

/// The answer to `limits@openssh.com`: OpenSSH clients take their request sizes from it.
pub(super) fn limits(id: u32) -> Bytes {
    let mut out = BytesMut::new();
    LimitsReply::of_codec(MAX_HANDLES as u64).encode(&mut out, id);
    out.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sftp::table::{Lane, extended};
    use sftpgo_wire::sftp::Extension;
    use sftpgo_wire::sftp::extension::CheckFileTarget;

    #[test]
    fn what_is_announced_is_served_and_the_rest_is_not() {
        let empty = Bytes::new;
        let attrs = Default::default;
        let check_file = |target| Extension::CheckFile {
            target,
            algorithms: Bytes::new(),
            offset: 0,
            len: 0,
            block_size: 0,
        };
        let all = [
            Extension::PosixRename {
                from: empty(),
                to: empty(),
            },
            Extension::Statvfs { path: empty() },
            Extension::Fstatvfs { handle: empty() },
            Extension::Fsync { handle: empty() },
            Extension::Limits,
            Extension::Hardlink {
                from: empty(),
                to: empty(),
            },
            Extension::Lsetstat {
                path: empty(),
                attrs: attrs(),
            },
            Extension::ExpandPath { path: empty() },
            Extension::CopyData {
                read_handle: empty(),
                read_offset: 0,
                len: 0,
                write_handle: empty(),
                write_offset: 0,
            },
            Extension::HomeDirectory { username: empty() },
            Extension::UsersGroupsById {
                uids: Vec::new(),
                gids: Vec::new(),
            },
            check_file(CheckFileTarget::Handle(empty())),
            check_file(CheckFileTarget::Path(empty())),
            Extension::SpaceAvailable { path: empty() },
            Extension::Unknown {
                name: Bytes::from_static(b"nobody@example.com"),
            },
        ];
        for extension in all {
            let name = extension.name().to_vec();
            let served = !matches!(extended(extension), Lane::Unsupported);
            assert_eq!(
                served,
                ANNOUNCED.contains(&name.as_slice()),
                "{:?}",
                String::from_utf8(name)
            );
        }
        for name in ANNOUNCED {
            assert!(row(name).is_some());
        }
    }
}
