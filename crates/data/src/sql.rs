//! Accounts in a SQL database: one implementation for every database server and file.
//!
//! `provider` holds the operations, `statement` their text, `record` the columns, `schema` and `migration` the
//! tables. What differs between databases is a `Dialect` (words) and an `SqlEngine` (connections); a new database is
//! one folder with both, and a row in [`crate::drivers`].

mod dialect;
mod engine;
mod migration;
mod provider;
mod record;
mod schema;
pub mod sqlite;
mod statement;
mod table_name;
#[cfg(test)]
mod tests;

pub use provider::SqlProvider;
