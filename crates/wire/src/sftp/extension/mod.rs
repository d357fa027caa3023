//! The requests that are named by a string: OpenSSH's, and those of later drafts that clients ask version 3 for.
//!
//! Each has a file with its name, its decoder, its encoder and its reply, and a row in [`TABLE`]. To add one: a file,
//! a variant of [`Extension`] and a row.

pub mod check_file;
pub mod copy_data;
pub mod expand_path;
pub mod fsync;
pub mod hardlink;
pub mod home_directory;
pub mod limits;
pub mod lsetstat;
pub mod posix_rename;
pub mod space_available;
pub mod statvfs;
mod table;
pub mod users_groups_by_id;

pub use check_file::{CheckFileReply, CheckFileTarget};
pub use limits::LimitsReply;
pub use space_available::SpaceAvailableReply;
pub use statvfs::StatvfsReply;
pub use table::{Announcement, Extension, Row, TABLE, row};
pub use users_groups_by_id::UsersGroupsReply;
