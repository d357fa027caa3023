//! The checks of one login attempt, in the order of reference 9.2.

use std::fmt;
use std::sync::Arc;

use sftpgo_model::{LoginMethod, PublicKey, UnixMillis, User, UserRecord};

use super::login::Login;
use super::password::Verdict;
use crate::engine::Core;
use crate::registry::{ConnectionInfo, SessionSlot};

/// Why an attempt failed: for the log only. Clients see one and the same refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthError(String);

impl AuthError {
    fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl fmt::Display for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for AuthError {}

/// Evaluates credentials.
#[derive(Debug, Clone)]
pub struct Authenticator {
    core: Arc<Core>,
}

impl Authenticator {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// A password login.
    pub async fn password(
        &self,
        info: &ConnectionInfo,
        username: &str,
        password: &str,
    ) -> Result<Login, AuthError> {
        let result = self.check_password(info, username, password).await;
        self.conclude(info, username, LoginMethod::Password, result, None)
            .await
    }

    /// Whether a signature of `key` would be accepted: every check but the count of sessions. Nothing is logged in.
    pub async fn may_use_key(
        &self,
        info: &ConnectionInfo,
        username: &str,
        key: &PublicKey,
    ) -> Result<(), AuthError> {
        let result = async {
            let (user, _) = self.user_with_key(username, key).await?;
            check_restrictions(&user, info, LoginMethod::PublicKey)
        };
        result.await.inspect_err(|error| {
            self.core
                .metrics()
                .record_login(LoginMethod::PublicKey, false);
            log_failure(info, username, LoginMethod::PublicKey.as_str(), error);
        })
    }

    /// A public key login. The caller has verified a signature made with `key` over this connection's session id; nothing
    /// that was asked before about another key counts.
    pub async fn verified_key(
        &self,
        info: &ConnectionInfo,
        username: &str,
        key: &PublicKey,
    ) -> Result<Login, AuthError> {
        let (result, comment) = match self.user_with_key(username, key).await {
            Ok((user, comment)) => (
                self.take_session(user, info, LoginMethod::PublicKey),
                Some(comment),
            ),
            Err(error) => (Err(error), None),
        };
        let detail = comment.map(|comment| format!("{}:{comment}", key.fingerprint()));
        self.conclude(info, username, LoginMethod::PublicKey, result, detail)
            .await
    }

    /// Writes the log line of a connection that failed before any credential was evaluated.
    pub fn log_untried(&self, info: &ConnectionInfo, error: &dyn fmt::Display) {
        // Sic: log filters of existing installations look for this spelling.
        log_failure(info, "", "no_auth_tryed", error);
    }

    async fn check_password(
        &self,
        info: &ConnectionInfo,
        username: &str,
        password: &str,
    ) -> Result<(Arc<User>, SessionSlot), AuthError> {
        if password.is_empty() {
            return Err(AuthError::new("credentials cannot be null or empty"));
        }
        let hasher = &self.core.hasher;
        let busy = |error| AuthError::new(format!("password check: {error}"));
        let Some(record) = self.lookup(username).await? else {
            hasher.verify_decoy(password).await.map_err(busy)?;
            return Err(AuthError::new("no such user"));
        };
        if let Err(refused) = check_usable(&record) {
            // The same time as a wrong password, so that nobody learns which accounts exist.
            hasher.verify_decoy(password).await.map_err(busy)?;
            return Err(refused);
        }
        let verdict = if record.password.is_empty() {
            hasher.verify_decoy(password).await
        } else {
            hasher.verify(password, &record.password).await
        };
        match verdict.map_err(busy)? {
            Verdict::Matches => {}
            Verdict::Differs => return Err(AuthError::new("invalid password")),
            Verdict::Unusable(reason) => {
                tracing::warn!(
                    sender = "core",
                    connection_id = %info.id,
                    username,
                    "the stored password hash cannot be used: {reason}; set the password again"
                );
                return Err(AuthError::new("the stored password hash cannot be used"));
            }
        }
        self.take_session(compile(&record)?, info, LoginMethod::Password)
    }

    /// The user whose key it is, and the comment of the stored key.
    async fn user_with_key(
        &self,
        username: &str,
        key: &PublicKey,
    ) -> Result<(Arc<User>, String), AuthError> {
        let record = self
            .lookup(username)
            .await?
            .ok_or_else(|| AuthError::new("no such user"))?;
        check_usable(&record)?;
        for line in &record.public_keys {
            let stored = PublicKey::parse(line).map_err(|error| {
                AuthError::new(format!("a stored public key is broken: {error}"))
            })?;
            if stored.same_key(key) {
                return Ok((compile(&record)?, stored.comment().to_owned()));
            }
        }
        Err(AuthError::new("the public key is not one of the user's"))
    }

    async fn lookup(&self, username: &str) -> Result<Option<UserRecord>, AuthError> {
        if username.is_empty() || username.len() > 255 || username.chars().any(char::is_control) {
            return Ok(None);
        }
        let found = self.core.provider.user_by_name(username).await;
        found.map_err(|error| AuthError::new(format!("account lookup: {error}")))
    }

    fn take_session(
        &self,
        user: Arc<User>,
        info: &ConnectionInfo,
        method: LoginMethod,
    ) -> Result<(Arc<User>, SessionSlot), AuthError> {
        let slot = self
            .core
            .registry()
            .take_slot(&user.username, user.max_sessions)
            .ok_or_else(|| AuthError::new("too many open sessions"))?;
        check_restrictions(&user, info, method)?;
        Ok((user, slot))
    }

    async fn conclude(
        &self,
        info: &ConnectionInfo,
        username: &str,
        method: LoginMethod,
        result: Result<(Arc<User>, SessionSlot), AuthError>,
        detail: Option<String>,
    ) -> Result<Login, AuthError> {
        self.core.metrics().record_login(method, result.is_ok());
        let (user, slot) =
            result.inspect_err(|error| log_failure(info, username, method.as_str(), error))?;
        let how = detail.map_or_else(
            || method.to_string(),
            |detail| format!("{method}: {detail}"),
        );
        tracing::info!(
            sender = "core",
            connection_id = %info.id,
            "user id: {}, logged in with: {how}, username: {:?}, home_dir: {:?}, remote addr: {}",
            user.id, user.username, user.home_dir, info.peer,
        );
        if self.core.settings.manage_users {
            let written = self
                .core
                .provider
                .set_last_login(&user.username, UnixMillis::now())
                .await;
            if let Err(error) = written {
                tracing::warn!(connection_id = %info.id, %error, "the last login was not written");
            }
        }
        Ok(Login::new(user, info.clone(), method, slot))
    }
}

/// Status and expiration (steps 3 and 4).
fn check_usable(record: &UserRecord) -> Result<(), AuthError> {
    if record.status < 1 {
        return Err(AuthError::new("the user is disabled"));
    }
    if record.expiration_date > 0 && record.expiration_date < UnixMillis::now().0 {
        return Err(AuthError::new("the account has expired"));
    }
    Ok(())
}

/// Denied methods and addresses (steps 8 and 9).
fn check_restrictions(
    user: &User,
    info: &ConnectionInfo,
    method: LoginMethod,
) -> Result<(), AuthError> {
    if user.denied_login_methods.contains(&method) {
        return Err(AuthError::new("this login method is denied to the user"));
    }
    if !user.ip_rules.allows(info.peer.ip()) {
        return Err(AuthError::new("the address is not allowed"));
    }
    Ok(())
}

fn compile(record: &UserRecord) -> Result<Arc<User>, AuthError> {
    let user = record.compile();
    user.map(Arc::new)
        .map_err(|error| AuthError::new(format!("the stored account is broken: {error}")))
}

/// The line that ban tools such as fail2ban read; field order is part of the interface (reference 14.5).
fn log_failure(info: &ConnectionInfo, username: &str, login_type: &str, error: &dyn fmt::Display) {
    tracing::debug!(
        sender = "connection_failed",
        client_ip = %info.peer.ip().to_canonical(),
        username,
        login_type,
        error = %error,
    );
}
