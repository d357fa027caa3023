//! Where programs are. Looked for at each use, in a fixed list of directories: neither the server's environment nor a client
//! decides what runs.

use std::path::{Path, PathBuf};

use crate::error::{OpError, OpErrorKind, OpResult};

/// The search path of programs, for us and for them.
pub(in crate::program) const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// Where git keeps the programs that it runs itself.
const GIT_EXEC: &[&str] = &[
    "/usr/lib/git-core",
    "/usr/libexec/git-core",
    "/usr/local/lib/git-core",
    "/usr/local/libexec/git-core",
];

/// A program and the package that has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::program) enum Tool {
    Git,
    Rsync,
}

impl Tool {
    pub(in crate::program) const fn name(self) -> &'static str {
        match self {
            Self::Git => "git",
            Self::Rsync => "rsync",
        }
    }

    /// The program.
    ///
    /// # Errors
    /// It is not installed; the log tells the operator what to install.
    pub(in crate::program) fn find(self) -> OpResult<PathBuf> {
        let name = self.name();
        let found = PATH
            .split(':')
            .map(|directory| Path::new(directory).join(name))
            .find(|path| path.is_file());
        found.ok_or_else(|| {
            tracing::error!(
                "the program {name} is not in {PATH}: install the package {name} of the system, or take its commands out \
                 of sftpd.enabled_ssh_commands"
            );
            OpError::new(
                OpErrorKind::Unsupported,
                format!("{name} is not available on this server"),
            )
        })
    }

    /// Every file that may be executed when `program` runs: itself and what it runs of its own.
    pub(in crate::program) fn executables(self, program: &Path) -> Vec<PathBuf> {
        let mut files = vec![program.to_path_buf()];
        if self == Self::Git {
            files.extend(
                GIT_EXEC
                    .iter()
                    .map(|directory| Path::new(directory).join("git")),
            );
        }
        files.extend(loaders());
        files.retain(|file| file.exists());
        files
    }
}

/// The dynamic linkers: the kernel executes one with every program.
fn loaders() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for directory in ["/lib64", "/lib", "/lib32", "/libx32"] {
        let Ok(entries) = std::fs::read_dir(directory) else {
            continue;
        };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if ["ld-linux", "ld-musl", "ld64.so", "ld.so"]
                .iter()
                .any(|start| name.starts_with(start))
            {
                found.push(entry.path());
            }
        }
    }
    found
}
