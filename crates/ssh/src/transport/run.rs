//! Runs one connection from the first byte to the last.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use russh::server::{Config, open_stream};
use russh::{Limits, SshId};
use sftpgo_core::auth::OfferedKey;
use sftpgo_core::model::LoginMethod;
use sftpgo_net::Newcomer;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;

use super::Events;
use super::handler::{MAX_CHANNELS, RusshHandler, TransportError, method_set};
use super::socket::Socket;
use super::window;
use crate::config::SftpdSettings;

/// A refused login is answered after this, so that its duration says little about its reason.
const REJECTION_TIME: Duration = Duration::from_millis(300);
/// Time after which keys are exchanged anew (RFC 4253 section 9).
const REKEY_TIME: Duration = Duration::from_secs(3600);
/// Largest channel packet we ask for; OpenSSH uses it whole, others send what they like.
const PACKET: u32 = 64 * 1024;
/// Messages waiting to be encrypted, each at most one packet of the peer's size.
const SEND_QUEUE: usize = 16;
/// Messages waiting to be read from a channel. Only a flood of tiny ones fills it before it fills the window, and then the
/// whole connection waits, for so long at most: whatever runs in a channel reads it.
const RECEIVE_QUEUE: usize = 64 * 1024;
const RECEIVE_WAIT: Duration = Duration::from_secs(60);

/// What all connections share.
pub(crate) struct TransportSettings {
    config: Arc<Config>,
    software: Arc<str>,
    login_banner: Option<String>,
    login_deadline: Duration,
}

impl std::fmt::Debug for TransportSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TransportSettings")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl TransportSettings {
    pub(crate) fn new(
        settings: &SftpdSettings,
        keys: Vec<russh::keys::PrivateKey>,
        preferred: russh::Preferred,
        login_banner: Option<String>,
    ) -> Self {
        let limits = &settings.limits;
        // More would be refused.
        let rekey_bytes = limits.rekey_bytes.min(1 << 30);
        let banner = settings.banner.as_str();
        let mut methods = vec![LoginMethod::PublicKey, LoginMethod::Password];
        if settings.keyboard_interactive.is_some() {
            methods.push(LoginMethod::KeyboardInteractive);
        }
        let config = Config {
            server_id: SshId::Standard(format!("SSH-2.0-{banner}").into()),
            methods: method_set(methods),
            auth_rejection_time: REJECTION_TIME,
            auth_rejection_time_initial: Some(Duration::ZERO),
            keys,
            limits: Limits::new(rekey_bytes, rekey_bytes, REKEY_TIME),
            key_exchange_timeout: Some(limits.key_exchange),
            signature_algorithms: Some(
                OfferedKey::signature_algorithms()
                    .map(str::to_owned)
                    .collect(),
            ),
            window_size: window::INITIAL,
            window_by_consumption: true,
            stream_only: Some(RECEIVE_WAIT),
            maximum_packet_size: PACKET,
            channel_buffer_size: RECEIVE_QUEUE,
            event_buffer_size: SEND_QUEUE,
            preferred,
            // The library counts the first `none`, which is free; and its 0 means no limit.
            max_auth_attempts: settings
                .max_auth_tries
                .map_or(0, |tries| tries as usize + 1),
            inactivity_timeout: None,
            // Finds clients that vanished without a word.
            keepalive_interval: Some(Duration::from_secs(60)),
            keepalive_max: 3,
            nodelay: true,
            ..Config::default()
        };
        Self {
            config: Arc::new(config),
            software: banner.into(),
            login_banner,
            login_deadline: limits.login,
        }
    }

    /// What we call ourselves: our identification line behind `SSH-2.0-`.
    pub(crate) fn software(&self) -> &Arc<str> {
        &self.software
    }
}

/// How a connection ended.
#[derive(Debug)]
pub(crate) enum End {
    /// In order, or by the client's leaving.
    Closed,
    /// Before the client identified itself, and not by us.
    Probe(String),
    /// Before anybody logged in.
    NotLoggedIn(String),
    /// The time to log in was over.
    TooSlow(String),
    /// After a login, by a fault of either side.
    Broken(String),
}

/// What happened to a connection before it is run.
pub(crate) struct Begun {
    /// Its turn.
    pub(crate) newcomer: Arc<Newcomer>,
    /// What is over already of the time to log in.
    pub(crate) waited: Duration,
}

/// Runs a connection that had its turn until it ends; `cancel` ends it at once. `authenticated` is told when somebody is
/// logged in.
pub(crate) async fn run<S, E>(
    settings: &TransportSettings,
    stream: S,
    begun: Begun,
    events: E,
    cancel: CancellationToken,
    authenticated: impl FnOnce() + Send,
) -> End
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    E: Events,
{
    let (logged_in, login) = oneshot::channel();
    let handler = RusshHandler {
        events,
        login_banner: settings.login_banner.clone(),
        authenticated: Some(logged_in),
        idle: HashMap::new(),
        places: Arc::new(Semaphore::new(MAX_CHANNELS)),
        in_vain: 0,
        identified: false,
    };
    let Begun { newcomer, waited } = begun;
    let stream = Socket::new(stream, Arc::clone(&newcomer), cancel.clone());
    let deadline = tokio::time::sleep(settings.login_deadline.saturating_sub(waited));
    tokio::pin!(deadline);
    let start = open_stream(Arc::clone(&settings.config), stream, handler);
    let session = tokio::select! {
        started = newcomer.measure(start) => match started {
            Ok((_handle, session)) => session,
            Err(error) => return End::Probe(error.0),
        },
        () = &mut deadline => return End::TooSlow("no handshake in time".to_owned()),
    };
    // A task of its own: nothing of what this one waits for is looked at with each packet.
    let mut running = tokio::spawn(newcomer.measure(session));
    tokio::select! {
        ended = &mut running => {
            let reason = fault(ended).unwrap_or_else(|| "the client left".to_owned());
            return End::NotLoggedIn(reason);
        }
        () = &mut deadline => {
            cancel.cancel();
            // The socket ends at its next poll, and the library with it.
            let _ = running.await;
            return End::TooSlow("no login in time".to_owned());
        }
        // If it is dropped, the session is about to end.
        Ok(()) = login => {
            newcomer.logged_in();
            authenticated();
        }
    }
    match fault(running.await) {
        None => End::Closed,
        Some(reason) => End::Broken(reason),
    }
}

/// What went wrong in a session that is over.
fn fault(ended: Result<Result<(), TransportError>, JoinError>) -> Option<String> {
    match ended {
        Ok(result) => result.err().map(|error| error.0),
        // A panic, whose message went to the log.
        Err(error) => Some(error.to_string()),
    }
}
