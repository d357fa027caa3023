//! Passwords: a hash that the server can check is taken over, any other is not, and the user is told of.

use sftpgo_model::UserRecord;

use crate::Context;
use crate::report::Notes;

/// Stands for a password that could not be taken over: no password matches it, and the log of a login says that it must be
/// set again.
pub const NO_PASSWORD: &str = "$6$!";

const SET_AND_ENABLE: &str = "set a password with `sftpgo user set NAME --password-stdin --enable`";

/// Takes a stored hash over. The keys of the user must be there already.
pub(crate) fn carry(user: &mut UserRecord, notes: &mut Notes, stored: &str, context: Context<'_>) {
    match (context.check_hash)(stored) {
        Ok(()) => stored.clone_into(&mut user.password),
        Err(reason) => {
            let kind = kind(stored);
            leave_out(
                user,
                notes,
                &format!("passwords cannot be checked against {kind} ({reason})"),
            );
        }
    }
}

/// The user gets no password, for that reason: one with keys logs in with those, any other is disabled.
pub(crate) fn leave_out(user: &mut UserRecord, notes: &mut Notes, reason: &str) {
    if user.public_keys.is_empty() {
        NO_PASSWORD.clone_into(&mut user.password);
        notes.disabled("password", format!("{reason}; {SET_AND_ENABLE}"));
    } else {
        user.password.clear();
        notes.lost(
            "password",
            format!("{reason}; the user logs in with its keys"),
        );
    }
}

/// What a hash is, as far as its form says. Shows nothing of it.
fn kind(stored: &str) -> &'static str {
    let known = [
        ("$1$", "this md5crypt hash"),
        ("$apr1$", "this md5crypt hash"),
        ("$2", "this bcrypt hash"),
        ("$3$", "an NT hash"),
        ("$5$", "this sha256crypt hash"),
        ("$6$", "this sha512crypt hash"),
        ("$7$", "this scrypt hash"),
        ("$y$", "this yescrypt hash"),
        ("$gy$", "a gost-yescrypt hash"),
        ("$argon2id$", "this argon2id hash"),
        ("$argon2", "a hash of argon2i or argon2d"),
        ("$pbkdf2", "this PBKDF2 hash"),
        ("$sha1$", "a PBKDF1 hash of NetBSD"),
        ("$md5", "an MD5 hash of Solaris"),
        ("{", "a hash in the form of LDAP"),
        ("_", "an extended DES hash"),
    ];
    let found = known.iter().find(|(prefix, _)| stored.starts_with(prefix));
    match found {
        Some((_, kind)) => kind,
        None if stored.len() == 13 => "a DES hash",
        None => "what is stored",
    }
}
