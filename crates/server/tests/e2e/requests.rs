//! Requests of SFTP as values, so that tables can hold what is asked and what is to be said.

use bytes::Bytes;
use sftpgo_testkit::{Answer, FileClient as _, Refusal, Sftp};
use sftpgo_wire::sftp::extension::CheckFileTarget;
use sftpgo_wire::sftp::{Attrs, Extension, OpenFlags};

pub(crate) const READ: OpenFlags = OpenFlags::READ;
pub(crate) const WRITE: OpenFlags = OpenFlags::WRITE;
pub(crate) const CREATE: OpenFlags = OpenFlags(OpenFlags::WRITE.0 | OpenFlags::CREATE.0);
pub(crate) const REPLACE: OpenFlags = OpenFlags(CREATE.0 | OpenFlags::TRUNCATE.0);
pub(crate) const APPEND: OpenFlags = OpenFlags(CREATE.0 | OpenFlags::APPEND.0);
pub(crate) const BOTH: OpenFlags = OpenFlags(OpenFlags::READ.0 | OpenFlags::WRITE.0);

/// A request, or the few that belong together: an open and its close, a listing to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ask<'a> {
    RealPath(&'a [u8]),
    Stat(&'a [u8]),
    Lstat(&'a [u8]),
    List(&'a [u8]),
    Open(&'a [u8], OpenFlags),
    /// Opens, reads to the end, closes.
    Get(&'a [u8]),
    /// Opens as every upload does, writes `x`, closes.
    Put(&'a [u8]),
    Mode(&'a [u8], u32),
    Owner(&'a [u8]),
    Times(&'a [u8]),
    Size(&'a [u8], u64),
    ModeAndTimes(&'a [u8]),
    Remove(&'a [u8]),
    MkDir(&'a [u8]),
    RmDir(&'a [u8]),
    /// RENAME of the draft.
    Rename(&'a [u8], &'a [u8]),
    PosixRename(&'a [u8], &'a [u8]),
    ReadLink(&'a [u8]),
    /// Text and link.
    Symlink(&'a [u8], &'a [u8]),
    Statvfs(&'a [u8]),
    /// The digest of a whole file.
    Digest(&'a [u8]),
    /// The digest of the first byte of a file.
    DigestOfByte(&'a [u8]),
    /// Opens for reading, changes the mode by the handle, closes.
    HandleMode(&'a [u8], u32),
    /// The times of a link itself.
    LinkTimes(&'a [u8]),
    HardLink(&'a [u8], &'a [u8]),
    /// Opens both, copies all of the first within the server, closes both.
    Copy(&'a [u8], &'a [u8]),
}

impl Ask<'_> {
    /// Sends it; what comes back of a file, a listing or a name is given to look for what must not be seen.
    pub(crate) async fn of(self, sftp: &mut Sftp) -> Answer<Vec<u8>> {
        let attrs = Attrs::EMPTY;
        let copy = Bytes::copy_from_slice;
        let nothing = |()| Vec::new();
        match self {
            Self::RealPath(path) => sftp.realpath(path).await,
            Self::Stat(path) => shown(sftp.stat_attrs(path).await),
            Self::Lstat(path) => shown(sftp.lstat(path).await),
            Self::List(path) => {
                let entries = sftp.list(path).await?;
                let names: Vec<_> = entries.into_iter().map(|entry| entry.name).collect();
                Ok(names.join(&b'\n'))
            }
            Self::Open(path, flags) => {
                let handle = sftp.open_file(path, flags).await?;
                sftp.close(&handle).await.map(nothing)
            }
            Self::Get(path) => sftp.get(path).await,
            Self::Put(path) => sftp.put(path, b"x").await.map(nothing),
            Self::Mode(path, mode) => {
                let permissions = Some(mode);
                let mode = Attrs {
                    permissions,
                    ..attrs
                };
                sftp.setstat(path, &mode).await.map(nothing)
            }
            Self::Owner(path) => {
                let owner = Some(own_ids());
                let owner = Attrs { owner, ..attrs };
                sftp.setstat(path, &owner).await.map(nothing)
            }
            Self::Times(path) => sftp.setstat(path, &times()).await.map(nothing),
            Self::Size(path, size) => {
                let size = Attrs {
                    size: Some(size),
                    ..attrs
                };
                sftp.setstat(path, &size).await.map(nothing)
            }
            Self::ModeAndTimes(path) => {
                let both = Attrs {
                    permissions: Some(0o640),
                    ..times()
                };
                sftp.setstat(path, &both).await.map(nothing)
            }
            Self::Remove(path) => sftp.remove(path).await.map(nothing),
            Self::MkDir(path) => sftp.mkdir(path).await.map(nothing),
            Self::RmDir(path) => sftp.rmdir(path).await.map(nothing),
            Self::Rename(from, to) => sftp.plain_rename(from, to).await.map(nothing),
            Self::PosixRename(from, to) => sftp.rename(from, to).await.map(nothing),
            Self::ReadLink(path) => sftp.readlink(path).await,
            Self::Symlink(text, link) => sftp.symlink(text, link).await.map(nothing),
            Self::Statvfs(path) => {
                let request = Extension::Statvfs { path: copy(path) };
                sftp.extended_value(&request).await.map(|_| Vec::new())
            }
            Self::Digest(path) => digest(sftp, path, 0).await,
            Self::DigestOfByte(path) => digest(sftp, path, 1).await,
            Self::HandleMode(path, mode) => {
                let handle = sftp.open_file(path, READ).await?;
                let mode = Attrs {
                    permissions: Some(mode),
                    ..attrs
                };
                let changed = sftp.fsetstat(&handle, &mode).await;
                changed.and(sftp.close(&handle).await).map(nothing)
            }
            Self::LinkTimes(path) => {
                let (path, attrs) = (copy(path), times());
                let request = Extension::Lsetstat { path, attrs };
                sftp.extended(&request).await.map(nothing)
            }
            Self::HardLink(from, to) => {
                let (from, to) = (copy(from), copy(to));
                let request = Extension::Hardlink { from, to };
                sftp.extended(&request).await.map(nothing)
            }
            Self::Copy(from, to) => {
                let read_handle = sftp.open_file(from, READ).await?;
                let copied = match sftp.open_file(to, REPLACE).await {
                    Ok(write_handle) => {
                        let request = Extension::CopyData {
                            read_handle: read_handle.clone(),
                            read_offset: 0,
                            len: 0,
                            write_handle: write_handle.clone(),
                            write_offset: 0,
                        };
                        let copied = sftp.extended(&request).await;
                        copied.and(sftp.close(&write_handle).await)
                    }
                    Err(refused) => Err(refused),
                };
                copied.and(sftp.close(&read_handle).await).map(nothing)
            }
        }
    }

    /// Sends it; why it was refused, or `None`.
    pub(crate) async fn refusal(self, sftp: &mut Sftp) -> Option<Refusal> {
        self.of(sftp).await.err().map(|refused| refused.kind)
    }
}

/// The digest of the first `len` bytes of a file; 0 are all.
async fn digest(sftp: &mut Sftp, path: &[u8], len: u64) -> Answer<Vec<u8>> {
    let request = Extension::CheckFile {
        target: CheckFileTarget::Path(Bytes::copy_from_slice(path)),
        algorithms: Bytes::from_static(b"sha256"),
        offset: 0,
        len,
        block_size: 0,
    };
    let body = sftp.extended_value(&request).await?;
    Ok(body.to_bytes().to_vec())
}

/// Times that no new file has.
fn times() -> Attrs {
    Attrs {
        times: Some((1_000_000_000, 1_100_000_000)),
        ..Attrs::EMPTY
    }
}

/// What may be given to a file by whoever runs the tests.
fn own_ids() -> (u32, u32) {
    (
        rustix::process::getuid().as_raw(),
        rustix::process::getgid().as_raw(),
    )
}

fn shown(attrs: Answer<Attrs>) -> Answer<Vec<u8>> {
    attrs.map(|attrs| format!("{attrs:?}").into_bytes())
}
