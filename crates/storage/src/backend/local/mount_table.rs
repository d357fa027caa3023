//! Which disk a path of this machine lies on, known without touching the disk: it may hang.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::makedev;

/// As many as Linux follows in one resolution (path_resolution(7)).
pub(super) const MAX_LINKS: usize = 40;

/// Everything that is mounted: where, and the device number.
#[derive(Debug, Default)]
pub(super) struct MountTable(Vec<(PathBuf, u64)>);

impl MountTable {
    /// What the kernel has mounted for this process. Empty without `/proc`: then every path is taken for one disk's.
    pub(super) fn read() -> Self {
        Self::parse(&std::fs::read("/proc/self/mountinfo").unwrap_or_default())
    }

    /// Reads the format of proc_pid_mountinfo(5): id, parent, device, root, mount point, ...
    fn parse(text: &[u8]) -> Self {
        let lines = text.split(|byte| *byte == b'\n');
        let mount = |line: &[u8]| {
            let mut fields = line.split(|byte| *byte == b' ').skip(2);
            let device = std::str::from_utf8(fields.next()?).ok()?;
            let (major, minor) = device.split_once(':')?;
            let device = makedev(major.parse().ok()?, minor.parse().ok()?);
            Some((PathBuf::from(unescaped(fields.nth(1)?)), device))
        };
        Self(lines.filter_map(mount).collect())
    }

    #[cfg(test)]
    pub(super) fn of<const N: usize>(mounts: [(&Path, u64); N]) -> Self {
        Self(mounts.map(|(at, device)| (at.to_path_buf(), device)).into())
    }

    /// The device that is mounted nearest above `path`, links not looked at; 0 if nothing is known.
    pub(super) fn device(&self, path: &Path) -> u64 {
        let above = self.0.iter().filter(|(at, _)| path.starts_with(at));
        // Of two mounts at one place the later one is seen.
        let nearest = above.max_by_key(|(at, _)| at.as_os_str().len());
        nearest.map_or(0, |(_, device)| *device)
    }

    /// Where `path` leads if a link on it leaves the disk on which it seems to lie. Only that disk is touched.
    pub(super) fn elsewhere(&self, path: &Path) -> Option<PathBuf> {
        let here = self.device(path);
        let mut done = PathBuf::from("/");
        let mut todo = names(path);
        let mut links = 0;
        while let Some(name) = todo.pop() {
            if name == ".." {
                done.pop();
                continue;
            }
            done.push(&name);
            // Others were passed already, or are on the way to a mount and so no links.
            if self.device(&done) != here {
                continue;
            }
            // What is missing, or cannot be looked at, leads nowhere.
            let Ok(text) = std::fs::read_link(&done) else {
                continue;
            };
            links += 1;
            if links > MAX_LINKS {
                return None;
            }
            done.pop();
            if text.is_absolute() {
                done = PathBuf::from("/");
            }
            todo.extend(names(&text));
            let mut whole = done.clone();
            whole.extend(todo.iter().rev());
            if self.device(&cleaned(&whole)) != here {
                return Some(whole);
            }
        }
        None
    }
}

/// The names of a path, the first one last.
fn names(path: &Path) -> Vec<OsString> {
    let name = |component| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some(OsString::from("..")),
        Component::CurDir | Component::RootDir | Component::Prefix(_) => None,
    };
    let mut names: Vec<_> = path.components().filter_map(name).collect();
    names.reverse();
    names
}

/// Without `..`, as if there were no links.
fn cleaned(path: &Path) -> PathBuf {
    let mut clean = PathBuf::from("/");
    for name in names(path).iter().rev() {
        if name == ".." {
            clean.pop();
        } else {
            clean.push(name);
        }
    }
    clean
}

/// Blanks, tabs, line breaks and backslashes are written as three octal digits.
fn unescaped(field: &[u8]) -> OsString {
    let mut bytes = Vec::new();
    let mut rest = field;
    while let Some((first, behind)) = rest.split_first() {
        let octal = behind.get(..3).filter(|_| *first == b'\\');
        let byte = octal
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match byte {
            Some(byte) => {
                bytes.push(byte);
                rest = behind.get(3..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    OsString::from_vec(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_mount_above_a_path_is_its_disk() {
        let table = MountTable::parse(
            b"22 1 254:1 / / rw,noatime shared:1 - ext4 /dev/vda1 rw\n\
              90 22 0:45 / /srv/nas rw - nfs4 nas:/ rw\n\
              91 22 8:1 / /srv/two\\040words rw - ext4 /dev/sda1 rw\n\
              92 91 8:2 / /srv/two\\040words rw - ext4 /dev/sda2 rw\nnonsense\n",
        );
        for (path, device) in [
            ("/", makedev(254, 1)),
            ("/srv/homes/alice", makedev(254, 1)),
            ("/srv/nas", makedev(0, 45)),
            ("/srv/nas/alice", makedev(0, 45)),
            ("/srv/nas2/alice", makedev(254, 1)),
            ("/srv/two words/x", makedev(8, 2)),
        ] {
            assert_eq!(table.device(Path::new(path)), device, "{path}");
        }
        assert_eq!(MountTable::parse(b"").device(Path::new("/x")), 0);
    }

    #[test]
    fn a_link_to_another_disk_is_told_before_that_disk_is_touched() {
        let keep = tempfile::tempdir().unwrap();
        let root = keep.path().canonicalize().unwrap();
        let other = root.join("other");
        let table = MountTable::of([(Path::new("/"), 1), (&other, 2)]);
        let link = |text: &Path, name: &str| {
            std::os::unix::fs::symlink(text, root.join(name)).unwrap();
        };
        link(&other.join("homes"), "absolute");
        link(Path::new("loop"), "loop");
        link(Path::new("plain"), "inside");
        let base = root.file_name().unwrap();
        let winding = Path::new("near/../..").join(base).join("other");
        link(&winding, "winding");
        let leads = |path: &str| table.elsewhere(&root.join(path));
        assert_eq!(leads("absolute/alice"), Some(other.join("homes/alice")));
        let found = leads("winding/alice").unwrap();
        assert_eq!(cleaned(&found), other.join("alice"));
        for path in ["loop", "inside/alice", "plain", "missing/alice"] {
            assert_eq!(leads(path), None, "{path}");
        }
        // On the other disk itself there is nothing to be followed away from here.
        assert_eq!(leads("other/alice"), None);
    }
}
