//! Stored passwords (reference 4): a module for each format, and the bounded pool that all of them are computed on.
//!
//! What a stored hash asks for comes from the data provider, which may be filled by others: its cost is bounded before
//! anything is computed or allocated, and a hash over the bound matches nothing.

mod argon2id;
mod bcrypt;
mod checks;
mod crypt64;
mod hasher;
mod md5_crypt;
mod operators;
mod pbkdf2;
mod recent;
mod sha_crypt;
mod stored;
#[cfg(test)]
mod tests;
mod yescrypt;

pub(crate) use checks::PasswordChecks;
pub use hasher::PasswordHasher;
pub(crate) use hasher::{MAX_PASSWORD, Verdict};
pub use operators::OperatorPasswords;
pub use stored::{check_stored_hash, is_recognised_hash};
