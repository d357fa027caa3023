//! The list of migrations, oldest first. One file each; a row is never changed once it is released.
//!
//! Versions 1 and 2 are those of the reference at 0.9.6, whose databases are taken over as they are. Ours continue at
//! [`OWN_VERSIONS`]: later releases of the reference count on from 3 with tables we do not know, and a database of
//! theirs must be refused, not mistaken for ours.

mod v1_users;
mod v2_virtual_folders;

use super::dialect::Dialect;
use super::table_name::TableName;

/// The first version of our own; nothing below it and above 2 is ours.
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "for the first migration of our own")
)]
pub(crate) const OWN_VERSIONS: i64 = 1001;

/// One step from an older schema to a newer one.
pub(crate) struct Migration {
    /// What `schema_version` says afterwards.
    pub(crate) version: i64,
    /// The statements, run in one transaction.
    pub(crate) statements: fn(&Dialect, &TableName) -> Vec<String>,
}

/// All of them. A new database runs through every row.
pub(crate) const MIGRATIONS: &[Migration] = &[v1_users::MIGRATION, v2_virtual_folders::MIGRATION];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_ascend_and_skip_those_of_later_releases_of_the_reference() {
        let versions: Vec<i64> = MIGRATIONS
            .iter()
            .map(|migration| migration.version)
            .collect();
        assert!(versions.is_sorted());
        assert!(
            versions
                .iter()
                .all(|&version| version <= 2 || version >= OWN_VERSIONS)
        );
    }
}
