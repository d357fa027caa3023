//! Bytes that lie in several received chunks and are not copied together.

use std::fmt;

use bytes::{Buf, Bytes, BytesMut};

/// Slices kept without an allocation: a WRITE of 32 KiB spans two or three chunks.
const INLINE: usize = 3;

/// A sequence of bytes in one or more slices of received chunks.
///
/// Cloning and cutting count references and copy no data. A payload keeps the whole chunks alive that its slices
/// come from: copy what must stay for long (a path in a table of handles) with [`Bytes::copy_from_slice`].
#[derive(Clone)]
pub struct Payload {
    slots: Slots,
    /// First slot in use; those before it were consumed.
    start: usize,
    /// One past the last slot in use.
    end: usize,
    /// Sum of the lengths of the slots in use, none of which is empty.
    len: usize,
}

#[derive(Clone)]
enum Slots {
    Inline([Bytes; INLINE]),
    Heap(Vec<Bytes>),
}

impl Payload {
    /// No bytes.
    pub const fn new() -> Self {
        Self {
            slots: Slots::Inline([const { Bytes::new() }; INLINE]),
            start: 0,
            end: 0,
            len: 0,
        }
    }

    /// The slices in order; none of them is empty.
    pub fn segments(&self) -> &[Bytes] {
        let slots = match &self.slots {
            Slots::Inline(slots) => slots.as_slice(),
            Slots::Heap(slots) => slots.as_slice(),
        };
        slots.get(self.start..self.end).unwrap_or_default()
    }

    /// Number of bytes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends a slice.
    pub fn push(&mut self, segment: Bytes) {
        if segment.is_empty() {
            return;
        }
        self.len += segment.len();
        if let Slots::Inline(slots) = &mut self.slots {
            if let Some(slot) = slots.get_mut(self.end) {
                *slot = segment;
                self.end += 1;
                return;
            }
            let mut heap = Vec::with_capacity(2 * INLINE);
            heap.extend(slots.iter_mut().map(std::mem::take));
            self.slots = Slots::Heap(heap);
        }
        if let Slots::Heap(slots) = &mut self.slots {
            slots.push(segment);
            self.end = slots.len();
        }
    }

    /// All bytes in one piece: copies only if there is more than one slice.
    pub fn to_bytes(&self) -> Bytes {
        match self.segments() {
            [] => Bytes::new(),
            [only] => only.clone(),
            several => {
                let mut joined = BytesMut::with_capacity(self.len);
                several
                    .iter()
                    .for_each(|segment| joined.extend_from_slice(segment));
                joined.freeze()
            }
        }
    }

    /// Drops the first `count` bytes, or all if there are fewer.
    pub fn advance(&mut self, count: usize) {
        let mut left = count.min(self.len);
        self.len -= left;
        while left > 0 {
            let Some(front) = self.front_mut() else {
                return;
            };
            if front.len() > left {
                front.advance(left);
                return;
            }
            left -= front.len();
            self.drop_front();
        }
    }

    /// Takes the first `count` bytes off; `None`, and nothing is taken, if there are fewer.
    pub fn split_to(&mut self, count: usize) -> Option<Self> {
        if count > self.len {
            return None;
        }
        if count == self.len {
            return Some(std::mem::take(self));
        }
        let mut taken = Self::new();
        while taken.len < count {
            let wanted = count - taken.len;
            let front = self.front_mut()?;
            if front.len() > wanted {
                taken.push(front.split_to(wanted));
            } else {
                taken.push(std::mem::take(front));
                self.drop_front();
            }
        }
        self.len -= count;
        Some(taken)
    }

    /// Takes the first `count` bytes off in one piece: copies only if they lie in more than one slice.
    pub fn take_bytes(&mut self, count: usize) -> Option<Bytes> {
        if count > self.len {
            return None;
        }
        if count == 0 {
            return Some(Bytes::new());
        }
        let front = self.front_mut()?;
        if front.len() > count {
            let taken = front.split_to(count);
            self.len -= count;
            return Some(taken);
        }
        self.split_to(count).map(|taken| taken.to_bytes())
    }

    /// Takes the first `N` bytes off by value.
    pub fn take_array<const N: usize>(&mut self) -> Option<[u8; N]> {
        if N > self.len {
            return None;
        }
        if let Some(array) = self
            .segments()
            .first()
            .and_then(|front| front.first_chunk())
        {
            let array = *array;
            self.advance(N);
            return Some(array);
        }
        let mut array = [0; N];
        let bytes = self.segments().iter().flatten();
        for (slot, byte) in array.iter_mut().zip(bytes) {
            *slot = *byte;
        }
        self.advance(N);
        Some(array)
    }

    fn front_mut(&mut self) -> Option<&mut Bytes> {
        let slots = match &mut self.slots {
            Slots::Inline(slots) => slots.as_mut_slice(),
            Slots::Heap(slots) => slots.as_mut_slice(),
        };
        slots.get_mut(..self.end)?.get_mut(self.start)
    }

    /// Forgets the first slice, and gives its chunk free; the caller has accounted for its length.
    fn drop_front(&mut self) {
        if let Some(front) = self.front_mut() {
            *front = Bytes::new();
            self.start += 1;
        }
    }
}

impl Default for Payload {
    fn default() -> Self {
        Self::new()
    }
}

impl From<Bytes> for Payload {
    fn from(segment: Bytes) -> Self {
        let mut payload = Self::new();
        payload.push(segment);
        payload
    }
}

impl FromIterator<Bytes> for Payload {
    fn from_iter<I: IntoIterator<Item = Bytes>>(segments: I) -> Self {
        let mut payload = Self::new();
        segments
            .into_iter()
            .for_each(|segment| payload.push(segment));
        payload
    }
}

/// Equal if the bytes are, however they are cut.
impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len
            && self
                .segments()
                .iter()
                .flatten()
                .eq(other.segments().iter().flatten())
    }
}

impl Eq for Payload {}

/// Shows the size only: the contents are users' files.
impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Payload")
            .field("len", &self.len)
            .field("segments", &self.segments().len())
            .finish()
    }
}
