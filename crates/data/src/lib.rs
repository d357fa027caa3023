//! The data provider: accounts in SQL or in memory.
//!
//! [`provider`] is the contract, [`drivers`] the list of what implements it: [`sql`] holds one implementation for every
//! SQL database, [`kv`] one for every key/value store, memory first. Records in, records out: no validation, no hooks,
//! no password policy.

pub mod config;
pub mod drivers;
pub mod dump;
pub mod error;
pub mod kv;
pub mod provider;
pub mod sql;

mod gate;
mod quota;

#[cfg(test)]
mod conformance;

pub use drivers::{Initialized, initialize, open};
pub use error::{DataError, DataErrorKind, DataResult};
pub use kv::MemoryProvider;
pub use provider::{
    DataProvider, QuotaDelta, QuotaStore, QuotaUsage, SortOrder, UserQuery, UserStore,
};
