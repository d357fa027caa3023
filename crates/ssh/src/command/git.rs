//! `git-receive-pack`, `git-upload-pack`, `git-upload-archive`: from a command line to a request.

use sftpgo_core::model::VirtualPath;
use sftpgo_core::program::GitService;
use sftpgo_core::{OpError, OpErrorKind, OpResult};
use sftpgo_wire::git;

use super::paths::Argument;
use super::program::Request;

pub(super) fn request(words: &[Vec<u8>]) -> OpResult<(Argument, Request)> {
    let command = git::parse(words)
        .map_err(|error| OpError::new(OpErrorKind::InvalidArgument, error.to_string()))?;
    let service = match command.service {
        git::GitService::ReceivePack => GitService::ReceivePack,
        git::GitService::UploadPack => GitService::UploadPack,
        git::GitService::UploadArchive => GitService::UploadArchive,
    };
    let path = VirtualPath::parse(&command.path)?;
    let argument = Argument::new(Some(&command.path));
    Ok((argument, Request::Git(service, path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_has_the_path_with_its_slash() {
        let words = |path: &str| ["git-upload-pack", path].map(|word| word.as_bytes().to_vec());
        for (path, logged) in [("repo/", "/repo/"), ("/a/../repo", "/repo")] {
            assert_eq!(request(&words(path)).unwrap().0.logged, logged);
        }
    }
}
