//! Version 1001: every number holds 64 bits, as in the accounts themselves, and names compare byte by byte.
//!
//! The tables of the reference have 32 bits for numbers of files and kilobytes, which an account can exceed, and on
//! MySQL whatever comparison is the default of the database, often one that takes `Alice` for `alice`.

use super::{Migration, OWN_VERSIONS, Step};
use crate::sql::dialect::Dialect;
use crate::sql::table_name::TableName;

pub(super) const MIGRATION: Migration = Migration {
    version: OWN_VERSIONS,
    steps,
};

/// The columns that the reference made `integer`, but for `id` and `status`.
const NARROW: [&str; 7] = [
    "uid",
    "gid",
    "max_sessions",
    "quota_files",
    "used_quota_files",
    "upload_bandwidth",
    "download_bandwidth",
];

fn steps(dialect: &Dialect, table: &TableName) -> Vec<Step> {
    let mut steps = (dialect.widen)(table, &NARROW);
    steps.extend((dialect.compare_by_bytes)(table));
    steps
}
