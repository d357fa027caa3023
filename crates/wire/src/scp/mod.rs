//! The protocol of `scp` before it spoke SFTP, as OpenSSH's `scp -t` and `scp -f` speak it. There is no standard; the
//! source of OpenSSH's `scp.c` is the reference.
//!
//! One side is the source, the other the sink. The source sends records, one line each, and waits for a reply to each:
//! `T` (times of what follows), `C` (a file, whose bytes follow the reply), `D` (a directory begins), `E` (it ends). A reply
//! is a zero byte, or a complaint: `\x01` (go on) or `\x02` (give up), a text and a newline. Either side may complain where
//! the other expects a record or the status byte after the bytes of a file.
//!
//! A [`Decoder`] takes chunks as they were received and gives records, replies and file data back; data is never copied.
//! [`Arguments`] are those of the command line; [`PathPattern`] is a path in it that the client's shell would expand.

mod arguments;
mod decoder;
mod mode;
mod pattern;
mod record;

pub use arguments::{ArgumentError, Arguments, Direction};
pub use decoder::{DecodeError, Decoder};
pub use mode::announced_mode;
pub use pattern::{NamePattern, PathPattern, Step};
pub use record::{Complaint, MAX_RECORD, Record, RecordError, Reply, Times};
