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
    let denied = |method: &LoginMethod| user.denied_login_methods.contains(method);
    if proved.methods().iter().any(denied) {
        let reason = "this login method is denied to the user";
        return Err(AuthError::not_allowed(reason));
    }
    let usable = |method| offered(method) && !denied(&method);
    let progress = user
        .required_login_methods
        .progress(proved.methods(), usable);
    if progress == Progress::Nowhere {
        let reason = "the account asks for other login methods, or for others first";
        return Err(AuthError::not_allowed(reason));
    }
    let address = info.peer.ip();
    if !user.ip_rules.allows(address) {
        return Err(AuthError::not_allowed("the address is not allowed"));
    }
    proved.restrictions().check(address)?;
    Ok(progress)
}

/// The form that sessions use.
pub(crate) fn compile(record: &UserRecord) -> Result<Arc<User>, AuthError> {
    let user = record.compile();
    user.map(Arc::new)
        .map_err(|error| AuthError::unavailable(format!("the stored account is broken: {error}")))
}
