//! The packet types of draft-ietf-secsh-filexfer-02 section 3.

/// First packet of a client: its version and extensions.
pub const INIT: u8 = 1;
/// Answer to INIT.
pub const VERSION: u8 = 2;
/// Opens or creates a file.
pub const OPEN: u8 = 3;
/// Closes a handle.
pub const CLOSE: u8 = 4;
/// Reads from a handle.
pub const READ: u8 = 5;
/// Writes to a handle.
pub const WRITE: u8 = 6;
/// Attributes of a path, without following a last symlink.
pub const LSTAT: u8 = 7;
/// Attributes of a handle.
pub const FSTAT: u8 = 8;
/// Changes attributes of a path.
pub const SETSTAT: u8 = 9;
/// Changes attributes of a handle.
pub const FSETSTAT: u8 = 10;
/// Opens a directory for listing.
pub const OPENDIR: u8 = 11;
/// The next entries of a listing.
pub const READDIR: u8 = 12;
/// Removes a file.
pub const REMOVE: u8 = 13;
/// Makes a directory.
pub const MKDIR: u8 = 14;
/// Removes a directory.
pub const RMDIR: u8 = 15;
/// Makes a path absolute.
pub const REALPATH: u8 = 16;
/// Attributes of a path, following symlinks.
pub const STAT: u8 = 17;
/// Renames; must not replace an existing target.
pub const RENAME: u8 = 18;
/// The target of a symlink.
pub const READLINK: u8 = 19;
/// Makes a symlink.
pub const SYMLINK: u8 = 20;
/// Answer: a code and a text.
pub const STATUS: u8 = 101;
/// Answer to OPEN and OPENDIR.
pub const HANDLE: u8 = 102;
/// Answer to READ.
pub const DATA: u8 = 103;
/// Answer with names: READDIR, REALPATH, READLINK.
pub const NAME: u8 = 104;
/// Answer with attributes.
pub const ATTRS: u8 = 105;
/// A request that is named by a string.
pub const EXTENDED: u8 = 200;
/// Answer to EXTENDED whose form the request defines.
pub const EXTENDED_REPLY: u8 = 201;

/// Whether a client may send this type after INIT.
pub(crate) fn is_request(type_byte: u8) -> bool {
    matches!(type_byte, OPEN..=SYMLINK | EXTENDED)
}
