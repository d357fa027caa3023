//! What the blocking half of every operation needs. Its methods wait for the disk and run on the blocking pool only; they
//! are spread over the files of this folder, one concern each.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::fs::{fstat, fstatvfs};

use super::error::{Interrupted, changed_or_failed, fault, settle};
use super::identity::OpenInodes;
use super::lock::NameLocks;
use super::names::pinned;
use super::root::Root;
use super::stat::{kind, metadata, space};
use crate::error::StorageResult;
use crate::metadata::{Metadata, Space};
use crate::storage::{Links, Native, Target};

/// One root directory and the locks it shares with every other root of the process.
#[derive(Debug)]
pub(super) struct Disk {
    pub(super) root: Root,
    pub(super) locks: Arc<NameLocks>,
    pub(super) inodes: Arc<OpenInodes>,
}

impl Disk {
    /// [`Self::stat`] if it does not have to wait.
    pub(super) fn try_stat(
        &self,
        target: &Target,
        links: Links,
    ) -> Option<StorageResult<Metadata>> {
        let stat = self.root.stat_cached(&target.path, links)?;
        Some(stat.map(|stat| metadata(&stat)))
    }

    pub(super) fn stat(&self, target: &Target, links: Links) -> StorageResult<Metadata> {
        settle(|| {
            let (_, stat) = self.root.existing(target, links)?;
            Ok(metadata(&stat))
        })
    }

    /// Keeps what is at a name.
    pub(super) fn pin(&self, target: &Target, links: Links) -> StorageResult<OwnedFd> {
        settle(|| {
            let (place, seen) = self.root.existing(target, links)?;
            pinned(&place, &seen)
        })
    }

    pub(super) fn native(&self, target: &Target, links: Links) -> StorageResult<Native> {
        settle(|| {
            let (place, seen) = self.root.existing(target, links)?;
            let object = place
                .pin()
                .map_err(|errno| changed_or_failed("open", errno))?;
            let stat = fstat(&object).map_err(|errno| fault("stat", errno))?;
            if kind(&stat) != kind(&seen) {
                return Err(Interrupted::Changed);
            }
            let kind = kind(&stat);
            Ok(Native { object, kind })
        })
    }

    pub(super) fn space(&self, target: &Target) -> StorageResult<Space> {
        settle(|| {
            let (place, _) = self.root.existing(target, Links::Follow)?;
            let object = place
                .pin()
                .map_err(|errno| changed_or_failed("open", errno))?;
            let space = fstatvfs(object).map(|stat| space(&stat));
            Ok(space.map_err(|errno| fault("statvfs", errno))?)
        })
    }
}

/// The attributes of an open file.
pub(super) fn stat_open(file: impl std::os::fd::AsFd) -> StorageResult<Metadata> {
    fstat(file)
        .map(|stat| metadata(&stat))
        .map_err(|errno| fault("stat an open file", errno))
}
