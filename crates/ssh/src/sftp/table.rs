//! Where each request goes: the one place that tells requests apart.

use super::quirk::Quirks;
use bytes::Bytes;
use sftpgo_core::Chunk;
use sftpgo_core::digest::DigestAlgorithm;
use sftpgo_core::transfer::CopyRange;
use sftpgo_wire::sftp::extension::CheckFileTarget;
use sftpgo_wire::sftp::{Attrs, Extension, MAX_READ_WRITE, OpenFlags, Payload, Request};

/// Data of a WRITE shorter than this is copied: it may wait, and a slice would keep the whole received buffer alive, which a
/// client can fill with packets that are long gone.
const COPY_BELOW: usize = 4 * 1024;

/// A decoded request in its lane.
#[derive(Debug)]
pub(super) enum Lane {
    /// Answered at once: INIT.
    Version,
    /// Acts on an open handle, in the order of that handle.
    Handle { handle: Bytes, action: HandleAction },
    /// Acts on two open handles, in the order of both.
    Copy(Copy),
    /// Acts on paths, after everything before it.
    Path(PathAction),
    /// Known to the codec and not served.
    Unsupported,
}

/// Which digests of a file are wanted.
#[derive(Debug)]
pub(super) struct CheckFile {
    /// The first that is known of those the client would take; `None` if it knows none of ours. Not the names: requests
    /// may wait long.
    pub(super) algorithm: Option<DigestAlgorithm>,
    pub(super) offset: u64,
    /// 0 is up to the end.
    pub(super) len: u64,
    /// 0 is one digest for all.
    pub(super) block_size: u32,
}

/// What to copy between two handles.
#[derive(Debug)]
pub(super) struct Copy {
    pub(super) source: Bytes,
    pub(super) target: Bytes,
    pub(super) range: CopyRange,
}

/// What to do with a handle.
#[derive(Debug)]
pub(super) enum HandleAction {
    Read { offset: u64, len: usize },
    Write { chunk: Chunk },
    Stat,
    SetStat(Attrs),
    ReadDir,
    Sync,
    Space,
    CheckFile(CheckFile),
    Close,
}

/// What to do with paths, as the client wrote them.
#[derive(Debug)]
pub(super) enum PathAction {
    Open { path: Bytes, flags: OpenFlags },
    OpenDir { path: Bytes },
    Stat { path: Bytes, follow: bool },
    SetStat { path: Bytes, attrs: Attrs },
    SetLinkStat { path: Bytes, attrs: Attrs },
    Remove { path: Bytes },
    MakeDir { path: Bytes },
    RemoveDir { path: Bytes },
    RealPath { path: Bytes },
    Rename { from: Bytes, to: Bytes },
    ReadLink { path: Bytes },
    Symlink { target: Bytes, link: Bytes },
    HardLink { from: Bytes, to: Bytes },
    Space { path: Bytes },
    SpaceAvailable { path: Bytes },
    CheckFile { path: Bytes, check: CheckFile },
    Limits,
    ExpandPath { path: Bytes },
    Home { username: Bytes },
    Names { uids: Vec<u32>, gids: Vec<u32> },
}

/// Splits a request into its id and its lane.
pub(super) fn lane(request: Request, quirks: Quirks) -> (u32, Lane) {
    let on = |handle: Bytes, action: HandleAction| Lane::Handle { handle, action };
    match request {
        Request::Init { .. } => (0, Lane::Version),
        Request::Open {
            id,
            path,
            flags,
            attrs: _,
        } => (id, Lane::Path(PathAction::Open { path, flags })),
        Request::Close { id, handle } => (id, on(handle, HandleAction::Close)),
        Request::Read {
            id,
            handle,
            offset,
            len,
        } => {
            let len = usize::try_from(len)
                .unwrap_or(usize::MAX)
                .min(MAX_READ_WRITE);
            (id, on(handle, HandleAction::Read { offset, len }))
        }
        Request::Write {
            id,
            handle,
            offset,
            data,
        } => (
            id,
            on(
                handle,
                HandleAction::Write {
                    chunk: chunk(offset, &data),
                },
            ),
        ),
        Request::Lstat { id, path } => (
            id,
            Lane::Path(PathAction::Stat {
                path,
                follow: false,
            }),
        ),
        Request::Stat { id, path } => (id, Lane::Path(PathAction::Stat { path, follow: true })),
        Request::Fstat { id, handle } => (id, on(handle, HandleAction::Stat)),
        Request::Setstat { id, path, attrs } => {
            (id, Lane::Path(PathAction::SetStat { path, attrs }))
        }
        Request::Fsetstat { id, handle, attrs } => (id, on(handle, HandleAction::SetStat(attrs))),
        Request::Opendir { id, path } => (id, Lane::Path(PathAction::OpenDir { path })),
        Request::Readdir { id, handle } => (id, on(handle, HandleAction::ReadDir)),
        Request::Remove { id, path } => (id, Lane::Path(PathAction::Remove { path })),
        Request::Mkdir { id, path, attrs: _ } => (id, Lane::Path(PathAction::MakeDir { path })),
        Request::Rmdir { id, path } => (id, Lane::Path(PathAction::RemoveDir { path })),
        Request::Realpath { id, path } => (id, Lane::Path(PathAction::RealPath { path })),
        Request::Rename { id, from, to } => (id, Lane::Path(PathAction::Rename { from, to })),
        Request::Readlink { id, path } => (id, Lane::Path(PathAction::ReadLink { path })),
        Request::Symlink { id, target, link } => {
            let (target, link) = if quirks.link_first {
                (link, target)
            } else {
                (target, link)
            };
            (id, Lane::Path(PathAction::Symlink { target, link }))
        }
        Request::Extended { id, request } => (id, extended(request)),
    }
}

/// Extensions. What is served here is announced by `extension::ANNOUNCED`; a test holds both together.
pub(super) fn extended(request: Extension) -> Lane {
    match request {
        Extension::PosixRename { from, to } => Lane::Path(PathAction::Rename { from, to }),
        Extension::Statvfs { path } => Lane::Path(PathAction::Space { path }),
        Extension::Fstatvfs { handle } => Lane::Handle {
            handle,
            action: HandleAction::Space,
        },
        Extension::Fsync { handle } => Lane::Handle {
            handle,
            action: HandleAction::Sync,
        },
        Extension::Limits => Lane::Path(PathAction::Limits),
        Extension::Lsetstat { path, attrs } => Lane::Path(PathAction::SetLinkStat { path, attrs }),
        Extension::ExpandPath { path } => Lane::Path(PathAction::ExpandPath { path }),
        Extension::HomeDirectory { username } => Lane::Path(PathAction::Home { username }),
        Extension::UsersGroupsById { uids, gids } => Lane::Path(PathAction::Names { uids, gids }),
        Extension::SpaceAvailable { path } => Lane::Path(PathAction::SpaceAvailable { path }),
        Extension::Hardlink { from, to } => Lane::Path(PathAction::HardLink { from, to }),
        Extension::CopyData {
            read_handle,
            read_offset,
            len,
            write_handle,
            write_offset,
        } => Lane::Copy(Copy {
            source: read_handle,
            target: write_handle,
            range: CopyRange {
                from: read_offset,
                len: (len > 0).then_some(len),
                to: write_offset,
            },
        }),
        Extension::CheckFile {
            target,
            algorithms,
            offset,
            len,
            block_size,
        } => {
            let check = CheckFile {
                algorithm: algorithms
                    .split(|byte| *byte == b',')
                    .find_map(DigestAlgorithm::named),
                offset,
                len,
                block_size,
            };
            match target {
                CheckFileTarget::Handle(handle) => Lane::Handle {
                    handle,
                    action: HandleAction::CheckFile(check),
                },
                CheckFileTarget::Path(path) => Lane::Path(PathAction::CheckFile { path, check }),
            }
        }
        Extension::Unknown { .. } => Lane::Unsupported,
    }
}

fn chunk(offset: u64, data: &Payload) -> Chunk {
    let pieces = if data.len() < COPY_BELOW {
        vec![Bytes::from(data.to_bytes().to_vec())]
    } else {
        data.segments().to_vec()
    };
    Chunk { offset, pieces }
}
