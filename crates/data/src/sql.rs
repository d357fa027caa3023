//! Accounts in a SQL database: one implementation for every database server and file.
//!
//! `provider` holds the operations, `statement` their text, `record` the columns, `schema` and `migration` the
//! tables; `counting` the counters, `feed` what changed, `cluster` what servers tell each other, all on a `link` that
//! keeps deadlines. What differs between databases is a `Dialect` (words) and an `SqlEngine` (connections); a new database is
//! one folder with both, and a row in [`crate::drivers`].

mod bookmarks;
mod cluster;
mod counting;
mod dialect;
mod engine;
mod feed;
mod fields;
mod link;
mod migration;
pub mod mysql;
mod page;
mod percent;
pub mod postgres;
mod provider;
mod record;
mod schema;
mod server;
pub mod sqlite;
mod statement;
mod table_name;
#[cfg(test)]
mod tests;

pub use provider::SqlProvider;
pub(crate) use schema::SchemaUpdate;
