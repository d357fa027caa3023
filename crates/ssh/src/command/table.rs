//! The list of SSH commands, and how the text of an exec request becomes one of them.

use std::fmt;

use sftpgo_core::digest::DigestAlgorithm;
use sftpgo_core::model::Protocol;
use sftpgo_wire::exec;

/// What can be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Command {
    /// `md5sum` and its kind.
    Digest(DigestAlgorithm),
    /// `cd`: nothing.
    ChangeDirectory,
    /// `pwd`: the root.
    PrintDirectory,
    /// `df`: space of the disk, within the quota.
    DiskFree,
    /// `scp -t` and `scp -f`.
    Scp,
    /// The services of git.
    Git,
    /// `rsync --server`.
    Rsync,
}

impl Command {
    /// What the connection list and the logs call it.
    pub(crate) const fn protocol(self) -> Protocol {
        match self {
            Self::Digest(_)
            | Self::ChangeDirectory
            | Self::PrintDirectory
            | Self::DiskFree
            | Self::Git
            | Self::Rsync => Protocol::Ssh,
            Self::Scp => Protocol::Scp,
        }
    }
}

/// Every command by the name that `enabled_ssh_commands` and clients use.
const COMMANDS: &[(&str, Command)] = &[
    ("md5sum", Command::Digest(DigestAlgorithm::Md5)),
    ("sha1sum", Command::Digest(DigestAlgorithm::Sha1)),
    ("sha256sum", Command::Digest(DigestAlgorithm::Sha256)),
    ("sha384sum", Command::Digest(DigestAlgorithm::Sha384)),
    ("sha512sum", Command::Digest(DigestAlgorithm::Sha512)),
    ("cd", Command::ChangeDirectory),
    ("pwd", Command::PrintDirectory),
    ("df", Command::DiskFree),
    ("scp", Command::Scp),
    ("git-receive-pack", Command::Git),
    ("git-upload-pack", Command::Git),
    ("git-upload-archive", Command::Git),
    ("rsync", Command::Rsync),
];

/// Enabled unless the settings say otherwise: those of the reference, and `df`, which sync tools ask for free space.
pub(crate) const DEFAULT_COMMANDS: &[&str] = &["md5sum", "sha1sum", "cd", "pwd", "df"];

/// Every name that `enabled_ssh_commands` may hold.
pub(crate) fn known_commands() -> impl Iterator<Item = &'static str> {
    COMMANDS.iter().map(|(name, _)| *name)
}

/// A command with its arguments, ready to run.
#[derive(Debug)]
pub(crate) struct Exec {
    pub(crate) command: Command,
    /// The words of the line, the name first.
    pub(crate) words: Vec<Vec<u8>>,
    /// The line as it came.
    pub(crate) line: Vec<u8>,
    /// The same for logs and the connection list.
    pub(crate) text: String,
}

impl Exec {
    /// The name as the client wrote it.
    pub(crate) fn name(&self) -> String {
        let name = self.words.first().map(Vec::as_slice).unwrap_or_default();
        String::from_utf8_lossy(name).into_owned()
    }
}

/// Why an exec request is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refused {
    Unreadable(exec::SplitError),
    Unknown,
    NotEnabled(&'static str),
    TooFewArguments,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => error.fmt(f),
            Self::Unknown => f.write_str("unknown command"),
            Self::NotEnabled(name) => {
                write!(f, "{name} is not in sftpd.enabled_ssh_commands")
            }
            Self::TooFewArguments => f.write_str("too few arguments"),
        }
    }
}

/// Reads an exec request.
///
/// # Errors
/// The line cannot be split, its first word is no enabled command, or it is `scp` without an option and a path (reference 7).
pub(crate) fn parse(line: &[u8], enabled: &[String]) -> Result<Exec, Refused> {
    let words = exec::split(line).map_err(Refused::Unreadable)?;
    let name = words.first().map(Vec::as_slice).unwrap_or_default();
    let (known, command) = COMMANDS
        .iter()
        .find(|(known, _)| known.as_bytes() == name)
        .ok_or(Refused::Unknown)?;
    if !enabled.iter().any(|enabled| enabled == known) {
        return Err(Refused::NotEnabled(known));
    }
    if *command == Command::Scp && words.len() < 3 {
        return Err(Refused::TooFewArguments);
    }
    Ok(Exec {
        command: *command,
        words,
        line: line.to_vec(),
        text: String::from_utf8_lossy(line).into_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_enabled_or_not_known_is_refused() {
        let enabled = ["cd".to_owned(), "md5sum".to_owned()];
        let refused = |line: &[u8]| parse(line, &enabled).unwrap_err();
        assert_eq!(refused(b"ls -l"), Refused::Unknown);
        assert_eq!(refused(b""), Refused::Unknown);
        assert_eq!(refused(b"/usr/bin/md5sum x"), Refused::Unknown);
        assert_eq!(refused(b"MD5SUM x"), Refused::Unknown);
        assert_eq!(refused(b"pwd"), Refused::NotEnabled("pwd"));
        assert!(matches!(refused(b"cd '"), Refused::Unreadable(_)));
        let scp = ["scp".to_owned()];
        for line in [&b"scp"[..], b"scp -t", b"scp /path"] {
            assert_eq!(parse(line, &scp).unwrap_err(), Refused::TooFewArguments);
        }
        assert!(parse(b"scp -t /path", &scp).is_ok());
        let exec = parse(b"md5sum '/a b'", &enabled).unwrap();
        assert_eq!(exec.command, Command::Digest(DigestAlgorithm::Md5));
        assert_eq!(exec.words, [&b"md5sum"[..], b"/a b"]);
    }

    #[test]
    fn names_are_unique_and_the_default_ones_exist() {
        let names: Vec<_> = known_commands().collect();
        for (i, name) in names.iter().enumerate() {
            assert!(!names.iter().skip(i + 1).any(|other| other == name));
        }
        assert!(DEFAULT_COMMANDS.iter().all(|name| names.contains(name)));
    }
}
