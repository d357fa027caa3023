//! The composition root: the only place that constructs the parts and connects them.
//!
//! [`App`] is the composed server; [`serve`] runs it as a process with signals; the other functions work on the data
//! provider alone.

mod compose;
mod dump;
mod import;
mod output;
pub mod portable;
#[cfg_attr(unix, path = "app/process_unix.rs")]
#[cfg_attr(not(unix), path = "app/process_other.rs")]
mod process;
mod provider;
mod running;
#[cfg_attr(unix, path = "app/signals_unix.rs")]
#[cfg_attr(not(unix), path = "app/signals_other.rs")]
mod signals;
mod supervise;
#[cfg_attr(unix, path = "app/systemd/mod.rs")]
#[cfg_attr(not(unix), path = "app/systemd_other.rs")]
mod systemd;
mod target;
mod users;
mod welcome;

pub use compose::App;
pub use dump::{RestoreSource, dump_users, restore_users};
pub use import::import;
pub use provider::init_provider;
pub use running::{manage_bans, manage_connections, manage_quota, show_status};
pub use supervise::{ServeOptions, serve};
pub use systemd::{InheritedSockets, ServiceManager};
pub use target::Target;
pub use users::manage_users;

/// Why a command failed: a sentence for the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct AppError(pub String);

impl AppError {
    /// An error that says `message`.
    fn new(message: impl std::fmt::Display) -> Self {
        Self(message.to_string())
    }
}
