//! Every comparison of directories goes by whole names: `/share` says nothing about `/share2`. Each rule is compared with
//! one that looks at lists of names only.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use proptest::prelude::*;
use sftpgo_model::filter::ExtensionRules;
use sftpgo_model::{DirectoryPermissions, ExtensionFilter, Permission, PermissionSet, VirtualPath};

/// Paths whose names begin alike as often as not.
fn path() -> impl Strategy<Value = Vec<&'static str>> {
    let name = prop::sample::select(vec!["s", "sh", "share", "share2", "share.", "share ", "x"]);
    prop::collection::vec(name, 0..4)
}

fn parsed(names: &[&str]) -> VirtualPath {
    VirtualPath::parse(names.join("/").as_bytes()).unwrap()
}

/// The longest of the directories that `path` is in, or is.
fn nearest<'a>(path: &[&str], directories: &'a [Vec<&'static str>]) -> Option<&'a [&'static str]> {
    let holding = directories.iter().filter(|names| path.starts_with(names));
    holding.map(Vec::as_slice).max_by_key(|names| names.len())
}

proptest! {
    #[test]
    fn a_path_is_within_another_if_its_names_begin_with_those(one in path(), other in path()) {
        let (path, ancestor) = (parsed(&one), parsed(&other));
        prop_assert_eq!(path.is_within(&ancestor), one.starts_with(&other));
        let rest = one.strip_prefix(&other[..]);
        let stripped = path.strip_prefix(&ancestor);
        prop_assert_eq!(stripped.map(|rest| rest.as_bytes().to_vec()), rest.map(|rest| rest.join("/").into_bytes()));
    }

    #[test]
    fn permissions_are_those_of_the_nearest_directory_by_names(
        asked in path(), named in prop::collection::vec(path(), 0..5)
    ) {
        let list = PermissionSet::NONE.with(Permission::List);
        let mut map: std::collections::BTreeMap<_, _> =
            named.iter().map(|names| (parsed(names), list)).collect();
        map.insert(VirtualPath::root(), PermissionSet::ALL);
        let expected = match nearest(&asked, &named) {
            Some(names) if !names.is_empty() => list,
            _ => PermissionSet::ALL,
        };
        let permissions = DirectoryPermissions::new(map);
        prop_assert_eq!(permissions.in_directory(&parsed(&asked)), expected);
        let below = asked.is_empty() || named.iter().any(|names| names.starts_with(&asked));
        prop_assert_eq!(permissions.are_named_within(&parsed(&asked)), below);
    }

    #[test]
    fn the_filter_of_a_file_is_that_of_the_nearest_directory_by_names(
        asked in path(), named in prop::collection::vec(path(), 0..5)
    ) {
        let mut file = asked.clone();
        file.push("file.no");
        let filters: Vec<_> = named
            .iter()
            .map(|names| ExtensionFilter {
                path: format!("/{}", names.join("/")),
                allowed_extensions: Vec::new(),
                denied_extensions: vec![if names.len() % 2 == 0 { ".no" } else { ".other" }.to_owned()],
            })
            .collect();
        let allowed = nearest(&asked, &named).is_none_or(|names| names.len() % 2 == 1);
        let rules = ExtensionRules::new(&filters);
        prop_assert_eq!(rules.allows(&parsed(&file)), allowed);
        let below = named.iter().any(|names| names.starts_with(&asked));
        prop_assert_eq!(rules.are_named_within(&parsed(&asked)), below);
    }
}
