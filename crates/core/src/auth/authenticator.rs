//! The checks of one login attempt, in the order of reference 9.2.

use std::fmt;
use std::sync::Arc;

use sftpgo_model::{LoginMethod, PublicKey, UnixMillis, User, UserRecord};

use super::login::Login;
use super::password::Verdict;
use crate::engine::Core;
use crate::registry::ConnectionInfo;
use crate::sessions::{Expected, SessionSlot};

/// Why an attempt failed: for the log only. Clients see one and the same refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthError(String);

impl AuthError {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
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
        let expected = self.core.live.expect(username);
        let result = self.check_password(info, username, password).await;
        let attempt = Attempt {
            info,
            method: LoginMethod::Password,
            expected,
            detail: None,
        };
        self.conclude(attempt, username, result).await
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
        let expected = self.core.live.expect(username);
        let method = LoginMethod::PublicKey;
        let (result, comment) = match self.user_with_key(username, key).await {
            Ok((user, comment)) => (self.take_session(user, info, method).await, Some(comment)),
            Err(error) => (Err(error), None),
        };
        let detail = comment.map(|comment| format!("{}:{comment}", key.fingerprint()));
        let attempt = Attempt {
            info,
            method,
            expected,
            detail,
        };
        self.conclude(attempt, username, result).await
    }

    /// Drops what is known of the logins of an account that changed. A login is checked against what is stored then in any
    /// case; this only keeps less in memory.
    pub fn forget(&self, username: &str) {
        self.core.passwords.forget(username);
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
    ) -> Result<(Arc<User>, Arc<SessionSlot>), AuthError> {
        if password.is_empty() {
            return Err(AuthError::new("credentials cannot be null or empty"));
        }
        let check = |stored| self.core.passwords.check(username, password, stored);
        let busy = |error| AuthError::new(format!("password check: {error}"));
        let Some(record) = self.lookup(username).await? else {
            check(None).await.map_err(busy)?;
            return Err(AuthError::new("no such user"));
        };
        if let Err(refused) = check_usable(&record) {
            // The same time as a wrong password, so that nobody learns which accounts exist.
            check(None).await.map_err(busy)?;
            return Err(refused);
        }
        let stored = Some(record.password.as_str()).filter(|stored| !stored.is_empty());
        match check(stored).await.map_err(busy)? {
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
            .await
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
        for value in &record.public_keys {
            // Several in one were stored by the reference, and by hand.
            let stored = PublicKey::parse_all(value).map_err(|error| {
                AuthError::new(format!("a stored public key is broken: {error}"))
            })?;
            if let Some(stored) = stored.iter().find(|stored| stored.same_key(key)) {
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

    async fn take_session(
        &self,
        user: Arc<User>,
        info: &ConnectionInfo,
        method: LoginMethod,
    ) -> Result<(Arc<User>, Arc<SessionSlot>), AuthError> {
        let (sessions, limit) = (&self.core.sessions, user.max_sessions);
        if sessions.is_full(&user.username, limit) {
            return Err(AuthError::new("too many open sessions"));
        }
        // Before other servers are told of a session.
        check_restrictions(&user, info, method)?;
        let slot = sessions.take(&user.username, limit).await;
        let slot = slot.map_err(|refused| AuthError::new(refused.to_string()))?;
        Ok((user, slot))
    }

    async fn conclude(
        &self,
        attempt: Attempt<'_>,
        username: &str,
        result: Result<(Arc<User>, Arc<SessionSlot>), AuthError>,
    ) -> Result<Login, AuthError> {
        let Attempt {
            info,
            method,
            expected,
            detail,
        } = attempt;
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
        let (live, stale) = expected.enter(user, info.clone(), method, slot);
        if stale && let Err(error) = self.core.review(live.username()).await {
            // Nobody knows whether it may go on.
            let error = AuthError::new(format!("account lookup: {error}"));
            log_failure(info, username, method.as_str(), &error);
            return Err(error);
        }
        Ok(Login::new(live, info.clone()))
    }
}

/// What a login comes from, beside the account.
struct Attempt<'a> {
    info: &'a ConnectionInfo,
    method: LoginMethod,
    expected: Expected,
    /// What the log says beside the method.
    detail: Option<String>,
}

/// Status and expiration (steps 3 and 4).
pub(crate) fn check_usable(record: &UserRecord) -> Result<(), AuthError> {
    if record.status < 1 {
        return Err(AuthError::new("the user is disabled"));
    }
    if record.expiration_date > 0 && record.expiration_date < UnixMillis::now().0 {
        return Err(AuthError::new("the account has expired"));
    }
    Ok(())
}

/// Denied methods and addresses (steps 8 and 9).
pub(crate) fn check_restrictions(
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

pub(crate) fn compile(record: &UserRecord) -> Result<Arc<User>, AuthError> {
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
