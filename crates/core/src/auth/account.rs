//! The account of an attempt, after the hooks that may make or change it (reference 9.2, step 2).

use serde_json::error::Category;
use sftpgo_model::{LoginMethod, UserRecord};
use tokio::time::Instant;

use super::authenticator::Authenticator;
use super::error::{AuthError, LoginOutcome};
use super::key::OfferedKey;
use crate::hook::HookError;
use crate::registry::ConnectionInfo;

/// What a client proves itself with, for hooks that want to see it.
#[derive(Clone, Copy)]
pub(super) enum Credential<'a> {
    Password(&'a str),
    /// Nobody has verified a signature yet.
    Key(&'a OfferedKey),
    /// What will be asked is not known yet.
    Interactive,
}

impl Credential<'_> {
    pub(super) fn method(self) -> LoginMethod {
        match self {
            Self::Password(_) => LoginMethod::Password,
            Self::Key(_) => LoginMethod::PublicKey,
            Self::Interactive => LoginMethod::KeyboardInteractive,
        }
    }
}

impl Authenticator {
    /// Asks the hooks that concern this kind of credential, then looks the account up.
    pub(super) async fn account(
        &self,
        info: &ConnectionInfo,
        username: &str,
        credential: Credential<'_>,
    ) -> Result<Option<UserRecord>, AuthError> {
        // No hook is bothered with what is no name.
        if !is_name(username) {
            return Ok(None);
        }
        let hooks = &self.core().hooks;
        let method = credential.method();
        if let Some(target) = &hooks.settings.external_auth
            && hooks.settings.external_auth_scope.contains(&method)
        {
            let made = self.external_account(target, info, username, credential);
            return made.await.map(Some);
        }
        let found = self.lookup(username).await?;
        let Some(target) = &hooks.settings.pre_login else {
            return Ok(found);
        };
        let pace = &hooks.pre_login_pace;
        match found {
            Some(record) => {
                let began = Instant::now();
                let changed = self.pre_login(target, info, method, record).await;
                let seen = changed.as_ref().err().map(AuthError::outcome);
                // How long somebody had patience says nothing of the hook.
                if seen != Some(LoginOutcome::Abandoned) {
                    pace.note(began.elapsed());
                }
                changed.map(Some)
            }
            None => {
                pace.imitate().await;
                Ok(None)
            }
        }
    }

    /// Whether hooks see this kind of credential.
    pub(super) fn has_hooks_for(&self, method: LoginMethod) -> bool {
        let settings = &self.core().hooks.settings;
        settings.pre_login.is_some()
            || settings.external_auth.is_some() && settings.external_auth_scope.contains(&method)
    }

    /// The account as it is stored.
    pub(super) async fn lookup(&self, username: &str) -> Result<Option<UserRecord>, AuthError> {
        if !is_name(username) {
            return Ok(None);
        }
        let found = self.core().provider.user_by_name(username).await;
        found.map_err(lookup_failed)
    }
}

/// Whether there can be an account of that name.
pub(super) fn is_name(username: &str) -> bool {
    (1..=255).contains(&username.len()) && !username.chars().any(char::is_control)
}

pub(super) fn lookup_failed(error: impl std::fmt::Display) -> AuthError {
    AuthError::unavailable(format!("account lookup: {error}"))
}

/// Why what a hook says is no account. The parser's own words may quote a secret.
pub(super) fn not_an_account(error: &serde_json::Error) -> HookError {
    HookError::broken(match error.classify() {
        Category::Io | Category::Syntax | Category::Eof => "what it says is no JSON",
        Category::Data => "what it says is JSON, but no user: a value has another type",
    })
}
