//! One pool of buffers for all transfers: what they hold together stays under a limit, and who needs more waits.
//!
//! A part is reserved whole before its bytes come, so whoever has begun one can end it: uploads that wait for each other's
//! half-filled parts would wait for ever. The reservation goes with the bytes, when the last one who reads them is done.
//!
//! A client that has begun a part and sends nothing more would keep others from sending. So while somebody waits, what was
//! not added to for half a minute is taken away, the oldest first, and that upload fails.

use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use crate::error::{StorageError, StorageErrorKind, StorageResult};

/// What is counted at once.
const UNIT: u64 = 64 << 10;
/// How long somebody waits for a buffer: others may wait for a store that is slow.
const PATIENCE: Duration = Duration::from_secs(120);
/// What was not added to for so long may be taken away.
const STALLED: Duration = Duration::from_secs(30);
/// Who waits looks so often for what may be taken away.
const LOOK: Duration = Duration::from_secs(1);
/// Buffers, and bytes of them, that are kept for the next one, so that memory is not mapped and cleared for each part.
const KEPT: usize = 16;
const KEPT_BYTES: usize = 64 << 20;

/// A limit on bytes, shared by whoever has a clone.
#[derive(Clone)]
pub struct Budget {
    inner: Arc<Inner>,
}

struct Inner {
    units: Arc<Semaphore>,
    total: u64,
    kept: Mutex<Vec<Vec<u8>>>,
    /// Parts that are being filled.
    slots: Mutex<Vec<Weak<Slot>>>,
}

impl Budget {
    /// At most `bytes` at a time, and at least one unit.
    pub fn new(bytes: u64) -> Self {
        let total = bytes.div_ceil(UNIT).clamp(1, u64::from(u32::MAX));
        let units = usize::try_from(total).unwrap_or(Semaphore::MAX_PERMITS);
        Self {
            inner: Arc::new(Inner {
                units: Arc::new(Semaphore::new(units)),
                total,
                kept: Mutex::new(Vec::new()),
                slots: Mutex::new(Vec::new()),
            }),
        }
    }

    /// Bytes that nobody has.
    pub fn free(&self) -> u64 {
        (self.inner.units.available_permits() as u64).saturating_mul(UNIT)
    }

    /// Waits for its turn to have `bytes`; first come, first served. What is more than there is at all gets all.
    ///
    /// # Errors
    /// `Unavailable` if nothing got free for two minutes.
    pub(super) async fn reserve(&self, bytes: u64) -> StorageResult<Reservation> {
        let units = Arc::clone(&self.inner.units).acquire_many_owned(self.units(bytes));
        let mut units = std::pin::pin!(units);
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            match timeout_at((Instant::now() + LOOK).min(end), units.as_mut()).await {
                Ok(Ok(permit)) => return Ok(Reservation { _permit: permit }),
                // It is never closed.
                Ok(Err(_)) => break,
                Err(_) => self.take_stalled(),
            }
        }
        let context = "no buffer became free: too many uploads at a time";
        Err(StorageError::new(StorageErrorKind::Unavailable, context))
    }

    /// Takes away the part that was not added to for longest, if that is long enough.
    fn take_stalled(&self) {
        let oldest = {
            let mut slots = self.inner.slots.lock();
            slots.retain(|slot| slot.strong_count() > 0);
            let slots = slots.iter().filter_map(Weak::upgrade);
            slots.min_by_key(|slot| slot.touched())
        };
        if let Some(slot) = oldest.filter(|slot| slot.touched().elapsed() >= STALLED) {
            drop(slot.take());
        }
    }

    /// A part that is to be filled.
    pub(super) fn slot(&self, reservation: Reservation, capacity: usize) -> Arc<Slot> {
        let slot = Arc::new(Slot(Mutex::new(Filled {
            buffer: Some(self.buffer(reservation, capacity)),
            touched: Instant::now(),
        })));
        self.inner.slots.lock().push(Arc::downgrade(&slot));
        slot
    }

    /// The same if it need not wait.
    pub(super) fn try_reserve(&self, bytes: u64) -> Option<Reservation> {
        let units = Arc::clone(&self.inner.units);
        let permit = units.try_acquire_many_owned(self.units(bytes)).ok()?;
        Some(Reservation { _permit: permit })
    }

    fn units(&self, bytes: u64) -> u32 {
        let units = bytes.div_ceil(UNIT).clamp(1, self.inner.total);
        u32::try_from(units).unwrap_or(u32::MAX)
    }

    /// Memory for a part; empty.
    pub(super) fn buffer(&self, reservation: Reservation, capacity: usize) -> Buffer {
        let mut bytes = self.inner.kept.lock().pop().unwrap_or_default();
        // Grown as bytes come: most files are much smaller than a part.
        if bytes.capacity() > capacity {
            bytes.shrink_to(capacity);
        }
        Buffer {
            bytes,
            capacity,
            budget: self.clone(),
            _reservation: reservation,
        }
    }
}

/// A part that is being filled, unless it was taken away.
pub(super) struct Slot(Mutex<Filled>);

struct Filled {
    buffer: Option<Buffer>,
    touched: Instant,
}

impl Slot {
    /// Adds bytes; `false` if it was taken away.
    #[must_use]
    pub(super) fn extend(&self, bytes: &[u8]) -> bool {
        let mut filled = self.0.lock();
        filled.touched = Instant::now();
        let Some(buffer) = &mut filled.buffer else {
            return false;
        };
        buffer.extend(bytes);
        true
    }

    /// Bytes that were added.
    pub(super) fn len(&self) -> usize {
        let filled = self.0.lock();
        filled
            .buffer
            .as_ref()
            .map_or(0, |buffer| buffer.bytes.len())
    }

    /// What was added; nothing if it was taken before. It is not a part that is being filled any more, then.
    pub(super) fn take(&self) -> Option<Buffer> {
        let mut filled = self.0.lock();
        // So that nobody takes it for stalled.
        filled.touched = Instant::now();
        filled.buffer.take()
    }

    fn touched(&self) -> Instant {
        self.0.lock().touched
    }
}

impl std::fmt::Debug for Budget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Budget({} of {} units)",
            self.inner.units.available_permits(),
            self.inner.total
        )
    }
}

/// Leave to hold some bytes. Dropping it gives it back.
#[derive(Debug)]
pub(super) struct Reservation {
    _permit: OwnedSemaphorePermit,
}

/// Bytes that were reserved. Dropping it, deliberately, keeps the memory for the next one.
pub(super) struct Buffer {
    bytes: Vec<u8>,
    /// What was reserved.
    capacity: usize,
    budget: Budget,
    _reservation: Reservation,
}

impl Buffer {
    /// Adds bytes. Left to itself a vector doubles, and would take much more than was reserved.
    pub(super) fn extend(&mut self, bytes: &[u8]) {
        let needed = self.bytes.len().saturating_add(bytes.len());
        if needed > self.bytes.capacity() {
            let doubled = self.bytes.capacity().saturating_mul(2);
            let wanted = doubled.min(self.capacity).max(needed);
            let more = wanted.saturating_sub(self.bytes.len());
            self.bytes.reserve_exact(more);
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// The bytes for sending; what was reserved for them is given back with the last clone.
    pub(super) fn freeze(self) -> Bytes {
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.clear();
        let mut kept = self.budget.inner.kept.lock();
        let there: usize = kept.iter().map(Vec::capacity).sum();
        let fits = there.saturating_add(bytes.capacity()) <= KEPT_BYTES;
        if bytes.capacity() > 0 && kept.len() < KEPT && fits {
            kept.push(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_reserved_comes_back_with_the_last_clone_of_the_bytes() {
        let budget = Budget::new(2 * UNIT);
        let reservation = budget.reserve(UNIT + 1).await.unwrap();
        assert!(budget.try_reserve(1).is_none());
        let mut buffer = budget.buffer(reservation, 1 << 20);
        buffer.extend(b"text");
        let bytes = buffer.freeze();
        let clone = bytes.clone();
        drop(bytes);
        assert_eq!((clone.as_ref(), budget.free()), (&b"text"[..], 0));
        drop(clone);
        assert_eq!(budget.free(), 2 * UNIT);
        // The memory is used again, and empty.
        let again = budget.buffer(budget.try_reserve(1).unwrap(), 1 << 20);
        assert!(again.as_ref().is_empty() && again.bytes.capacity() >= 4);
    }

    #[tokio::test]
    async fn a_part_takes_no_more_memory_than_was_reserved() {
        let budget = Budget::new(1 << 20);
        let capacity = 640 << 10;
        let reservation = budget.reserve(capacity as u64).await.unwrap();
        let mut buffer = budget.buffer(reservation, capacity);
        for _ in 0..20 {
            buffer.extend(&[1; 32 << 10]);
        }
        assert_eq!(buffer.bytes.len(), capacity);
        assert!(buffer.bytes.capacity() <= capacity + (4 << 10));
    }

    #[tokio::test]
    async fn more_than_there_is_waits_for_everything() {
        let budget = Budget::new(UNIT);
        let all = budget.reserve(10 * UNIT).await.unwrap();
        assert_eq!(budget.free(), 0);
        drop(all);
        assert_eq!(budget.free(), UNIT);
    }

    #[tokio::test(start_paused = true)]
    async fn who_sends_nothing_does_not_keep_others_waiting() {
        let budget = Budget::new(2 * UNIT);
        let stalled = budget.slot(budget.reserve(UNIT).await.unwrap(), 1 << 16);
        let busy = budget.slot(budget.reserve(UNIT).await.unwrap(), 1 << 16);
        assert!(stalled.extend(b"x") && busy.extend(b"x"));
        tokio::time::advance(STALLED - LOOK).await;
        assert!(busy.extend(b"x"));
        let _mine = budget.reserve(UNIT).await.unwrap();
        assert!(!stalled.extend(b"x"));
        assert!(busy.extend(b"x") && busy.len() == 3);
        assert!(stalled.take().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_for_a_buffer_ends() {
        let budget = Budget::new(UNIT);
        let _all = budget.reserve(UNIT).await.unwrap();
        let refused = budget.reserve(1).await.unwrap_err();
        assert_eq!(refused.kind(), StorageErrorKind::Unavailable);
    }
}
