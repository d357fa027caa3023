//! Landlock: the kernel keeps a program within the files it was given, whatever it is made to do.
//!
//! Allowed are: all but devices below the directories it works in; reading of libraries; execution of itself and the dynamic
//! linker. Nothing else can be opened, made, renamed, removed or executed: no hook, no shell, no file of another account. Where
//! the kernel knows it: no TCP, no signals to and no abstract sockets of others.

use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd,
    Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
};

/// The newest rights we know of; older kernels get those they have.
const NEWEST: ABI = ABI::V6;

/// Read by every program that is linked dynamically or shows a time. Deliberately not `/usr` as a whole.
const LIBRARIES: &[&str] = &[
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/libexec",
    "/usr/libx32",
    "/usr/local/lib",
    "/usr/share/git-core",
    "/usr/share/locale",
    "/usr/share/zoneinfo",
    "/etc/ld.so.cache",
    "/etc/ld.so.preload",
    "/etc/localtime",
    "/dev/random",
    "/dev/urandom",
];

/// An object that a program may use.
#[derive(Debug, Clone)]
pub(in crate::program) struct Allowed {
    pub(in crate::program) object: Arc<OwnedFd>,
    pub(in crate::program) directory: bool,
    /// Else it is only read.
    pub(in crate::program) write: bool,
}

/// What a program may use.
#[derive(Debug)]
pub(in crate::program) struct Confinement {
    pub(in crate::program) objects: Vec<Allowed>,
    pub(in crate::program) executables: Vec<PathBuf>,
}

/// Whether the kernel can confine. Without the right to rename between directories (Linux 5.19) programs cannot work
/// confined, so older versions of Landlock count as none.
pub(in crate::program) fn is_available() -> bool {
    Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(ABI::V2))
        .and_then(Ruleset::create)
        .is_ok()
}

impl Confinement {
    /// Confines the calling thread and whatever it starts, for ever.
    ///
    /// # Errors
    /// The rules cannot be made; the thread must not start anything then.
    pub(super) fn enter(&self) -> Result<(), RulesetError> {
        let mut rules = Ruleset::default()
            .handle_access(AccessFs::from_all(NEWEST))?
            .handle_access(AccessNet::from_all(NEWEST))?
            .scope(Scope::from_all(NEWEST))?
            .create()?;
        for allowed in &self.objects {
            let rights = allowed.rights();
            rules = rules.add_rule(PathBeneath::new(allowed.object.as_fd(), rights))?;
        }
        let read = AccessFs::ReadFile | AccessFs::ReadDir;
        for path in LIBRARIES {
            rules = allow(rules, path, read)?;
        }
        rules = allow(rules, "/dev/null", AccessFs::ReadFile | AccessFs::WriteFile)?;
        for path in &self.executables {
            rules = allow(rules, path, AccessFs::ReadFile | AccessFs::Execute)?;
        }
        if rules.restrict_self()?.ruleset == RulesetStatus::NotEnforced {
            tracing::debug!("a program runs without Landlock");
        }
        Ok(())
    }
}

impl Allowed {
    fn rights(&self) -> BitFlags<AccessFs> {
        let read = AccessFs::ReadFile | AccessFs::ReadDir;
        // Neither execution nor devices, whoever the server runs as.
        let never =
            AccessFs::Execute | AccessFs::MakeChar | AccessFs::MakeBlock | AccessFs::IoctlDev;
        let rights = if self.write {
            AccessFs::from_all(NEWEST) & !never
        } else {
            read
        };
        if self.directory {
            rights
        } else {
            rights & AccessFs::from_file(NEWEST)
        }
    }
}

/// Adds a rule for a path of the system, if it is there.
fn allow(
    rules: RulesetCreated,
    path: impl AsRef<std::path::Path>,
    rights: BitFlags<AccessFs>,
) -> Result<RulesetCreated, RulesetError> {
    let path = path.as_ref();
    let Ok(object) = PathFd::new(path) else {
        return Ok(rules);
    };
    let rights = if path.is_dir() {
        rights
    } else {
        rights & AccessFs::from_file(NEWEST)
    };
    rules.add_rule(PathBeneath::new(object, rights))
}
