//! Who may log in: the only place where a [`Login`] is made.
//!
//! - [`Authentication`] is the state of one connection: what was proved, and what has to follow;
//! - `verify` turns credentials into `factor`s, which nothing else makes; `rules` is what accounts allow;
//! - `key` has public keys and certificates: what they are, whose they are, what was signed with them;
//! - `account` looks an account up, after `external` and `pre_login` asked the hooks that may change it (`saved`);
//! - `interactive` leads a keyboard-interactive dialogue, whose rounds are `turn`s;
//! - [`Authenticator`] is what all of them share; `error` says why something failed, and who is told.

mod account;
mod authentication;
mod authenticator;
mod error;
mod external;
mod factor;
mod interactive;
mod key;
mod login;
mod password;
mod pre_login;
mod rules;
mod saved;
mod turn;
mod verify;

pub use authentication::{Answer, Authentication, Challenge, Refused};
pub use authenticator::Authenticator;
pub use error::{AuthError, LoginObserver, LoginOutcome};
pub(crate) use factor::Proved;
pub use factor::Restrictions;
pub use key::{
    AcceptedSignatures, ForcedCommands, KeyError, KeyFiles, KeyTrust, OfferedKey, Reloaded,
    VerifiedKey,
};
pub use login::Login;
pub(crate) use password::PasswordChecks;
pub use password::{OperatorPasswords, PasswordHasher, check_stored_hash, is_recognised_hash};
pub(crate) use rules::{check_restrictions, check_usable, compile};
