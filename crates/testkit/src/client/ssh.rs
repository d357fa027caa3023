//! [`SshClient`]: a connection, its logins and its channels.

use std::net::{IpAddr, Shutdown, SocketAddr};
use std::sync::Arc;

use russh::client::{self, AuthResult, Handle, KeyboardInteractiveAuthResponse, Msg};
use russh::keys::agent::AgentIdentity;
use russh::keys::{HashAlg, PrivateKeyWithHashAlg, PublicKey, PublicKeyOrCertificate};
use russh::{Channel, ChannelMsg, MethodKind, SshId};
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpSocket, TcpStream};

use crate::certificate::TestCertificate;
use crate::keys::{TestKey, rsa_hash};
use crate::within;

/// An SSH connection. It ends when this is dropped.
pub struct SshClient {
    handle: Handle<HostKeyCheck>,
    /// The same socket again, to make it vanish.
    socket: std::net::TcpStream,
}

impl std::fmt::Debug for SshClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SshClient")
            .field("socket", &self.socket)
            .finish_non_exhaustive()
    }
}

/// A connection from this address, which must be one of this machine: all of 127.0.0.0/8 is.
pub async fn connect_from(source: IpAddr, to: SocketAddr) -> TcpStream {
    let socket = if source.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    };
    let socket = socket.unwrap();
    socket.bind(SocketAddr::new(source, 0)).unwrap();
    within("a connection", socket.connect(to)).await.unwrap()
}

/// Whether the server says something on a connection before it ends it.
pub async fn is_greeted(stream: &mut TcpStream) -> bool {
    let mut first = [0; 4];
    let read = stream.read_exact(&mut first);
    within("a greeting or the end", read).await.is_ok()
}

/// What a command left.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ran {
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
    /// Exit status, if one came.
    pub status: Option<u32>,
}

impl Ran {
    /// Standard output as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }
}

/// What a server says to an attempt to log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attempted {
    /// Logged in.
    LoggedIn,
    /// Not, or not yet: names of the methods that may follow, in the server's order.
    Refused {
        /// Whether the attempt proved one of several methods.
        partial: bool,
        /// Names of the methods that may follow, in the server's order.
        methods: Vec<String>,
    },
    /// The connection is over.
    Ended,
}

/// What a server says in a keyboard-interactive dialogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// It asks, after an instruction; each question with whether its answer is to be shown.
    Questions(String, Vec<(String, bool)>),
    /// It is over.
    Over(Attempted),
}

impl Attempted {
    /// A refusal after which these methods may follow.
    #[must_use]
    pub fn refused(methods: &[&str]) -> Self {
        Self::refusal(false, methods)
    }

    /// A partial success, after which one of these methods has to follow.
    #[must_use]
    pub fn partial(methods: &[&str]) -> Self {
        Self::refusal(true, methods)
    }

    fn refusal(partial: bool, methods: &[&str]) -> Self {
        let methods = methods.iter().map(|name| (*name).to_owned()).collect();
        Self::Refused { partial, methods }
    }
}

impl From<Result<AuthResult, russh::Error>> for Attempted {
    fn from(result: Result<AuthResult, russh::Error>) -> Self {
        match result {
            Ok(AuthResult::Success) => Self::LoggedIn,
            Ok(AuthResult::Failure {
                remaining_methods,
                partial_success,
            }) => Self::Refused {
                partial: partial_success,
                methods: remaining_methods.iter().map(String::from).collect(),
            },
            Err(_) => Self::Ended,
        }
    }
}

impl From<Result<KeyboardInteractiveAuthResponse, russh::Error>> for Asked {
    fn from(result: Result<KeyboardInteractiveAuthResponse, russh::Error>) -> Self {
        let over = |result| Self::Over(Attempted::from(result));
        match result {
            Ok(KeyboardInteractiveAuthResponse::InfoRequest {
                instructions,
                prompts,
                ..
            }) => {
                let questions = prompts.into_iter();
                let questions = questions.map(|prompt| (prompt.prompt, prompt.echo));
                Self::Questions(instructions, questions.collect())
            }
            Ok(KeyboardInteractiveAuthResponse::Success) => over(Ok(AuthResult::Success)),
            Ok(KeyboardInteractiveAuthResponse::Failure {
                remaining_methods,
                partial_success,
            }) => over(Ok(AuthResult::Failure {
                remaining_methods,
                partial_success,
            })),
            Err(error) => over(Err(error)),
        }
    }
}

/// The host key that is expected; `None` takes any.
struct HostKeyCheck(Option<PublicKey>);

impl client::Handler for HostKeyCheck {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        key: &PublicKeyOrCertificate,
    ) -> Result<bool, russh::Error> {
        let Some(expected) = &self.0 else {
            return Ok(true);
        };
        Ok(matches!(key, PublicKeyOrCertificate::PublicKey { key, .. } if key == expected))
    }
}

/// Fails instead of signing: to offer a key and no more.
struct NoSigner;

#[derive(Debug)]
struct NotSigned;

impl From<russh::SendError> for NotSigned {
    fn from(_: russh::SendError) -> Self {
        Self
    }
}

impl russh::Signer for NoSigner {
    type Error = NotSigned;

    async fn auth_sign(
        &mut self,
        _: &AgentIdentity,
        _: Option<HashAlg>,
        _: Vec<u8>,
    ) -> Result<Vec<u8>, NotSigned> {
        Err(NotSigned)
    }
}

impl SshClient {
    /// Connects and exchanges keys; the server must have this host key, or any.
    pub async fn connect(address: SocketAddr, host_key: Option<&TestKey>) -> Self {
        Self::connect_with(client::Config::default(), address, host_key).await
    }

    /// Connects as a client that calls itself `software`.
    pub async fn connect_as(
        software: &str,
        address: SocketAddr,
        host_key: Option<&TestKey>,
    ) -> Self {
        let config = client::Config {
            client_id: SshId::Standard(format!("SSH-2.0-{software}").into()),
            ..client::Config::default()
        };
        Self::connect_with(config, address, host_key).await
    }

    async fn connect_with(
        config: client::Config,
        address: SocketAddr,
        host_key: Option<&TestKey>,
    ) -> Self {
        let stream = within("a connection", TcpStream::connect(address)).await;
        let client = Self::exchange(config, stream.unwrap(), host_key).await;
        client.expect("a handshake")
    }

    /// Exchanges keys on a connection that is there, whatever was sent on it; `None` if the server ends it.
    pub async fn over(stream: TcpStream, host_key: Option<&TestKey>) -> Option<Self> {
        Self::exchange(client::Config::default(), stream, host_key).await
    }

    async fn exchange(
        config: client::Config,
        stream: TcpStream,
        host_key: Option<&TestKey>,
    ) -> Option<Self> {
        let check = HostKeyCheck(host_key.map(TestKey::public));
        let stream = stream.into_std().unwrap();
        let socket = stream.try_clone().unwrap();
        let stream = TcpStream::from_std(stream).unwrap();
        // Small messages, sent as soon as they are there.
        stream.set_nodelay(true).unwrap();
        let exchange = client::connect_stream(Arc::new(config), stream, check);
        let handle = within("the handshake", exchange).await.ok()?;
        Some(Self { handle, socket })
    }

    /// Tries a password; whether it logged in.
    pub async fn password(&mut self, username: &str, password: &str) -> bool {
        let tried = self.handle.authenticate_password(username, password);
        within("the answer to a password", tried)
            .await
            .is_ok_and(|result| result.success())
    }

    /// Tries a key; whether it logged in.
    pub async fn key(&mut self, username: &str, key: &TestKey) -> bool {
        let key = PrivateKeyWithHashAlg::new(key.private(), None);
        let tried = self.handle.authenticate_publickey(username, key);
        within("the answer to a key", tried)
            .await
            .is_ok_and(|result| result.success())
    }

    /// Tries a password; what the server says.
    pub async fn try_password(&mut self, username: &str, password: &str) -> Attempted {
        let tried = self.handle.authenticate_password(username, password);
        within("the answer to a password", tried).await.into()
    }

    /// Tries a key; what the server says.
    pub async fn try_key(&mut self, username: &str, key: &TestKey) -> Attempted {
        let key = PrivateKeyWithHashAlg::new(key.private(), None);
        let tried = self.handle.authenticate_publickey(username, key);
        within("the answer to a key", tried).await.into()
    }

    /// Begins a keyboard-interactive dialogue.
    pub async fn interactive(&mut self, username: &str) -> Asked {
        let handle = &mut self.handle;
        let begun = handle.authenticate_keyboard_interactive_start(username, None);
        within("the first question", begun).await.into()
    }

    /// Answers the questions that were asked last.
    pub async fn answer(&mut self, answers: &[&str]) -> Asked {
        let answers = answers.iter().map(|answer| (*answer).to_owned()).collect();
        let handle = &mut self.handle;
        let answered = handle.authenticate_keyboard_interactive_respond(answers);
        within("what follows answers", answered).await.into()
    }

    /// Tries the RSA key with the signature algorithm of that name; whether it logged in.
    pub async fn rsa_key(&mut self, username: &str, key: &TestKey, algorithm: &str) -> bool {
        let key = PrivateKeyWithHashAlg::new(key.private(), rsa_hash(algorithm));
        let tried = self.handle.authenticate_publickey(username, key);
        within("the answer to a key", tried)
            .await
            .is_ok_and(|result| result.success())
    }

    /// Tries a key with a certificate of it; whether it logged in.
    pub async fn certificate(
        &mut self,
        username: &str,
        key: &TestKey,
        certificate: &TestCertificate,
    ) -> bool {
        let certificate = certificate.inner().clone();
        let tried = self
            .handle
            .authenticate_openssh_cert(username, key.private(), certificate);
        within("the answer to a certificate", tried)
            .await
            .is_ok_and(|result| result.success())
    }

    /// Offers a key without signing; whether the server would accept a signature.
    pub async fn offer_key(&mut self, username: &str, key: &TestKey) -> bool {
        let mut signer = NoSigner;
        let public = key.public();
        let tried = self
            .handle
            .authenticate_publickey_with(username, public, None, &mut signer);
        within("the answer to an offer", tried).await.is_err()
    }

    /// The methods that may be tried after a refused attempt without a credential.
    pub async fn methods(&mut self, username: &str) -> Vec<MethodKind> {
        let tried = self.handle.authenticate_none(username);
        match within("the answer to `none`", tried).await {
            Ok(AuthResult::Failure {
                remaining_methods, ..
            }) => remaining_methods.to_vec(),
            other => panic!("`none` was answered with {other:?}"),
        }
    }

    /// Opens a session channel; `None` if the server refuses.
    pub async fn channel(&self) -> Option<Channel<Msg>> {
        within(
            "the answer to a channel",
            self.handle.channel_open_session(),
        )
        .await
        .ok()
    }

    /// Opens a channel and asks for a subsystem in it; `None` if the server refuses either.
    pub async fn subsystem(&self, name: &str) -> Option<Channel<Msg>> {
        let mut channel = self.channel().await?;
        channel.request_subsystem(true, name).await.ok()?;
        within("the answer to a request", async {
            loop {
                match channel.wait().await? {
                    ChannelMsg::Success => return Some(channel),
                    ChannelMsg::Failure | ChannelMsg::Close => return None,
                    _ => {}
                }
            }
        })
        .await
    }

    /// Opens a channel and runs a command in it; `None` if the server refuses either.
    pub async fn start(&self, command: &[u8]) -> Option<Channel<Msg>> {
        let mut channel = self.channel().await?;
        channel.exec(true, command).await.ok()?;
        within("the answer to a request", async {
            loop {
                match channel.wait().await? {
                    ChannelMsg::Success => return Some(channel),
                    ChannelMsg::Failure | ChannelMsg::Close => return None,
                    _ => {}
                }
            }
        })
        .await
    }

    /// Runs a command with this input and waits for its end; `None` if the server refuses it.
    pub async fn exec(&self, command: &[u8], input: &[u8]) -> Option<Ran> {
        let mut channel = self.start(command).await?;
        if !input.is_empty() {
            let sent = channel.data_bytes(input.to_vec());
            // The command may end before it has read it.
            let _ = within("the input of a command to be taken", sent).await;
        }
        channel.eof().await.ok()?;
        let mut ran = Ran::default();
        within("the end of a command", async {
            while let Some(message) = channel.wait().await {
                match message {
                    ChannelMsg::Data { data } => ran.stdout.extend_from_slice(&data),
                    ChannelMsg::ExtendedData { data, ext: 1 } => {
                        ran.stderr.extend_from_slice(&data);
                    }
                    ChannelMsg::ExitStatus { exit_status } => ran.status = Some(exit_status),
                    _ => {}
                }
            }
        })
        .await;
        Some(ran)
    }

    /// Whether the connection is over.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.handle.is_closed()
    }

    /// Ends the connection without a word, as a cable does that is pulled.
    pub fn vanish(&self) {
        let _ = self.socket.shutdown(Shutdown::Both);
    }
}
