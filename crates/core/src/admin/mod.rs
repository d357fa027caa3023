//! What an administrator may do, the same for REST, web and command line.

mod backup;
mod backup_files;
mod dump;
mod dump_file;
mod error;
mod pages;
mod quota_scan;
mod restore;
mod users;

pub use backup_files::{BackupFile, backup_files};
pub use dump::UserDump;
pub use dump_file::{DumpFile, MakeDirectories};
pub use error::{AdminError, AdminErrorKind};
pub use quota_scan::Started;
pub use restore::{Restore, RestoreCounts};
pub(crate) use users::prepared_over;
pub use users::{AccountDirectories, UserAdmin, prepared};
