//! A directory tree in memory, with the semantics of a local directory and a cap on its bytes.
//!
//! It never waits, so tests use it where a disk would only slow them down; the property test compares both back ends.

mod entries;
mod handle;
mod node;
mod open;
mod storage;
mod tree;
mod walk;

pub(crate) use storage::CAPABILITIES;
pub use storage::MemoryStorage;
