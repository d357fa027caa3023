//! `users-groups-by-id@openssh.com`: names for the numbers in attributes (OpenSSH PROTOCOL 4).

use bytes::{BufMut, Bytes, BytesMut};

use super::super::bound::{MAX_ID_LIST, MAX_STRING};
use super::super::error::Malformed;
use super::super::payload::Payload;
use super::super::reader::Reader;
use super::super::reply::encode_extended;
use super::super::writer::{put_string, put_string_with};
use super::table::{Extension, Row};

/// Name of the request and of the announcement.
pub const NAME: &[u8] = b"users-groups-by-id@openssh.com";

pub(super) const ROW: Row = Row {
    name: NAME,
    announcement: Some((NAME, b"1")),
    decode,
};

fn decode(reader: &mut Reader) -> Result<Extension, Malformed> {
    Ok(Extension::UsersGroupsById {
        uids: id_list(reader.data()?)?,
        gids: id_list(reader.data()?)?,
    })
}

/// The ids are packed in a string, without a count.
fn id_list(packed: Payload) -> Result<Vec<u32>, Malformed> {
    if !packed.len().is_multiple_of(4) {
        return Err(Malformed::UnevenIdList);
    }
    let count = packed.len() / 4;
    if count > MAX_ID_LIST {
        return Err(Malformed::TooMany { limit: MAX_ID_LIST });
    }
    let mut reader = Reader::new(packed);
    let mut ids = Vec::with_capacity(count);
    while !reader.is_empty() {
        ids.push(reader.u32()?);
    }
    Ok(ids)
}

pub(super) fn encode(out: &mut BytesMut, uids: &[u32], gids: &[u32]) {
    for ids in [uids, gids] {
        put_string_with(out, |out| ids.iter().for_each(|id| out.put_u32(*id)));
    }
}

/// The answer: a name for each id in the order of the request, empty where there is none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UsersGroupsReply {
    /// User names.
    pub users: Vec<Bytes>,
    /// Group names.
    pub groups: Vec<Bytes>,
}

impl UsersGroupsReply {
    /// Appends the EXTENDED_REPLY packet.
    pub fn encode(&self, out: &mut BytesMut, id: u32) {
        encode_extended(out, id, |out| {
            for names in [&self.users, &self.groups] {
                put_string_with(out, |out| {
                    names.iter().for_each(|name| put_string(out, name))
                });
            }
        });
    }

    /// Reads the body of an EXTENDED_REPLY.
    pub fn decode(body: Payload) -> Result<Self, Malformed> {
        let mut reader = Reader::new(body);
        Ok(Self {
            users: name_list(reader.data()?)?,
            groups: name_list(reader.data()?)?,
        })
    }
}

fn name_list(packed: Payload) -> Result<Vec<Bytes>, Malformed> {
    let mut reader = Reader::new(packed);
    let mut names = Vec::new();
    while !reader.is_empty() {
        if names.len() == MAX_ID_LIST {
            return Err(Malformed::TooMany { limit: MAX_ID_LIST });
        }
        names.push(reader.string(MAX_STRING)?);
    }
    Ok(names)
}
