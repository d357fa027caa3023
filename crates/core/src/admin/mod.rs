//! What an administrator may do, the same for REST, web and command line.

mod error;
mod users;

pub use error::{AdminError, AdminErrorKind};
pub use users::UserAdmin;
