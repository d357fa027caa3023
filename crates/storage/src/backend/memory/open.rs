//! Opening files, and giving uploads their name at the end.

use super::node::{Body, Inode, Node};
use super::tree::Tree;
use super::walk::Place;
use crate::error::{StorageError, StorageErrorKind, StorageResult};
use crate::metadata::{FileKind, Metadata};
use crate::reserved::check_new;
use crate::storage::{
    Expected, Links, OpenExisting, Removed, Target, WriteOptions, WriteVisibility,
};

/// An upload whose file has no name yet.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) dir: Inode,
    pub(super) name: Vec<u8>,
    /// Whether a file that is at the name in the end is replaced.
    pub(super) replace: bool,
    /// Whether what has arrived gets the name even if the upload failed.
    pub(super) keep_partial: bool,
}

/// A file that was opened for writing.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) inode: Inode,
    pub(super) replaced: Option<Metadata>,
    pub(super) pending: Option<Pending>,
}

impl Tree {
    /// Opens a file for reading; [`Self::close`] it.
    pub(super) fn open_read(&mut self, target: &Target) -> StorageResult<Inode> {
        let inode = self.regular(self.find_existing(target, Links::Follow)?)?;
        self.open(inode)?;
        Ok(inode)
    }

    /// Opens a file for writing; [`Self::close`] it.
    pub(super) fn open_write(
        &mut self,
        target: &Target,
        options: &WriteOptions,
    ) -> StorageResult<Opened> {
        if options.create {
            check_new(&target.path)?;
        }
        // As with O_EXCL a link is something that is there, wherever it leads.
        let links = match options.existing {
            OpenExisting::Refuse => Links::NoFollow,
            OpenExisting::Truncate | OpenExisting::Keep => Links::Follow,
        };
        let place = self.find(target, links)?;
        let opened = match place.inode {
            Some(inode) => self.open_existing(place, inode, options)?,
            None if !options.create => {
                return Err(StorageError::new(
                    StorageErrorKind::NotFound,
                    "nothing is there",
                ));
            }
            None => self.create(place, None, options)?,
        };
        self.open(opened.inode)?;
        Ok(opened)
    }

    fn open_existing(
        &mut self,
        place: Place,
        inode: Inode,
        options: &WriteOptions,
    ) -> StorageResult<Opened> {
        if self.is_directory(inode)? {
            return Err(StorageError::new(StorageErrorKind::IsADirectory, "open"));
        }
        if options.existing == OpenExisting::Refuse {
            return Err(StorageError::new(
                StorageErrorKind::AlreadyExists,
                "something is there",
            ));
        }
        let inode = self.regular(inode)?;
        let replaced = self.metadata(inode)?;
        if options.existing == OpenExisting::Truncate {
            if options.visibility != WriteVisibility::InPlace {
                return self.create(place, Some(replaced), options);
            }
            self.set_len(inode, 0)?;
        }
        Ok(Opened {
            inode,
            replaced: Some(replaced),
            pending: None,
        })
    }

    fn create(
        &mut self,
        place: Place,
        replaced: Option<Metadata>,
        options: &WriteOptions,
    ) -> StorageResult<Opened> {
        let mut node = Node::new(Body::File(Vec::new()), options.mode, options.owner);
        if let Some(old) = &replaced {
            node.dress_like(old);
        }
        let inode = self.add(node);
        if options.visibility == WriteVisibility::InPlace {
            self.link(place.dir, &place.name, inode)?;
            return Ok(Opened {
                inode,
                replaced,
                pending: None,
            });
        }
        let pending = Pending {
            dir: place.dir,
            name: place.name,
            replace: options.existing != OpenExisting::Refuse,
            keep_partial: options.visibility == WriteVisibility::OnFinishKeepPartial,
        };
        Ok(Opened {
            inode,
            replaced,
            pending: Some(pending),
        })
    }

    /// What an upload takes the place of.
    pub(super) fn goal(&self, pending: &Pending) -> StorageResult<Option<Inode>> {
        Ok(self.entries(pending.dir)?.get(&pending.name).copied())
    }

    /// Gives an upload its name.
    pub(super) fn publish(
        &mut self,
        inode: Inode,
        pending: &Pending,
        expected: Expected,
    ) -> StorageResult<Removed> {
        let there = self.goal(pending)?;
        self.check_expected(expected, there)?;
        let removed = match there {
            None => None,
            Some(there) if self.is_directory(there)? => {
                let context = "a directory is there";
                return Err(StorageError::new(StorageErrorKind::IsADirectory, context));
            }
            Some(_) if !pending.replace => {
                let context = "a file is there";
                return Err(StorageError::new(StorageErrorKind::AlreadyExists, context));
            }
            Some(there) => Some(self.metadata(there)?),
        };
        self.unlink(pending.dir, &pending.name)?;
        self.link(pending.dir, &pending.name, inode)?;
        Ok(removed)
    }

    /// Gives an upload up; `Some` if what has arrived got the name all the same.
    pub(super) fn give_up(
        &mut self,
        inode: Inode,
        pending: &Pending,
        expected: Expected,
    ) -> StorageResult<Option<Removed>> {
        // An old file is not replaced by nothing: without a byte there is nothing to resume.
        let arrived =
            self.node(inode)?.size() > 0 || !self.entries(pending.dir)?.contains_key(&pending.name);
        if pending.keep_partial && arrived {
            return self.publish(inode, pending, expected).map(Some);
        }
        Ok(None)
    }

    pub(super) fn regular(&self, inode: Inode) -> StorageResult<Inode> {
        let kind = match self.node(inode)?.kind() {
            FileKind::File => return Ok(inode),
            FileKind::Directory => StorageErrorKind::IsADirectory,
            FileKind::Symlink | FileKind::Other => StorageErrorKind::PermissionDenied,
        };
        Err(StorageError::new(kind, "not a regular file"))
    }
}
