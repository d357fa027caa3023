//! Running a program of the system for a session: git and rsync, kept within one directory of the account.
//!
//! Nothing that a client wrote is a command line here: front ends hand over typed values, and each program gets arguments and
//! an environment of our own. Before it starts, permissions are checked for the whole tree it will work on, because nobody
//! checks them afterwards; then `linux::confine` lets the kernel keep it there.
//!
//! - `git` and `rsync` say what is run, on what, and with which rights;
//! - `supervise` owns a program from its start to its end, `stream` carries its bytes, `allowance` watches the quota;
//! - `quota` checks before and puts the counters right afterwards; `slots` bounds how many run.

mod allowance;
mod git;
mod glob;
mod linux;
mod quota;
mod rsync;
mod slots;
mod stream;
mod supervise;

use sftpgo_model::{Permission, PermissionSet};

pub use git::GitService;
pub(crate) use linux::process;
pub use rsync::RsyncRequest;
pub(crate) use slots::Programs;
pub use stream::{ProgramInput, ProgramOutput};
pub use supervise::{Program, ProgramEnd};

/// What a program that only reads needs.
const READ: PermissionSet = PermissionSet::NONE
    .with(Permission::List)
    .with(Permission::Download);

/// What a program that changes files needs (reference 3.3).
const WRITE: PermissionSet = READ
    .with(Permission::Upload)
    .with(Permission::CreateDirs)
    .with(Permission::Overwrite)
    .with(Permission::Delete)
    .with(Permission::Rename);

/// Whether the kernel can keep programs within their directories (Landlock).
pub fn can_be_confined() -> bool {
    linux::confine::is_available()
}
