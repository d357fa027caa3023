//! Verification of credentials: the makers of [`Factor`]s (reference 9.2, steps 2 to 5).

use std::sync::Arc;

use sftpgo_model::{LoginMethod, User, UserRecord};

use super::account::Credential;
use super::authenticator::Authenticator;
use super::error::AuthError;
use super::factor::Factor;
use super::key::{Grant, Granting, OfferedKey, VerifiedKey};
use super::password::Verdict;
use super::rules::{check_turn, check_usable, compile};
use crate::registry::ConnectionInfo;

impl Authenticator {
    /// Verifies a password that is given after these methods were proved. Takes as long for an account that is not there, or
    /// may not log in, as for a wrong password.
    pub(super) async fn verify_password(
        &self,
        info: &ConnectionInfo,
        username: &str,
        password: &str,
        before: &[LoginMethod],
    ) -> Result<Factor, AuthError> {
        if password.is_empty() {
            return Err(AuthError::wrong("credentials cannot be null or empty"));
        }
        let credential = Credential::Password(password);
        let record = self.account(info, username, credential).await?;
        // One that would lead nowhere is not looked at: nobody learns what it is who could not use it.
        let turn = record.as_ref().map_or(Ok(()), |record| {
            check_usable(record)?;
            check_turn(record, before, LoginMethod::Password)
        });
        let looked_at = record.as_ref().filter(|_| turn.is_ok());
        let checked = self.check_password(info, username, looked_at, password);
        let checked = checked.await;
        turn.and(checked)?;
        let record = record.ok_or_else(AuthError::unknown_user)?;
        Ok(Factor::password(compile(&record)?))
    }

    /// Whether it is the password of an account that is there and may log in.
    pub(super) async fn check_password(
        &self,
        info: &ConnectionInfo,
        username: &str,
        record: Option<&UserRecord>,
        password: &str,
    ) -> Result<(), AuthError> {
        let check = |stored| self.core().passwords.check(username, password, stored);
        let busy = |error| AuthError::unavailable(format!("password check: {error}"));
        let usable = record.ok_or_else(AuthError::unknown_user);
        let usable = usable.and_then(|record| check_usable(record).map(|()| record));
        let record = match usable {
            Ok(record) => record,
            Err(refused) => {
                // The same time as a wrong password, so that nobody learns which accounts exist.
                check(None).await.map_err(busy)?;
                return Err(refused);
            }
        };
        let stored = Some(record.password.as_str()).filter(|stored| !stored.is_empty());
        match check(stored).await.map_err(busy)? {
            Verdict::Matches => Ok(()),
            Verdict::Differs => Err(AuthError::wrong("invalid password")),
            Verdict::Unusable(reason) => {
                tracing::warn!(
                    sender = "core",
                    connection_id = %info.id,
                    username,
                    "the stored password hash cannot be used: {reason}; set the password again"
                );
                let reason = "the stored password hash cannot be used";
                Err(AuthError::wrong(reason))
            }
        }
    }

    /// Verifies that the account lets this key in, and that its signature shows what it has to.
    pub(super) async fn verify_key(
        &self,
        info: &ConnectionInfo,
        username: &str,
        key: &VerifiedKey,
        hooks: KeyHooks,
    ) -> Result<Factor, AuthError> {
        let offered = key.offered();
        let (user, grant) = self.user_with_key(info, username, offered, hooks).await?;
        grant.check_touch(key)?;
        Ok(Factor::key(user, key, grant))
    }

    /// The user whom the key would log in, and on what terms. Proves nothing: anybody can name a key.
    pub(super) async fn user_with_key(
        &self,
        info: &ConnectionInfo,
        username: &str,
        key: &OfferedKey,
        hooks: KeyHooks,
    ) -> Result<(Arc<User>, Grant), AuthError> {
        let record = match hooks {
            KeyHooks::Ask => self.account(info, username, Credential::Key(key)).await?,
            KeyHooks::Asked => self.lookup(username).await?,
        };
        let record = record.ok_or_else(AuthError::unknown_user)?;
        check_usable(&record)?;
        let granting = Granting::new(&self.core().keys, info.peer.ip(), self.commands());
        let grant = granting.grant(&record, key)?;
        Ok((compile(&record)?, grant))
    }

    /// Takes a hook's word that somebody answered well. The account is looked up again: it may have been a minute.
    pub(super) async fn verify_interactive(&self, username: &str) -> Result<Factor, AuthError> {
        let record = self.lookup(username).await?;
        let record = record.ok_or_else(AuthError::unknown_user)?;
        check_usable(&record)?;
        Ok(Factor::interactive(compile(&record)?))
    }
}

/// Whether hooks have to be asked about a key, or said yes before, on this connection: a client asks about a key, and then
/// signs with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyHooks {
    Ask,
    Asked,
}
