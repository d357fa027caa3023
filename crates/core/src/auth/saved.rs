//! Storing what hooks make of accounts. An account that stays as it is, is not written: a write tells every server to look
//! at it again, and a hook may say the same at each login.

use sftpgo_model::UserRecord;

use super::authenticator::Authenticator;
use super::error::AuthError;
use super::password::{Verdict, is_recognised_hash};
use crate::admin::{AccountDirectories, prepared_over};

impl Authenticator {
    /// Replaces what is stored of an account, but for what the server keeps. `manage_users` does not hold for it.
    pub(super) async fn replace(
        &self,
        stored: &UserRecord,
        record: UserRecord,
    ) -> Result<(), AuthError> {
        let record = UserRecord {
            id: stored.id,
            used_quota_size: stored.used_quota_size,
            used_quota_files: stored.used_quota_files,
            last_quota_update: stored.last_quota_update,
            last_login: stored.last_login,
            ..record
        };
        // A secret that is the stored one must not be sealed anew: the account would be another one each time.
        let prepared = self.prepare(Some(stored), record).await?;
        if prepared == *stored {
            return Ok(());
        }
        let updated = self.core().provider.update_user(&prepared).await;
        updated.map_err(|error| AuthError::unavailable(format!("account: {error}")))
    }

    /// The form that is stored, in place of `stored`.
    pub(super) async fn prepare(
        &self,
        stored: Option<&UserRecord>,
        record: UserRecord,
    ) -> Result<UserRecord, AuthError> {
        let core = self.core();
        let directories = AccountDirectories::of(&core.settings);
        prepared_over(stored, record, &directories, &core.hasher)
            .await
            .map_err(|error| AuthError::unavailable(error.to_string()))
    }

    /// The hash of a password that a hook gives, which may be a hash already.
    pub(super) async fn hash_given(
        &self,
        username: &str,
        given: &str,
        stored: Option<&str>,
    ) -> Result<String, AuthError> {
        if given.is_empty() || is_recognised_hash(given) {
            return Ok(given.to_owned());
        }
        self.hash(username, given, stored).await
    }

    /// The hash of a password: the stored one, if it is of the same.
    pub(super) async fn hash(
        &self,
        username: &str,
        password: &str,
        stored: Option<&str>,
    ) -> Result<String, AuthError> {
        let busy = |error| AuthError::unavailable(format!("password hash: {error}"));
        let core = self.core();
        if let Some(stored) = stored.filter(|stored| is_recognised_hash(stored)) {
            let checked = core.passwords.check(username, password, Some(stored)).await;
            if checked.map_err(busy)? == Verdict::Matches {
                return Ok(stored.to_owned());
            }
        }
        core.hasher.hash(password).await.map_err(busy)
    }
}
