//! Restrictions of one account: addresses, login methods, file extensions (reference 3.4).

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::path::VirtualPath;

/// The `filters` object of an account, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Filters {
    /// CIDR ranges that may log in; empty means any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed_ip: Vec<String>,
    /// CIDR ranges that may not, whatever `allowed_ip` says.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub denied_ip: Vec<String>,
    /// Login methods that are refused.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub denied_login_methods: Vec<String>,
    /// Sequences of login methods such as `publickey,password`, of which one must be proved whole; empty means that any
    /// one method is enough.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub required_login_methods: Vec<String>,
    /// File extensions allowed or denied, by directory.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub file_extensions: Vec<ExtensionFilter>,
}

/// One element of `file_extensions`, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ExtensionFilter {
    /// The virtual directory it applies to, with everything below that has no filter of its own.
    pub path: String,
    /// Suffixes that may be used; empty means any that is not denied.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed_extensions: Vec<String>,
    /// Suffixes that may not be used.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub denied_extensions: Vec<String>,
}

/// The address rule of an account, parsed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IpRules {
    allowed: Vec<IpNet>,
    denied: Vec<IpNet>,
    /// A stored range that cannot be parsed denies everybody: safer than ignoring it.
    broken: bool,
}

impl IpRules {
    /// Parses the stored ranges.
    pub fn new(filters: &Filters) -> Self {
        let mut broken = false;
        let mut parse = |ranges: &[String]| -> Vec<IpNet> {
            let parsed: Vec<_> = ranges
                .iter()
                .filter_map(|range| range.parse().ok())
                .collect();
            broken |= parsed.len() != ranges.len();
            parsed
        };
        let allowed = parse(&filters.allowed_ip);
        let denied = parse(&filters.denied_ip);
        Self {
            allowed,
            denied,
            broken,
        }
    }

    /// Whether a client from `address` may log in. An IPv4 address that arrives mapped into IPv6 counts as IPv4.
    pub fn allows(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let matches = |ranges: &[IpNet]| ranges.iter().any(|range| range.contains(&address));
        !self.broken
            && !matches(&self.denied)
            && (self.allowed.is_empty() || matches(&self.allowed))
    }
}

/// The extension rules of an account, parsed: lower-cased suffixes by directory.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExtensionRules(Vec<ExtensionRule>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct ExtensionRule {
    directory: VirtualPath,
    allowed: Vec<Vec<u8>>,
    denied: Vec<Vec<u8>>,
}

impl ExtensionRules {
    /// Parses the stored filters; one whose path is no path is left out, validation does not let it in.
    pub fn new(filters: &[ExtensionFilter]) -> Self {
        let lower = |list: &[String]| list.iter().map(|s| s.to_lowercase().into_bytes()).collect();
        Self(
            filters
                .iter()
                .filter_map(|filter| {
                    Some(ExtensionRule {
                        directory: VirtualPath::parse(filter.path.as_bytes()).ok()?,
                        allowed: lower(&filter.allowed_extensions),
                        denied: lower(&filter.denied_extensions),
                    })
                })
                .collect(),
        )
    }

    /// Whether there is any rule at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a rule stands at, above or below `path`.
    pub fn concern(&self, path: &VirtualPath) -> bool {
        self.0
            .iter()
            .any(|rule| rule.directory.is_within(path) || path.is_within(&rule.directory))
    }

    /// Whether there is a rule for `path` or for something below it.
    pub fn are_named_within(&self, path: &VirtualPath) -> bool {
        self.0.iter().any(|rule| rule.directory.is_within(path))
    }

    /// Whether the same names may be used in both directories.
    pub fn are_alike(&self, one: &VirtualPath, other: &VirtualPath) -> bool {
        let names = |rule: Option<&ExtensionRule>| {
            rule.map(|rule| (rule.allowed.clone(), rule.denied.clone()))
        };
        self.0.is_empty() || names(self.nearest(one)) == names(self.nearest(other))
    }

    /// The rule that decides in a directory.
    fn nearest(&self, directory: &VirtualPath) -> Option<&ExtensionRule> {
        let mut above = directory.ancestors();
        above.find_map(|directory| self.0.iter().find(|rule| rule.directory == directory))
    }

    /// Whether the name of `path` may be used. The nearest directory with a filter decides alone; denied wins over allowed.
    pub fn allows(&self, path: &VirtualPath) -> bool {
        if self.0.is_empty() {
            return true;
        }
        let Some(rule) = self.nearest(&path.parent()) else {
            return true;
        };
        let text = String::from_utf8_lossy(path.as_bytes())
            .to_lowercase()
            .into_bytes();
        let matches = |list: &[Vec<u8>]| list.iter().any(|suffix| text.ends_with(suffix));
        !matches(&rule.denied) && (rule.allowed.is_empty() || matches(&rule.allowed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(allowed: &[&str], denied: &[&str]) -> IpRules {
        let own = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect();
        IpRules::new(&Filters {
            allowed_ip: own(allowed),
            denied_ip: own(denied),
            ..Filters::default()
        })
    }

    #[test]
    fn denied_ranges_win_and_an_empty_allow_list_allows_the_rest() {
        let home: IpAddr = "192.168.1.5".parse().unwrap();
        assert!(rules(&[], &[]).allows(home));
        assert!(rules(&[], &["10.0.0.0/8"]).allows(home));
        assert!(!rules(&[], &["192.168.1.0/24"]).allows(home));
        assert!(!rules(&["10.0.0.0/8"], &[]).allows(home));
        assert!(rules(&["192.168.0.0/16"], &[]).allows(home));
        assert!(!rules(&["192.168.0.0/16"], &["192.168.1.5/32"]).allows(home));
        assert!(!rules(&["nonsense"], &[]).allows(home));
        assert!(rules(&["192.168.0.0/16"], &[]).allows("::ffff:192.168.1.5".parse().unwrap()));
    }

    #[test]
    fn the_nearest_extension_filter_decides_whatever_the_case() {
        let filter = |path: &str, allowed: &[&str], denied: &[&str]| ExtensionFilter {
            path: path.to_owned(),
            allowed_extensions: allowed.iter().map(|s| (*s).to_owned()).collect(),
            denied_extensions: denied.iter().map(|s| (*s).to_owned()).collect(),
        };
        let rules = ExtensionRules::new(&[
            filter("/", &[".JPG", ".png"], &[]),
            filter("/docs", &[], &["secret.pdf", ".zip"]),
        ]);
        let allows = |path: &str| rules.allows(&VirtualPath::parse(path.as_bytes()).unwrap());
        assert!(allows("/a.jpg") && allows("/sub/B.PNG"));
        assert!(!allows("/a.txt"));
        assert!(
            allows("/docs/a.txt") && !allows("/docs/x/a.ZIP") && !allows("/docs/my-secret.pdf")
        );
        assert!(!allows("/docs2/a.txt"));
        let alike = |one: &str, other: &str| {
            let path = |path: &str| VirtualPath::parse(path.as_bytes()).unwrap();
            rules.are_alike(&path(one), &path(other))
        };
        assert!(alike("/", "/sub") && alike("/docs/a", "/docs/b/c"));
        assert!(!alike("/docs", "/") && !alike("/docs2", "/docs"));
    }
}
