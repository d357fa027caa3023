//! Requests as a client sends them: for the test kit and the load generator.
//!
//! Each function appends one whole packet to `out`; [`encode_request`] does so for any [`Request`].

use bytes::{BufMut, BytesMut};

use super::attrs::Attrs;
use super::extension::Extension;
use super::open_flags::OpenFlags;
use super::packet;
use super::request::Request;
use super::writer::{LENGTH_LEN, overwrite_u32, put_packet, put_string, wire_len};

/// Appends any request.
pub fn encode_request(out: &mut BytesMut, request: &Request) {
    match request {
        Request::Init {
            version,
            extensions,
        } => put_packet(out, packet::INIT, |out| {
            out.put_u32(*version);
            for (name, data) in extensions {
                put_string(out, name);
                put_string(out, data);
            }
        }),
        Request::Open {
            id,
            path,
            flags,
            attrs,
        } => open(out, *id, path, *flags, attrs),
        Request::Close { id, handle } => close(out, *id, handle),
        Request::Read {
            id,
            handle,
            offset,
            len,
        } => read(out, *id, handle, *offset, *len),
        Request::Write {
            id,
            handle,
            offset,
            data,
        } => {
            write_header(out, *id, handle, *offset, data.len());
            data.segments().iter().for_each(|s| out.put_slice(s));
        }
        Request::Lstat { id, path } => lstat(out, *id, path),
        Request::Fstat { id, handle } => fstat(out, *id, handle),
        Request::Setstat { id, path, attrs } => setstat(out, *id, path, attrs),
        Request::Fsetstat { id, handle, attrs } => fsetstat(out, *id, handle, attrs),
        Request::Opendir { id, path } => opendir(out, *id, path),
        Request::Readdir { id, handle } => readdir(out, *id, handle),
        Request::Remove { id, path } => remove(out, *id, path),
        Request::Mkdir { id, path, attrs } => mkdir(out, *id, path, attrs),
        Request::Rmdir { id, path } => rmdir(out, *id, path),
        Request::Realpath { id, path } => realpath(out, *id, path),
        Request::Stat { id, path } => stat(out, *id, path),
        Request::Rename { id, from, to } => rename(out, *id, from, to),
        Request::Readlink { id, path } => readlink(out, *id, path),
        Request::Symlink { id, target, link } => symlink(out, *id, target, link),
        Request::Extended { id, request } => extended(out, *id, request),
    }
}

/// INIT without extensions.
pub fn init(out: &mut BytesMut, version: u32) {
    put_packet(out, packet::INIT, |out| out.put_u32(version));
}

/// OPEN.
pub fn open(out: &mut BytesMut, id: u32, path: &[u8], flags: OpenFlags, attrs: &Attrs) {
    put_packet(out, packet::OPEN, |out| {
        out.put_u32(id);
        put_string(out, path);
        out.put_u32(flags.bits());
        attrs.encode(out);
    });
}

/// CLOSE.
pub fn close(out: &mut BytesMut, id: u32, handle: &[u8]) {
    one_string(out, packet::CLOSE, id, handle);
}

/// READ.
pub fn read(out: &mut BytesMut, id: u32, handle: &[u8], offset: u64, len: u32) {
    put_packet(out, packet::READ, |out| {
        out.put_u32(id);
        put_string(out, handle);
        out.put_u64(offset);
        out.put_u32(len);
    });
}

/// WRITE; copies the data.
pub fn write(out: &mut BytesMut, id: u32, handle: &[u8], offset: u64, data: &[u8]) {
    write_header(out, id, handle, offset, data.len());
    out.put_slice(data);
}

/// WRITE up to its data, of which `data_len` bytes must be sent behind it.
pub fn write_header(out: &mut BytesMut, id: u32, handle: &[u8], offset: u64, data_len: usize) {
    let start = out.len();
    put_packet(out, packet::WRITE, |out| {
        out.put_u32(id);
        put_string(out, handle);
        out.put_u64(offset);
        out.put_u32(wire_len(data_len));
    });
    let header_len = out.len() - start - LENGTH_LEN;
    overwrite_u32(out, start, wire_len(header_len.saturating_add(data_len)));
}

/// LSTAT.
pub fn lstat(out: &mut BytesMut, id: u32, path: &[u8]) {
    one_string(out, packet::LSTAT, id, path);
}

/// FSTAT.
pub fn fstat(out: &mut BytesMut, id: u32, handle: &[u8]) {
    one_string(out, packet::FSTAT, id, handle);
}

/// SETSTAT.
pub fn setstat(out: &mut BytesMut, id: u32, path: &[u8], attrs: &Attrs) {
    string_and_attrs(out, packet::SETSTAT, id, path, attrs);
}

/// FSETSTAT.
pub fn fsetstat(out: &mut BytesMut, id: u32, handle: &[u8], attrs: &Attrs) {
    string_and_attrs(out, packet::FSETSTAT, id, handle, attrs);
}

/// OPENDIR.
pub fn opendir(out: &mut BytesMut, id: u32, path: &[u8]) {
    one_string(out, packet::OPENDIR, id, path);
}

/// READDIR.
pub fn readdir(out: &mut BytesMut, id: u32, handle: &[u8]) {
    one_string(out, packet::READDIR, id, handle);
}

/// REMOVE.
pub fn remove(out: &mut BytesMut, id: u32, path: &[u8]) {
    one_string(out, packet::REMOVE, id, path);
}

/// MKDIR.
pub fn mkdir(out: &mut BytesMut, id: u32, path: &[u8], attrs: &Attrs) {
    string_and_attrs(out, packet::MKDIR, id, path, attrs);
}

/// RMDIR.
pub fn rmdir(out: &mut BytesMut, id: u32, path: &[u8]) {
    one_string(out, packet::RMDIR, id, path);
}

/// REALPATH.
pub fn realpath(out: &mut BytesMut, id: u32, path: &[u8]) {
    one_string(out, packet::REALPATH, id, path);
}

/// STAT.
pub fn stat(out: &mut BytesMut, id: u32, path: &[u8]) {
    one_string(out, packet::STAT, id, path);
}

/// RENAME.
pub fn rename(out: &mut BytesMut, id: u32, from: &[u8], to: &[u8]) {
    two_strings(out, packet::RENAME, id, from, to);
}

/// READLINK.
pub fn readlink(out: &mut BytesMut, id: u32, path: &[u8]) {
    one_string(out, packet::READLINK, id, path);
}

/// SYMLINK, in OpenSSH's order; see [`Request::Symlink`].
pub fn symlink(out: &mut BytesMut, id: u32, target: &[u8], link: &[u8]) {
    two_strings(out, packet::SYMLINK, id, target, link);
}

/// EXTENDED. An [`Extension::Unknown`] is sent without fields.
pub fn extended(out: &mut BytesMut, id: u32, request: &Extension) {
    put_packet(out, packet::EXTENDED, |out| {
        out.put_u32(id);
        put_string(out, request.name());
        request.encode_fields(out);
    });
}

/// Appends a packet of any type and body: for tests of what a well-behaved client does not send.
pub fn raw(out: &mut BytesMut, type_byte: u8, body: &[u8]) {
    put_packet(out, type_byte, |out| out.put_slice(body));
}

fn one_string(out: &mut BytesMut, type_byte: u8, id: u32, value: &[u8]) {
    put_packet(out, type_byte, |out| {
        out.put_u32(id);
        put_string(out, value);
    });
}

fn two_strings(out: &mut BytesMut, type_byte: u8, id: u32, first: &[u8], second: &[u8]) {
    put_packet(out, type_byte, |out| {
        out.put_u32(id);
        put_string(out, first);
        put_string(out, second);
    });
}

fn string_and_attrs(out: &mut BytesMut, type_byte: u8, id: u32, value: &[u8], attrs: &Attrs) {
    put_packet(out, type_byte, |out| {
        out.put_u32(id);
        put_string(out, value);
        attrs.encode(out);
    });
}
