//! Verification of credentials: the makers of [`Factor`]s (reference 9.2, steps 2 to 5).

use std::sync::Arc;

use sftpgo_model::{PublicKey, User, UserRecord};

use super::authenticator::Authenticator;
use super::error::AuthError;
use super::factor::Factor;
use super::password::Verdict;
use super::rules::{check_usable, compile};
use crate::registry::ConnectionInfo;

impl Authenticator {
    /// Verifies a password. Takes as long for an account that is not there, or may not log in, as for a wrong password.
    pub(super) async fn verify_password(
        &self,
        info: &ConnectionInfo,
        username: &str,
        password: &str,
    ) -> Result<Factor, AuthError> {
        if password.is_empty() {
            return Err(AuthError::wrong("credentials cannot be null or empty"));
        }
        let record = self.lookup(username).await?;
        self.check_password(info, username, record.as_ref(), password)
            .await?;
        let record = record.ok_or_else(AuthError::unknown_user)?;
        Ok(Factor::password(compile(&record)?))
    }

    /// Whether it is the password of an account that is there and may log in.
    async fn check_password(
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

    /// Verifies that a key, of which the caller has verified a signature, is one of the account's.
    pub(super) async fn verify_key(
        &self,
        username: &str,
        key: &PublicKey,
    ) -> Result<Factor, AuthError> {
        let (user, comment) = self.user_with_key(username, key).await?;
        Ok(Factor::key(user, key, &comment))
    }

    /// The user whose key it is, and the comment of the stored key. Proves nothing: anybody can name a key.
    pub(super) async fn user_with_key(
        &self,
        username: &str,
        key: &PublicKey,
    ) -> Result<(Arc<User>, String), AuthError> {
        let record = self.lookup(username).await?;
        let record = record.ok_or_else(AuthError::unknown_user)?;
        check_usable(&record)?;
        for value in &record.public_keys {
            // Several in one were stored by the reference, and by hand.
            let stored = PublicKey::parse_all(value).map_err(|error| {
                AuthError::unavailable(format!("a stored public key is broken: {error}"))
            })?;
            if let Some(stored) = stored.iter().find(|stored| stored.same_key(key)) {
                return Ok((compile(&record)?, stored.comment().to_owned()));
            }
        }
        let reason = "the public key is not one of the user's";
        Err(AuthError::wrong(reason))
    }
}
