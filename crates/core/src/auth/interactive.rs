//! Keyboard-interactive: the hook asks, the client answers, round after round, and the hook says what it was worth
//! (RFC 4256, reference 9.5).
//!
//! Somebody who does not exist is asked the same questions as everybody, and fails at the end: what a hook asks must not
//! tell names. Neither must it tell passwords to somebody who could not log in with them: an account that could not be
//! logged in like that is treated as if it was not there.

use std::time::Instant;

use sftpgo_model::{LoginMethod, UserRecord};
use zeroize::Zeroizing;

use super::account::{Credential, is_name};
use super::authentication::{Answer, Attempt, Authentication};
use super::authenticator::Tried;
use super::error::{AuthError, LoginOutcome};
use super::factor::Factor;
use super::rules::{check_address, check_methods, check_usable, compile};
use super::turn::Turn;
use crate::hook::{Conversation, HookError, Opening};
use crate::registry::ConnectionInfo;
use crate::sessions::Expected;

/// Rounds of one dialogue.
const MOST_ROUNDS: usize = 32;
/// Bytes of one answer.
const LONGEST_ANSWER: usize = 4096;

/// A dialogue that waits for answers. Dropping it ends the hook.
#[derive(Debug)]
pub(super) struct Dialogue {
    conversation: Conversation,
    /// Why it will fail in the end, whatever is answered.
    doomed: Option<AuthError>,
    /// From before the account was looked up.
    expected: Expected,
    /// When the client asked for it.
    pub(super) begun: Instant,
    /// What was asked last.
    questions: Vec<String>,
    check_password: bool,
    rounds: usize,
}

impl Authentication {
    /// An attempt with keyboard-interactive: begins the dialogue.
    pub async fn interactive(&mut self, info: &ConnectionInfo, username: &str) -> Answer {
        let attempt = self.attempt(info, username, LoginMethod::KeyboardInteractive);
        match self.begin(info, username).await {
            Ok((conversation, doomed)) => {
                let dialogue = Dialogue {
                    conversation,
                    doomed,
                    expected: attempt.expected,
                    begun: attempt.tried.begun,
                    questions: Vec::new(),
                    check_password: false,
                    rounds: 0,
                };
                self.go_on(info, dialogue).await
            }
            Err(error) => self.conclude(attempt, Err(error)).await,
        }
    }

    /// Answers to the questions that were asked last.
    pub async fn answers(
        &mut self,
        info: &ConnectionInfo,
        answers: Vec<Zeroizing<String>>,
    ) -> Answer {
        let Some(mut dialogue) = self.dialogue.take() else {
            let username = self.username().to_owned();
            let attempt = self.attempt(info, &username, LoginMethod::KeyboardInteractive);
            let error = AuthError::wrong("answers to no question");
            return self.conclude(attempt, Err(error)).await;
        };
        match self.answer(info, &mut dialogue, answers).await {
            Ok(()) => self.go_on(info, dialogue).await,
            Err(error) => self.fail(info, dialogue, error).await,
        }
    }

    /// Begins a dialogue about an account, and says why it will be in vain, if it will.
    async fn begin(
        &self,
        info: &ConnectionInfo,
        username: &str,
    ) -> Result<(Conversation, Option<AuthError>), AuthError> {
        let (authenticator, core) = (self.authenticator(), self.authenticator().core());
        let Some(target) = &core.hooks.settings.keyboard_interactive else {
            return Err(AuthError::not_allowed("this login method is not offered"));
        };
        if self.is_tired_of_dialogues() {
            let reason = "too many dialogues were begun and not ended";
            return Err(AuthError::not_allowed(reason));
        }
        if !is_name(username) {
            return Err(AuthError::unknown_user());
        }
        let credential = Credential::Interactive;
        let found = authenticator.account(info, username, credential).await;
        let found = found.and_then(|found| found.ok_or_else(AuthError::unknown_user));
        let found = found.and_then(|record| self.foresee(info, &record).map(|()| record));
        let (hash, doomed) = match found {
            Ok(record) => (record.password, None),
            Err(error) => match error.outcome() {
                // Not because of the name.
                LoginOutcome::Unavailable | LoginOutcome::Abandoned => return Err(error),
                LoginOutcome::UnknownUser
                | LoginOutcome::WrongCredential
                | LoginOutcome::NotAllowed
                | LoginOutcome::LoggedIn
                | LoginOutcome::Untried => {
                    let decoy = core.hasher.decoy().await;
                    let busy = |error| AuthError::unavailable(format!("password hash: {error}"));
                    (decoy.map_err(busy)?, Some(error))
                }
            },
        };
        let opening = Opening {
            username: username.to_owned(),
            address: info.peer.ip().to_canonical(),
            hash: Zeroizing::new(hash),
        };
        let conversation = core.hooks.converse(target, opening).await?;
        Ok((conversation, doomed))
    }

    /// Whether somebody who answers well could go on.
    fn foresee(&self, info: &ConnectionInfo, record: &UserRecord) -> Result<(), AuthError> {
        check_usable(record)?;
        let user = compile(record)?;
        let methods = [self.proved().methods(), &[LoginMethod::KeyboardInteractive]].concat();
        let offered = self.authenticator().offered();
        check_methods(&user, &methods, |method| offered.contains(&method))?;
        check_address(&user, info)
    }

    /// Takes answers to the hook.
    async fn answer(
        &self,
        info: &ConnectionInfo,
        dialogue: &mut Dialogue,
        mut answers: Vec<Zeroizing<String>>,
    ) -> Result<(), AuthError> {
        let questions = std::mem::take(&mut dialogue.questions);
        if answers.len() != questions.len() {
            let reason = "another number of answers than of questions";
            return Err(AuthError::wrong(reason));
        }
        // A line break would be another answer to a program that reads lines.
        let unfit = |answer: &Zeroizing<String>| {
            answer.len() > LONGEST_ANSWER || answer.contains(['\n', '\r', '\0'])
        };
        if answers.iter().any(unfit) {
            return Err(AuthError::wrong("an answer that no hook is told"));
        }
        if dialogue.check_password
            && let Some(password) = answers.first()
        {
            self.check_answer(info, dialogue, password).await?;
            answers = vec![Zeroizing::new("OK".to_owned())];
        }
        let said = dialogue.conversation.say(questions, answers, &info.cancel);
        Ok(said.await?)
    }

    /// Whether an answer is the password of the account. Takes as long if there is none.
    async fn check_answer(
        &self,
        info: &ConnectionInfo,
        dialogue: &Dialogue,
        password: &str,
    ) -> Result<(), AuthError> {
        let (authenticator, username) = (self.authenticator(), self.username());
        let record = match dialogue.doomed {
            Some(_) => None,
            None => authenticator.lookup(username).await?,
        };
        let checked = authenticator.check_password(info, username, record.as_ref(), password);
        // Why it was in vain says more than that there is no such user.
        checked
            .await
            .map_err(|error| dialogue.doomed.clone().unwrap_or(error))
    }

    /// Hears what the hook says next.
    async fn go_on(&mut self, info: &ConnectionInfo, mut dialogue: Dialogue) -> Answer {
        match hear(info, &mut dialogue).await {
            Ok(Turn::Ask {
                challenge,
                check_password,
            }) => {
                let questions = challenge.questions.iter().map(|(text, _)| text.clone());
                dialogue.questions = questions.collect();
                dialogue.check_password = check_password;
                self.dialogue = Some(dialogue);
                Answer::Challenge(challenge)
            }
            Ok(Turn::Over(true)) => self.succeed(info, dialogue).await,
            Ok(Turn::Over(false)) => {
                dialogue.conversation.end();
                let refused = AuthError::wrong("refused by the hook");
                let error = dialogue.doomed.unwrap_or(refused);
                self.finish(info, (dialogue.expected, dialogue.begun), Err(error))
                    .await
            }
            Err(error) => {
                if let Some(target) = &self
                    .authenticator()
                    .core()
                    .hooks
                    .settings
                    .keyboard_interactive
                {
                    error.warn(target);
                }
                self.fail(info, dialogue, error.into()).await
            }
        }
    }

    async fn succeed(&mut self, info: &ConnectionInfo, dialogue: Dialogue) -> Answer {
        dialogue.conversation.end();
        let proof = match dialogue.doomed {
            Some(error) => Err(error),
            None => {
                self.authenticator()
                    .verify_interactive(self.username())
                    .await
            }
        };
        self.finish(info, (dialogue.expected, dialogue.begun), proof)
            .await
    }

    /// Ends the hook.
    async fn fail(
        &mut self,
        info: &ConnectionInfo,
        dialogue: Dialogue,
        error: AuthError,
    ) -> Answer {
        drop(dialogue.conversation);
        let gone = error.outcome() == LoginOutcome::Abandoned;
        let error = dialogue.doomed.filter(|_| !gone).unwrap_or(error);
        self.finish(info, (dialogue.expected, dialogue.begun), Err(error))
            .await
    }

    async fn finish(
        &mut self,
        info: &ConnectionInfo,
        (expected, begun): (Expected, Instant),
        proof: Result<Factor, AuthError>,
    ) -> Answer {
        let username = self.username().to_owned();
        let tried = Tried {
            info,
            username: &username,
            method: LoginMethod::KeyboardInteractive,
            begun,
        };
        let attempt = Attempt { tried, expected };
        self.conclude(attempt, proof).await
    }
}

async fn hear(info: &ConnectionInfo, dialogue: &mut Dialogue) -> Result<Turn, HookError> {
    let heard = dialogue.conversation.hear(&info.cancel).await?;
    let turn = Turn::parse(&heard).map_err(HookError::broken)?;
    if matches!(turn, Turn::Ask { .. }) {
        dialogue.rounds += 1;
        if dialogue.rounds > MOST_ROUNDS {
            return Err(HookError::broken(format!(
                "it asks more than {MOST_ROUNDS} times"
            )));
        }
    }
    Ok(turn)
}
