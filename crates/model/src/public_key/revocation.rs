//! [`RevocationList`]: keys and certificates that are no longer believed, from OpenSSH's binary form (PROTOCOL.krl) or from
//! a plain list of public keys.

use std::collections::HashSet;
use std::fmt;

use thiserror::Error;

use super::fields::Fields;
use super::{Certificate, PublicKey};

const MAGIC: &[u8] = b"SSHKRL\n\0";
const VERSION: u32 = 1;

const CERTIFICATES: u8 = 1;
const EXPLICIT_KEY: u8 = 2;
const FINGERPRINT_SHA1: u8 = 3;
const SIGNATURE: u8 = 4;
const FINGERPRINT_SHA256: u8 = 5;
const EXTENSION: u8 = 255;

const SERIAL_LIST: u8 = 0x20;
const SERIAL_RANGE: u8 = 0x21;
const SERIAL_BITMAP: u8 = 0x22;
const KEY_ID: u8 = 0x23;
const CERTIFICATE_EXTENSION: u8 = 0x39;

/// Why a file is no list of what was revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RevocationError {
    /// In a plain list: neither a public key nor a comment.
    #[error("line {0} is no public key")]
    Line(usize),
    /// A later format.
    #[error("the key revocation list has the unknown format version {0}")]
    Version(u32),
    /// A part that we do not know, and so must not pass over.
    #[error("the key revocation list has the unknown section {0}")]
    Section(u8),
    /// An extension that its author calls critical.
    #[error("the key revocation list has an unknown critical extension")]
    Extension,
    /// Cut off, or damaged.
    #[error("the key revocation list is damaged")]
    Malformed,
}

/// What was revoked.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct RevocationList {
    keys: HashSet<Vec<u8>>,
    sha1: HashSet<[u8; 20]>,
    sha256: HashSet<[u8; 32]>,
    certificates: Vec<OfAuthority>,
}

/// The certificates of one authority, or of every one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct OfAuthority {
    /// The blob of its key; `None` is every authority.
    authority: Option<Vec<u8>>,
    /// First and last serial; sorted, none of them touching another.
    serials: Vec<(u64, u64)>,
    bitmaps: Vec<Bitmap>,
    key_ids: HashSet<Vec<u8>>,
}

/// Bit n, from the last byte on, is the serial `offset + n`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Bitmap {
    offset: u64,
    bits: Vec<u8>,
}

impl RevocationList {
    /// Reads a file: a key revocation list if it begins like one, else a public key in each line, with empty lines and
    /// comments between them.
    ///
    /// # Errors
    /// Anything in it is not understood.
    pub fn parse(file: &[u8]) -> Result<Self, RevocationError> {
        match file.strip_prefix(MAGIC) {
            Some(list) => Self::parse_binary(list),
            None => Self::parse_lines(file),
        }
    }

    fn parse_lines(file: &[u8]) -> Result<Self, RevocationError> {
        let mut list = Self::default();
        for (index, line) in file.split(|byte| *byte == b'\n').enumerate() {
            // Comments may be in any encoding.
            let line = String::from_utf8_lossy(line);
            for line in PublicKey::lines(&line) {
                let key = PublicKey::parse(line).map_err(|_| RevocationError::Line(index + 1))?;
                list.keys.insert(key.blob().to_vec());
            }
        }
        Ok(list)
    }

    fn parse_binary(list: &[u8]) -> Result<Self, RevocationError> {
        let mut fields = Fields::new(list);
        let version = fields.u32().ok_or(RevocationError::Malformed)?;
        if version != VERSION {
            return Err(RevocationError::Version(version));
        }
        skip_header(&mut fields).ok_or(RevocationError::Malformed)?;
        let mut parsed = Self::default();
        let mut is_signed = false;
        while !fields.is_empty() {
            let (kind, mut section) = next_section(&mut fields)?;
            if is_signed && kind != SIGNATURE {
                return Err(RevocationError::Malformed);
            }
            match kind {
                CERTIFICATES => {
                    let certificates = OfAuthority::parse(section)?;
                    parsed.certificates.push(certificates);
                }
                EXPLICIT_KEY => each(section, |blob| {
                    parsed.keys.insert(blob.to_vec());
                    Some(())
                })?,
                FINGERPRINT_SHA1 => each(section, |hash| {
                    parsed.sha1.insert(hash.try_into().ok()?);
                    Some(())
                })?,
                FINGERPRINT_SHA256 => each(section, |hash| {
                    parsed.sha256.insert(hash.try_into().ok()?);
                    Some(())
                })?,
                // The section was the key. We believe the file for where it lies, not for who signed it.
                SIGNATURE => {
                    fields.string().ok_or(RevocationError::Malformed)?;
                    is_signed = true;
                }
                EXTENSION => extension(&mut section)?,
                unknown => return Err(RevocationError::Section(unknown)),
            }
        }
        Ok(parsed)
    }

    /// Whether nothing is revoked.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
            && self.sha1.is_empty()
            && self.sha256.is_empty()
            && self.certificates.is_empty()
    }

    /// Whether the key is listed, as it is or by one of these hashes of its blob. That of a certificate is the key in it.
    pub fn revokes_key(&self, key: &PublicKey, sha1: &[u8], sha256: &[u8]) -> bool {
        self.keys.contains(key.blob()) || self.sha1.contains(sha1) || self.sha256.contains(sha256)
    }

    /// Whether the certificate is listed by its serial or its name. Its keys are for [`revokes_key`](Self::revokes_key).
    pub fn revokes_certificate(&self, certificate: &Certificate) -> bool {
        let authority = certificate.authority().blob();
        self.certificates.iter().any(|listed| {
            let concerns = |blob: &Vec<u8>| blob == authority;
            listed.authority.as_ref().is_none_or(concerns)
                && (listed.names(certificate.key_id()) || listed.numbers(certificate.serial()))
        })
    }
}

impl fmt::Debug for RevocationList {
    /// Numbers only: there may be a million hashes in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RevocationList")
            .field("keys", &self.keys.len())
            .field("sha1", &self.sha1.len())
            .field("sha256", &self.sha256.len())
            .field("certificates", &self.certificates.len())
            .finish()
    }
}

impl OfAuthority {
    fn parse(mut fields: Fields<'_>) -> Result<Self, RevocationError> {
        let authority = fields.string().ok_or(RevocationError::Malformed)?;
        let _reserved = fields.string().ok_or(RevocationError::Malformed)?;
        let mut parsed = Self {
            authority: (!authority.is_empty()).then(|| authority.to_vec()),
            ..Self::default()
        };
        while !fields.is_empty() {
            let (kind, mut section) = next_section(&mut fields)?;
            match kind {
                SERIAL_LIST => {
                    while !section.is_empty() {
                        let serial = section.u64().ok_or(RevocationError::Malformed)?;
                        parsed.serials.push((serial, serial));
                    }
                }
                SERIAL_RANGE => {
                    let range = section.u64().zip(section.u64());
                    let range = range.filter(|(first, last)| first <= last && section.is_empty());
                    parsed
                        .serials
                        .push(range.ok_or(RevocationError::Malformed)?);
                }
                SERIAL_BITMAP => {
                    let bitmap = Bitmap::parse(section).ok_or(RevocationError::Malformed)?;
                    parsed.bitmaps.push(bitmap);
                }
                KEY_ID => each(section, |name| {
                    parsed.key_ids.insert(name.to_vec());
                    Some(())
                })?,
                CERTIFICATE_EXTENSION => extension(&mut section)?,
                unknown => return Err(RevocationError::Section(unknown)),
            }
        }
        parsed.serials = joined(parsed.serials);
        Ok(parsed)
    }

    fn names(&self, key_id: &str) -> bool {
        self.key_ids.contains(key_id.as_bytes())
    }

    fn numbers(&self, serial: u64) -> bool {
        let after = self.serials.partition_point(|(first, _)| *first <= serial);
        let range = after.checked_sub(1).and_then(|at| self.serials.get(at));
        range.is_some_and(|(_, last)| serial <= *last)
            || self.bitmaps.iter().any(|bitmap| bitmap.has(serial))
    }
}

impl Bitmap {
    fn parse(mut fields: Fields<'_>) -> Option<Self> {
        let offset = fields.u64()?;
        let bits = fields.number()?.to_vec();
        // No serial is beyond the last one.
        let count = u64::try_from(bits.len()).ok()?.checked_mul(8)?;
        let _last = offset.checked_add(count)?;
        fields.is_empty().then_some(Self { offset, bits })
    }

    fn has(&self, serial: u64) -> bool {
        let bit = || {
            let bit = usize::try_from(serial.checked_sub(self.offset)?).ok()?;
            let byte = self.bits.get(self.bits.len().checked_sub(1 + bit / 8)?)?;
            Some(byte >> (bit % 8) & 1 == 1)
        };
        bit().unwrap_or(false)
    }
}

/// The number and date of a list, flags that mean nothing yet, and a comment.
fn skip_header(fields: &mut Fields<'_>) -> Option<()> {
    let _number = fields.u64()?;
    let _date = fields.u64()?;
    let _flags = fields.u64()?;
    let _reserved = fields.string()?;
    let _comment = fields.string()?;
    Some(())
}

fn next_section<'a>(fields: &mut Fields<'a>) -> Result<(u8, Fields<'a>), RevocationError> {
    let section = fields.byte().zip(fields.nested());
    section.ok_or(RevocationError::Malformed)
}

/// Takes each string of a section.
fn each(
    mut section: Fields<'_>,
    mut take: impl FnMut(&[u8]) -> Option<()>,
) -> Result<(), RevocationError> {
    while !section.is_empty() {
        let string = section.string().ok_or(RevocationError::Malformed)?;
        take(string).ok_or(RevocationError::Malformed)?;
    }
    Ok(())
}

/// An extension that we do not know, as we know none.
fn extension(section: &mut Fields<'_>) -> Result<(), RevocationError> {
    let _name = section.string().ok_or(RevocationError::Malformed)?;
    match section.byte() {
        Some(0) => Ok(()),
        Some(_) => Err(RevocationError::Extension),
        None => Err(RevocationError::Malformed),
    }
}

/// The same serials in order, in as few ranges as there can be.
fn joined(mut ranges: Vec<(u64, u64)>) -> Vec<(u64, u64)> {
    ranges.sort_unstable();
    let mut joined: Vec<(u64, u64)> = Vec::new();
    for (first, last) in ranges {
        match joined.last_mut() {
            Some((_, end)) if first <= end.saturating_add(1) => *end = last.max(*end),
            Some(_) | None => joined.push((first, last)),
        }
    }
    joined
}

#[cfg(test)]
mod tests;
