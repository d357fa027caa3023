//! The services of git for one repository.
//!
//! A repository is what the account has uploaded, configuration and hooks included, and git runs much of what a configuration
//! names. So git gets settings that win over the repository's for every program it could run, and the kernel lets it execute
//! nothing but itself. What cannot be overruled by settings (`git archive` runs filters of any name) is served only confined.

use std::ffi::OsString;
use std::sync::Arc;

use sftpgo_model::{PermissionSet, VirtualPath};
use sftpgo_storage::{FileKind, Links, Native};

use super::linux::confine::{Allowed, Confinement};
use super::linux::find::{PATH, Tool};
use super::linux::process::Launch;
use super::supervise::{Plan, Program};
use super::{READ, WRITE};
use crate::access::Tree;
use crate::error::{OpError, OpErrorKind, OpResult};
use crate::session::Session;

/// What is asked of a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GitService {
    /// Takes a push.
    ReceivePack,
    /// Serves a clone or a fetch.
    UploadPack,
    /// Serves `git archive --remote`.
    UploadArchive,
}

impl GitService {
    const fn subcommand(self) -> &'static str {
        match self {
            Self::ReceivePack => "receive-pack",
            Self::UploadPack => "upload-pack",
            Self::UploadArchive => "upload-archive",
        }
    }

    const fn needs(self) -> PermissionSet {
        match self {
            Self::ReceivePack => WRITE,
            Self::UploadPack | Self::UploadArchive => READ,
        }
    }
}

/// Settings that win over those of the repository, because git takes the last one and these come after all files.
const SETTINGS: &[(&str, &str)] = &[
    // Programs that git would run.
    ("core.hooksPath", "/dev/null"),
    ("core.fsmonitor", "false"),
    // Asked with every push, and there is no value for "nobody". This one is git itself, so it may be executed, takes the
    // directory for a name of a reference, and ends without a word.
    ("core.alternateRefsCommand", "git-check-ref-format"),
    ("core.sshCommand", "false"),
    ("core.gitProxy", ""),
    ("core.askPass", "false"),
    ("credential.helper", ""),
    ("gpg.program", "/dev/null"),
    ("gpg.openpgp.program", "/dev/null"),
    ("gpg.x509.program", "/dev/null"),
    ("gpg.ssh.program", "/dev/null"),
    ("protocol.allow", "never"),
    // A working tree is not ours to change, and changing it runs filters.
    ("receive.denyCurrentBranch", "refuse"),
    ("receive.denyDeleteCurrent", "refuse"),
    // Work that would go on after the push, out of reach.
    ("receive.autogc", "false"),
    ("gc.auto", "0"),
    ("gc.autoDetach", "false"),
    ("maintenance.auto", "false"),
    // What one client may cost.
    ("pack.threads", "2"),
    ("pack.windowMemory", "128m"),
    ("pack.deltaCacheSize", "64m"),
];

impl Session {
    /// Starts a service of git for a repository.
    ///
    /// # Errors
    /// Reference 8.4: `Unsupported` inside a virtual folder and where file names are filtered; permissions; quota.
    pub async fn git(&self, service: GitService, path: &VirtualPath) -> OpResult<Program> {
        let slot = self.program_slot()?;
        let confined = self.core().programs_are_confined();
        if service == GitService::UploadArchive && !confined {
            return Err(OpError::new(
                OpErrorKind::Unsupported,
                "archives are not served: the system of the server cannot confine git",
            ));
        }
        let program = Tool::Git.find()?;
        let writes = service == GitService::ReceivePack;
        if writes {
            self.check_not_full().await?;
        }
        let (path, repository) = self.repository(service, path).await?;
        self.ask_about_tree(&path, writes).await?;
        let repository = Arc::new(repository.object);
        let launch = Launch {
            confinement: Confinement {
                objects: vec![Allowed {
                    object: Arc::clone(&repository),
                    directory: true,
                    write: writes,
                }],
                executables: Tool::Git.executables(&program),
            },
            program,
            arguments: vec![service.subcommand().into(), ".".into()],
            environment: self.git_environment(confined, writes).await?,
            directory: repository,
            owner: self.owner(),
        };
        let plan = Plan {
            launch,
            path,
            writes,
            stores: writes,
            // It stores what it is sent; what it removes are its own temporary files.
            renewable: false,
        };
        self.launch(plan, slot).await
    }

    /// The directory: as it is named, or with `.git` behind it, as git itself would look.
    async fn repository(
        &self,
        service: GitService,
        path: &VirtualPath,
    ) -> OpResult<(VirtualPath, Native)> {
        match self.repository_at(service, path).await {
            Err(error) if error.kind() == OpErrorKind::NotFound && !path.is_root() => {
                let mut name = path.file_name().to_vec();
                name.extend_from_slice(b".git");
                let other = path.parent().join(&name).map_err(|_| error)?;
                let found = self.repository_at(service, &other).await?;
                Ok((other, found))
            }
            found => Ok((path.clone(), found?)),
        }
    }

    async fn repository_at(&self, service: GitService, path: &VirtualPath) -> OpResult<Native> {
        let tree = Tree {
            needs: service.needs(),
            home_only: true,
            unfiltered: true,
        };
        let permit = self.permit_tree(path, tree)?;
        let found = permit
            .storage()?
            .native(&permit.target, Links::Follow)
            .await?;
        if found.kind != FileKind::Directory {
            return Err(OpErrorKind::NotADirectory.into());
        }
        Ok(found)
    }

    async fn git_environment(
        &self,
        confined: bool,
        writes: bool,
    ) -> OpResult<Vec<(OsString, OsString)>> {
        let who = printable(self.username());
        let mut environment = vec![
            ("PATH", PATH.to_owned()),
            ("LANG", "C.UTF-8".to_owned()),
            ("HOME", "/nonexistent".to_owned()),
            ("GIT_CONFIG_NOSYSTEM", "1".to_owned()),
            ("GIT_CONFIG_GLOBAL", "/dev/null".to_owned()),
            ("GIT_ATTR_NOSYSTEM", "1".to_owned()),
            ("GIT_TERMINAL_PROMPT", "0".to_owned()),
            // Missing objects are never fetched: where from, and how, is what the repository says.
            ("GIT_NO_LAZY_FETCH", "1".to_owned()),
            ("GIT_ALLOW_PROTOCOL", "none".to_owned()),
            // For the log of references.
            ("GIT_COMMITTER_NAME", who.clone()),
            ("GIT_COMMITTER_EMAIL", format!("{who}@sftpgo")),
        ];
        let mut settings: Vec<(&str, String)> = SETTINGS
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect();
        if confined {
            // Who owns the files says nothing here, and everything that trust would open is closed.
            settings.push(("safe.directory", "*".to_owned()));
        }
        let (quota, user) = (&self.core().quota, self.user());
        let limited = quota.limits(&user) && user.quota.bytes.is_some();
        if writes && limited {
            let free = quota.free_bytes(&user).await?;
            // git itself says it best. 0 would be no limit.
            settings.push(("receive.maxInputSize", free.max(1).to_string()));
        }
        let mut all: Vec<(OsString, OsString)> = environment
            .drain(..)
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        all.push(("GIT_CONFIG_COUNT".into(), settings.len().to_string().into()));
        for (index, (name, value)) in settings.into_iter().enumerate() {
            all.push((format!("GIT_CONFIG_KEY_{index}").into(), name.into()));
            all.push((format!("GIT_CONFIG_VALUE_{index}").into(), value.into()));
        }
        Ok(all)
    }
}

/// A name that git takes as one: without control characters and brackets, never empty.
fn printable(name: &str) -> String {
    let name: String = name
        .chars()
        .filter(|character| !character.is_control() && !matches!(character, '<' | '>'))
        .take(100)
        .collect();
    let name = name.trim();
    if name.is_empty() { "user" } else { name }.to_owned()
}
