//! Requests for an open handle other than READ, WRITE, READDIR and CLOSE.

use std::sync::Arc;

use bytes::Bytes;
use sftpgo_core::model::VirtualPath;
use sftpgo_core::transfer::{Download, Upload};
use sftpgo_core::{OpResult, Session};
use sftpgo_wire::sftp::Attrs;

use super::handles::HandleOp;
use super::{attributes, extension, path, status};

/// What a request for a handle acts on when it needs neither its queue nor its place in the table.
pub(super) struct Target {
    pub(super) session: Session,
    pub(super) path: VirtualPath,
    pub(super) file: TargetFile,
}

pub(super) enum TargetFile {
    Download(Arc<Download>),
    Upload(Arc<Upload>),
    Directory,
}

impl Target {
    pub(super) async fn perform(&self, id: u32, op: HandleOp) -> Bytes {
        let result = match op {
            HandleOp::Stat => {
                let found = match &self.file {
                    TargetFile::Download(file) => file.stat().await,
                    TargetFile::Upload(file) => file.stat().await,
                    TargetFile::Directory => self.session.stat(&self.path).await,
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
            HandleOp::SetStat(attrs) => self.set_attributes(&attrs).await,
            HandleOp::Sync => match &self.file {
                TargetFile::Upload(file) => file.sync().await,
                TargetFile::Download(_) | TargetFile::Directory => Ok(()),
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

    async fn set_attributes(&self, attrs: &Attrs) -> OpResult<()> {
        let changes = attributes::from_wire(attrs);
        match &self.file {
            TargetFile::Download(file) if attrs.size.is_none() => {
                file.set_attributes(&changes).await
            }
            TargetFile::Upload(file) => file.set_attributes(attrs.size, &changes).await,
            TargetFile::Download(_) | TargetFile::Directory => {
                self.session
                    .set_attributes(&self.path, attrs.size, &changes, true)
                    .await
            }
        }
    }
}
