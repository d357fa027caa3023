//! The PROXY protocol, versions 1 and 2: how a balancer in front of the server tells whose connection it is.
//!
//! [`parse`] reads headers and does no I/O; `read` takes one from a socket, byte for byte, so that what follows is left for
//! the protocol behind it; [`ProxyPolicy`] says whose headers are wanted, and believed.
//!
//! <https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt>; sections in comments are of it.

mod crc32c;
mod header;
mod policy;
mod read;
mod v1;
mod v2;

pub use header::{Header, LONGEST_HEADER, Parsed, parse};
pub use policy::{ProxyMode, ProxyPolicy};
pub use read::HeaderError;

pub(crate) use policy::Trust;
pub(crate) use read::read_header;
