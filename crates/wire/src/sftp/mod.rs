//! SFTP version 3: draft-ietf-secsh-filexfer-02, and the extensions of OpenSSH's PROTOCOL file.
//!
//! A server pushes what its channel received into a [`FrameDecoder`], turns each [`Frame`] into a [`Request`] and
//! answers with the `encode_*` functions of [`reply`]. A client writes requests with [`client`] and reads each
//! [`Reply`] through the same frame decoder. File data is never copied on the way in: a WRITE holds slices of the
//! received chunks ([`Payload`]). On the way out [`data_header`] is written in front of a buffer that was read into.
//!
//! Paths, handles and names are bytes; SFTP version 3 names no character set (draft 3).

mod attrs;
mod bound;
pub mod client;
mod error;
pub mod extension;
mod frame;
pub mod longname;
mod name;
mod open_flags;
pub mod packet;
mod payload;
mod reader;
pub mod reply;
mod request;
mod status;
#[cfg(test)]
mod tests;
mod writer;

pub use attrs::Attrs;
pub use bound::{
    FRAME_SLACK, MAX_ATTR_EXTENSIONS, MAX_EXTENSION_PAIRS, MAX_HANDLE, MAX_ID_LIST,
    MAX_NAME_ENTRIES, MAX_NAME_REPLY, MAX_PACKET, MAX_READ_WRITE, MAX_STRING, VERSION,
};
pub use error::{DecodeError, FrameError, Malformed};
pub use extension::{CheckFileTarget, Extension};
pub use frame::{Frame, FrameDecoder};
pub use longname::{LongName, LongNameTime};
pub use name::{Name, NameBuilder, NameEntry, NamePush};
pub use open_flags::OpenFlags;
pub use payload::Payload;
pub use reply::{
    DATA_HEADER_LEN, Reply, data_header, encode_attrs, encode_data, encode_extended, encode_handle,
    encode_name, encode_status, encode_version, write_data_header,
};
pub use request::Request;
pub use status::StatusCode;
