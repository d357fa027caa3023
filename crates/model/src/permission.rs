//! What a user may do, directory by directory (reference 3.2 and 3.3).

use std::collections::BTreeMap;

use crate::path::VirtualPath;

/// One thing that can be allowed. `*` is not one of them: it is [`PermissionSet::ALL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum Permission {
    /// List a directory and see attributes of entries; digest commands.
    List = 1,
    /// Read files.
    Download = 1 << 1,
    /// Create new files.
    Upload = 1 << 2,
    /// Replace or append to existing files.
    Overwrite = 1 << 3,
    /// Rename files and directories.
    Rename = 1 << 4,
    /// Remove files, symlinks and empty directories.
    Delete = 1 << 5,
    /// Make directories.
    CreateDirs = 1 << 6,
    /// Make symlinks.
    CreateSymlinks = 1 << 7,
    /// Change modes.
    Chmod = 1 << 8,
    /// Change owners.
    Chown = 1 << 9,
    /// Change times.
    Chtimes = 1 << 10,
}

/// The name that stands for every permission.
pub const ALL_NAME: &str = "*";

impl Permission {
    /// Every permission in the order the reference shows them.
    pub const ALL: [Self; 11] = [
        Self::List,
        Self::Download,
        Self::Upload,
        Self::Overwrite,
        Self::Rename,
        Self::Delete,
        Self::CreateDirs,
        Self::CreateSymlinks,
        Self::Chmod,
        Self::Chown,
        Self::Chtimes,
    ];

    /// The name in account records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Download => "download",
            Self::Upload => "upload",
            Self::Overwrite => "overwrite",
            Self::Rename => "rename",
            Self::Delete => "delete",
            Self::CreateDirs => "create_dirs",
            Self::CreateSymlinks => "create_symlinks",
            Self::Chmod => "chmod",
            Self::Chown => "chown",
            Self::Chtimes => "chtimes",
        }
    }
}

/// A set of permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct PermissionSet(u16);

impl PermissionSet {
    /// Nothing is allowed.
    pub const NONE: Self = Self(0);
    /// Everything is allowed (`*`).
    pub const ALL: Self = Self((1 << 11) - 1);

    /// The set that a record's list of names means; `None` if a name does not exist.
    pub fn parse<S: AsRef<str>>(names: &[S]) -> Option<Self> {
        let mut set = Self::NONE;
        for name in names {
            let name = name.as_ref();
            if name == ALL_NAME {
                set = Self::ALL;
            } else {
                let found = Permission::ALL
                    .into_iter()
                    .find(|known| known.as_str() == name)?;
                set = set.with(found);
            }
        }
        Some(set)
    }

    /// This set and one more permission.
    pub const fn with(self, permission: Permission) -> Self {
        Self(self.0 | permission as u16)
    }

    /// What is in both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether everything in this set is in `other`, too.
    pub const fn is_within(self, other: Self) -> bool {
        self.0 & other.0 == self.0
    }

    /// Whether `permission` is in the set.
    pub const fn contains(self, permission: Permission) -> bool {
        self.0 & permission as u16 != 0
    }
}

/// The permissions of one user: a set for `/` and for any directory that differs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DirectoryPermissions(BTreeMap<VirtualPath, PermissionSet>);

impl DirectoryPermissions {
    /// Makes the map. The caller has checked that `/` is in it; without it nothing is allowed outside the named ones.
    pub fn new(map: BTreeMap<VirtualPath, PermissionSet>) -> Self {
        Self(map)
    }

    /// The permissions that hold in `directory`: those of the nearest named directory at or above it. There is no merging.
    pub fn in_directory(&self, directory: &VirtualPath) -> PermissionSet {
        if self.0.len() <= 1 {
            return self
                .0
                .get(&VirtualPath::root())
                .copied()
                .unwrap_or(PermissionSet::NONE);
        }
        directory
            .ancestors()
            .find_map(|path| self.0.get(&path).copied())
            .unwrap_or_default()
    }

    /// The first directory below `directory` that has permissions of its own, and not all of `needed`.
    pub fn lacking_below(
        &self,
        directory: &VirtualPath,
        needed: PermissionSet,
    ) -> Option<&VirtualPath> {
        let lacking = self
            .0
            .iter()
            .find(|(path, set)| path.is_within(directory) && set.and(needed) != needed);
        lacking.map(|(path, _)| path)
    }

    /// Whether permissions are set for `path` or for something below it.
    pub fn are_named_within(&self, path: &VirtualPath) -> bool {
        self.0.keys().any(|named| named.is_within(path))
    }

    /// Whether every directory has the same permissions, so that a path need not be looked up.
    pub fn is_uniform(&self) -> bool {
        self.0.len() <= 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permissions(entries: &[(&str, &[&str])]) -> DirectoryPermissions {
        DirectoryPermissions::new(
            entries
                .iter()
                .map(|(dir, names)| {
                    (
                        VirtualPath::parse(dir.as_bytes()).unwrap(),
                        PermissionSet::parse(names).unwrap(),
                    )
                })
                .collect(),
        )
    }

    #[test]
    fn the_nearest_named_directory_decides_without_merging() {
        let map = permissions(&[
            ("/", &["*"]),
            ("/p", &["list"]),
            ("/p/2", &["upload"]),
            ("/p/3/4", &[]),
        ]);
        let at = |path: &str| map.in_directory(&VirtualPath::parse(path.as_bytes()).unwrap());
        assert_eq!(at("/"), PermissionSet::ALL);
        assert_eq!(at("/p34"), PermissionSet::ALL);
        assert_eq!(at("p/1"), PermissionSet::NONE.with(Permission::List));
        assert_eq!(at("p/2"), PermissionSet::NONE.with(Permission::Upload));
        assert_eq!(
            at("/p/2/deep/er"),
            PermissionSet::NONE.with(Permission::Upload)
        );
        assert_eq!(at("p/3/4/../4"), PermissionSet::NONE);
        assert_eq!(at("../"), PermissionSet::ALL);
    }

    #[test]
    fn a_directory_below_that_may_less_is_found() {
        let needed = PermissionSet::NONE.with(Permission::List);
        let map = permissions(&[("/", &["*"]), ("/a/b", &["list"]), ("/a/c", &["upload"])]);
        let below = |path: &str| {
            let path = VirtualPath::parse(path.as_bytes()).unwrap();
            map.lacking_below(&path, needed).map(ToString::to_string)
        };
        assert_eq!(below("/a"), Some("/a/c".to_owned()));
        assert_eq!(below("/"), Some("/a/c".to_owned()));
        assert_eq!(below("/a/b"), None);
        assert_eq!(below("/a/cc"), None);
    }

    #[test]
    fn a_star_anywhere_in_the_list_means_everything() {
        assert_eq!(
            PermissionSet::parse(&["list", "*"]),
            Some(PermissionSet::ALL)
        );
        assert_eq!(PermissionSet::parse(&["lst"]), None);
    }
}
