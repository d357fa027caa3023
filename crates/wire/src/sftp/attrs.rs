//! File attributes (draft 5).

use bytes::{BufMut, BytesMut};

use super::bound::MAX_ATTR_EXTENSIONS;
use super::error::Malformed;
use super::reader::Reader;

const SIZE: u32 = 0x0000_0001;
const OWNER: u32 = 0x0000_0002;
const PERMISSIONS: u32 = 0x0000_0004;
const TIMES: u32 = 0x0000_0008;
const EXTENDED: u32 = 0x8000_0000;

/// The attributes that a request changes, or that a reply tells. What is `None` is not on the wire.
///
/// Extended pairs are skipped when read and never sent: version 3 defines none, and OpenSSH ignores them too. Flag
/// bits that version 3 does not define are ignored, since their fields cannot be skipped and none is known to be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Attrs {
    /// Size in bytes.
    pub size: Option<u64>,
    /// User id and group id.
    pub owner: Option<(u32, u32)>,
    /// POSIX mode: permission bits, and the file type bits in replies.
    pub permissions: Option<u32>,
    /// Access and modification time, in seconds since 1970 UTC.
    pub times: Option<(u32, u32)>,
}

impl Attrs {
    /// No attribute at all.
    pub const EMPTY: Self = Self {
        size: None,
        owner: None,
        permissions: None,
        times: None,
    };

    /// Whether no attribute is set.
    pub fn is_empty(&self) -> bool {
        *self == Self::EMPTY
    }

    /// Appends the ATTRS structure, without any packet around it.
    pub fn encode(&self, out: &mut BytesMut) {
        let flag = |set: bool, bit: u32| if set { bit } else { 0 };
        out.put_u32(
            flag(self.size.is_some(), SIZE)
                | flag(self.owner.is_some(), OWNER)
                | flag(self.permissions.is_some(), PERMISSIONS)
                | flag(self.times.is_some(), TIMES),
        );
        if let Some(size) = self.size {
            out.put_u64(size);
        }
        if let Some((uid, gid)) = self.owner {
            out.put_u32(uid);
            out.put_u32(gid);
        }
        if let Some(permissions) = self.permissions {
            out.put_u32(permissions);
        }
        if let Some((accessed, modified)) = self.times {
            out.put_u32(accessed);
            out.put_u32(modified);
        }
    }

    pub(crate) fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        let flags = reader.u32()?;
        let mut attrs = Self::EMPTY;
        if flags & SIZE != 0 {
            attrs.size = Some(reader.u64()?);
        }
        if flags & OWNER != 0 {
            attrs.owner = Some((reader.u32()?, reader.u32()?));
        }
        if flags & PERMISSIONS != 0 {
            attrs.permissions = Some(reader.u32()?);
        }
        if flags & TIMES != 0 {
            attrs.times = Some((reader.u32()?, reader.u32()?));
        }
        if flags & EXTENDED != 0 {
            skip_extended(reader)?;
        }
        Ok(attrs)
    }

    /// Decodes an ATTRS structure on its own, for replies of extensions and for fuzzing.
    pub fn from_payload(payload: super::Payload) -> Result<Self, Malformed> {
        Self::decode(&mut Reader::new(payload))
    }
}

fn skip_extended(reader: &mut Reader) -> Result<(), Malformed> {
    let count = reader.u32()?;
    if count > MAX_ATTR_EXTENSIONS {
        return Err(Malformed::TooMany {
            limit: MAX_ATTR_EXTENSIONS as usize,
        });
    }
    for _ in 0..count {
        reader.skip_string()?;
        reader.skip_string()?;
    }
    Ok(())
}
