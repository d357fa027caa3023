//! Packets from a server: encoders for the server, [`Reply`] for clients (draft 4 and 7).
//!
//! Encoders append one whole packet to `out`. Answers to extended requests are encoded by the reply structs of
//! [`extension`](super::extension), long listings by [`NameBuilder`](super::NameBuilder).

use bytes::{BufMut, Bytes, BytesMut};

use super::attrs::Attrs;
use super::bound::{MAX_HANDLE, MAX_STRING, VERSION};
use super::error::{DecodeError, Malformed};
use super::frame::Frame;
use super::name::{Name, NameEntry};
use super::packet;
use super::payload::Payload;
use super::reader::Reader;
use super::status::StatusCode;
use super::writer::{LENGTH_LEN, put_packet, put_string, wire_len};

/// Bytes in front of the data of a DATA packet: length, type, id, length of the data.
pub const DATA_HEADER_LEN: usize = 13;

/// Appends VERSION, with our version and the extensions as names and data.
pub fn encode_version(out: &mut BytesMut, extensions: &[(&[u8], &[u8])]) {
    put_packet(out, packet::VERSION, |out| {
        out.put_u32(VERSION);
        for (name, data) in extensions {
            put_string(out, name);
            put_string(out, data);
        }
    });
}

/// Appends STATUS. The language tag is empty.
pub fn encode_status(out: &mut BytesMut, id: u32, code: StatusCode, message: &str) {
    put_packet(out, packet::STATUS, |out| {
        out.put_u32(id);
        out.put_u32(code.to_wire());
        put_string(out, message.as_bytes());
        put_string(out, b"");
    });
}

/// Appends HANDLE. A handle is at most [`MAX_HANDLE`] bytes long.
pub fn encode_handle(out: &mut BytesMut, id: u32, handle: &[u8]) {
    put_packet(out, packet::HANDLE, |out| {
        out.put_u32(id);
        put_string(out, handle);
    });
}

/// Appends DATA and copies the data. A server that reads files reserves [`DATA_HEADER_LEN`] bytes in front instead.
pub fn encode_data(out: &mut BytesMut, id: u32, data: &[u8]) {
    put_packet(out, packet::DATA, |out| {
        out.put_u32(id);
        put_string(out, data);
    });
}

/// The bytes in front of `data_len` bytes of data, which together are one DATA packet.
pub fn data_header(id: u32, data_len: usize) -> [u8; DATA_HEADER_LEN] {
    let data_len = wire_len(data_len);
    let packet_len = data_len.saturating_add(wire_len(DATA_HEADER_LEN - LENGTH_LEN));
    let [l0, l1, l2, l3] = packet_len.to_be_bytes();
    let [i0, i1, i2, i3] = id.to_be_bytes();
    let [d0, d1, d2, d3] = data_len.to_be_bytes();
    [l0, l1, l2, l3, packet::DATA, i0, i1, i2, i3, d0, d1, d2, d3]
}

/// Writes [`data_header`] over the start of a read buffer, where [`DATA_HEADER_LEN`] bytes were left free for it. Does
/// nothing to a shorter buffer.
pub fn write_data_header(buffer: &mut [u8], id: u32, data_len: usize) {
    if let Some(header) = buffer.first_chunk_mut() {
        *header = data_header(id, data_len);
    }
}

/// Appends NAME with all entries, without a bound: for REALPATH and READLINK.
pub fn encode_name(out: &mut BytesMut, id: u32, entries: &[NameEntry<'_>]) {
    put_packet(out, packet::NAME, |out| {
        out.put_u32(id);
        out.put_u32(wire_len(entries.len()));
        for entry in entries {
            entry.encode(out);
        }
    });
}

/// Appends ATTRS.
pub fn encode_attrs(out: &mut BytesMut, id: u32, attrs: &Attrs) {
    put_packet(out, packet::ATTRS, |out| {
        out.put_u32(id);
        attrs.encode(out);
    });
}

/// Appends EXTENDED_REPLY with the fields that `fields` appends.
pub fn encode_extended(out: &mut BytesMut, id: u32, fields: impl FnOnce(&mut BytesMut)) {
    put_packet(out, packet::EXTENDED_REPLY, |out| {
        out.put_u32(id);
        fields(out);
    });
}

/// One answer, as a client sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// Answer to INIT.
    Version {
        /// Version that the server chose.
        version: u32,
        /// Names and data of extensions.
        extensions: Vec<(Bytes, Bytes)>,
    },
    /// Success without a value, or failure.
    Status {
        /// Request id.
        id: u32,
        /// What became of the request.
        code: StatusCode,
        /// Text for people.
        message: Bytes,
        /// Language tag of the text (RFC 1766).
        language: Bytes,
    },
    /// An open file or directory.
    Handle {
        /// Request id.
        id: u32,
        /// Handle.
        handle: Bytes,
    },
    /// What was read.
    Data {
        /// Request id.
        id: u32,
        /// Data, not copied.
        data: Payload,
    },
    /// Names.
    Name {
        /// Request id.
        id: u32,
        /// Entries in the server's order.
        entries: Vec<Name>,
    },
    /// Attributes.
    Attrs {
        /// Request id.
        id: u32,
        /// Attributes.
        attrs: Attrs,
    },
    /// Answer to an extended request; its reply struct decodes the body.
    Extended {
        /// Request id.
        id: u32,
        /// What follows the id.
        body: Payload,
    },
}

impl Reply {
    /// Decodes a packet. Bytes after the last field are ignored, as in [`Request::decode`](super::Request::decode).
    pub fn decode(frame: Frame) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(frame.into_body());
        let type_byte = reader.u8().unwrap_or_default();
        let malformed = |id, reason| DecodeError::Malformed {
            type_byte,
            id,
            reason,
        };
        if type_byte == packet::VERSION {
            return decode_version(&mut reader).map_err(|reason| malformed(None, reason));
        }
        let id = reader.u32();
        if !matches!(
            type_byte,
            packet::STATUS..=packet::ATTRS | packet::EXTENDED_REPLY
        ) {
            let id = id.ok();
            return Err(DecodeError::UnknownType { type_byte, id });
        }
        let decoded = id.and_then(|id| decode_fields(type_byte, id, reader));
        decoded.map_err(|reason| malformed(id.ok(), reason))
    }

    /// The id of the request that is answered; VERSION has none.
    pub fn id(&self) -> Option<u32> {
        match self {
            Self::Version { .. } => None,
            Self::Status { id, .. }
            | Self::Handle { id, .. }
            | Self::Data { id, .. }
            | Self::Name { id, .. }
            | Self::Attrs { id, .. }
            | Self::Extended { id, .. } => Some(*id),
        }
    }
}

fn decode_version(reader: &mut Reader) -> Result<Reply, Malformed> {
    Ok(Reply::Version {
        version: reader.u32()?,
        extensions: reader.extension_pairs()?,
    })
}

fn decode_fields(type_byte: u8, id: u32, mut reader: Reader) -> Result<Reply, Malformed> {
    Ok(match type_byte {
        packet::STATUS => {
            let code = StatusCode::from_wire(reader.u32()?);
            // Servers of version 2 and before end here, and some of version 3 do too.
            let (message, language) = if reader.is_empty() {
                Default::default()
            } else {
                (reader.string(MAX_STRING)?, reader.string(MAX_STRING)?)
            };
            Reply::Status {
                id,
                code,
                message,
                language,
            }
        }
        packet::HANDLE => Reply::Handle {
            id,
            handle: reader.string(MAX_HANDLE)?,
        },
        packet::DATA => Reply::Data {
            id,
            data: reader.data()?,
        },
        packet::NAME => {
            // The count is not trusted with an allocation; each entry takes bytes of the packet.
            let count = reader.u32()?;
            let mut entries = Vec::new();
            for _ in 0..count {
                entries.push(Name::decode(&mut reader)?);
            }
            Reply::Name { id, entries }
        }
        packet::ATTRS => Reply::Attrs {
            id,
            attrs: Attrs::decode(&mut reader)?,
        },
        // EXTENDED_REPLY; all others were refused.
        _ => Reply::Extended {
            id,
            body: reader.into_rest(),
        },
    })
}
