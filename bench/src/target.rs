//! The server under load, and the login.

use std::borrow::Cow;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use russh::client::{self, AuthResult, Handle};
use russh::keys::{PrivateKeyWithHashAlg, PublicKeyOrCertificate, load_secret_key};
use russh::{Disconnect, Preferred, cipher, kex, mac};
use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::error::LoadError;
use crate::socket::{Cut, Severable};

/// How long parting may take; the figures do not depend on it.
pub(crate) const PARTING: Duration = Duration::from_secs(5);

/// Where to connect and how.
#[derive(Args)]
pub(crate) struct TargetArgs {
    /// Address of the server, as host:port
    #[arg(long, global = true, default_value = "127.0.0.1:2022")]
    addr: String,
    /// User name
    #[arg(long, global = true, default_value = "bench")]
    user: String,
    /// Private key file (OpenSSH format, without passphrase)
    #[arg(long, global = true)]
    key: Option<PathBuf>,
    /// Password, used if no key is given
    #[arg(
        long,
        global = true,
        env = "SFTP_LOAD_PASSWORD",
        hide_env_values = true
    )]
    password: Option<String>,
    /// The one cipher to offer
    #[arg(long, global = true, default_value = "aes128-gcm@openssh.com")]
    cipher: String,
    /// The one MAC to offer; AEAD ciphers do without
    #[arg(long, global = true, default_value = "hmac-sha2-256")]
    mac: String,
    /// The one key exchange to offer, so that servers of different age do the same work
    #[arg(long, global = true, default_value = "curve25519-sha256")]
    kex: String,
    /// Receive window of a channel in bytes
    #[arg(long, global = true, default_value_t = 16 << 20)]
    window: u32,
    /// Longest channel packet to accept; OpenSSH's client says 32768
    #[arg(long, global = true, default_value_t = 32_768)]
    max_packet: u32,
    /// Messages that may wait for a session that does not read
    #[arg(long, global = true, default_value_t = 64)]
    backlog: usize,
    /// Longest wait for any one answer, in seconds
    #[arg(long, global = true, default_value_t = 120)]
    timeout: u64,
}

enum Credential {
    Key(Arc<russh::keys::PrivateKey>),
    Password(String),
}

/// A resolved [`TargetArgs`].
pub(crate) struct Target {
    addr: String,
    user: String,
    credential: Credential,
    config: Arc<client::Config>,
    /// Longest wait for any one answer.
    pub(crate) deadline: Duration,
}

/// A connection that is logged in.
pub(crate) struct Login {
    pub(crate) handle: Handle<AnyHostKey>,
    /// Makes the connection vanish.
    pub(crate) cut: oneshot::Sender<Cut>,
}

/// A connection on which keys are exchanged and nobody is logged in.
pub(crate) type Connection = Handle<AnyHostKey>;

/// Accepts whatever host key the server has: it is the tester's own server.
pub(crate) struct AnyHostKey;

impl client::Handler for AnyHostKey {
    type Error = russh::Error;

    async fn check_server_key(&mut self, _: &PublicKeyOrCertificate) -> Result<bool, russh::Error> {
        Ok(true)
    }
}

impl TargetArgs {
    pub(crate) fn resolve(self) -> Result<Target, LoadError> {
        let credential = match (self.key, self.password) {
            (Some(path), _) => Credential::Key(Arc::new(load_secret_key(path, None)?)),
            (None, Some(password)) => Credential::Password(password),
            (None, None) => return Err(LoadError::Wrong("give --key or --password".into())),
        };
        let unknown = |what: &str, name: &str| LoadError::Wrong(format!("unknown {what} {name}"));
        let cipher = cipher::Name::try_from(self.cipher.as_str())
            .map_err(|()| unknown("cipher", &self.cipher))?;
        let mac = mac::Name::try_from(self.mac.as_str()).map_err(|()| unknown("MAC", &self.mac))?;
        let kex = kex::Name::try_from(self.kex.as_str())
            .map_err(|()| unknown("key exchange", &self.kex))?;
        let config = client::Config {
            window_size: self.window,
            maximum_packet_size: self.max_packet,
            channel_buffer_size: self.backlog,
            nodelay: true,
            preferred: Preferred {
                kex: Cow::Owned(vec![
                    kex,
                    kex::EXTENSION_SUPPORT_AS_CLIENT,
                    kex::EXTENSION_OPENSSH_STRICT_KEX_AS_CLIENT,
                ]),
                cipher: Cow::Owned(vec![cipher]),
                mac: Cow::Owned(vec![mac]),
                ..Preferred::default()
            },
            ..client::Config::default()
        };
        Ok(Target {
            addr: self.addr,
            user: self.user,
            credential,
            config: Arc::new(config),
            deadline: Duration::from_secs(self.timeout),
        })
    }
}

impl Target {
    /// Waits for `work` as long as one answer may take.
    pub(crate) async fn within<T>(&self, work: impl Future<Output = T>) -> Result<T, LoadError> {
        let late = |_| LoadError::Late(self.deadline);
        timeout(self.deadline, work).await.map_err(late)
    }

    /// The user name that was given.
    pub(crate) fn user(&self) -> &str {
        &self.user
    }

    /// Connects and logs in.
    pub(crate) async fn login(&self) -> Result<Login, LoadError> {
        self.login_as(self.user.clone()).await
    }

    /// Connects and logs in as somebody with the same key or password.
    pub(crate) async fn login_as(&self, user: String) -> Result<Login, LoadError> {
        self.within(self.login_unbounded(user)).await?
    }

    /// Connects, from this address of the machine if one is given.
    pub(crate) async fn dial(&self, source: Option<IpAddr>) -> io::Result<TcpStream> {
        let Some(source) = source else {
            return TcpStream::connect(&self.addr).await;
        };
        let mut found = lookup_host(&self.addr).await?;
        let server = found.find(|address| address.is_ipv4() == source.is_ipv4());
        let server = server.ok_or(io::ErrorKind::AddrNotAvailable)?;
        let socket = if source.is_ipv4() {
            TcpSocket::new_v4()?
        } else {
            TcpSocket::new_v6()?
        };
        // Ports of connections that are over may be taken again.
        socket.set_reuseaddr(true)?;
        socket.bind(SocketAddr::new(source, 0))?;
        socket.connect(server).await
    }

    /// Exchanges keys and tries nothing.
    pub(crate) async fn exchange(&self, stream: TcpStream) -> Result<Connection, LoadError> {
        stream.set_nodelay(true)?;
        let config = Arc::clone(&self.config);
        Ok(client::connect_stream(config, stream, AnyHostKey).await?)
    }

    async fn login_unbounded(&self, user: String) -> Result<Login, LoadError> {
        let stream = TcpStream::connect(&self.addr).await?;
        stream.set_nodelay(true)?;
        let (stream, cut) = Severable::new(stream);
        let mut handle =
            client::connect_stream(Arc::clone(&self.config), stream, AnyHostKey).await?;
        let result = match &self.credential {
            Credential::Key(key) => {
                let key = PrivateKeyWithHashAlg::new(Arc::clone(key), None);
                handle.authenticate_publickey(user, key).await?
            }
            Credential::Password(password) => {
                handle
                    .authenticate_password(user, password.as_str())
                    .await?
            }
        };
        match result {
            AuthResult::Success => Ok(Login { handle, cut }),
            AuthResult::Failure { .. } => Err(LoadError::Refused),
        }
    }
}

impl Login {
    /// Says goodbye and waits until the connection is gone.
    pub(crate) async fn part(self) {
        // Whatever the server does now, the work is done: neither an error nor a delay here says anything.
        let _ = timeout(PARTING, async {
            let reason = Disconnect::ByApplication;
            if self.handle.disconnect(reason, "", "").await.is_ok() {
                let _ = self.handle.await;
            }
        })
        .await;
    }

    /// Drops the connection without a word and waits until it is gone.
    pub(crate) async fn vanish(self, how: Cut) {
        if self.cut.send(how).is_ok() {
            let _ = timeout(PARTING, self.handle).await;
        }
    }
}
