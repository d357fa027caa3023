//! From a path to the place that it names, following links as a local directory does.

use sftpgo_model::StoragePath;

use super::node::{Body, Inode};
use super::tree::{ROOT, Tree};
use crate::error::{StorageError, StorageErrorKind, StorageResult};
use crate::metadata::FileKind;
use crate::reserved::check_there;
use crate::storage::{Links, Target};

/// As many as Linux allows in one resolution (path_resolution(7)).
const MAX_LINKS: u32 = 40;
/// What absolute links inside this storage start with; all others lead out of it.
pub(super) const ROOT_PATH: &[u8] = b"/memory";

/// A name in a directory and what is there.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) dir: Inode,
    pub(super) name: Vec<u8>,
    pub(super) real: StoragePath,
    pub(super) inode: Option<Inode>,
}

impl Place {
    pub(super) fn is_root(&self) -> bool {
        self.real.is_root()
    }

    /// The node that is there.
    pub(super) fn present(&self) -> StorageResult<Inode> {
        self.inode
            .ok_or_else(|| StorageError::new(StorageErrorKind::NotFound, "nothing is there"))
    }
}

impl Tree {
    /// Finds what `target` names and asks its guard if links led elsewhere.
    pub(super) fn find(&self, target: &Target, last: Links) -> StorageResult<Place> {
        let mut todo: Vec<_> = target.path.components().map(<[u8]>::to_vec).collect();
        todo.reverse();
        let place = self.walk(todo, last)?;
        check_there(&place.name)?;
        let allowed = place.real == target.path
            || target.guard.as_ref().is_none_or(|guard| guard(&place.real));
        if !allowed {
            let context = "a link leads to a closed place";
            return Err(StorageError::new(
                StorageErrorKind::PermissionDenied,
                context,
            ));
        }
        Ok(place)
    }

    /// [`Self::find`] for something that must be there.
    pub(super) fn find_existing(&self, target: &Target, last: Links) -> StorageResult<Inode> {
        self.find(target, last)?.present()
    }

    /// Walks the names in `todo`, the next one last.
    fn walk(&self, mut todo: Vec<Vec<u8>>, last: Links) -> StorageResult<Place> {
        let mut real: Vec<(Vec<u8>, Inode)> = Vec::new();
        let mut links = 0;
        while let Some(name) = todo.pop() {
            match name.as_slice() {
                b"." => continue,
                b".." => {
                    real.pop().ok_or_else(outside)?;
                    continue;
                }
                _ => {}
            }
            let dir = real.last().map_or(ROOT, |(_, inode)| *inode);
            let inode = self.entries(dir)?.get(&name).copied();
            let at_end = todo.is_empty();
            let Some(found) = inode else {
                if at_end {
                    return place(&real, name, None);
                }
                return Err(StorageError::new(
                    StorageErrorKind::NotFound,
                    "nothing is there",
                ));
            };
            match &self.node(found)?.body {
                Body::Symlink(text) if !at_end || last == Links::Follow => {
                    links += 1;
                    if links > MAX_LINKS {
                        let context = "too many links";
                        return Err(StorageError::new(StorageErrorKind::Unavailable, context));
                    }
                    if text.first() == Some(&b'/') {
                        real.clear();
                    }
                    expand(text, &mut todo)?;
                }
                Body::File(_) | Body::Directory(_) | Body::Symlink(_) if at_end => {
                    return place(&real, name, inode);
                }
                Body::Directory(_) => real.push((name, found)),
                Body::File(_) | Body::Symlink(_) => {
                    let context = "a name on the way is not a directory";
                    return Err(StorageError::new(StorageErrorKind::NotADirectory, context));
                }
            }
        }
        match real.pop() {
            Some((name, inode)) => place(&real, name, Some(inode)),
            None => Ok(Place {
                dir: ROOT,
                name: b".".to_vec(),
                real: StoragePath::root(),
                inode: Some(ROOT),
            }),
        }
    }

    pub(super) fn is_directory(&self, inode: Inode) -> StorageResult<bool> {
        Ok(self.node(inode)?.kind() == FileKind::Directory)
    }
}

fn place(real: &[(Vec<u8>, Inode)], name: Vec<u8>, inode: Option<Inode>) -> StorageResult<Place> {
    let dir = real.last().map_or(ROOT, |(_, inode)| *inode);
    let mut path: Vec<_> = real.iter().map(|(name, _)| name.as_slice()).collect();
    path.push(&name);
    let real = StoragePath::parse(&path.join(&b'/')).map_err(|_| {
        StorageError::new(StorageErrorKind::InvalidPath, "the real path is too long")
    })?;
    Ok(Place {
        dir,
        name,
        real,
        inode,
    })
}

/// Puts the text of a link in front of what is still to be walked.
fn expand(text: &[u8], todo: &mut Vec<Vec<u8>>) -> StorageResult<()> {
    let mut names: Vec<&[u8]> = split(text).collect();
    if text.first() == Some(&b'/') {
        for root in split(ROOT_PATH) {
            if names.first() != Some(&root) {
                return Err(outside());
            }
            names.remove(0);
        }
    }
    // A name that is followed by `.` has to be a directory.
    if text.ends_with(b"/") || text.ends_with(b"/.") {
        todo.push(b".".to_vec());
    }
    todo.extend(names.iter().rev().map(|name| name.to_vec()));
    Ok(())
}

fn split(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|byte| *byte == b'/')
        .filter(|name| !matches!(*name, b"" | b"."))
}

fn outside() -> StorageError {
    StorageError::new(
        StorageErrorKind::PermissionDenied,
        "a link leads out of the storage",
    )
}
