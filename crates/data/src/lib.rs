//! The data provider: accounts in SQL or in memory.
//!
//! [`provider`] and [`cluster`] are the contract, [`drivers`] the list of what implements it: [`sql`] holds one implementation for every
//! SQL database, [`kv`] one for every key/value store, memory first. Records in, records out: no validation, no hooks,
//! no password policy.

pub mod cluster;
pub mod config;
pub mod drivers;
pub mod dump;
pub mod error;
pub mod kv;
pub mod provider;
pub mod sql;

mod gate;
mod made;
mod name_range;
mod quota;

#[cfg(test)]
mod conformance;

pub use cluster::{
    Beat, Claimed, ClusterStore, Load, NODE_LIFETIME, Neighbour, NodeId, SessionClaim, SharedValue,
};
pub use drivers::{Initialized, initialize, open};
pub use error::{DataError, DataErrorKind, DataResult};
pub use kv::MemoryProvider;
pub use provider::{
    ChangeFeed, ChangeMark, Changes, DataProvider, QuotaChange, QuotaDelta, QuotaStore, QuotaUsage,
    SortOrder, UserQuery, UserStore,
};
