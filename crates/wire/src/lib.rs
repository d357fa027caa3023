//! Sans-I/O codecs: bytes in, values out.
//!
//! Nothing here opens a file, waits, reads a clock or knows a user. Every decoder is total: whatever the peer sends,
//! the answer is a value or an error, never a panic, and never an allocation whose size the peer chose.

pub mod exec;
pub mod git;
pub mod rsync;
pub mod scp;
pub mod sftp;
