//! Dumps, `{"users":[...]}` (reference 5.7): what REST and the command line write and read, and the memory provider starts
//! from.
//!
//! [`DumpText`] writes one piece by piece, [`read_each`] reads one account by account, so that neither ever holds all of
//! them; [`load`] and [`parse`] are for dumps that are small.

mod file;
mod read;
mod text;

pub use file::{load, read, read_bounded};
pub use read::{MAX_DUMP_SIZE, Next, parse, read_each};
pub use text::DumpText;
