//! Who may log in: the only place where a [`Login`] is made.

mod authenticator;
mod login;
mod password;

pub use authenticator::{AuthError, Authenticator};
pub use login::Login;
pub use password::{PasswordHasher, is_recognised_hash};
