//! Packets from a client (draft 4, 6 and 8).

use bytes::Bytes;

use super::attrs::Attrs;
use super::bound::MAX_STRING;
use super::error::{DecodeError, Malformed};
use super::extension::Extension;
use super::frame::Frame;
use super::open_flags::OpenFlags;
use super::packet;
use super::payload::Payload;
use super::reader::Reader;

/// One request. `id` is the client's choice and goes back in the answer.
///
/// The bytes in it are slices of received chunks, which they keep alive: copy those that are to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// First packet. Some clients send it again within a session; it is answered in the same way.
    Init {
        /// Highest version that the client speaks.
        version: u32,
        /// Names and data of extensions.
        extensions: Vec<(Bytes, Bytes)>,
    },
    /// Opens or creates a file.
    Open {
        /// Request id.
        id: u32,
        /// Path.
        path: Bytes,
        /// How to open.
        flags: OpenFlags,
        /// Attributes for a new file.
        attrs: Attrs,
    },
    /// Closes a file or a directory.
    Close {
        /// Request id.
        id: u32,
        /// Handle.
        handle: Bytes,
    },
    /// Reads from a file.
    Read {
        /// Request id.
        id: u32,
        /// Handle.
        handle: Bytes,
        /// Where to begin.
        offset: u64,
        /// Most bytes to return; not bounded by the decoder.
        len: u32,
    },
    /// Writes to a file. No data at all is legal and is answered OK.
    Write {
        /// Request id.
        id: u32,
        /// Handle.
        handle: Bytes,
        /// Where to begin.
        offset: u64,
        /// What to write, not copied.
        data: Payload,
    },
    /// Attributes of a path itself.
    Lstat {
        /// Request id.
        id: u32,
        /// Path.
        path: Bytes,
    },
    /// Attributes of an open file.
    Fstat {
        /// Request id.
        id: u32,
        /// Handle.
        handle: Bytes,
    },
    /// Changes attributes by path.
    Setstat {
        /// Request id.
        id: u32,
        /// Path.
        path: Bytes,
        /// What to change.
        attrs: Attrs,
    },
    /// Changes attributes by handle.
    Fsetstat {
        /// Request id.
        id: u32,
        /// Handle.
        handle: Bytes,
        /// What to change.
        attrs: Attrs,
    },
    /// Opens a directory.
    Opendir {
        /// Request id.
        id: u32,
        /// Path.
        path: Bytes,
    },
    /// Next entries of a directory. Clients keep several in flight on one handle.
    Readdir {
        /// Request id.
        id: u32,
        /// Handle.
        handle: Bytes,
    },
    /// Removes a file.
    Remove {
        /// Request id.
        id: u32,
        /// Path.
        path: Bytes,
    },
    /// Makes a directory.
    Mkdir {
        /// Request id.
        id: u32,
        /// Path.
        path: Bytes,
        /// Attributes for it.
        attrs: Attrs,
    },
    /// Removes a directory.
    Rmdir {
        /// Request id.
        id: u32,
        /// Path.
        path: Bytes,
    },
    /// Makes a path absolute.
    Realpath {
        /// Request id.
        id: u32,
        /// Path.
        path: Bytes,
    },
    /// Attributes of what a path leads to.
    Stat {
        /// Request id.
        id: u32,
        /// Path.
        path: Bytes,
    },
    /// Renames.
    Rename {
        /// Request id.
        id: u32,
        /// Existing path.
        from: Bytes,
        /// New path.
        to: Bytes,
    },
    /// Where a symlink points.
    Readlink {
        /// Request id.
        id: u32,
        /// Path.
        path: Bytes,
    },
    /// Makes a symlink.
    ///
    /// On the wire the target comes first, then the link. The draft (6.10) has it the other way round, but OpenSSH
    /// once mixed them up, every client learnt its order, and it is the one that SFTPGo reads too. WinSCP uses the
    /// draft's order unless the server's banner names a server that it knows.
    Symlink {
        /// Request id.
        id: u32,
        /// What the link points to; any text.
        target: Bytes,
        /// Link to make.
        link: Bytes,
    },
    /// A request that is named by a string.
    Extended {
        /// Request id.
        id: u32,
        /// The request.
        request: Extension,
    },
}

impl Request {
    /// Decodes a packet.
    ///
    /// Bytes after the last field are ignored, as OpenSSH's server does: clients append fields of later versions or
    /// padding, and refusing them would help no one. Missing bytes are an error.
    pub fn decode(frame: Frame) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(frame.into_body());
        let type_byte = reader.u8().unwrap_or_default();
        if type_byte == packet::INIT {
            return decode_init(&mut reader).map_err(|reason| DecodeError::Malformed {
                type_byte,
                id: None,
                reason,
            });
        }
        let id = reader.u32();
        if !packet::is_request(type_byte) {
            let id = id.ok();
            return Err(DecodeError::UnknownType { type_byte, id });
        }
        let decoded = id.and_then(|id| decode_fields(type_byte, id, &mut reader));
        decoded.map_err(|reason| DecodeError::Malformed {
            type_byte,
            id: id.ok(),
            reason,
        })
    }

    /// The request id; INIT has none.
    pub fn id(&self) -> Option<u32> {
        match self {
            Self::Init { .. } => None,
            Self::Open { id, .. }
            | Self::Close { id, .. }
            | Self::Read { id, .. }
            | Self::Write { id, .. }
            | Self::Lstat { id, .. }
            | Self::Fstat { id, .. }
            | Self::Setstat { id, .. }
            | Self::Fsetstat { id, .. }
            | Self::Opendir { id, .. }
            | Self::Readdir { id, .. }
            | Self::Remove { id, .. }
            | Self::Mkdir { id, .. }
            | Self::Rmdir { id, .. }
            | Self::Realpath { id, .. }
            | Self::Stat { id, .. }
            | Self::Rename { id, .. }
            | Self::Readlink { id, .. }
            | Self::Symlink { id, .. }
            | Self::Extended { id, .. } => Some(*id),
        }
    }

    /// The packet type.
    pub fn type_byte(&self) -> u8 {
        match self {
            Self::Init { .. } => packet::INIT,
            Self::Open { .. } => packet::OPEN,
            Self::Close { .. } => packet::CLOSE,
            Self::Read { .. } => packet::READ,
            Self::Write { .. } => packet::WRITE,
            Self::Lstat { .. } => packet::LSTAT,
            Self::Fstat { .. } => packet::FSTAT,
            Self::Setstat { .. } => packet::SETSTAT,
            Self::Fsetstat { .. } => packet::FSETSTAT,
            Self::Opendir { .. } => packet::OPENDIR,
            Self::Readdir { .. } => packet::READDIR,
            Self::Remove { .. } => packet::REMOVE,
            Self::Mkdir { .. } => packet::MKDIR,
            Self::Rmdir { .. } => packet::RMDIR,
            Self::Realpath { .. } => packet::REALPATH,
            Self::Stat { .. } => packet::STAT,
            Self::Rename { .. } => packet::RENAME,
            Self::Readlink { .. } => packet::READLINK,
            Self::Symlink { .. } => packet::SYMLINK,
            Self::Extended { .. } => packet::EXTENDED,
        }
    }
}

fn decode_init(reader: &mut Reader) -> Result<Request, Malformed> {
    Ok(Request::Init {
        version: reader.u32()?,
        extensions: reader.extension_pairs()?,
    })
}

/// Reads the fields of a type that [`packet::is_request`] knows. Struct fields are read in the order that they are
/// written in here, which is the order on the wire.
fn decode_fields(type_byte: u8, id: u32, r: &mut Reader) -> Result<Request, Malformed> {
    Ok(match type_byte {
        packet::OPEN => Request::Open {
            id,
            path: r.path()?,
            flags: OpenFlags(r.u32()?),
            attrs: Attrs::decode(r)?,
        },
        packet::CLOSE => Request::Close {
            id,
            handle: r.handle()?,
        },
        packet::READ => Request::Read {
            id,
            handle: r.handle()?,
            offset: r.u64()?,
            len: r.u32()?,
        },
        packet::WRITE => Request::Write {
            id,
            handle: r.handle()?,
            offset: r.u64()?,
            data: r.data()?,
        },
        packet::FSTAT => Request::Fstat {
            id,
            handle: r.handle()?,
        },
        packet::FSETSTAT => Request::Fsetstat {
            id,
            handle: r.handle()?,
            attrs: Attrs::decode(r)?,
        },
        packet::READDIR => Request::Readdir {
            id,
            handle: r.handle()?,
        },
        packet::EXTENDED => Request::Extended {
            id,
            request: {
                let name = r.string(MAX_STRING)?;
                Extension::decode(name, r)?
            },
        },
        _ => return decode_path_fields(type_byte, id, r),
    })
}

/// The rest of [`decode_fields`]: the requests whose first field is a path.
fn decode_path_fields(type_byte: u8, id: u32, r: &mut Reader) -> Result<Request, Malformed> {
    let path = r.path()?;
    Ok(match type_byte {
        packet::LSTAT => Request::Lstat { id, path },
        packet::SETSTAT => Request::Setstat {
            id,
            path,
            attrs: Attrs::decode(r)?,
        },
        packet::OPENDIR => Request::Opendir { id, path },
        packet::REMOVE => Request::Remove { id, path },
        packet::MKDIR => Request::Mkdir {
            id,
            path,
            attrs: Attrs::decode(r)?,
        },
        packet::RMDIR => Request::Rmdir { id, path },
        packet::REALPATH => Request::Realpath { id, path },
        packet::RENAME => Request::Rename {
            id,
            from: path,
            to: r.path()?,
        },
        packet::READLINK => Request::Readlink { id, path },
        packet::SYMLINK => Request::Symlink {
            id,
            target: path,
            link: r.path()?,
        },
        // STAT; all others are dealt with, or were refused by `is_request`.
        _ => Request::Stat { id, path },
    })
}
