//! `rsync --server`: from a command line to a request.

use sftpgo_core::program::RsyncRequest;
use sftpgo_core::{OpError, OpErrorKind, OpResult};
use sftpgo_wire::rsync;

use super::paths::Argument;
use super::program::Request;

pub(super) fn request(words: &[Vec<u8>]) -> OpResult<(Argument, Request)> {
    let command = rsync::parse(words)
        .map_err(|error| OpError::new(OpErrorKind::InvalidArgument, error.to_string()))?;
    let argument = Argument::new(command.paths.last().map(Vec::as_slice));
    let request = RsyncRequest {
        sender: command.sender,
        options: command.options,
        paths: command.paths,
        relative: command.relative,
        make_path: command.mkpath,
        safe_links: command.safe_links,
        munge_links: command.munge_links,
        fake_super: command.fake_super,
        follows_links: command.follows_links,
        removes_sources: command.removes_sources,
    };
    Ok((argument, Request::Rsync(request)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_has_the_last_path_with_its_slash() {
        for (line, logged) in [
            ("rsync --server -re.iLsfxCIvu . dir/", "/dir/"),
            ("rsync --server --sender -re.iLsfxCIvu . /a/../b c", "/c"),
        ] {
            let words: Vec<_> = line
                .split(' ')
                .map(|word| word.as_bytes().to_vec())
                .collect();
            assert_eq!(request(&words).unwrap().0.logged, logged);
        }
    }
}
