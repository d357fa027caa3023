//! What an account allows, whichever way somebody proved who they are (reference 9.2, steps 3, 4, 8 and 9).

use std::sync::Arc;

use sftpgo_model::{LoginMethod, Progress, UnixMillis, User, UserRecord};

use super::error::AuthError;
use super::factor::Proved;
use crate::registry::ConnectionInfo;

/// Status and expiration (steps 3 and 4).
pub(crate) fn check_usable(record: &UserRecord) -> Result<(), AuthError> {
    if record.status < 1 {
        return Err(AuthError::not_allowed("the user is disabled"));
    }
    if record.expiration_date > 0 && record.expiration_date < UnixMillis::now().0 {
        return Err(AuthError::not_allowed("the account has expired"));
    }
    Ok(())
}

/// Denied methods, required ones and addresses (steps 8 and 9): how far `proved` leads, which is never nowhere. `offered`
/// says which methods there are on this server.
pub(crate) fn check_restrictions(
    user: &User,
    info: &ConnectionInfo,
    proved: &Proved,
    offered: impl Fn(LoginMethod) -> bool,
) -> Result<Progress, AuthError> {
    let progress = check_methods(user, proved.methods(), offered)?;
    check_address(user, info)?;
    proved.restrictions().check(info.peer.ip())?;
    Ok(progress)
}

/// Denied and required methods: how far these, in the order of their proofs, lead.
pub(super) fn check_methods(
    user: &User,
    methods: &[LoginMethod],
    offered: impl Fn(LoginMethod) -> bool,
) -> Result<Progress, AuthError> {
    let denied = |method: &LoginMethod| user.denied_login_methods.contains(method);
    if methods.iter().any(denied) {
        let reason = "this login method is denied to the user";
        return Err(AuthError::not_allowed(reason));
    }
    let usable = |method| offered(method) && !denied(&method);
    match user.required_login_methods.progress(methods, usable) {
        Progress::Nowhere => Err(out_of_turn()),
        progress @ (Progress::Complete | Progress::Continue(_)) => Ok(progress),
    }
}

/// Addresses.
pub(super) fn check_address(user: &User, info: &ConnectionInfo) -> Result<(), AuthError> {
    if user.ip_rules.allows(info.peer.ip()) {
        return Ok(());
    }
    Err(AuthError::not_allowed("the address is not allowed"))
}

/// Whether a method has its turn after these, whatever else the account says of it.
pub(super) fn check_turn(
    record: &UserRecord,
    before: &[LoginMethod],
    method: LoginMethod,
) -> Result<(), AuthError> {
    if record.filters.required_login_methods.is_empty() {
        return Ok(());
    }
    let methods = [before, &[method]].concat();
    let required = &compile(record)?.required_login_methods;
    match required.progress(&methods, |_| true) {
        Progress::Nowhere => Err(out_of_turn()),
        Progress::Complete | Progress::Continue(_) => Ok(()),
    }
}

fn out_of_turn() -> AuthError {
    AuthError::not_allowed("the account asks for other login methods, or for others first")
}

/// The form that sessions use.
pub(crate) fn compile(record: &UserRecord) -> Result<Arc<User>, AuthError> {
    let user = record.compile();
    user.map(Arc::new)
        .map_err(|error| AuthError::unavailable(format!("the stored account is broken: {error}")))
}
