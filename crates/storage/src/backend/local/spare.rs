//! Reading into the unused capacity of a vector, a bounded number of bytes, without zeroing it first.
//!
//! Unsafe, because rustix's safe call of this kind fills the whole capacity whatever was asked for, and its `preadv2` takes
//! initialised memory only. Zeroing would cost a tenth of what a read from the page cache costs.
#![expect(unsafe_code, reason = "see above; two blocks, each with its argument")]

use std::io::IoSliceMut;
use std::mem::MaybeUninit;
use std::os::fd::AsFd;

use rustix::io::{Errno, ReadWriteFlags, pread, preadv2};

/// Appends up to `len` bytes from `offset`; waits for the disk.
pub(super) fn read(
    file: impl AsFd,
    offset: u64,
    len: usize,
    buffer: &mut Vec<u8>,
) -> Result<usize, Errno> {
    fill(buffer, len, |spare| {
        pread(file, spare, offset).map(|(read, _)| read.len())
    })
}

/// Appends up to `len` bytes from `offset` if they are in the page cache; `EAGAIN` says that they are not.
pub(super) fn read_cached(
    file: impl AsFd,
    offset: u64,
    len: usize,
    buffer: &mut Vec<u8>,
) -> Result<usize, Errno> {
    fill(buffer, len, |spare| {
        // SAFETY: the memory is valid for writes of its whole length and borrowed for as long as the slice lives. It goes
        // straight to the kernel, which only writes; nobody reads it through this slice.
        let bytes =
            unsafe { std::slice::from_raw_parts_mut(spare.as_mut_ptr().cast::<u8>(), spare.len()) };
        preadv2(
            file,
            &mut [IoSliceMut::new(bytes)],
            offset,
            ReadWriteFlags::NOWAIT,
        )
    })
}

/// `read` answers how many bytes at the start of the slice it has filled.
fn fill(
    buffer: &mut Vec<u8>,
    len: usize,
    read: impl FnOnce(&mut [MaybeUninit<u8>]) -> Result<usize, Errno>,
) -> Result<usize, Errno> {
    buffer.reserve(len);
    let start = buffer.len();
    let spare = buffer.spare_capacity_mut();
    let spare = spare.get_mut(..len).unwrap_or_default();
    let filled = read(spare)?.min(len);
    // SAFETY: `reserve` made room for `len` bytes, and the kernel has written the first `filled` of them.
    unsafe { buffer.set_len(start + filled) };
    Ok(filled)
}
