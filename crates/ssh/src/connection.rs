//! One SSH connection: who is logged in, and what runs in its channels.

use std::sync::Arc;

use async_trait::async_trait;
use sftpgo_core::auth::{
    Answer, Authentication, KeyError, Login, OfferedKey, Refused, VerifiedKey,
};
use sftpgo_core::model::Protocol;
use sftpgo_core::{ConnectionInfo, Core, Session};
use tokio_util::task::TaskTracker;
use zeroize::Zeroizing;

use crate::command;
use crate::conduct::Conduct;
use crate::hangup::Hangup;
use crate::sftp;
use crate::started::Started;
use crate::transport::{Channel, ChannelRequest, Events, Verdict};

/// What the transport asks about one connection.
pub(crate) struct Connection {
    pub(crate) core: Arc<Core>,
    pub(crate) authentication: Authentication,
    pub(crate) info: ConnectionInfo,
    /// There until somebody is logged in, if attempts may wait for hooks.
    pub(crate) hangup: Option<Hangup>,
    pub(crate) sftp: sftp::Shared,
    /// Set by a login and never replaced: no later attempt can change who acts.
    pub(crate) login: Option<Arc<Login>>,
    /// Told of each attempt.
    pub(crate) conduct: Arc<Conduct>,
    /// The commands that may be run, by name.
    pub(crate) commands: Arc<[String]>,
    /// What runs in channels; the connection ends after all of it did.
    pub(crate) channels: TaskTracker,
}

impl Connection {
    /// Begins an attempt; `Some` refuses it without a look, and ends the connection, because its address is banned by now.
    fn begin_attempt(&mut self, username: &str) -> Option<Refused> {
        self.conduct.note_attempt();
        self.conduct.is_banned().then(|| {
            self.info.cancel.cancel();
            self.authentication.refuse(&self.info, username)
        })
    }

    /// Starts something in a channel.
    fn start_in(&mut self, channel: Channel, what: Started) -> Result<(), Channel> {
        let Some(login) = self.login.clone() else {
            return Err(channel);
        };
        let (core, info) = (Arc::clone(&self.core), self.info.clone());
        let shared = self.sftp.clone();
        // Opening the session may wait for a disk: not in the transport's task. The client may send meanwhile.
        self.channels.spawn(async move {
            let (protocol, text) = match &what {
                Started::Sftp => (Protocol::Sftp, String::new()),
                Started::Command(exec) => (exec.command.protocol(), exec.text.clone()),
            };
            match Session::open(&core, &login, protocol, text).await {
                Ok(session) => match what {
                    Started::Sftp => sftp::serve(session, channel, &shared).await,
                    Started::Command(exec) => command::run(session, channel, exec).await,
                },
                Err(error) => {
                    tracing::error!(
                        connection_id = info.id,
                        username = login.username(),
                        %error,
                        "the file system of the account cannot be opened"
                    );
                    channel.output.finish(1).await;
                    info.cancel.cancel();
                }
            }
            // The login lives as long as anything acts by it.
            drop(login);
        });
        Ok(())
    }
}

#[async_trait]
impl Events for Connection {
    fn identified(&mut self, client_version: String) {
        // The login was made before anybody could tell.
        if let Some(login) = self.login.as_mut().and_then(Arc::get_mut) {
            login.identify(client_version.clone());
        }
        self.info.client_version = client_version;
    }

    fn refused(&mut self, username: &str) -> Refused {
        self.authentication.refuse(&self.info, username)
    }

    async fn password(&mut self, username: &str, password: &str) -> Verdict {
        if let Some(refused) = self.begin_attempt(username) {
            return Verdict::Refused(refused);
        }
        let Self {
            authentication,
            info,
            hangup,
            ..
        } = self;
        let attempt = authentication.password(info, username, password);
        let answer = watch(hangup, info, attempt).await;
        self.accept(answer)
    }

    fn key_refused(&mut self, username: &str, error: KeyError) -> Refused {
        self.conduct.note_attempt();
        let authentication = &mut self.authentication;
        authentication.refuse_key(&self.info, username, error)
    }

    async fn key_offered(&mut self, username: &str, key: &OfferedKey) -> Result<(), Refused> {
        if let Some(refused) = self.begin_attempt(username) {
            return Err(refused);
        }
        let Self {
            authentication,
            info,
            hangup,
            ..
        } = self;
        let attempt = authentication.may_use_key(info, username, key);
        watch(hangup, info, attempt).await
    }

    async fn key_verified(&mut self, username: &str, key: VerifiedKey) -> Verdict {
        if let Some(refused) = self.begin_attempt(username) {
            return Verdict::Refused(refused);
        }
        let Self {
            authentication,
            info,
            hangup,
            ..
        } = self;
        let attempt = authentication.verified_key(info, username, &key);
        let answer = watch(hangup, info, attempt).await;
        self.accept(answer)
    }

    async fn interactive(&mut self, username: &str) -> Verdict {
        if let Some(refused) = self.begin_attempt(username) {
            return Verdict::Refused(refused);
        }
        let Self {
            authentication,
            info,
            hangup,
            ..
        } = self;
        let attempt = authentication.interactive(info, username);
        let answer = watch(hangup, info, attempt).await;
        self.accept(answer)
    }

    async fn answers(&mut self, answers: Vec<Zeroizing<String>>) -> Verdict {
        let Self {
            authentication,
            info,
            hangup,
            ..
        } = self;
        let attempt = authentication.answers(info, answers);
        let answer = watch(hangup, info, attempt).await;
        self.accept(answer)
    }

    fn login(&self) -> Option<&Login> {
        self.login.as_deref()
    }

    async fn start(&mut self, request: ChannelRequest, channel: Channel) -> Result<(), Channel> {
        let login = self.login.as_ref();
        let forced = login.and_then(|login| login.restrictions().forced_command());
        match Started::choose(&request, forced, &self.commands) {
            Ok(started) => self.start_in(channel, started),
            Err(reason) => {
                tracing::info!(connection_id = self.info.id, "{reason}");
                Err(channel)
            }
        }
    }
}

impl Connection {
    fn accept(&mut self, answer: Answer) -> Verdict {
        match answer {
            Answer::LoggedIn(login) if self.login.is_none() => {
                self.login = Some(Arc::new(login));
                self.hangup = None;
                Verdict::LoggedIn
            }
            Answer::LoggedIn(_) => Verdict::Refused(Refused::default()),
            Answer::Challenge(challenge) => Verdict::Ask(challenge),
            Answer::Refused(refused) => Verdict::Refused(refused),
        }
    }
}

/// Waits for an attempt, and for the end of its client where the attempt may wait for a hook.
async fn watch<T>(
    hangup: &Option<Hangup>,
    info: &ConnectionInfo,
    attempt: impl Future<Output = T>,
) -> T {
    match hangup {
        Some(hangup) => hangup.watch(&info.cancel, attempt).await,
        None => attempt.await,
    }
}
