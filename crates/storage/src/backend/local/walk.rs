//! The walk that follows links itself, name by name, and knows the real path at its end.
//!
//! It runs when a link is on the way, and for every path on kernels without `openat2`. `..` (only links contain it) is
//! never left to the kernel: a directory that is moved meanwhile could have any parent.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::fs::{AtFlags, readlinkat, statat};
use rustix::io::Errno;
use sftpgo_model::StoragePath;

use super::error::{Attempt, Interrupted, failed, refused};
use super::root::{Found, Place, Root, names, step};
use super::stat::kind;
use crate::error::StorageErrorKind;
use crate::metadata::FileKind;
use crate::storage::Links;

/// As many as Linux allows in one resolution (path_resolution(7)).
const MAX_LINKS: u32 = 40;
/// Directories opened in one resolution. Links full of `..` could ask for millions.
const MAX_STEPS: usize = 8192;

struct Walk<'r> {
    root: &'r Root,
    /// The real path so far; directories all, seen without links.
    real: Vec<Vec<u8>>,
    /// The directory at `real`; `None` after a `..`, until it is needed.
    dir: Option<Arc<OwnedFd>>,
    /// What is still to be walked, the next name last.
    todo: Vec<Vec<u8>>,
    links: u32,
    steps: usize,
}

/// Finds `path` below the root.
pub(super) fn find(root: &Root, path: &StoragePath, last: Links) -> Attempt<Found> {
    let mut todo: Vec<_> = path.components().map(<[u8]>::to_vec).collect();
    todo.reverse();
    let mut walk = Walk {
        root,
        real: Vec::new(),
        dir: Some(Arc::clone(root.dir())),
        todo,
        links: 0,
        steps: 0,
    };
    walk.run(last)
}

impl Walk<'_> {
    fn run(&mut self, last: Links) -> Attempt<Found> {
        while let Some(name) = self.todo.pop() {
            match name.as_slice() {
                b"." => continue,
                b".." => {
                    if self.real.pop().is_none() {
                        return Err(outside());
                    }
                    self.dir = None;
                    continue;
                }
                _ => {}
            }
            let dir = self.dir()?;
            let at_end = self.todo.is_empty();
            let stat = match statat(&dir, name.as_slice(), AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => stat,
                Err(Errno::NOENT) if at_end => return self.found(dir, name, None),
                Err(errno) => return Err(failed("look up", errno)),
            };
            match kind(&stat) {
                FileKind::Symlink if !at_end || last == Links::Follow => {
                    self.expand(&dir, &name)?
                }
                FileKind::File | FileKind::Directory | FileKind::Symlink | FileKind::Other
                    if at_end =>
                {
                    return self.found(dir, name, Some(stat));
                }
                FileKind::Directory => {
                    self.count(1)?;
                    self.dir = Some(Arc::new(step(&dir, &name)?));
                    self.real.push(name);
                }
                FileKind::File | FileKind::Symlink | FileKind::Other => {
                    let context = "a name on the way is not a directory";
                    return Err(refused(StorageErrorKind::NotADirectory, context).into());
                }
            }
        }
        self.here()
    }

    /// The walk ended in a directory without naming it (a link to `..` or to the root).
    fn here(&mut self) -> Attempt<Found> {
        let Some(name) = self.real.pop() else {
            let place = Place::root(self.root.dir());
            let stat = place.stat()?;
            return Ok(Found { place, stat });
        };
        self.dir = None;
        let dir = self.dir()?;
        match statat(&dir, name.as_slice(), AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) if kind(&stat) == FileKind::Directory => self.found(dir, name, Some(stat)),
            Ok(_) | Err(Errno::NOENT) => Err(Interrupted::Changed),
            Err(errno) => Err(failed("look up", errno)),
        }
    }

    fn found(
        &mut self,
        dir: Arc<OwnedFd>,
        name: Vec<u8>,
        stat: Option<rustix::fs::Stat>,
    ) -> Attempt<Found> {
        self.real.push(name.clone());
        let real = StoragePath::parse(&self.real.join(&b'/'))
            .map_err(|_| refused(StorageErrorKind::InvalidPath, "the real path is too long"))?;
        Ok(Found {
            place: Place { dir, name, real },
            stat,
        })
    }

    /// Puts the text of a link in front of what is still to be walked.
    fn expand(&mut self, dir: &OwnedFd, name: &[u8]) -> Attempt<()> {
        self.links += 1;
        if self.links > MAX_LINKS {
            return Err(refused(StorageErrorKind::Unavailable, "too many links").into());
        }
        let text = match readlinkat(dir, name, Vec::new()) {
            Ok(text) => text.into_bytes(),
            // Missing, or not a link any more.
            Err(Errno::NOENT | Errno::INVAL) => return Err(Interrupted::Changed),
            Err(errno) => return Err(failed("read a link", errno)),
        };
        let all = names(&text);
        let mut ahead = all.as_slice();
        if text.first() == Some(&b'/') {
            ahead = self.root.strip(&all).ok_or_else(outside)?;
            self.real.clear();
            self.dir = Some(Arc::clone(self.root.dir()));
        }
        // `link/` and `link/.` must be a directory: a name that is followed by `.` has to be one.
        if text.ends_with(b"/") || text.ends_with(b"/.") {
            self.todo.push(b".".to_vec());
        }
        self.todo.extend(ahead.iter().rev().cloned());
        Ok(())
    }

    fn dir(&mut self) -> Attempt<Arc<OwnedFd>> {
        if let Some(dir) = &self.dir {
            return Ok(Arc::clone(dir));
        }
        self.count(self.real.len())?;
        let dir = self.root.open_real(&self.real)?;
        self.dir = Some(Arc::clone(&dir));
        Ok(dir)
    }

    fn count(&mut self, steps: usize) -> Attempt<()> {
        self.steps += steps;
        if self.steps > MAX_STEPS {
            return Err(
                refused(StorageErrorKind::Unavailable, "links make the way too long").into(),
            );
        }
        Ok(())
    }
}

fn outside() -> Interrupted {
    refused(
        StorageErrorKind::PermissionDenied,
        "a link leads out of the storage",
    )
    .into()
}
