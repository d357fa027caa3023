//! The pre-login hook: it may change an account just before it is looked at (reference 9.4).

use sftpgo_model::{HookTarget, LoginMethod, UserRecord};
use zeroize::Zeroizing;

use super::account::{lookup_failed, not_an_account};
use super::authenticator::Authenticator;
use super::error::AuthError;
use crate::hook::Question;
use crate::registry::ConnectionInfo;

impl Authenticator {
    /// Shows the account to the hook, and stores and reads it again if it was changed.
    pub(super) async fn pre_login(
        &self,
        target: &HookTarget,
        info: &ConnectionInfo,
        method: LoginMethod,
        stored: UserRecord,
    ) -> Result<UserRecord, AuthError> {
        let question = question(info, method, &stored)?;
        let answer = self
            .core()
            .hooks
            .ask(target, question, &info.cancel)
            .await?;
        if answer.iter().all(u8::is_ascii_whitespace) {
            return Ok(stored);
        }
        let mut changed = stored.changed_by_hook(&answer).map_err(|error| {
            let error = not_an_account(&error);
            error.warn(target);
            error
        })?;
        // One account cannot become another.
        changed.username.clone_from(&stored.username);
        let known = Some(stored.password.as_str());
        changed.password = self
            .hash_given(&stored.username, &changed.password, known)
            .await?;
        let replaced = self.replace(&stored, changed).await;
        replaced.inspect_err(|error| {
            tracing::warn!(
                sender = "core",
                username = stored.username,
                %error,
                "the account as the pre-login hook changed it is not stored"
            );
        })?;
        let record = self.lookup(&stored.username).await?;
        record.ok_or_else(|| lookup_failed("the account was removed"))
    }
}

fn question(
    info: &ConnectionInfo,
    method: LoginMethod,
    stored: &UserRecord,
) -> Result<Question, AuthError> {
    let user = serde_json::to_string(stored).map(Zeroizing::new);
    let user = user.map_err(|error| AuthError::unavailable(error.to_string()))?;
    let ip = info.peer.ip().to_canonical().to_string();
    Ok(Question {
        variables: vec![
            ("SFTPGO_LOGIND_USER", user.as_str().into()),
            ("SFTPGO_LOGIND_METHOD", method.as_str().into()),
            ("SFTPGO_LOGIND_IP", ip.as_str().into()),
        ],
        body: Zeroizing::new(user.as_bytes().to_vec()),
        query: vec![("login_method", method.to_string()), ("ip", ip)],
    })
}
