//! Accounts in a key/value store: one implementation for every engine. Memory is the first.

mod engine;
mod memory;
mod provider;

pub use engine::{KvEngine, ReadTable, WriteTable};
pub use memory::{MemoryEngine, MemoryProvider};
pub use provider::KvProvider;
