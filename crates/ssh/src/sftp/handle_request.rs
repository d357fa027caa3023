//! Requests for an open handle other than READ, WRITE, READDIR and CLOSE.

use std::sync::Arc;

use bytes::Bytes;
use sftpgo_core::model::VirtualPath;
use sftpgo_core::transfer::{Download, Source, Upload};
use sftpgo_core::{OpError, OpErrorKind, OpResult, Session};
use sftpgo_wire::sftp::Attrs;
use tokio::sync::Semaphore;

use super::handles::{Directory, HandleOp};
use super::table::CheckFile;
use super::{attributes, extension, path, status};

/// What a request for a handle acts on when it needs neither its queue nor its place in the table.
pub(super) struct Target {
    pub(super) session: Session,
    pub(super) path: VirtualPath,
    pub(super) heavy: Arc<Semaphore>,
    pub(super) file: TargetFile,
}

pub(super) enum TargetFile {
    Download(Arc<Download>),
    Upload(Arc<Upload>),
    Directory(Box<Directory>),
}

impl Target {
    pub(super) async fn perform(&mut self, id: u32, op: HandleOp) -> Bytes {
        let result = match op {
            HandleOp::Stat => {
                let found = match &mut self.file {
                    TargetFile::Download(file) => file.stat().await,
                    TargetFile::Upload(file) => file.stat().await,
                    TargetFile::Directory(directory) => directory.listing.stat().await,
                };
                return match found {
                    Ok(metadata) => path::encoded_attrs(id, &metadata),
                    Err(error) => status::failure(id, &error),
                };
            }
            HandleOp::Space => {
                return match self.session.space(&self.path).await {
                    Ok(space) => extension::space::reply(id, &space),
                    Err(error) => status::failure(id, &error),
                };
            }
            HandleOp::CheckFile(check) => return self.check_file(id, &check).await,
            HandleOp::SetStat(attrs) => self.set_attributes(&attrs).await,
            HandleOp::Sync => match &self.file {
                TargetFile::Upload(file) => file.sync().await,
                TargetFile::Download(_) | TargetFile::Directory(_) => Ok(()),
            },
            // These have starts of their own.
            HandleOp::Read { .. }
            | HandleOp::Write(_)
            | HandleOp::ReadDir
            | HandleOp::Copy(_)
            | HandleOp::Close => {
                return status::wrong_handle(id);
            }
        };
        status::outcome(id, &result)
    }

    async fn check_file(&mut self, id: u32, check: &CheckFile) -> Bytes {
        let file = match &self.file {
            TargetFile::Download(file) => Source::Download(file),
            TargetFile::Upload(file) => Source::Upload(file),
            TargetFile::Directory(_) => return status::wrong_handle(id),
        };
        // Never closed; and who waits here holds nothing yet.
        let _place = self.heavy.acquire().await;
        let file = extension::check_file::File::Open(&self.session, file);
        extension::check_file::reply(id, file, check)
            .await
            .unwrap_or_else(|error| status::failure(id, &error))
    }

    async fn set_attributes(&mut self, attrs: &Attrs) -> OpResult<()> {
        let changes = attributes::from_wire(attrs);
        match &mut self.file {
            // As ftruncate(2) has it; by the path it could be another file by now.
            TargetFile::Download(_) if attrs.size.is_some() => {
                let text = "Permission Denied: the handle is not open for writing";
                Err(OpError::new(OpErrorKind::PermissionDenied, text))
            }
            TargetFile::Download(file) => file.set_attributes(&changes).await,
            TargetFile::Upload(file) => file.set_attributes(attrs.size, &changes).await,
            TargetFile::Directory(_) if attrs.size.is_some() => {
                Err(OpErrorKind::IsADirectory.into())
            }
            TargetFile::Directory(directory) => directory.listing.set_attributes(&changes).await,
        }
    }
}
