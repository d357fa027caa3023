//! What is known of bytes that were sent.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::{Bytes, BytesMut};
use crc32fast::Hasher;

use crate::Pattern;

/// Where bytes are.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    Kept(Kept),
    /// The pattern, from this place on.
    Pattern(u64),
    Gone,
}

/// Bytes, and what is known of them.
#[derive(Debug, Clone)]
pub(crate) struct Data {
    pub(crate) content: Content,
    pub(crate) size: u64,
    pub(crate) crc32: u32,
}

/// Bytes that come in.
#[derive(Debug, Clone)]
pub(crate) struct Sink {
    crc: Hasher,
    size: u64,
    /// `None`: too many to be kept.
    kept: Option<BytesMut>,
    most_kept: u64,
}

/// Bytes in memory, which count as long as anybody has them.
#[derive(Clone)]
pub(crate) struct Kept(Arc<Counted>);

struct Counted {
    bytes: Bytes,
    all: Arc<AtomicUsize>,
}

/// Says what is kept.
#[derive(Debug)]
pub(crate) struct Keeper {
    each: usize,
    most: usize,
    all: Arc<AtomicUsize>,
}

impl Sink {
    /// One for at most `length` bytes, as far as that is known.
    pub(crate) fn new(keeper: &Keeper, length: Option<u64>) -> Self {
        let length = length.unwrap_or(u64::MAX);
        let most_kept = keeper.most_kept().min(length);
        Self {
            crc: Hasher::new(),
            size: 0,
            kept: (length == u64::MAX || keeper.wants(length)).then(BytesMut::new),
            most_kept,
        }
    }

    pub(crate) fn take(&mut self, bytes: &[u8]) {
        self.crc.update(bytes);
        self.size += u64::try_from(bytes.len()).unwrap();
        if self.size > self.most_kept {
            self.kept = None;
        }
        if let Some(kept) = &mut self.kept {
            kept.extend_from_slice(bytes);
        }
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// What has come.
    pub(crate) fn finish(self, keeper: &Keeper) -> Data {
        let kept = self.kept.map(BytesMut::freeze);
        Data {
            content: kept.map_or(Content::Gone, |bytes| keeper.keep(bytes)),
            size: self.size,
            crc32: self.crc.finalize(),
        }
    }
}

impl Keeper {
    pub(crate) fn new(each: usize, most: usize) -> Self {
        Self {
            each,
            most,
            all: Arc::default(),
        }
    }

    fn most_kept(&self) -> u64 {
        u64::try_from(self.each).unwrap_or(u64::MAX)
    }

    /// Whether so many bytes may be kept.
    pub(crate) fn wants(&self, size: u64) -> bool {
        usize::try_from(size).is_ok_and(|size| size <= self.each)
    }

    /// Keeps bytes, unless they are too many.
    pub(crate) fn keep(&self, bytes: Bytes) -> Content {
        let room = |all: usize| Some(all + bytes.len()).filter(|all| *all <= self.most);
        let counted = self
            .all
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, room);
        if counted.is_err() || bytes.len() > self.each {
            if counted.is_ok() {
                self.all.fetch_sub(bytes.len(), Ordering::SeqCst);
            }
            return Content::Gone;
        }
        Content::Kept(Kept(Arc::new(Counted {
            bytes,
            all: Arc::clone(&self.all),
        })))
    }

    /// Puts parts together.
    pub(crate) fn join(&self, parts: &[Data]) -> Data {
        let mut crc = Hasher::new();
        let mut size = 0;
        for part in parts {
            crc.combine(&Hasher::new_with_initial_len(part.crc32, part.size));
            size += part.size;
        }
        let whole = Data {
            content: Content::Gone,
            size,
            crc32: crc.finalize(),
        };
        if !self.wants(size) {
            return whole.recognized();
        }
        let mut all = BytesMut::new();
        for part in parts {
            match part.bytes(0, part.size) {
                Some(bytes) => all.extend_from_slice(&bytes),
                None => return whole.recognized(),
            }
        }
        Data {
            content: self.keep(all.freeze()),
            ..whole
        }
        .recognized()
    }
}

impl Data {
    pub(crate) fn pattern(offset: u64, size: u64) -> Self {
        let crc32 = if offset == 0 {
            Pattern::crc32(size)
        } else {
            let mut crc = Hasher::new();
            Pattern::pieces(offset, size).for_each(|piece| crc.update(&piece));
            crc.finalize()
        };
        Self {
            content: Content::Pattern(offset),
            size,
            crc32,
        }
    }

    /// Bytes that are gone can be made again if they were those of the pattern.
    pub(crate) fn recognized(mut self) -> Self {
        if matches!(self.content, Content::Gone) && Pattern::crc32(self.size) == self.crc32 {
            self.content = Content::Pattern(0);
        }
        self
    }

    /// A piece of it, if that is known.
    pub(crate) fn range(&self, offset: u64, size: u64) -> Option<Self> {
        if offset == 0 && size == self.size {
            return Some(self.clone());
        }
        match &self.content {
            Content::Pattern(start) => Some(Self::pattern(start + offset, size)),
            Content::Kept(kept) => {
                let bytes = slice(kept.bytes(), offset, size)?;
                Some(Self {
                    crc32: crc32fast::hash(&bytes),
                    size,
                    content: Content::Kept(kept.of_the_same(bytes)),
                })
            }
            Content::Gone => None,
        }
    }

    /// A small piece of it, if it can be had.
    pub(crate) fn bytes(&self, offset: u64, size: u64) -> Option<Bytes> {
        match &self.content {
            Content::Kept(kept) => slice(kept.bytes(), offset, size),
            Content::Pattern(start) => Some(Pattern::bytes(start + offset, size)),
            Content::Gone => None,
        }
    }
}

impl Kept {
    pub(crate) fn bytes(&self) -> &Bytes {
        &self.0.bytes
    }

    /// Some of these bytes. They count once more, which is more than they are.
    fn of_the_same(&self, bytes: Bytes) -> Self {
        let all = Arc::clone(&self.0.all);
        all.fetch_add(bytes.len(), Ordering::SeqCst);
        Self(Arc::new(Counted { bytes, all }))
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} bytes", self.0.bytes.len())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.all.fetch_sub(self.bytes.len(), Ordering::SeqCst);
    }
}

fn slice(bytes: &Bytes, offset: u64, size: u64) -> Option<Bytes> {
    let start = usize::try_from(offset).ok()?;
    let end = start.checked_add(usize::try_from(size).ok()?)?;
    (end <= bytes.len()).then(|| bytes.slice(start..end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(keeper: &Keeper, bytes: &'static [u8]) -> Data {
        Data {
            content: keeper.keep(Bytes::from_static(bytes)),
            size: u64::try_from(bytes.len()).unwrap(),
            crc32: crc32fast::hash(bytes),
        }
    }

    #[test]
    fn parts_that_are_kept_are_put_together_and_count_as_long_as_somebody_has_them() {
        let keeper = Keeper::new(10, 10);
        let parts = [data(&keeper, b"abc"), data(&keeper, b"de")];
        let whole = keeper.join(&parts);
        drop(parts);
        assert_eq!(whole.bytes(0, 5).unwrap(), "abcde");
        assert_eq!(whole.crc32, crc32fast::hash(b"abcde"));
        assert!(matches!(
            keeper.keep(Bytes::from_static(b"123456")),
            Content::Gone
        ));
        drop(whole);
        assert!(matches!(
            keeper.keep(Bytes::from_static(b"123456")),
            Content::Kept(_)
        ));
    }

    #[test]
    fn what_was_the_pattern_is_known_again_when_it_is_whole() {
        let keeper = Keeper::new(0, 0);
        let part = |offset, size| {
            let bytes = Pattern::bytes(offset, size);
            Data {
                content: keeper.keep(bytes.clone()),
                size,
                crc32: crc32fast::hash(&bytes),
            }
        };
        let whole = keeper.join(&[part(0, 100_000), part(100_000, 50_000)]);
        assert!(matches!(whole.content, Content::Pattern(0)));
        let swapped = keeper.join(&[part(100_000, 50_000), part(0, 100_000)]);
        assert!(matches!(swapped.content, Content::Gone));
    }
}
