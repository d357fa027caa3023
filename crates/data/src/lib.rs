//! The data provider: accounts in SQL or in memory.

pub mod config;
pub mod error;
pub mod provider;

pub use error::{DataError, DataErrorKind, DataResult};
pub use provider::{
    DataProvider, QuotaDelta, QuotaStore, QuotaUsage, SortOrder, UserQuery, UserStore,
};
