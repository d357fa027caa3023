//! Pages of bbolt: a header, elements of a fixed size, and the bytes that they point to. All numbers are little-endian.

use crate::report::ImportError;

/// id u64, flags u16, count u16, overflow u32.
pub(super) const HEADER: usize = 16;
const ELEMENT: usize = 16;

const BRANCH: u16 = 0x01;
const LEAF: u16 = 0x02;
pub(super) const META: u16 = 0x04;

/// The flag of a leaf's element whose value is a bucket.
const IS_BUCKET: u32 = 0x01;

/// A page with what belongs to it, in memory that begins at its header.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page<'a> {
    bytes: &'a [u8],
    flags: u16,
    count: usize,
}

/// What pages of trees are.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Branch,
    Leaf,
}

/// An entry of a leaf.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<'a> {
    pub(super) is_bucket: bool,
    pub(super) key: &'a [u8],
    pub(super) value: &'a [u8],
}

impl<'a> Page<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Option<Self> {
        Some(Self {
            bytes,
            flags: u16_at(bytes, 8)?,
            count: u16_at(bytes, 10)?.into(),
        })
    }

    /// Pages that belong to it behind its own.
    pub(super) fn overflow(&self) -> Option<usize> {
        usize::try_from(u32_at(self.bytes, 12)?).ok()
    }

    pub(super) fn kind(&self) -> Result<Kind, ImportError> {
        match self.flags {
            BRANCH => Ok(Kind::Branch),
            LEAF => Ok(Kind::Leaf),
            _ => Err(damaged()),
        }
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// The page that an element of a branch leads to. It has: pos u32, ksize u32, pgid u64.
    pub(super) fn child(&self, index: usize) -> Result<u64, ImportError> {
        let at = self.element(index)?;
        u64_at(self.bytes, at + 8).ok_or_else(damaged)
    }

    /// An element of a leaf. It has: flags u32, pos u32, ksize u32, vsize u32; pos counts from the element.
    pub(super) fn entry(&self, index: usize) -> Result<Entry<'a>, ImportError> {
        let at = self.element(index)?;
        let number = |offset: usize| u32_at(self.bytes, at + offset).ok_or_else(damaged);
        let size = |offset: usize| usize::try_from(number(offset)?).map_err(|_| damaged());
        let (position, key, value) = (size(4)?, size(8)?, size(12)?);
        let key_at = at.checked_add(position).ok_or_else(damaged)?;
        let value_at = key_at.checked_add(key).ok_or_else(damaged)?;
        Ok(Entry {
            is_bucket: number(0)? & IS_BUCKET != 0,
            key: slice(self.bytes, key_at, key).ok_or_else(damaged)?,
            value: slice(self.bytes, value_at, value).ok_or_else(damaged)?,
        })
    }

    fn element(&self, index: usize) -> Result<usize, ImportError> {
        let at = index
            .checked_mul(ELEMENT)
            .and_then(|at| at.checked_add(HEADER));
        at.filter(|_| index < self.count).ok_or_else(damaged)
    }
}

pub(super) fn slice(bytes: &[u8], at: usize, length: usize) -> Option<&[u8]> {
    bytes.get(at..at.checked_add(length)?)
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = slice(bytes, at, 2)?;
    Some(u16::from_le_bytes(bytes.try_into().ok()?))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = slice(bytes, at, 4)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    let bytes = slice(bytes, at, 8)?;
    Some(u64::from_le_bytes(bytes.try_into().ok()?))
}

pub(super) fn damaged() -> ImportError {
    ImportError::new(
        "the file is damaged, or was copied while it was written: stop the old server and copy it again",
    )
}
