//! Accounts in a key/value store: one implementation for every engine, memory and a file.

pub(crate) mod bolt;

mod engine;
mod feed;
mod memory;
mod provider;

pub use crate::name_range::NameRange;
pub use engine::{KvEngine, Lasting, Page, ReadTable, Usage, WriteTable};
pub use memory::{MemoryEngine, MemoryProvider};
pub use provider::KvProvider;
