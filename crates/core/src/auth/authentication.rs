//! [`Authentication`]: from nothing to a [`Login`], on one connection. Methods may have to be proved one after the other.

use std::sync::Arc;

use sftpgo_model::{LoginMethod, Progress, UnixMillis, User};

use super::authenticator::{Authenticator, Tried};
use super::error::AuthError;
use super::factor::{Factor, Proved};
use super::interactive::Dialogue;
use super::key::{KeyError, OfferedKey, VerifiedKey};
use super::login::Login;
use super::rules::check_restrictions;
use super::verify::KeyHooks;
use crate::registry::ConnectionInfo;
use crate::sessions::{Expected, SessionSlot};

/// Keys of a connection for which hooks are not asked again (reference 9.1).
const MOST_KNOWN_KEYS: usize = 16;
/// Dialogues that a connection may begin and not end.
const MOST_ABANDONED: u32 = 3;

/// What became of an attempt.
#[derive(Debug)]
pub enum Answer {
    /// Somebody is logged in.
    LoggedIn(Login),
    /// The client is to answer this first.
    Challenge(Challenge),
    /// Nobody is; the client may go on.
    Refused(Refused),
}

/// Questions of a keyboard-interactive dialogue (RFC 4256 section 3.2); at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// Shown before the questions.
    pub instruction: String,
    /// Each with whether its answer may be shown while it is typed.
    pub questions: Vec<(String, bool)>,
}

/// What a client hears that is not logged in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Refused {
    /// What it may try next.
    pub methods: Vec<LoginMethod>,
    /// Whether it proved one of several methods (RFC 4252 section 5.1).
    pub partial: bool,
}

/// What was proved on a connection so far, and of whom.
///
/// All of it is of one name: an attempt with another one starts from nothing (RFC 4252 section 5).
#[derive(Debug)]
pub struct Authentication {
    authenticator: Authenticator,
    username: String,
    /// In the order of their proofs; all for one account. Empty again once somebody is logged in.
    factors: Vec<Factor>,
    /// Hashes of keys, and of certificates, of which hooks have said that they may be used by that name.
    known_keys: Vec<[u8; 32]>,
    /// Questions that wait for their answers.
    pub(super) dialogue: Option<Dialogue>,
    /// Dialogues that the client did not answer to their end.
    abandoned: u32,
}

/// An attempt under way.
pub(super) struct Attempt<'a> {
    pub(super) tried: Tried<'a>,
    /// From before the account is looked up.
    pub(super) expected: Expected,
}

/// What a proof led to.
enum Advance {
    Complete(Login),
    Partial,
}

impl Authentication {
    pub(super) fn new(authenticator: Authenticator) -> Self {
        Self {
            authenticator,
            username: String::new(),
            factors: Vec::new(),
            known_keys: Vec::new(),
            dialogue: None,
            abandoned: 0,
        }
    }

    /// An attempt that is refused without a look.
    pub fn refuse(&mut self, info: &ConnectionInfo, username: &str) -> Refused {
        self.turn_to(info, username);
        self.refused()
    }

    /// An attempt with a password.
    pub async fn password(
        &mut self,
        info: &ConnectionInfo,
        username: &str,
        password: &str,
    ) -> Answer {
        let attempt = self.attempt(info, username, LoginMethod::Password);
        let before = self.proved();
        let proof = self
            .authenticator
            .verify_password(info, username, password, before.methods())
            .await;
        self.conclude(attempt, proof).await
    }

    /// Whether a signature of `key` would be accepted. Nothing is proved by that, and nobody is logged in.
    ///
    /// # Errors
    /// It would not be.
    pub async fn may_use_key(
        &mut self,
        info: &ConnectionInfo,
        username: &str,
        key: &OfferedKey,
    ) -> Result<(), Refused> {
        self.turn_to(info, username);
        let method = LoginMethod::PublicKey;
        let tried = Tried::now(info, username, method);
        let hooks = self.hooks_for(key);
        let result = async {
            key.check_question()?;
            let authenticator = &self.authenticator;
            let found = authenticator.user_with_key(info, username, key, hooks);
            let (user, grant) = found.await?;
            let proved = self.proved().with(method, &grant.restrictions);
            self.check(&user, info, &proved)
        };
        match result.await {
            Ok(_) => {
                self.know(key);
                Ok(())
            }
            Err(error) => {
                self.authenticator.failed(&tried, &error);
                Err(self.refused())
            }
        }
    }

    /// An attempt with a key that logs nobody in, whoever asks: of a kind that is not accepted, or with a wrong signature.
    pub fn refuse_key(
        &mut self,
        info: &ConnectionInfo,
        username: &str,
        error: KeyError,
    ) -> Refused {
        self.turn_to(info, username);
        let tried = Tried::now(info, username, LoginMethod::PublicKey);
        self.authenticator.failed(&tried, &error.into());
        self.refused()
    }

    /// An attempt with a key. The signature was one over this connection's session id, for this name and service; nothing
    /// that was asked before about another key counts.
    pub async fn verified_key(
        &mut self,
        info: &ConnectionInfo,
        username: &str,
        key: &VerifiedKey,
    ) -> Answer {
        let attempt = self.attempt(info, username, LoginMethod::PublicKey);
        let hooks = self.hooks_for(key.offered());
        let proof = self
            .authenticator
            .verify_key(info, username, key, hooks)
            .await;
        self.conclude(attempt, proof).await
    }

    /// Notes that hooks have nothing against a key of this name (reference 9.1).
    fn know(&mut self, key: &OfferedKey) {
        let asked = self.authenticator.has_hooks_for(LoginMethod::PublicKey);
        if asked && self.known_keys.len() < MOST_KNOWN_KEYS && self.hooks_for(key) == KeyHooks::Ask
        {
            self.known_keys.push(key.digest());
        }
    }

    fn hooks_for(&self, key: &OfferedKey) -> KeyHooks {
        if !self.known_keys.is_empty() && self.known_keys.contains(&key.digest()) {
            KeyHooks::Asked
        } else {
            KeyHooks::Ask
        }
    }

    pub(super) fn attempt<'a>(
        &mut self,
        info: &'a ConnectionInfo,
        username: &'a str,
        method: LoginMethod,
    ) -> Attempt<'a> {
        self.turn_to(info, username);
        Attempt {
            tried: Tried::now(info, username, method),
            expected: self.authenticator.core().live.expect(username),
        }
    }

    /// Every attempt begins here: what was proved of another name is nothing any more, and a dialogue that was not brought
    /// to its end has failed (RFC 4256 section 3.1).
    fn turn_to(&mut self, info: &ConnectionInfo, username: &str) {
        if let Some(dialogue) = self.dialogue.take() {
            self.abandoned = self.abandoned.saturating_add(1);
            let error = AuthError::wrong("the questions were not answered");
            let tried = Tried {
                info,
                username: &self.username,
                method: LoginMethod::KeyboardInteractive,
                begun: dialogue.begun,
            };
            self.authenticator.failed(&tried, &error);
        }
        if self.username != username {
            username.clone_into(&mut self.username);
            self.factors.clear();
            self.known_keys.clear();
        }
    }

    /// Whether the client has begun too many dialogues to begin another one: each takes a hook, and none of them counts as
    /// an attempt that was refused.
    pub(super) fn is_tired_of_dialogues(&self) -> bool {
        self.abandoned >= MOST_ABANDONED
    }

    pub(super) fn authenticator(&self) -> &Authenticator {
        &self.authenticator
    }

    /// The name that the last attempt was about.
    pub(super) fn username(&self) -> &str {
        &self.username
    }

    pub(super) fn proved(&self) -> Proved {
        Proved::of(&self.factors)
    }

    fn check(
        &self,
        user: &User,
        info: &ConnectionInfo,
        proved: &Proved,
    ) -> Result<Progress, AuthError> {
        let offered = self.authenticator.offered();
        check_restrictions(user, info, proved, |method| offered.contains(&method))
    }

    /// What a client hears that proved nothing just now. Before the first proof that is the same for every name.
    fn refused(&self) -> Refused {
        let offered = self.authenticator.offered();
        let methods = match self.factors.last() {
            None => offered,
            Some(last) => {
                let user = last.user();
                let usable = |method| {
                    offered.contains(&method) && !user.denied_login_methods.contains(&method)
                };
                let required = &user.required_login_methods;
                match required.progress(self.proved().methods(), usable) {
                    Progress::Continue(methods) => methods,
                    Progress::Complete | Progress::Nowhere => Vec::new(),
                }
            }
        };
        let partial = false;
        Refused { methods, partial }
    }

    pub(super) async fn conclude(
        &mut self,
        attempt: Attempt<'_>,
        proof: Result<Factor, AuthError>,
    ) -> Answer {
        let Attempt { tried, expected } = attempt;
        let advanced = match proof {
            Ok(factor) => self.advance(tried.info, expected, factor).await,
            Err(error) => Err(error),
        };
        match advanced {
            Ok(Advance::Complete(login)) => {
                self.authenticator.succeeded(&tried);
                Answer::LoggedIn(login)
            }
            Ok(Advance::Partial) => Answer::Refused(Refused {
                partial: true,
                ..self.refused()
            }),
            Err(error) => {
                self.authenticator.failed(&tried, &error);
                Answer::Refused(self.refused())
            }
        }
    }

    /// One proof more: home, sessions, methods, address (reference 9.2, steps 6 to 9).
    async fn advance(
        &mut self,
        info: &ConnectionInfo,
        expected: Expected,
        factor: Factor,
    ) -> Result<Advance, AuthError> {
        let user = Arc::clone(factor.user());
        // An account that was removed and made anew is another one, whatever its name.
        if self
            .factors
            .iter()
            .any(|earlier| earlier.user().id != user.id)
        {
            self.factors.clear();
        }
        if self.factors.iter().any(|earlier| earlier.same_key(&factor)) {
            return Err(AuthError::wrong("this key has been proved before"));
        }
        let (sessions, limit) = (&self.authenticator.core().sessions, user.max_sessions);
        if sessions.is_full(&user.username, limit) {
            return Err(AuthError::not_allowed("too many open sessions"));
        }
        // Before other servers are told of a session.
        let proved = Proved::of(self.factors.iter().chain([&factor]));
        if self.check(&user, info, &proved)? != Progress::Complete {
            tracing::debug!(
                sender = "core",
                connection_id = %info.id,
                username = user.username,
                "proved with {}, more is asked for", factor.describe()
            );
            self.factors.push(factor);
            return Ok(Advance::Partial);
        }
        let slot = sessions.take(&user.username, limit).await;
        let slot = slot.map_err(AuthError::from)?;
        let how: Vec<_> = self
            .factors
            .iter()
            .chain([&factor])
            .map(Factor::describe)
            .collect();
        let complete = Complete {
            user,
            proved,
            slot,
            how: how.join(" and "),
        };
        let login = self.log_in(info, expected, complete).await?;
        self.factors.clear();
        Ok(Advance::Complete(login))
    }

    async fn log_in(
        &self,
        info: &ConnectionInfo,
        expected: Expected,
        complete: Complete,
    ) -> Result<Login, AuthError> {
        let core = self.authenticator.core();
        let Complete {
            user,
            proved,
            slot,
            how,
        } = complete;
        tracing::info!(
            sender = "core",
            connection_id = %info.id,
            "user id: {}, logged in with: {how}, username: {:?}, home_dir: {:?}, remote addr: {}",
            user.id, user.username, user.home_dir, info.peer,
        );
        if core.settings.manage_users {
            let written = core
                .provider
                .set_last_login(&user.username, UnixMillis::now())
                .await;
            if let Err(error) = written {
                tracing::warn!(connection_id = %info.id, %error, "the last login was not written");
            }
        }
        let (live, stale) = expected.enter(user, info.clone(), proved, slot);
        if stale && let Err(error) = core.review(live.username()).await {
            // Nobody knows whether it may go on.
            return Err(AuthError::unavailable(format!("account lookup: {error}")));
        }
        Ok(Login::new(live, info.clone()))
    }
}

/// Everything that a login needs.
struct Complete {
    user: Arc<User>,
    proved: Proved,
    slot: Arc<SessionSlot>,
    /// What the log says.
    how: String,
}
