//! The codes of a STATUS reply (draft 7).

/// A version 3 status code. Later versions define more; a version 3 peer may not be sent those.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum StatusCode {
    /// Done.
    Ok = 0,
    /// Nothing is left to read or to list.
    Eof = 1,
    /// The path does not exist.
    NoSuchFile = 2,
    /// Refused to this user.
    PermissionDenied = 3,
    /// Any other failure; the text says which.
    Failure = 4,
    /// The request was malformed.
    BadMessage = 5,
    /// Made by clients on their own side; never sent.
    NoConnection = 6,
    /// Made by clients on their own side; never sent.
    ConnectionLost = 7,
    /// The request is not supported.
    OpUnsupported = 8,
}

impl StatusCode {
    /// The number on the wire.
    pub fn to_wire(self) -> u32 {
        self as u32
    }

    /// Reads a number from the wire. One that version 3 does not define is a failure like any other, because all that
    /// a client can do with it is to show the text beside it.
    pub fn from_wire(value: u32) -> Self {
        match value {
            0 => Self::Ok,
            1 => Self::Eof,
            2 => Self::NoSuchFile,
            3 => Self::PermissionDenied,
            5 => Self::BadMessage,
            6 => Self::NoConnection,
            7 => Self::ConnectionLost,
            8 => Self::OpUnsupported,
            _ => Self::Failure,
        }
    }
}
