//! Paths as bytes: what a client sees ([`VirtualPath`]) and where it lies inside one storage ([`StoragePath`]).
//!
//! Names need not be UTF-8: local disks hold any byte but NUL and `/`. Both types are normalised when they are made and
//! hold their invariants for ever, so no later code cleans or checks a path again.

use std::fmt;

use thiserror::Error;

/// Longest path in bytes, after cleaning. Linux refuses more than 4095 bytes in one call anyway.
pub const MAX_PATH_LEN: usize = 4095;
/// Longest input that is looked at; a longer one is refused before it is split.
pub const MAX_RAW_LEN: usize = 32 * 1024;
/// Longest single name in bytes; `NAME_MAX` on every file system in use.
pub const MAX_NAME_LEN: usize = 255;

/// Why a client's text is not a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PathError {
    /// A NUL byte: no file system can hold it, and C code would cut the name there.
    #[error("the path contains a NUL byte")]
    Nul,
    /// Longer than [`MAX_PATH_LEN`] after cleaning, or [`MAX_RAW_LEN`] before.
    #[error("the path is too long")]
    TooLong,
    /// A single name over [`MAX_NAME_LEN`] bytes.
    #[error("a name in the path is too long")]
    NameTooLong,
    /// A name that is empty, `.`, `..` or contains `/`.
    #[error("not a valid file name")]
    BadName,
}

/// A path as the client sees it.
///
/// Invariants: starts with `/`; no empty, `.` or `..` component; no NUL; no trailing `/` but for the root itself; at most
/// [`MAX_PATH_LEN`] bytes, each name at most [`MAX_NAME_LEN`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VirtualPath(Vec<u8>);

impl VirtualPath {
    /// The path `/`.
    pub fn root() -> Self {
        Self(vec![b'/'])
    }

    /// Cleans a client's path: relative ones start at the root, `.` and repeated `/` go away, `..` climbs and stays at the
    /// root once there. Never looks at a disk. The empty path is the root.
    pub fn parse(raw: &[u8]) -> Result<Self, PathError> {
        Self::root().resolve(raw)
    }

    /// Cleans `raw` as seen from `self`: an absolute `raw` ignores `self`, a relative one starts there.
    pub fn resolve(&self, raw: &[u8]) -> Result<Self, PathError> {
        if raw.len() > MAX_RAW_LEN {
            return Err(PathError::TooLong);
        }
        if raw.contains(&0) {
            return Err(PathError::Nul);
        }
        let mut out = if raw.first() == Some(&b'/') || self.is_root() {
            Vec::new()
        } else {
            self.0.clone()
        };
        for name in raw.split(|byte| *byte == b'/') {
            match name {
                b"" | b"." => {}
                b".." => {
                    let parent = out.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
                    out.truncate(parent);
                }
                _ if name.len() > MAX_NAME_LEN => return Err(PathError::NameTooLong),
                _ => {
                    out.push(b'/');
                    out.extend_from_slice(name);
                }
            }
        }
        if out.len() > MAX_PATH_LEN {
            return Err(PathError::TooLong);
        }
        if out.is_empty() {
            out.push(b'/');
        }
        Ok(Self(out))
    }

    /// The path of the entry `name` in this directory. Unlike [`Self::resolve`], `name` is one name and nothing else.
    pub fn join(&self, name: &[u8]) -> Result<Self, PathError> {
        check_name(name)?;
        self.resolve(name)
    }

    /// The bytes, starting with `/`.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether this is `/`.
    pub fn is_root(&self) -> bool {
        self.0.len() == 1
    }

    /// The directory that holds this path; the root is its own parent.
    pub fn parent(&self) -> Self {
        match self.0.iter().rposition(|byte| *byte == b'/') {
            Some(slash) if slash > 0 => {
                let mut parent = self.0.clone();
                parent.truncate(slash);
                Self(parent)
            }
            Some(_) | None => Self::root(),
        }
    }

    /// The last name; empty for the root.
    pub fn file_name(&self) -> &[u8] {
        self.0
            .rsplit(|byte| *byte == b'/')
            .next()
            .unwrap_or_default()
    }

    /// The names from the root down; none for the root.
    pub fn components(&self) -> impl Iterator<Item = &[u8]> {
        self.0
            .split(|byte| *byte == b'/')
            .filter(|name| !name.is_empty())
    }

    /// Whether this is `ancestor` or lies below it, name by name: `/ab` is not below `/a`.
    pub fn is_within(&self, ancestor: &Self) -> bool {
        self.strip_prefix(ancestor).is_some()
    }

    /// What remains below `ancestor`; `None` if this path is not within it.
    pub fn strip_prefix(&self, ancestor: &Self) -> Option<StoragePath> {
        if ancestor.is_root() {
            return Some(self.to_storage());
        }
        let rest = self.0.strip_prefix(ancestor.0.as_slice())?;
        match rest.first() {
            None => Some(StoragePath::root()),
            Some(b'/') => Some(StoragePath(rest.iter().skip(1).copied().collect())),
            Some(_) => None,
        }
    }

    /// This path, then its parent and so on up to `/`.
    pub fn ancestors(&self) -> impl Iterator<Item = Self> {
        std::iter::successors(Some(self.clone()), |path| {
            (!path.is_root()).then(|| path.parent())
        })
    }

    /// The same names relative to a storage whose root is `/`.
    pub fn to_storage(&self) -> StoragePath {
        StoragePath(self.0.iter().skip(1).copied().collect())
    }

    /// The virtual path of `inside` in a storage that is mounted here.
    pub fn join_storage(&self, inside: &StoragePath) -> Result<Self, PathError> {
        self.resolve(inside.as_bytes())
    }
}

/// A path inside one storage, relative to its root.
///
/// Invariants: no leading or trailing `/`; no empty, `.` or `..` component; no NUL. The empty path is the storage's root.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoragePath(Vec<u8>);

impl StoragePath {
    /// The storage's own root.
    pub fn root() -> Self {
        Self(Vec::new())
    }

    /// Cleans any text into a path below the root, by the rules of [`VirtualPath::parse`].
    pub fn parse(raw: &[u8]) -> Result<Self, PathError> {
        Ok(VirtualPath::parse(raw)?.to_storage())
    }

    /// The bytes, without a leading `/`; empty for the root.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether this is the storage's root.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The directory that holds this path; the root is its own parent.
    pub fn parent(&self) -> Self {
        let slash = self.0.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
        let mut parent = self.0.clone();
        parent.truncate(slash);
        Self(parent)
    }

    /// The last name; empty for the root.
    pub fn file_name(&self) -> &[u8] {
        self.0
            .rsplit(|byte| *byte == b'/')
            .next()
            .unwrap_or_default()
    }

    /// The path of the entry `name` in this directory.
    pub fn join(&self, name: &[u8]) -> Result<Self, PathError> {
        check_name(name)?;
        let mut joined = self.0.clone();
        if !joined.is_empty() {
            joined.push(b'/');
        }
        joined.extend_from_slice(name);
        if joined.len() > MAX_PATH_LEN {
            return Err(PathError::TooLong);
        }
        Ok(Self(joined))
    }

    /// The names from the root down; none for the root.
    pub fn components(&self) -> impl Iterator<Item = &[u8]> {
        self.0
            .split(|byte| *byte == b'/')
            .filter(|name| !name.is_empty())
    }

    /// Whether this is `ancestor` or lies below it, name by name.
    pub fn is_within(&self, ancestor: &Self) -> bool {
        ancestor.is_root()
            || self
                .0
                .strip_prefix(ancestor.0.as_slice())
                .is_some_and(|rest| matches!(rest.first(), None | Some(b'/')))
    }
}

fn check_name(name: &[u8]) -> Result<(), PathError> {
    if name.contains(&0) {
        return Err(PathError::Nul);
    }
    if name.len() > MAX_NAME_LEN {
        return Err(PathError::NameTooLong);
    }
    if matches!(name, b"" | b"." | b"..") || name.contains(&b'/') {
        return Err(PathError::BadName);
    }
    Ok(())
}

/// Shows bytes as text for logs and JSON: what is not UTF-8, and control characters, appear as `\xNN`.
pub fn escape_bytes(bytes: &[u8]) -> String {
    use fmt::Write as _;
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            if character.is_control() {
                let _ = write!(out, "{}", character.escape_default());
            } else {
                out.push(character);
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out
}

impl fmt::Display for VirtualPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&escape_bytes(&self.0))
    }
}

impl fmt::Debug for VirtualPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VirtualPath({self})")
    }
}

impl fmt::Display for StoragePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&escape_bytes(&self.0))
    }
}

impl fmt::Debug for StoragePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoragePath({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn virtual_path(text: &str) -> VirtualPath {
        VirtualPath::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn dots_and_slashes_are_cleaned_and_never_climb_over_the_root() {
        for (raw, clean) in [
            ("", "/"),
            (".", "/"),
            ("../..", "/"),
            ("//", "/"),
            ("/no/such/./x/..", "/no/such"),
            ("p/2", "/p/2"),
            ("p/3/4/../4/", "/p/3/4"),
            ("/../../file", "/file"),
            ("a//b///c", "/a/b/c"),
        ] {
            assert_eq!(virtual_path(raw).as_bytes(), clean.as_bytes(), "{raw}");
        }
    }

    #[test]
    fn within_compares_whole_names() {
        assert!(virtual_path("/share/x").is_within(&virtual_path("/share")));
        assert!(virtual_path("/share").is_within(&virtual_path("/share")));
        assert!(!virtual_path("/share2").is_within(&virtual_path("/share")));
        assert_eq!(
            virtual_path("/a/b")
                .strip_prefix(&virtual_path("/a"))
                .unwrap()
                .as_bytes(),
            b"b"
        );
    }

    #[test]
    fn nul_and_overlong_input_is_refused() {
        assert_eq!(VirtualPath::parse(b"/a\0b"), Err(PathError::Nul));
        assert_eq!(
            VirtualPath::parse(&[b'a'; 256]),
            Err(PathError::NameTooLong)
        );
        assert_eq!(
            VirtualPath::parse(&b"a/".repeat(10_000)),
            Err(PathError::TooLong)
        );
        assert_eq!(
            VirtualPath::parse(&b"a/".repeat(40_000)),
            Err(PathError::TooLong)
        );
    }

    #[test]
    fn text_that_is_not_utf8_is_shown_escaped() {
        assert_eq!(
            VirtualPath::parse(b"/caf\xe9\n").unwrap().to_string(),
            "/caf\\xe9\\n"
        );
    }

    proptest! {
        #[test]
        fn no_input_breaks_the_invariants(raw in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(path) = VirtualPath::parse(&raw) {
                let bytes = path.as_bytes();
                prop_assert_eq!(bytes[0], b'/');
                prop_assert!(path.is_root() || !bytes.ends_with(b"/"));
                prop_assert!(path.components().all(|name| check_name(name).is_ok()));
                prop_assert_eq!(&VirtualPath::parse(bytes).unwrap(), &path);
                prop_assert_eq!(&VirtualPath::root().join_storage(&path.to_storage()).unwrap(), &path);
                prop_assert!(path.is_within(&path.parent()));
            }
        }

        #[test]
        fn spellings_of_dots_never_leave_the_root(parts in proptest::collection::vec(
            prop_oneof![Just(".."), Just("."), Just(""), Just("a"), Just("...")], 0..40)) {
            let path = VirtualPath::parse(parts.join("/").as_bytes()).unwrap();
            prop_assert!(path.components().all(|name| name != b".." && name != b"."));
        }
    }
}
