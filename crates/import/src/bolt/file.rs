//! A file of bbolt: two meta pages, of which the later one that is whole counts, and buckets, which are B+ trees of pages.

use super::page::{HEADER, Kind, META, Page, damaged, slice, u16_at, u32_at, u64_at};
use crate::report::ImportError;

/// magic u32, version u32, page size u32, flags u32, root bucket 16, freelist u64, pages u64, transaction u64, checksum u64.
const META_SIZE: usize = 64;
const CHECKSUM_AT: usize = 56;
const MAGIC: u32 = 0xED0C_DAED;
const VERSION: u32 = 2;
/// Sizes of pages that systems have.
const PAGE_SIZES: std::ops::RangeInclusive<usize> = 1 << 10..=1 << 16;
/// A tree of more levels than this has a loop: each page of a branch leads to at least two.
const DEEPEST: usize = 32;

/// The file, whole in memory.
#[derive(Debug)]
pub(super) struct File<'a> {
    bytes: &'a [u8],
    page_size: usize,
    root: u64,
}

/// Where the tree of a bucket begins.
#[derive(Debug, Clone, Copy)]
pub(super) enum Bucket<'a> {
    /// In a page of its own.
    At(u64),
    /// In the value itself, if it is small.
    Inline(&'a [u8]),
}

struct Meta {
    page_size: usize,
    root: u64,
    transaction: u64,
}

impl<'a> File<'a> {
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, ImportError> {
        let first = Meta::read(bytes, 0);
        // Where the second one is depends on the size of pages, which the first one says, if it is whole.
        let sizes = std::iter::successors(Some(*PAGE_SIZES.start()), |size| size.checked_mul(2));
        let sizes = sizes.take_while(|size| PAGE_SIZES.contains(size));
        let second = sizes
            .filter(|size| first.as_ref().is_none_or(|first| first.page_size == *size))
            .find_map(|size| Meta::read(bytes, size).filter(|meta| meta.page_size == size));
        let meta = first
            .into_iter()
            .chain(second)
            .max_by_key(|meta| meta.transaction);
        let meta = meta.ok_or_else(|| {
            ImportError::new(
                "it is no file of the driver `bolt` of the reference, or it is damaged",
            )
        })?;
        Ok(Self {
            bytes,
            page_size: meta.page_size,
            root: meta.root,
        })
    }

    /// The bucket that has the others.
    pub(super) fn root(&self) -> Bucket<'a> {
        Bucket::At(self.root)
    }

    /// A bucket in another one.
    pub(super) fn bucket(
        &self,
        within: &Bucket<'a>,
        name: &[u8],
    ) -> Result<Option<Bucket<'a>>, ImportError> {
        let mut found = None;
        self.each_entry(within, &mut |key, value, is_bucket| {
            if is_bucket && key == name {
                found = Some(value);
            }
        })?;
        let Some(value) = found else {
            return Ok(None);
        };
        // root u64, sequence u64; no root: a page follows.
        match u64_at(value, 0).ok_or_else(damaged)? {
            0 => Ok(Some(Bucket::Inline(value.get(16..).ok_or_else(damaged)?))),
            root => Ok(Some(Bucket::At(root))),
        }
    }

    /// Hands on the keys and values of a bucket, in order.
    pub(super) fn each(
        &self,
        bucket: &Bucket<'a>,
        hand: &mut dyn FnMut(&'a [u8], &'a [u8]),
    ) -> Result<(), ImportError> {
        self.each_entry(bucket, &mut |key, value, is_bucket| {
            if !is_bucket {
                hand(key, value);
            }
        })
    }

    fn each_entry(
        &self,
        bucket: &Bucket<'a>,
        hand: &mut dyn FnMut(&'a [u8], &'a [u8], bool),
    ) -> Result<(), ImportError> {
        // Pages are in one tree once each: whoever sees more of them goes in circles.
        let mut pages_left = self.bytes.len() / self.page_size + 1;
        let mut way = match bucket {
            Bucket::At(id) => vec![(self.page(*id)?, 0)],
            Bucket::Inline(bytes) => vec![(Page::new(bytes).ok_or_else(damaged)?, 0)],
        };
        while let Some((page, next)) = way.pop() {
            match page.kind()? {
                Kind::Leaf => {
                    for index in 0..page.count() {
                        let entry = page.entry(index)?;
                        hand(entry.key, entry.value, entry.is_bucket);
                    }
                }
                Kind::Branch if next < page.count() => {
                    way.push((page, next + 1));
                    pages_left = pages_left.checked_sub(1).ok_or_else(damaged)?;
                    if way.len() > DEEPEST {
                        return Err(damaged());
                    }
                    way.push((self.page(page.child(next)?)?, 0));
                }
                Kind::Branch => {}
            }
        }
        Ok(())
    }

    /// A page with those that belong to it.
    fn page(&self, id: u64) -> Result<Page<'a>, ImportError> {
        let at = usize::try_from(id)
            .ok()
            .and_then(|id| id.checked_mul(self.page_size));
        let at = at.ok_or_else(damaged)?;
        let header = slice(self.bytes, at, HEADER).and_then(Page::new);
        let more = header
            .and_then(|page| page.overflow())
            .ok_or_else(damaged)?;
        let length = more
            .checked_add(1)
            .and_then(|pages| pages.checked_mul(self.page_size));
        let bytes = length.and_then(|length| slice(self.bytes, at, length));
        bytes.and_then(Page::new).ok_or_else(damaged)
    }
}

impl Meta {
    /// The meta page at an offset, if it is whole.
    fn read(bytes: &[u8], at: usize) -> Option<Self> {
        if u16_at(bytes, at.checked_add(8)?)? & META == 0 {
            return None;
        }
        let meta = slice(bytes, at.checked_add(HEADER)?, META_SIZE)?;
        let checksum = fnv1a(meta.get(..CHECKSUM_AT)?);
        let page_size = usize::try_from(u32_at(meta, 8)?).ok()?;
        let is_whole = u32_at(meta, 0)? == MAGIC
            && u32_at(meta, 4)? == VERSION
            && PAGE_SIZES.contains(&page_size)
            && page_size.is_power_of_two()
            && u64_at(meta, CHECKSUM_AT)? == checksum;
        is_whole.then_some(Self {
            page_size,
            root: u64_at(meta, 16)?,
            transaction: u64_at(meta, 48)?,
        })
    }
}

/// FNV-1a of 64 bits.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
