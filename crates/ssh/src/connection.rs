//! One SSH connection: who is logged in, and what runs in its channels.

use std::sync::Arc;

use async_trait::async_trait;
use sftpgo_core::auth::{
    Answer, Authentication, KeyError, Login, OfferedKey, Refused, VerifiedKey,
};
use sftpgo_core::model::Protocol;
use sftpgo_core::{ConnectionInfo, Core, Session};
use tokio_util::task::TaskTracker;

use crate::command;
use crate::sftp;
use crate::started::Started;
use crate::transport::{Channel, ChannelRequest, Events, Verdict};

/// What the transport asks about one connection.
pub(crate) struct Connection {
    pub(crate) core: Arc<Core>,
    pub(crate) authentication: Authentication,
    pub(crate) info: ConnectionInfo,
    pub(crate) sftp: sftp::Shared,
    /// Set by a login and never replaced: no later attempt can change who acts.
    pub(crate) login: Option<Arc<Login>>,
    /// Attempts that reached an evaluation.
    pub(crate) tried: Arc<std::sync::atomic::AtomicBool>,
    /// The commands that may be run, by name.
    pub(crate) commands: Arc<[String]>,
    /// What runs in channels; the connection ends after all of it did.
    pub(crate) channels: TaskTracker,
}

impl Connection {
    fn note_attempt(&self) {
        self.tried.store(true, std::sync::atomic::Ordering::Release);
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
        self.authentication.refuse(username)
    }

    async fn password(&mut self, username: &str, password: &str) -> Verdict {
        self.note_attempt();
        let authentication = &mut self.authentication;
        let answer = authentication
            .password(&self.info, username, password)
            .await;
        self.accept(answer)
    }

    fn key_refused(&mut self, username: &str, error: KeyError) -> Refused {
        self.note_attempt();
        let authentication = &mut self.authentication;
        authentication.refuse_key(&self.info, username, error)
    }

    async fn key_offered(&mut self, username: &str, key: &OfferedKey) -> Result<(), Refused> {
        self.note_attempt();
        let authentication = &mut self.authentication;
        authentication.may_use_key(&self.info, username, key).await
    }

    async fn key_verified(&mut self, username: &str, key: VerifiedKey) -> Verdict {
        self.note_attempt();
        let authentication = &mut self.authentication;
        let answer = authentication
            .verified_key(&self.info, username, &key)
            .await;
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
                Verdict::LoggedIn
            }
            Answer::LoggedIn(_) => Verdict::Refused(Refused::default()),
            Answer::Refused(refused) => Verdict::Refused(refused),
        }
    }
}
