//! Runs one connection from the first byte to the last.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use russh::server::{BeforeLogin, Config, open_stream};
use russh::{Limits, SshId};
use sftpgo_core::auth::AcceptedSignatures;
use sftpgo_core::model::LoginMethod;
use sftpgo_net::Newcomer;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;

use super::Events;
use super::algorithms;
use super::error::TransportError;
use super::handler::{MAX_CHANNELS, RusshHandler, method_set};
use super::socket::Socket;
use super::window::{self, Growth};
use crate::config::SftpdSettings;

/// A refused login is answered after this, so that its duration says little about its reason.
const REJECTION_TIME: Duration = Duration::from_millis(300);
/// Time after which keys are exchanged anew (RFC 4253 section 9).
const REKEY_TIME: Duration = Duration::from_secs(3600);
/// Largest channel packet we ask for; OpenSSH uses it whole, others send what they like.
const PACKET: u32 = 64 * 1024;
/// What a client may send before its login: that of one with dozens of keys or attempts, many times over.
const BEFORE_LOGIN: BeforeLogin = BeforeLogin {
    packets: 1_000,
    bytes: 1 << 20,
    // RFC 4253 section 6.1 asks for 35,000.
    packet: 64 * 1024,
    key_exchanges: 4,
};
/// Who was told that the connection is over may read that for so long.
const LINGER: Duration = Duration::from_secs(5);
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
    /// Signatures of users' keys that are accepted.
    signatures: AcceptedSignatures,
    login_deadline: Duration,
    /// What windows of channels may grow by.
    growth: Arc<Growth>,
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
        login_banner: Option<String>,
    ) -> Self {
        let limits = &settings.limits;
        // More would be refused.
        let rekey_bytes = limits.rekey_bytes.min(1 << 30);
        let banner = settings.banner.as_str();
        let accepted = &settings.algorithms.public_keys;
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
            before_login: Some(BEFORE_LOGIN),
            linger: Some(LINGER),
            window_size: window::INITIAL,
            window_by_consumption: true,
            stream_only: Some(RECEIVE_WAIT),
            maximum_packet_size: PACKET,
            channel_buffer_size: RECEIVE_QUEUE,
            event_buffer_size: SEND_QUEUE,
            preferred: algorithms::preferred(&settings.algorithms),
            signature_algorithms: Some(accepted.iter().map(ToString::to_string).collect()),
            // The library counts the first `none`, which is free; and its 0 means no limit.
            max_auth_attempts: settings
                .max_auth_tries
                .map_or(0, |tries| tries as usize + 1),
            inactivity_timeout: None,
            // Finds clients that vanished without a word.
            keepalive_interval: Some(limits.keep_alive),
            keepalive_max: 3,
            nodelay: true,
            ..Config::default()
        };
        Self {
            config: Arc::new(config),
            software: banner.into(),
            login_banner,
            signatures: AcceptedSignatures::named(accepted.iter().copied()),
            login_deadline: limits.login,
            growth: Arc::default(),
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
        signatures: settings.signatures.clone(),
        authenticated: Some(logged_in),
        idle: HashMap::new(),
        places: Arc::new(Semaphore::new(MAX_CHANNELS)),
        in_vain: 0,
        identified: false,
        growth: Arc::clone(&settings.growth),
    };
    let Begun { newcomer, waited } = begun;
    let stream = Socket::new(stream, Arc::clone(&newcomer), cancel.clone());
    let deadline = tokio::time::sleep(settings.login_deadline.saturating_sub(waited));
    tokio::pin!(deadline);
    let start = open_stream(Arc::clone(&settings.config), stream, handler);
    let session = tokio::select! {
        started = newcomer.measure(start) => match started {
            Ok((_handle, session)) => session,
            Err(error) => return End::Probe(error.into_reason()),
        },
        () = &mut deadline => return End::TooSlow("no handshake in time".to_owned()),
    };
    // A task of its own: nothing of what this one waits for is looked at with each packet.
    let mut running = tokio::spawn(newcomer.measure(session));
    let logged_in = tokio::select! {
        ended = &mut running => return not_logged_in(ended),
        () = &mut deadline => {
            cancel.cancel();
            // The socket ends at its next poll, and the library with it.
            let _ = running.await;
            return End::TooSlow("no login in time".to_owned());
        }
        // An error if the handler is gone: the connection is ending.
        told = login => told.is_ok(),
    };
    if !logged_in {
        return not_logged_in(running.await);
    }
    newcomer.logged_in();
    authenticated();
    match fault(running.await) {
        None => End::Closed,
        Some(reason) => End::Broken(reason),
    }
}

fn not_logged_in(ended: Result<Result<(), TransportError>, JoinError>) -> End {
    End::NotLoggedIn(fault(ended).unwrap_or_else(|| "the client left".to_owned()))
}

/// What went wrong in a session that is over.
fn fault(ended: Result<Result<(), TransportError>, JoinError>) -> Option<String> {
    match ended {
        Ok(result) => result.err().map(TransportError::into_reason),
        // A panic, whose message went to the log.
        Err(error) => Some(error.to_string()),
    }
}
