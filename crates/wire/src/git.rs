//! The command lines of a git client (`git-upload-pack '/path'`): one of three services and one path, nothing else.
//!
//! Options of these programs (`--exec`, `--timeout`, `--stateless-rpc`, ...) are for daemons; no client sends them over SSH,
//! and none is let through.

use std::fmt;

use crate::exec::path_argument;

/// What a git client asks of the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GitService {
    /// Takes a push.
    ReceivePack,
    /// Serves a clone or a fetch.
    UploadPack,
    /// Serves `git archive --remote`.
    UploadArchive,
}

/// A git command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitCommand {
    /// What to do.
    pub service: GitService,
    /// The repository, as the client wrote it; never empty, never begins with `-`.
    pub path: Vec<u8>,
}

/// Why a git command line is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GitCommandError {
    /// The first word is not one of the three.
    UnknownService,
    /// No path, or an empty one.
    NoPath,
    /// More than a path.
    TooMany,
    /// An option, or a path that a program could take for one.
    Option,
}

impl fmt::Display for GitCommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownService => "not a service of git",
            Self::NoPath => "no repository is named",
            Self::TooMany => "one repository and nothing else is expected",
            Self::Option => "options are not served, nor paths that begin with a dash",
        })
    }
}

impl std::error::Error for GitCommandError {}

/// Reads the words of a command line.
///
/// # Errors
/// See [`GitCommandError`].
pub fn parse(words: &[Vec<u8>]) -> Result<GitCommand, GitCommandError> {
    let service = match words.first().map(Vec::as_slice) {
        Some(b"git-receive-pack") => GitService::ReceivePack,
        Some(b"git-upload-pack") => GitService::UploadPack,
        Some(b"git-upload-archive") => GitService::UploadArchive,
        Some(_) | None => return Err(GitCommandError::UnknownService),
    };
    let path = path_argument(words).unwrap_or_default();
    if path.is_empty() {
        return Err(GitCommandError::NoPath);
    }
    if words.iter().skip(1).any(|word| word.starts_with(b"-")) || path.starts_with(b"-") {
        return Err(GitCommandError::Option);
    }
    if words.len() > 2 {
        return Err(GitCommandError::TooMany);
    }
    Ok(GitCommand {
        service,
        path: path.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::split;

    fn line(text: &str) -> Result<GitCommand, GitCommandError> {
        parse(&split(text.as_bytes()).unwrap())
    }

    #[test]
    fn what_git_clients_send_is_understood() {
        for (text, service) in [
            ("git-receive-pack '/a b.git'", GitService::ReceivePack),
            ("git-upload-pack '/a b.git'", GitService::UploadPack),
            ("git-upload-archive '/a b.git'", GitService::UploadArchive),
        ] {
            let path = b"/a b.git".to_vec();
            assert_eq!(line(text), Ok(GitCommand { service, path }));
        }
    }

    #[test]
    fn options_and_further_words_are_refused() {
        for text in [
            "git-upload-pack --exec=/bin/sh /r",
            "git-upload-pack --timeout 1 /r",
            "git-upload-pack --help",
            "git-receive-pack -x",
            "git-upload-pack '/r' --strict",
            "git-upload-pack \"'--help'\"",
        ] {
            assert_eq!(line(text), Err(GitCommandError::Option), "{text}");
        }
        assert_eq!(line("git-upload-pack /a /b"), Err(GitCommandError::TooMany));
        assert_eq!(line("git-upload-pack"), Err(GitCommandError::NoPath));
        assert_eq!(line("git-upload-pack ''"), Err(GitCommandError::NoPath));
        assert_eq!(line("git-shell /r"), Err(GitCommandError::UnknownService));
    }
}
