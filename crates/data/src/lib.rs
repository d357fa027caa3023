//! The data provider: accounts in SQL or in memory.

pub mod config;
