//! `rsync --server`: from a command line to a request.

use sftpgo_core::model::VirtualPath;
use sftpgo_core::program::RsyncRequest;
use sftpgo_core::{OpError, OpErrorKind, OpResult};
use sftpgo_wire::rsync;

use super::program::Request;

pub(super) fn request(words: &[Vec<u8>]) -> OpResult<(String, Request)> {
    let command = rsync::parse(words)
        .map_err(|error| OpError::new(OpErrorKind::InvalidArgument, error.to_string()))?;
    let last = command.paths.last().map(Vec::as_slice).unwrap_or_default();
    let path = VirtualPath::parse(last)?.to_string();
    let request = RsyncRequest {
        sender: command.sender,
        options: command.options,
        paths: command.paths,
        relative: command.relative,
        make_path: command.mkpath,
        link_policy: command.link_policy,
        fake_super: command.fake_super,
        needs_confinement: command.needs_confinement,
    };
    Ok((path, Request::Rsync(request)))
}
