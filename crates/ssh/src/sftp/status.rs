//! Error kinds as status codes of protocol version 3 (draft 7). One exhaustive match, checked against the table by a test.

use bytes::{Bytes, BytesMut};
use sftpgo_core::{OpError, OpErrorKind};
use sftpgo_wire::sftp::{StatusCode, encode_status};

/// The code a client gets.
pub(super) const fn status_of(kind: OpErrorKind) -> StatusCode {
    match kind {
        OpErrorKind::NotFound => StatusCode::NoSuchFile,
        OpErrorKind::PermissionDenied | OpErrorKind::NameNotAllowed => StatusCode::PermissionDenied,
        OpErrorKind::InvalidPath | OpErrorKind::InvalidArgument => StatusCode::BadMessage,
        OpErrorKind::Unsupported => StatusCode::OpUnsupported,
        // A file where a directory should be is "failure" in the reference and in OpenSSH, and clients that make missing
        // directories on "no such file" must not try here.
        OpErrorKind::NotADirectory
        | OpErrorKind::AlreadyExists
        | OpErrorKind::DirectoryNotEmpty
        | OpErrorKind::IsADirectory
        | OpErrorKind::QuotaExceeded
        | OpErrorKind::StorageFull
        | OpErrorKind::TooManyTransfers
        | OpErrorKind::RateLimited
        | OpErrorKind::Unavailable
        | OpErrorKind::Aborted
        | OpErrorKind::ShuttingDown
        | OpErrorKind::Internal => StatusCode::Failure,
    }
}

/// A STATUS packet of its own.
pub(super) fn status(id: u32, code: StatusCode, text: &str) -> Bytes {
    let mut out = BytesMut::with_capacity(32 + text.len());
    encode_status(&mut out, id, code, text);
    out.freeze()
}

/// The answer to a request that did what it should.
pub(super) fn ok(id: u32) -> Bytes {
    status(id, StatusCode::Ok, "OK")
}

/// The answer at the end of a file or a listing.
pub(super) fn eof(id: u32) -> Bytes {
    status(id, StatusCode::Eof, "EOF")
}

/// The answer to a request that failed.
pub(super) fn failure(id: u32, error: &OpError) -> Bytes {
    status(id, status_of(error.kind()), error.client_message())
}

/// The answer to a result that has no value.
pub(super) fn outcome(id: u32, result: &Result<(), OpError>) -> Bytes {
    match result {
        Ok(()) => ok(id),
        Err(error) => failure(id, error),
    }
}

/// The answer to a request for a handle that is not open.
pub(super) fn no_such_handle(id: u32) -> Bytes {
    status(id, StatusCode::Failure, "Failure: no such handle")
}

/// The answer to a request for a handle that cannot do it: reading from a directory, listing a file.
pub(super) fn wrong_handle(id: u32) -> Bytes {
    status(
        id,
        StatusCode::Failure,
        "Failure: the handle is of another kind",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_the_code_of_the_table() {
        use OpErrorKind as K;
        use StatusCode as C;
        let table = [
            (K::NotFound, C::NoSuchFile),
            (K::NotADirectory, C::Failure),
            (K::PermissionDenied, C::PermissionDenied),
            (K::NameNotAllowed, C::PermissionDenied),
            (K::AlreadyExists, C::Failure),
            (K::DirectoryNotEmpty, C::Failure),
            (K::IsADirectory, C::Failure),
            (K::InvalidPath, C::BadMessage),
            (K::InvalidArgument, C::BadMessage),
            (K::QuotaExceeded, C::Failure),
            (K::StorageFull, C::Failure),
            (K::Unsupported, C::OpUnsupported),
            (K::TooManyTransfers, C::Failure),
            (K::RateLimited, C::Failure),
            (K::Unavailable, C::Failure),
            (K::Aborted, C::Failure),
            (K::ShuttingDown, C::Failure),
            (K::Internal, C::Failure),
        ];
        assert_eq!(table.map(|(kind, _)| kind), OpErrorKind::ALL);
        for (kind, code) in table {
            assert_eq!(status_of(kind), code, "{kind:?}");
        }
    }
}
