//! The list of extensions.

use bytes::{Bytes, BytesMut};

use super::super::attrs::Attrs;
use super::super::error::Malformed;
use super::super::reader::Reader;
use super::check_file::{self, CheckFileTarget};
use super::{
    copy_data, expand_path, fsync, hardlink, home_directory, limits, lsetstat, posix_rename,
    space_available, statvfs, users_groups_by_id,
};

/// An EXTENDED request: the fields behind its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extension {
    /// Renames and replaces an existing target.
    PosixRename {
        /// Existing path.
        from: Bytes,
        /// New path.
        to: Bytes,
    },
    /// Size and space of the file system that holds a path.
    Statvfs {
        /// Any path on it.
        path: Bytes,
    },
    /// Size and space of the file system that holds an open file.
    Fstatvfs {
        /// Its handle.
        handle: Bytes,
    },
    /// Forces a file to stable storage.
    Fsync {
        /// Its handle.
        handle: Bytes,
    },
    /// Makes a hard link. WinSCP sends this order to every server, whatever it does for SYMLINK.
    Hardlink {
        /// Existing path.
        from: Bytes,
        /// Link to make.
        to: Bytes,
    },
    /// SETSTAT that changes a symlink itself.
    Lsetstat {
        /// Path, whose last symlink is not followed.
        path: Bytes,
        /// What to change.
        attrs: Attrs,
    },
    /// Asks for the largest packet, read, write and number of handles.
    Limits,
    /// REALPATH that expands a leading `~`.
    ExpandPath {
        /// Path to expand.
        path: Bytes,
    },
    /// Copies between two handles within the server.
    CopyData {
        /// Handle to read.
        read_handle: Bytes,
        /// Where to begin to read.
        read_offset: u64,
        /// How much to copy; 0 means up to the end.
        len: u64,
        /// Handle to write.
        write_handle: Bytes,
        /// Where to begin to write.
        write_offset: u64,
    },
    /// The home of a user.
    HomeDirectory {
        /// User name; empty for the user who asks.
        username: Bytes,
    },
    /// Names of users and groups by number.
    UsersGroupsById {
        /// User ids.
        uids: Vec<u32>,
        /// Group ids.
        gids: Vec<u32>,
    },
    /// Digests of a file or of its blocks.
    CheckFile {
        /// The file.
        target: CheckFileTarget,
        /// Names of digests, separated by commas, the preferred one first.
        algorithms: Bytes,
        /// Where to begin.
        offset: u64,
        /// How much to read; 0 means up to the end.
        len: u64,
        /// Length of the part that gets a digest of its own; 0 means one digest for all. Drafts ask for 256 at least.
        block_size: u32,
    },
    /// Space on the file system that holds a path.
    SpaceAvailable {
        /// Any path on it.
        path: Bytes,
    },
    /// A request that has no row. Its fields were not read. A server answers OP_UNSUPPORTED.
    Unknown {
        /// Its name.
        name: Bytes,
    },
}

/// The name and the data of an extension in a VERSION packet.
pub type Announcement = (&'static [u8], &'static [u8]);

/// What the codec knows of one extended request.
#[derive(Debug)]
pub struct Row {
    /// Name in the request.
    pub name: &'static [u8],
    /// What VERSION says if the server supports it; `None` if another row's announcement covers it.
    pub announcement: Option<Announcement>,
    pub(super) decode: fn(&mut Reader) -> Result<Extension, Malformed>,
}

/// Every extended request that is decoded. A server announces the rows that it implements.
pub static TABLE: &[Row] = &[
    posix_rename::ROW,
    statvfs::ROW,
    statvfs::HANDLE_ROW,
    hardlink::ROW,
    fsync::ROW,
    lsetstat::ROW,
    limits::ROW,
    expand_path::ROW,
    copy_data::ROW,
    home_directory::ROW,
    users_groups_by_id::ROW,
    check_file::HANDLE_ROW,
    check_file::NAME_ROW,
    space_available::ROW,
];

/// The row of a request's name.
pub fn row(name: &[u8]) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.name == name)
}

impl Extension {
    /// The name that is on the wire.
    pub fn name(&self) -> &[u8] {
        match self {
            Self::PosixRename { .. } => posix_rename::NAME,
            Self::Statvfs { .. } => statvfs::NAME,
            Self::Fstatvfs { .. } => statvfs::HANDLE_NAME,
            Self::Fsync { .. } => fsync::NAME,
            Self::Hardlink { .. } => hardlink::NAME,
            Self::Lsetstat { .. } => lsetstat::NAME,
            Self::Limits => limits::NAME,
            Self::ExpandPath { .. } => expand_path::NAME,
            Self::CopyData { .. } => copy_data::NAME,
            Self::HomeDirectory { .. } => home_directory::NAME,
            Self::UsersGroupsById { .. } => users_groups_by_id::NAME,
            Self::CheckFile { target, .. } => target.request_name(),
            Self::SpaceAvailable { .. } => space_available::NAME,
            Self::Unknown { name } => name,
        }
    }

    /// Reads the fields behind `name`.
    pub(crate) fn decode(name: Bytes, reader: &mut Reader) -> Result<Self, Malformed> {
        match row(&name) {
            Some(row) => (row.decode)(reader),
            None => Ok(Self::Unknown { name }),
        }
    }

    /// Appends the fields behind the name.
    pub(crate) fn encode_fields(&self, out: &mut BytesMut) {
        match self {
            Self::PosixRename { from, to } => posix_rename::encode(out, from, to),
            Self::Statvfs { path } => statvfs::encode(out, path),
            Self::Fstatvfs { handle } => statvfs::encode(out, handle),
            Self::Fsync { handle } => fsync::encode(out, handle),
            Self::Hardlink { from, to } => hardlink::encode(out, from, to),
            Self::Lsetstat { path, attrs } => lsetstat::encode(out, path, attrs),
            Self::Limits | Self::Unknown { .. } => {}
            Self::ExpandPath { path } => expand_path::encode(out, path),
            Self::CopyData {
                read_handle,
                read_offset,
                len,
                write_handle,
                write_offset,
            } => {
                copy_data::encode_source(out, read_handle, *read_offset, *len);
                copy_data::encode_target(out, write_handle, *write_offset);
            }
            Self::HomeDirectory { username } => home_directory::encode(out, username),
            Self::UsersGroupsById { uids, gids } => users_groups_by_id::encode(out, uids, gids),
            Self::CheckFile {
                target,
                algorithms,
                offset,
                len,
                block_size,
            } => {
                check_file::encode_target(out, target, algorithms);
                check_file::encode_range(out, *offset, *len, *block_size);
            }
            Self::SpaceAvailable { path } => space_available::encode(out, path),
        }
    }
}
