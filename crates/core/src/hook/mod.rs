//! Hooks of logins: programs and URLs of the operator that are asked before somebody is let in.
//!
//! Bytes go in and bytes come out; what they mean is the business of [`crate::auth`]. Whatever a hook does, an attempt ends
//! within [`LoginHooks::limit`], and a bounded number of hooks runs at a time.
//!
//! Actions ([`crate::action`]) run programs and ask URLs by what is here, too.
//!
//! - `Hooks::ask` puts one question: `program` runs, or `http` posts;
//! - `Hooks::converse` begins a `Conversation` of several rounds;
//! - `places` bounds how many of either there are; `errors` brings what programs say on stderr into the log;
//! - `pace` remembers how long questions take.

mod conversation;
mod error;
mod errors;
mod http;
mod pace;
mod places;
pub(crate) mod program;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::time::Duration;

use sftpgo_model::{HookTarget, LoginMethod};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

pub(crate) use conversation::{Conversation, Opening};
pub(crate) use error::{HookError, HookErrorKind};
pub(crate) use http::HttpClient;
pub(crate) use pace::Pace;
use places::Dialogues;
pub(crate) use places::Questions;

/// Bytes that a hook may answer to one question.
const MOST_ANSWERED: usize = 1 << 20;

/// The hooks of logins, and what they may take.
#[derive(Debug, Clone)]
pub struct LoginHooks {
    /// Decides about logins instead of us.
    pub external_auth: Option<HookTarget>,
    /// The methods that it decides about.
    pub external_auth_scope: Vec<LoginMethod>,
    /// May change an account before it is looked at.
    pub pre_login: Option<HookTarget>,
    /// Leads the dialogue of keyboard-interactive; without it that method is not offered.
    pub keyboard_interactive: Option<HookTarget>,
    /// How long a question, or a whole dialogue, may take; waiting for its turn included (reference C).
    pub limit: Duration,
}

impl Default for LoginHooks {
    fn default() -> Self {
        Self {
            external_auth: None,
            external_auth_scope: LoginMethod::ALL.into(),
            pre_login: None,
            keyboard_interactive: None,
            limit: Duration::from_secs(60),
        }
    }
}

/// What a hook is asked. No `Debug`: there are passwords in it.
pub(crate) struct Question {
    /// What a program finds in its environment, beside that of the server.
    pub(crate) variables: Vec<(&'static str, OsString)>,
    /// What a URL is sent.
    pub(crate) body: Zeroizing<Vec<u8>>,
    /// What is added to the query of a URL.
    pub(crate) query: Vec<(&'static str, String)>,
}

/// Runs hooks.
#[derive(Debug)]
pub(crate) struct Hooks {
    pub(crate) settings: LoginHooks,
    /// How long pre-login hooks took.
    pub(crate) pre_login_pace: Pace,
    questions: Questions,
    dialogues: Dialogues,
    client: HttpClient,
}

impl Hooks {
    pub(crate) fn new(settings: LoginHooks, client: HttpClient) -> Self {
        Self {
            settings,
            pre_login_pace: Pace::default(),
            questions: Questions::default(),
            dialogues: Dialogues::default(),
            client,
        }
    }

    /// Whether any hook may be asked.
    pub(crate) fn are_there(&self) -> bool {
        let settings = &self.settings;
        settings.external_auth.is_some()
            || settings.pre_login.is_some()
            || settings.keyboard_interactive.is_some()
    }

    /// Puts a question and gives the whole answer, which is empty if there is nothing to say. Ends early, with the program,
    /// when the connection is `cancel`led or the caller goes away.
    pub(crate) async fn ask(
        &self,
        target: &HookTarget,
        question: Question,
        cancel: &CancellationToken,
    ) -> Result<Zeroizing<Vec<u8>>, HookError> {
        let began = Instant::now();
        let work = async {
            let _place = self.questions.take().await?;
            match target {
                HookTarget::Program(path) => program::ask(path, question.variables).await,
                HookTarget::Url(url) => {
                    let query: Vec<_> = borrowed(&question.query).collect();
                    self.client.post(url, &query, question.body).await
                }
            }
        };
        let answer = self.bounded(began, work, cancel).await;
        tracing::debug!(
            sender = "core",
            hook = %target,
            elapsed_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            answered = answer.is_ok(),
            "hook asked"
        );
        answer.inspect_err(|error| error.warn(target))
    }

    /// Begins a dialogue.
    pub(crate) async fn converse(
        &self,
        target: &HookTarget,
        opening: Opening,
    ) -> Result<Conversation, HookError> {
        let deadline = Instant::now() + self.settings.limit;
        let began = async {
            let place = self.dialogues.take(opening.address)?;
            Conversation::begin(target, opening, &self.client, place, deadline).await
        };
        began.await.inspect_err(|error| error.warn(target))
    }

    async fn bounded<T>(
        &self,
        began: Instant,
        work: impl Future<Output = Result<T, HookError>>,
        cancel: &CancellationToken,
    ) -> Result<T, HookError> {
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(HookError::gone()),
            done = timeout_at(began + self.settings.limit, work) => {
                done.unwrap_or_else(|_| Err(HookError::too_slow()))
            }
        }
    }
}

fn borrowed<'a>(
    pairs: &'a [(&'static str, String)],
) -> impl Iterator<Item = (&'static str, &'a str)> {
    pairs.iter().map(|(name, value)| (*name, value.as_str()))
}
