//! `git-receive-pack`, `git-upload-pack`, `git-upload-archive`: from a command line to a request.

use sftpgo_core::model::VirtualPath;
use sftpgo_core::program::GitService;
use sftpgo_core::{OpError, OpErrorKind, OpResult};
use sftpgo_wire::git;

use super::program::Request;

pub(super) fn request(words: &[Vec<u8>]) -> OpResult<(String, Request)> {
    let command = git::parse(words)
        .map_err(|error| OpError::new(OpErrorKind::InvalidArgument, error.to_string()))?;
    let service = match command.service {
        git::GitService::ReceivePack => GitService::ReceivePack,
        git::GitService::UploadPack => GitService::UploadPack,
        git::GitService::UploadArchive => GitService::UploadArchive,
    };
    let path = VirtualPath::parse(&command.path)?;
    Ok((path.to_string(), Request::Git(service, path)))
}
