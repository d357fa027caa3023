//! Who may log in: the only place where a [`Login`] is made.

mod authenticator;
mod login;
mod password;

pub use authenticator::{AuthError, Authenticator};
pub(crate) use authenticator::{check_restrictions, check_usable, compile};
pub use login::Login;
pub(crate) use password::PasswordChecks;
pub use password::{PasswordHasher, is_recognised_hash};
