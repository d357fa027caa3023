//! From SFTP replies to answers.

use bytes::Bytes;
use sftpgo_wire::sftp::{Attrs, Name, Reply, StatusCode};

use super::{Answer, Entry, Kind, Refusal, Refused, Stat};

impl Refused {
    fn new(code: StatusCode, message: &[u8]) -> Self {
        let kind = match code {
            StatusCode::NoSuchFile => Refusal::NotFound,
            StatusCode::PermissionDenied => Refusal::Denied,
            StatusCode::Failure => Refusal::Failed,
            StatusCode::BadMessage => Refusal::BadMessage,
            StatusCode::OpUnsupported => Refusal::Unsupported,
            StatusCode::Eof => Refusal::Eof,
            _ => Refusal::Other,
        };
        Self {
            kind,
            message: String::from_utf8_lossy(message).into_owned(),
        }
    }
}

/// Takes a refusal out; what is left is of the kind that the caller expects.
fn granted(reply: Reply) -> Answer<Reply> {
    match reply {
        Reply::Status { code, message, .. } if code != StatusCode::Ok => {
            Err(Refused::new(code, &message))
        }
        other => Ok(other),
    }
}

pub(super) fn done(reply: Reply) -> Answer<()> {
    match granted(reply)? {
        Reply::Status { .. } => Ok(()),
        other => panic!("expected a status, got {other:?}"),
    }
}

pub(super) fn handle(reply: Reply) -> Answer<Bytes> {
    match granted(reply)? {
        Reply::Handle { handle, .. } => Ok(handle),
        other => panic!("expected a handle, got {other:?}"),
    }
}

pub(super) fn data(reply: Reply) -> Answer<Bytes> {
    match granted(reply)? {
        Reply::Data { data, .. } => Ok(data.to_bytes()),
        other => panic!("expected data, got {other:?}"),
    }
}

pub(super) fn attrs(reply: Reply) -> Answer<Attrs> {
    match granted(reply)? {
        Reply::Attrs { attrs, .. } => Ok(attrs),
        other => panic!("expected attributes, got {other:?}"),
    }
}

pub(super) fn names(reply: Reply) -> Answer<Vec<Name>> {
    match granted(reply)? {
        Reply::Name { entries, .. } => Ok(entries),
        other => panic!("expected names, got {other:?}"),
    }
}

pub(super) fn extended(reply: Reply) -> Answer<sftpgo_wire::sftp::Payload> {
    match granted(reply)? {
        Reply::Extended { body, .. } => Ok(body),
        other => panic!("expected an extended reply, got {other:?}"),
    }
}

/// `None` at the end of a file or a listing.
pub(super) fn unless_eof<T>(answer: Answer<T>) -> Answer<Option<T>> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(refused) if refused.kind == Refusal::Eof => Ok(None),
        Err(refused) => Err(refused),
    }
}

pub(super) fn stat(attrs: Attrs) -> Stat {
    let mode = attrs.permissions;
    // The file type bits of POSIX.
    let kind = match mode.map(|mode| mode & 0o170_000) {
        Some(0o100_000) => Kind::File,
        Some(0o040_000) => Kind::Directory,
        Some(0o120_000) => Kind::Symlink,
        _ => Kind::Other,
    };
    Stat {
        kind,
        size: attrs.size.unwrap_or_default(),
        mode: mode.map(|mode| mode & 0o7777),
        modified: attrs.times.map(|(_, modified)| modified),
    }
}

pub(super) fn entry(name: &Name) -> Entry {
    Entry {
        name: name.filename.to_vec(),
        stat: stat(name.attrs),
    }
}
