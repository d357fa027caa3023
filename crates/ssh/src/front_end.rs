//! Binds the listener and runs a [`Connection`] for each client.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sftpgo_core::{ConnectionInfo, Core};
use sftpgo_net::proxy::{ProxyMode, ProxyPolicy};
use sftpgo_net::{AcceptLimits, ConnectionSlot, Entrance, Listener, Newcomer, Server, Workers};
use thiserror::Error;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::command;
use crate::conduct::Conduct;
use crate::config::SftpdSettings;
use crate::connection::Connection;
use crate::door::Door;
use crate::hangup::Hangup;
use crate::sftp;
use crate::started::Forcible;
use crate::transport::{self, End, TransportSettings, host_key};

/// Why the SSH front end does not start.
#[derive(Debug, Error)]
pub enum SshError {
    /// A host key is missing, broken or cannot be written.
    #[error("{0}")]
    HostKey(String),
    /// No key at all, because `sftpd.keys` names none that may be offered.
    #[error("no host key can be offered: check sftpd.keys and sftpd.host_key_algorithms")]
    NoHostKey,
}

/// A prepared SSH front end: host keys loaded, algorithms chosen.
#[derive(Debug)]
pub struct SshFrontEnd {
    transport: TransportSettings,
    commands: Arc<[String]>,
    fingerprints: Vec<String>,
    public_keys: Vec<String>,
    accept: AcceptLimits,
    proxy: ProxyPolicy,
    login_deadline: Duration,
}

impl SshFrontEnd {
    /// Loads (or, at the first start, makes) host keys and reads the login banner. Blocking: call it off the runtime's threads.
    pub fn prepare(settings: &SftpdSettings) -> Result<Self, SshError> {
        let loaded = host_key::load(&settings.host_keys, &settings.algorithms)
            .map_err(|error| SshError::HostKey(error.to_string()))?;
        for (path, reason) in &loaded.left_out {
            tracing::warn!("host key not offered: {}: {reason}", path.display());
        }
        let keys = loaded.keys;
        if keys.is_empty() {
            return Err(SshError::NoHostKey);
        }
        let mut fingerprints = Vec::new();
        let mut public_keys = Vec::new();
        for key in &keys {
            let fingerprint = key.key.public_key().fingerprint(Default::default());
            let line = format!("{} {fingerprint}", key.key.algorithm());
            let verb = if key.created { "created" } else { "loaded" };
            tracing::info!("host key {verb}: {} {line}", key.path.display());
            fingerprints.push(line);
            // A key that was loaded has a public half that can be written.
            public_keys.extend(key.key.public_key().to_openssh().ok());
        }
        command::warn_of_unconfined_programs(&settings.enabled_ssh_commands);
        if settings.proxy.mode != ProxyMode::Off && settings.proxy.allowed.is_empty() {
            tracing::warn!(
                "sftpd.proxy_allowed is empty: anybody who can connect can say any address in a PROXY header; list the proxies"
            );
        }
        let login_banner = settings.login_banner_file.as_ref().and_then(|path| {
            std::fs::read_to_string(path)
                .inspect_err(|error| {
                    tracing::warn!(
                        "sftpd.login_banner_file {}: {error}; no banner",
                        path.display()
                    );
                })
                .ok()
        });
        let keys = keys.into_iter().map(|key| key.key).collect();
        let transport = TransportSettings::new(settings, keys, login_banner);
        Ok(Self {
            transport,
            commands: settings.enabled_ssh_commands.clone().into(),
            fingerprints,
            public_keys,
            accept: settings.accept.clone(),
            proxy: settings.proxy.clone(),
            login_deadline: settings.limits.login,
        })
    }

    /// Type and SHA-256 fingerprint of each host key that is offered.
    pub fn fingerprints(&self) -> &[String] {
        &self.fingerprints
    }

    /// Each host key that is offered as `known_hosts` has it behind the name of the host.
    pub fn public_keys(&self) -> &[String] {
        &self.public_keys
    }

    /// Serves connections on `workers` until the returned server is drained.
    pub fn serve(self, core: Arc<Core>, listener: Listener, workers: Arc<Workers>) -> Server {
        let transport = Arc::new(self.transport);
        let entrance = Entrance::new("sftpd", self.accept)
            .with_proxy(self.proxy, self.login_deadline)
            .with_doorkeeper(Arc::new(Door::new(Arc::clone(&core))));
        sftpgo_net::serve(
            "sftpd",
            listener,
            entrance,
            move |stream, peer, slot, end| {
                let (core, transport) = (Arc::clone(&core), Arc::clone(&transport));
                let commands = Arc::clone(&self.commands);
                let workers = Arc::clone(&workers);
                async move {
                    let newcomer = tokio::select! {
                        newcomer = workers.pace().turn() => newcomer,
                        () = slot.draining().cancelled() => return,
                    };
                    // The socket leaves the listener's event queue for that of the connection's thread.
                    let Ok(stream) = stream.into_std() else {
                        return;
                    };
                    let accepted = Accepted {
                        stream,
                        peer,
                        newcomer,
                        slot,
                        end,
                        commands,
                    };
                    workers.run(move || handle(core, transport, accepted)).await;
                }
            },
        )
    }
}

struct Accepted {
    stream: std::net::TcpStream,
    peer: SocketAddr,
    newcomer: Arc<Newcomer>,
    slot: ConnectionSlot,
    end: CancellationToken,
    commands: Arc<[String]>,
}

async fn handle(core: Arc<Core>, settings: Arc<TransportSettings>, accepted: Accepted) {
    let Accepted {
        stream,
        peer,
        newcomer,
        mut slot,
        end,
        commands,
    } = accepted;
    let stream = match TcpStream::from_std(stream) {
        Ok(stream) => stream,
        Err(error) => {
            tracing::error!(%peer, %error, "a connection cannot be served");
            return;
        }
    };
    let info = ConnectionInfo {
        id: connection_id(),
        peer: SocketAddr::new(peer.ip().to_canonical(), peer.port()),
        client_version: String::new(),
        cancel: end.clone(),
    };
    let conduct = Conduct::new(info.peer.ip(), core.defender().cloned());
    let conduct = Arc::new(conduct);
    let forcible = Arc::new(Forcible(Arc::clone(&commands)));
    let authenticator = core.authenticator();
    let authenticator = authenticator.observed_by(conduct.clone()).serving(forcible);
    let hangup = authenticator.asks_hooks().then(|| Hangup::of(&stream));
    let hangup = hangup.and_then(Result::ok);
    let idle_timeout = core.idle_timeout();
    let metrics = Arc::clone(core.metrics());
    let channels = TaskTracker::new();
    let connection = Connection {
        core,
        authentication: authenticator.begin(),
        hangup,
        info: info.clone(),
        sftp: sftp::Shared::new(settings.software()),
        login: None,
        conduct: Arc::clone(&conduct),
        commands,
        channels: channels.clone(),
    };
    let draining = slot.draining().clone();
    let begun = transport::Begun {
        newcomer,
        waited: slot.waited(),
    };
    let running = transport::run(&settings, stream, begun, connection, end.clone(), || {
        slot.authenticated()
    });
    // When the server stops, a connection lasts as long as something runs in its channels.
    let last_channel = async {
        draining.cancelled().await;
        channels.close();
        channels.wait().await;
        end.cancel();
        std::future::pending::<Infallible>().await
    };
    let ended = tokio::select! {
        ended = running => ended,
        never = last_channel => match never {},
        never = end_when_unused(&channels, idle_timeout, &end) => match never {},
    };
    match &ended {
        End::Closed => tracing::debug!(connection_id = info.id, "connection closed"),
        End::NotLoggedIn(reason) | End::TooSlow(reason) if conduct.tried() => {
            tracing::debug!(
                connection_id = info.id,
                "connection ended without a login: {reason}"
            );
        }
        End::Probe(reason) | End::NotLoggedIn(reason) | End::TooSlow(reason) => {
            authenticator.log_untried(&info, reason);
        }
        End::Broken(reason) => {
            tracing::info!(connection_id = info.id, "connection broken: {reason}");
        }
    }
    // Nobody is to blame for the end of a server that stops.
    if !draining.is_cancelled()
        && let Some(misconduct) = conduct.conclude(&ended, &metrics)
    {
        slot.misbehaved(misconduct);
    }
    // Whatever still runs in channels has lost its client: tell it, and see it end.
    end.cancel();
    channels.close();
    channels.wait().await;
}

/// Ends a connection on which nothing runs for the idle timeout. While something runs, its own activity counts.
async fn end_when_unused(
    channels: &TaskTracker,
    idle_timeout: Option<Duration>,
    end: &CancellationToken,
) -> Infallible {
    let Some(limit) = idle_timeout else {
        return std::future::pending().await;
    };
    let mut unused_since = Instant::now();
    loop {
        tokio::time::sleep(limit / 4).await;
        if !channels.is_empty() {
            unused_since = Instant::now();
        } else if unused_since.elapsed() >= limit {
            end.cancel();
        }
    }
}

/// 64 hexadecimal digits, like the session id the reference shows; random, so that it says nothing.
fn connection_id() -> String {
    let mut bytes = [0_u8; 32];
    if aws_lc_rs::rand::fill(&mut bytes).is_err() {
        // Not a secret: an id that is merely unlikely to repeat will do.
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let nanos = now.map_or(0, |elapsed| elapsed.as_nanos());
        return format!("{nanos:064x}");
    }
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
