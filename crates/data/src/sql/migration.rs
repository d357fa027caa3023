//! The list of migrations, oldest first. One file each; a row is never changed once it is released.
//!
//! Versions 1 and 2 are those of the reference at 0.9.6, whose databases are taken over as they are. Ours continue at
//! [`OWN_VERSIONS`]: later releases of the reference count on from 3 with tables we do not know, and a database of
//! theirs must be refused, not mistaken for ours.

mod v1001_wide_numbers;
mod v1002_servers;
mod v1_users;
mod v2_virtual_folders;

use super::dialect::Dialect;
use super::table_name::TableName;

/// The first version of our own; nothing below it and above [`REFERENCE_VERSION`] is ours.
pub(crate) const OWN_VERSIONS: i64 = 1001;

/// The last version of the reference. It has every column that is read, so that a database whose users are managed
/// elsewhere needs no more.
pub(crate) const REFERENCE_VERSION: i64 = 2;

/// One step from an older schema to a newer one.
pub(crate) struct Migration {
    /// What `schema_version` says afterwards.
    pub(crate) version: i64,
    /// What is done, in one transaction where the database can.
    pub(crate) steps: fn(&Dialect, &TableName) -> Vec<Step>,
}

/// One statement of a migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    /// A query for a number: the statement runs only if there is one and it is not 0.
    pub(crate) only_if: Option<String>,
    /// The statement.
    pub(crate) sql: String,
}

impl Step {
    /// A statement that always runs.
    pub(crate) fn always(sql: impl Into<String>) -> Self {
        Self {
            only_if: None,
            sql: sql.into(),
        }
    }

    /// A statement that runs only if the number that `probe` asks for is not 0.
    pub(crate) fn only_if(probe: impl Into<String>, sql: impl Into<String>) -> Self {
        Self {
            only_if: Some(probe.into()),
            sql: sql.into(),
        }
    }
}

/// All of them. A new database runs through every row.
pub(crate) const MIGRATIONS: &[Migration] = &[
    v1_users::MIGRATION,
    v2_virtual_folders::MIGRATION,
    v1001_wide_numbers::MIGRATION,
    v1002_servers::MIGRATION,
];

/// The first version that has the tables of what servers tell each other.
pub(crate) const SERVERS: i64 = v1002_servers::MIGRATION.version;

/// What a database at version `from` still needs. Where users are managed elsewhere, the columns that are read are
/// enough, and nobody may have the right to add more.
pub(crate) fn pending(from: i64, manage_users: bool) -> impl Iterator<Item = &'static Migration> {
    let newest = if manage_users {
        i64::MAX
    } else {
        REFERENCE_VERSION
    };
    MIGRATIONS
        .iter()
        .filter(move |migration| migration.version > from && migration.version <= newest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn versions(from: i64, manage_users: bool) -> Vec<i64> {
        pending(from, manage_users)
            .map(|migration| migration.version)
            .collect()
    }

    #[test]
    fn versions_ascend_and_skip_those_of_later_releases_of_the_reference() {
        let versions = versions(0, true);
        assert_eq!(versions.len(), MIGRATIONS.len());
        assert!(versions.is_sorted());
        assert!(
            versions
                .iter()
                .all(|&version| version <= REFERENCE_VERSION || version >= OWN_VERSIONS)
        );
    }

    #[test]
    fn without_managing_users_no_version_of_our_own_is_needed() {
        assert_eq!(versions(0, false), [1, 2]);
        assert_eq!(versions(1, false), [2]);
        assert!(versions(2, false).is_empty());
        assert!(versions(OWN_VERSIONS, false).is_empty());
    }
}
