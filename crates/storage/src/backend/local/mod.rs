//! Directories of this machine, confined by descriptor.
//!
//! A storage holds its root directory open and never hands the kernel a path that starts anywhere else. Every operation
//! first pins the directory that holds the object (`openat2` with `RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS`, or a walk that
//! reads each link itself), asks the guard where links led, and then acts with `*at` calls relative to the pinned directory,
//! never following a link again. What was judged is what is used; a name swapped in between is judged anew.
//!
//! Linux only: other systems lack `openat2`, `renameat2` and `O_PATH` and need a variant of `root` of their own.

mod attributes;
mod backend;
mod close;
mod disk;
mod error;
mod file;
mod filesystem;
mod folding;
mod identity;
mod leftover;
mod list;
mod lock;
mod mount_table;
mod names;
mod open;
mod pin;
mod pool;
mod read;
mod root;
mod spare;
mod stat;
mod storage;
mod temporary;
mod usage;
mod walk;
mod write;

pub use backend::LocalBackend;
pub(crate) use storage::CAPABILITIES;
pub use storage::LocalStorage;
