//! Operations on names: make, remove, rename, link.

use std::collections::BTreeMap;

use super::node::{Body, Inode, Node};
use super::tree::Tree;
use super::walk::Place;
use crate::error::{StorageError, StorageErrorKind, StorageResult};
use crate::metadata::Metadata;
use crate::reserved::check_new;
use crate::storage::{Expected, Links, Removed, RenameMode, Target};

/// Longest text of a link, as on Linux.
const MAX_LINK_TEXT: usize = 4095;

impl Tree {
    pub(super) fn create_dir(
        &mut self,
        target: &Target,
        mode: u32,
        owner: (Option<u32>, Option<u32>),
    ) -> StorageResult<()> {
        check_new(&target.path)?;
        let place = self.find(target, Links::NoFollow)?;
        free(&place)?;
        let inode = self.add(Node::new(Body::Directory(BTreeMap::new()), mode, owner));
        self.link(place.dir, &place.name, inode)
    }

    pub(super) fn symlink(&mut self, text: &[u8], link: &Target) -> StorageResult<()> {
        if text.is_empty() || text.contains(&0) {
            let context = "the text of a link";
            return Err(StorageError::new(
                StorageErrorKind::InvalidArgument,
                context,
            ));
        }
        check_new(&link.path)?;
        let place = self.find(link, Links::NoFollow)?;
        if text.len() > MAX_LINK_TEXT {
            let context = "the text of a link is too long";
            return Err(StorageError::new(StorageErrorKind::InvalidPath, context));
        }
        free(&place)?;
        let node = Node::new(Body::Symlink(text.to_vec()), 0o777, (None, None));
        let inode = self.add(node);
        self.link(place.dir, &place.name, inode)
    }

    pub(super) fn read_link(&self, target: &Target) -> StorageResult<Vec<u8>> {
        match &self
            .node(self.find_existing(target, Links::NoFollow)?)?
            .body
        {
            Body::Symlink(text) => Ok(text.clone()),
            Body::File(_) | Body::Directory(_) => Err(StorageError::new(
                StorageErrorKind::InvalidArgument,
                "not a link",
            )),
        }
    }

    pub(super) fn hard_link(&mut self, from: &Target, to: &Target) -> StorageResult<Metadata> {
        check_new(&to.path)?;
        let source = self.find(from, Links::NoFollow)?;
        let goal = self.find(to, Links::NoFollow)?;
        let inode = source.present()?;
        if self.is_directory(inode)? {
            return Err(StorageError::new(
                StorageErrorKind::IsADirectory,
                "make a hard link",
            ));
        }
        self.check_expected(from.expected, Some(inode))?;
        free(&goal)?;
        self.link(goal.dir, &goal.name, inode)?;
        self.metadata(inode)
    }

    pub(super) fn remove_file(&mut self, target: &Target) -> StorageResult<Metadata> {
        let place = self.find(target, Links::NoFollow)?;
        let inode = place.present()?;
        if self.is_directory(inode)? {
            return Err(StorageError::new(
                StorageErrorKind::IsADirectory,
                "remove a file",
            ));
        }
        self.check_expected(target.expected, Some(inode))?;
        let metadata = self.metadata(inode)?;
        self.unlink(place.dir, &place.name)?;
        Ok(metadata)
    }

    pub(super) fn remove_dir(&mut self, target: &Target) -> StorageResult<()> {
        let place = self.find(target, Links::NoFollow)?;
        not_root(&place)?;
        if !self.entries(place.present()?)?.is_empty() {
            let context = "the directory has entries";
            return Err(StorageError::new(
                StorageErrorKind::DirectoryNotEmpty,
                context,
            ));
        }
        self.unlink(place.dir, &place.name)
    }

    pub(super) fn rename(
        &mut self,
        from: &Target,
        to: &Target,
        mode: RenameMode,
    ) -> StorageResult<Removed> {
        check_new(&to.path)?;
        let source = self.find(from, Links::NoFollow)?;
        let goal = self.find(to, Links::NoFollow)?;
        not_root(&source)?;
        not_root(&goal)?;
        let moving = source.present()?;
        let removed = match goal.inode {
            Some(_) if mode == RenameMode::NoReplace => {
                return Err(StorageError::new(StorageErrorKind::AlreadyExists, "rename"));
            }
            Some(there) if there == moving && source.real == goal.real => return Ok(None),
            there if !self.is_expected(to.expected, there)? => return Err(raced()),
            None => None,
            Some(there) => {
                self.check_replace(&source, &goal)?;
                Some(self.metadata(there)?)
            }
        };
        if self.is_directory(moving)? && goal.real.is_within(&source.real) {
            let context = "a directory cannot go into itself";
            return Err(StorageError::new(
                StorageErrorKind::InvalidArgument,
                context,
            ));
        }
        if let Some(there) = goal.inode
            && self.is_directory(there)?
            && !self.entries(there)?.is_empty()
        {
            let context = "the directory has entries";
            return Err(StorageError::new(
                StorageErrorKind::DirectoryNotEmpty,
                context,
            ));
        }
        // The new name first, so that the node has one all the time.
        self.unlink(goal.dir, &goal.name)?;
        self.link(goal.dir, &goal.name, moving)?;
        self.unlink(source.dir, &source.name)?;
        Ok(removed)
    }

    /// `Raced` if something else is there than was expected.
    pub(super) fn check_expected(
        &self,
        expected: Expected,
        there: Option<Inode>,
    ) -> StorageResult<()> {
        if self.is_expected(expected, there)? {
            Ok(())
        } else {
            Err(raced())
        }
    }

    fn is_expected(&self, expected: Expected, there: Option<Inode>) -> StorageResult<bool> {
        let there = there.map(|inode| self.metadata(inode)).transpose()?;
        Ok(expected.admits(there.and_then(|there| there.id)))
    }

    /// A file never replaces a directory, nor the other way round.
    fn check_replace(&self, source: &Place, goal: &Place) -> StorageResult<()> {
        match (
            self.is_directory(source.present()?)?,
            self.is_directory(goal.present()?)?,
        ) {
            (false, true) => Err(StorageErrorKind::IsADirectory),
            (true, false) => Err(StorageErrorKind::NotADirectory),
            (true, true) | (false, false) => Ok(()),
        }
        .map_err(|kind| StorageError::new(kind, "rename"))
    }
}

fn raced() -> StorageError {
    StorageError::new(StorageErrorKind::Raced, "something else is there now")
}

fn free(place: &Place) -> StorageResult<()> {
    match place.inode {
        None => Ok(()),
        Some(_) => Err(StorageError::new(
            StorageErrorKind::AlreadyExists,
            "something is there already",
        )),
    }
}

fn not_root(place: &Place) -> StorageResult<()> {
    if place.is_root() {
        let context = "the root stays where it is";
        return Err(StorageError::new(
            StorageErrorKind::PermissionDenied,
            context,
        ));
    }
    Ok(())
}
