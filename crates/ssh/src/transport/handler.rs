//! Translates the library's callbacks into [`Events`]. Callbacks run inside the task that reads and writes the socket: none of
//! them may wait for anything that needs that task.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use russh::client::GexParams;
use russh::kex::dh::groups::DhGroup;
use russh::server::{Auth, ChannelOpenHandle, Handler, Msg, PublicKeyRequest, Response, Session};
use russh::{ChannelId, ChannelOpenFailure, Disconnect, MethodKind, MethodSet};
use sftpgo_core::auth::{AcceptedSignatures, KeyError, OfferedKey, Refused};
use sftpgo_core::model::LoginMethod;
use tokio::sync::{Semaphore, oneshot};
use zeroize::Zeroizing;

use super::channel::{Channel, Place};
use super::error::TransportError;
use super::window::Growth;
use super::{ChannelRequest, Events, Verdict, groups};

/// Channels of one connection that may be open at a time; OpenSSH's `MaxSessions` is 10.
pub(super) const MAX_CHANNELS: usize = 32;
/// Channels one connection may open in vain before it is ended: opening and refusing costs too. Those in which something
/// was started do not count; sync tools open one for every hash that they ask for. Those of kinds that are not served do.
const MAX_CHANNELS_IN_VAIN: usize = 100_000;

pub(super) struct RusshHandler<E> {
    pub(super) events: E,
    pub(super) login_banner: Option<String>,
    /// Signatures of users' keys that are accepted.
    pub(super) signatures: AcceptedSignatures,
    /// Told once somebody is logged in.
    pub(super) authenticated: Option<oneshot::Sender<()>>,
    /// Open channels in which nothing runs.
    pub(super) idle: HashMap<ChannelId, IdleChannel>,
    /// One for each channel that may be open, [`MAX_CHANNELS`] in all. What runs in a channel gives its place back when it
    /// ends: the library does not tell when the client closes a channel that we closed first.
    pub(super) places: Arc<Semaphore>,
    /// Channels opened less those in which something was started.
    pub(super) in_vain: usize,
    pub(super) identified: bool,
    /// What windows of channels may grow by.
    pub(super) growth: Arc<Growth>,
}

/// A channel in which nothing runs; it goes when the client closes it.
pub(super) struct IdleChannel {
    place: Place,
    /// Gone if a request was refused: the library's form cannot be had back. Gone too if data came.
    channel: Option<russh::Channel<Msg>>,
}

/// The methods as the library names them.
pub(super) fn method_set(methods: impl IntoIterator<Item = LoginMethod>) -> MethodSet {
    let mut set = MethodSet::empty();
    for method in methods {
        set.push(match method {
            LoginMethod::PublicKey => MethodKind::PublicKey,
            LoginMethod::Password => MethodKind::Password,
            LoginMethod::KeyboardInteractive => MethodKind::KeyboardInteractive,
        });
    }
    set
}

/// The list of methods is always ours: the library takes a password out of its own after the first wrong one.
fn refusal(refused: Refused) -> Auth {
    Auth::Reject {
        proceed_with_methods: Some(method_set(refused.methods)),
        partial_success: refused.partial,
    }
}

fn answer(verdict: Verdict) -> Auth {
    match verdict {
        Verdict::LoggedIn => Auth::Accept,
        Verdict::Ask(challenge) => {
            let prompts = challenge.questions.into_iter();
            let prompts = prompts.map(|(text, echo)| (Cow::Owned(text), echo));
            Auth::Partial {
                name: Cow::Borrowed(""),
                instructions: Cow::Owned(challenge.instruction),
                prompts: Cow::Owned(prompts.collect()),
            }
        }
        Verdict::Refused(refused) => refusal(refused),
    }
}

impl<E: Events> RusshHandler<E> {
    fn identify(&mut self, session: &Session) {
        if !std::mem::replace(&mut self.identified, true) {
            let text = String::from_utf8_lossy(session.remote_sshid());
            self.events
                .identified(text.chars().filter(|c| !c.is_control()).take(255).collect());
        }
    }

    /// Whether a signature of a key would do.
    async fn question(&mut self, user: &str, offered: Result<OfferedKey, KeyError>) -> Auth {
        let would_do = match offered {
            Ok(key) => self.events.key_offered(user, &key).await,
            Err(error) => Err(self.events.key_refused(user, error)),
        };
        would_do.map_or_else(refusal, |()| Auth::Accept)
    }

    /// Counts a channel in which nothing was started so far, and may never be.
    fn opened_in_vain(&mut self) -> Result<(), TransportError> {
        self.in_vain += 1;
        if self.in_vain > MAX_CHANNELS_IN_VAIN {
            let reason = "too many channels were opened in vain";
            return Err(TransportError::new(reason));
        }
        Ok(())
    }

    /// Data in a channel in which nothing runs: nobody would ever read what the library keeps for the channel, so that is
    /// dropped, now and later. Nothing can be started in it any more.
    fn drop_unread(&mut self, id: ChannelId) {
        if !self.idle.is_empty()
            && let Some(idle) = self.idle.get_mut(&id)
        {
            idle.channel = None;
        }
    }

    /// Starts something in a channel, once; everything else is refused at once and the channel stays usable.
    async fn start(
        &mut self,
        id: ChannelId,
        request: ChannelRequest,
        session: &mut Session,
    ) -> Result<(), TransportError> {
        self.identify(session);
        let idle = self.idle.get_mut(&id);
        let taken = idle.and_then(|idle| Some((idle.channel.take()?, Arc::clone(&idle.place))));
        let Some((channel, place)) = taken else {
            return Ok(session.channel_failure(id)?);
        };
        let channel = Channel::new(channel, session.handle(), place, Arc::clone(&self.growth));
        // The reply must go out before anything the started side sends.
        match self.events.start(request, channel).await {
            Ok(()) => {
                self.idle.remove(&id);
                self.in_vain = self.in_vain.saturating_sub(1);
                session.channel_success(id)?;
            }
            Err(refused) => {
                session.channel_failure(id)?;
                // A refused channel cannot be given back to the library's form; it is of no use to any client either, but for
                // asking again, which none does.
                drop(refused);
            }
        }
        Ok(())
    }
}

impl<E: Events> Handler for RusshHandler<E> {
    type Error = TransportError;

    fn last_words(error: &TransportError) -> Option<(Disconnect, String)> {
        error.last_words()
    }

    async fn lookup_dh_gex_group(
        &mut self,
        wanted: &GexParams,
    ) -> Result<Option<DhGroup>, Self::Error> {
        Ok(groups::choose(wanted))
    }

    async fn authentication_banner(&mut self) -> Result<Option<String>, Self::Error> {
        Ok(self.login_banner.take())
    }

    async fn auth_none(&mut self, user: &str) -> Result<Auth, Self::Error> {
        Ok(refusal(self.events.refused(user)))
    }

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, Self::Error> {
        Ok(answer(self.events.password(user, password).await))
    }

    /// The library's own way is not used: it decodes certificates within each other, and computes with keys of any size
    /// before it asks.
    async fn auth_publickey_request(
        &mut self,
        user: &str,
        request: PublicKeyRequest<'_>,
    ) -> Result<Option<Auth>, Self::Error> {
        let offered = OfferedKey::parse(request.algorithm, request.key, &self.signatures);
        Ok(Some(match request.signature {
            None => self.question(user, offered).await,
            Some(signed) => {
                let verified = offered.and_then(|key| key.verify(signed.data, signed.signature));
                match verified {
                    Ok(key) => answer(self.events.key_verified(user, key).await),
                    Err(error) => refusal(self.events.key_refused(user, error)),
                }
            }
        }))
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        user: &str,
        _submethods: &str,
        response: Option<Response<'a>>,
    ) -> Result<Auth, Self::Error> {
        let Some(response) = response else {
            return Ok(answer(self.events.interactive(user).await));
        };
        let mut answers = Vec::new();
        for bytes in response {
            let Ok(text) = std::str::from_utf8(&bytes) else {
                // RFC 4256 section 3.4 asks for UTF-8.
                return Ok(refusal(self.events.refused(user)));
            };
            answers.push(Zeroizing::new(text.to_owned()));
        }
        Ok(answer(self.events.answers(answers).await))
    }

    async fn auth_succeeded(&mut self, session: &mut Session) -> Result<(), Self::Error> {
        self.identify(session);
        if self.events.login().is_none() {
            return Err(TransportError::new("logged in without a login"));
        }
        if let Some(authenticated) = self.authenticated.take() {
            // Nobody waits any more if the connection is ending.
            let _ = authenticated.send(());
        }
        Ok(())
    }

    async fn channel_open_session(
        &mut self,
        channel: russh::Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        self.opened_in_vain()?;
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            reply.reject(ChannelOpenFailure::ResourceShortage).await;
            return Ok(());
        };
        let id = channel.id();
        let idle = IdleChannel {
            place: Arc::new(place),
            channel: Some(channel),
        };
        self.idle.insert(id, idle);
        reply.accept().await;
        Ok(())
    }

    // Forwarding is not served. Dropping a reply refuses the channel.

    async fn channel_open_x11(
        &mut self,
        _channel: russh::Channel<Msg>,
        _originator_address: &str,
        _originator_port: u32,
        _reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        self.opened_in_vain()
    }

    async fn channel_open_direct_tcpip(
        &mut self,
        _channel: russh::Channel<Msg>,
        _host_to_connect: &str,
        _port_to_connect: u32,
        _originator_address: &str,
        _originator_port: u32,
        _reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        self.opened_in_vain()
    }

    async fn channel_open_forwarded_tcpip(
        &mut self,
        _channel: russh::Channel<Msg>,
        _host_to_connect: &str,
        _port_to_connect: u32,
        _originator_address: &str,
        _originator_port: u32,
        _reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        self.opened_in_vain()
    }

    async fn channel_open_direct_streamlocal(
        &mut self,
        _channel: russh::Channel<Msg>,
        _socket_path: &str,
        _reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        self.opened_in_vain()
    }

    async fn channel_open_refused(&mut self) -> Result<(), Self::Error> {
        self.opened_in_vain()
    }

    async fn data(
        &mut self,
        channel: ChannelId,
        _data: &[u8],
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        self.drop_unread(channel);
        Ok(())
    }

    async fn extended_data(
        &mut self,
        channel: ChannelId,
        _code: u32,
        _data: &[u8],
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        self.drop_unread(channel);
        Ok(())
    }

    async fn channel_close(
        &mut self,
        channel: ChannelId,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        self.idle.remove(&channel);
        Ok(())
    }

    async fn subsystem_request(
        &mut self,
        channel: ChannelId,
        name: &str,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        self.start(channel, ChannelRequest::Subsystem(name.to_owned()), session)
            .await
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        command: &[u8],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        self.start(channel, ChannelRequest::Exec(command.to_vec()), session)
            .await
    }

    async fn shell_request(
        &mut self,
        channel: ChannelId,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        Ok(session.channel_failure(channel)?)
    }

    async fn pty_request(
        &mut self,
        channel: ChannelId,
        _term: &str,
        _col_width: u32,
        _row_height: u32,
        _pix_width: u32,
        _pix_height: u32,
        _modes: &[(russh::Pty, u32)],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        Ok(session.channel_failure(channel)?)
    }

    async fn env_request(
        &mut self,
        channel: ChannelId,
        _name: &str,
        _value: &str,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        Ok(session.channel_failure(channel)?)
    }
}
