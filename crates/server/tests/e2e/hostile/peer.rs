//! A client of SSH that does what no library lets one do: it opens windows as it likes, and sends any message at any time.
//!
//! One method of each kind: curve25519-sha256, aes128-gcm@openssh.com, password. It does not verify the server.

use std::net::SocketAddr;

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{EphemeralPrivateKey, UnparsedPublicKey, X25519, agree_ephemeral};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use sftpgo_testkit::{PASSWORD, within};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const TAG: usize = 16;
/// The one way to exchange keys that it speaks.
const CURVE25519: &[u8] = b"curve25519-sha256";

/// Appends the fields of a message (RFC 4251 section 5).
#[derive(Debug, Default, Clone)]
pub(crate) struct Message(pub(crate) Vec<u8>);

impl Message {
    pub(crate) fn new(number: u8) -> Self {
        Self(vec![number])
    }

    pub(crate) fn byte(mut self, value: u8) -> Self {
        self.0.push(value);
        self
    }

    pub(crate) fn u32(mut self, value: u32) -> Self {
        self.0.extend_from_slice(&value.to_be_bytes());
        self
    }

    pub(crate) fn string(self, value: &[u8]) -> Self {
        let mut message = self.u32(u32::try_from(value.len()).unwrap());
        message.0.extend_from_slice(value);
        message
    }

    pub(crate) fn mpint(self, value: &[u8]) -> Self {
        let start = value.iter().position(|byte| *byte != 0).unwrap();
        let value = &value[start..];
        if value[0] < 0x80 {
            self.string(value)
        } else {
            self.string(&[&[0], value].concat())
        }
    }
}

/// One direction of the connection.
struct Keys {
    key: LessSafeKey,
    fixed: [u8; 4],
    counter: u64,
}

impl Keys {
    fn new(derive: impl Fn(u8) -> Vec<u8>, iv: u8, key: u8) -> Self {
        let (iv, key) = (derive(iv), derive(key));
        Self {
            key: LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key[..16]).unwrap()),
            fixed: iv[..4].try_into().unwrap(),
            counter: u64::from_be_bytes(iv[4..12].try_into().unwrap()),
        }
    }

    fn nonce(&mut self) -> Nonce {
        let mut nonce = [0; 12];
        nonce[..4].copy_from_slice(&self.fixed);
        nonce[4..].copy_from_slice(&self.counter.to_be_bytes());
        self.counter = self.counter.wrapping_add(1);
        Nonce::assume_unique_for_key(nonce)
    }
}

/// A connection, encrypted or not yet.
pub(crate) struct Peer {
    stream: TcpStream,
    out: Option<Keys>,
    inward: Option<Keys>,
    sent: u32,
    /// Methods to exchange keys that it offers.
    kex: &'static [u8],
    /// The hash of the first exchange of keys.
    pub(crate) session_id: Vec<u8>,
    pub(crate) server_version: Vec<u8>,
}

impl Peer {
    /// Connects and says nothing.
    pub(crate) async fn silent(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        // Small messages, sent as soon as they are there.
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            out: None,
            inward: None,
            sent: 0,
            kex: CURVE25519,
            session_id: Vec::new(),
            server_version: Vec::new(),
        }
    }

    /// Connects and exchanges identifications.
    pub(crate) async fn greet(address: SocketAddr) -> Self {
        let mut peer = Self::silent(address).await;
        peer.send_raw(b"SSH-2.0-hostile\r\n").await;
        let version = &mut peer.server_version;
        while !version.ends_with(b"\r\n") {
            version.push(within("a banner", peer.stream.read_u8()).await.unwrap());
        }
        version.truncate(version.len() - 2);
        peer
    }

    /// Connects and exchanges identifications; these methods will be offered to exchange keys, the first of which is
    /// curve25519-sha256.
    pub(crate) async fn greet_offering(address: SocketAddr, kex: &'static [u8]) -> Self {
        let mut peer = Self::greet(address).await;
        peer.kex = kex;
        peer
    }

    /// Connects and exchanges keys.
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self::connect_offering(address, CURVE25519).await
    }

    /// Connects and exchanges keys; these methods are offered, the first of which is curve25519-sha256.
    pub(crate) async fn connect_offering(address: SocketAddr, kex: &'static [u8]) -> Self {
        let mut peer = Self::greet_offering(address, kex).await;
        peer.exchange_keys(None).await;
        peer
    }

    /// Begins to exchange keys and does no more.
    pub(crate) async fn begin_exchange(&mut self) {
        self.send(&kex_init_offering(self.kex)).await;
    }

    /// Exchanges keys, for the first time or anew; `theirs` is the server's KEXINIT if it began. Gives back what else came
    /// before the server's KEXINIT.
    pub(crate) async fn exchange_keys(&mut self, theirs: Option<Vec<u8>>) -> Vec<Vec<u8>> {
        let ours = kex_init_offering(self.kex);
        self.send(&ours).await;
        let mut before = Vec::new();
        let theirs = match theirs {
            Some(theirs) => theirs,
            None => loop {
                let message = self.receive().await.unwrap();
                if message[0] == 20 {
                    break message;
                }
                before.push(message);
            },
        };
        let secret = EphemeralPrivateKey::generate(&X25519, &SystemRandom::new()).unwrap();
        let public = secret.compute_public_key().unwrap();
        self.send(&Message::new(30).string(public.as_ref())).await;
        let reply = self.receive().await.unwrap();
        assert_eq!(reply[0], 31, "KEX_ECDH_REPLY");
        let (host_key, rest) = split_string(&reply[1..]);
        let (server_public, _) = split_string(rest);
        let server_key = UnparsedPublicKey::new(&X25519, server_public);
        let shared = agree_ephemeral(secret, server_key, (), |shared| Ok(shared.to_vec())).unwrap();
        let hashed = Message::default()
            .string(b"SSH-2.0-hostile")
            .string(&self.server_version)
            .string(&ours.0)
            .string(&theirs)
            .string(host_key)
            .string(public.as_ref())
            .string(server_public)
            .mpint(&shared);
        let hash = digest(&SHA256, &hashed.0);
        if self.session_id.is_empty() {
            self.session_id = hash.as_ref().to_vec();
        }
        let session_id = self.session_id.clone();
        let derive = |letter: u8| {
            let mut input = Message::default().mpint(&shared);
            input.0.extend_from_slice(hash.as_ref());
            input.0.push(letter);
            input.0.extend_from_slice(&session_id);
            digest(&SHA256, &input.0).as_ref().to_vec()
        };
        self.send(&Message::new(21)).await;
        self.out = Some(Keys::new(derive, b'A', b'C'));
        assert_eq!(self.receive().await.unwrap(), [21], "NEWKEYS");
        self.inward = Some(Keys::new(derive, b'B', b'D'));
        before
    }

    /// Connects and logs in with the password of test accounts.
    pub(crate) async fn login(address: SocketAddr, username: &str) -> Self {
        let mut peer = Self::connect(address).await;
        peer.authenticate(username).await;
        peer
    }

    /// Logs in with the password of test accounts.
    pub(crate) async fn authenticate(&mut self, username: &str) {
        self.service().await;
        let request = Message::new(50)
            .string(username.as_bytes())
            .string(b"ssh-connection")
            .string(b"password")
            .byte(0)
            .string(PASSWORD.as_bytes());
        self.send(&request).await;
        self.next(52).await.unwrap();
    }

    /// Asks for the service in which logins are tried.
    pub(crate) async fn service(&mut self) {
        self.send(&Message::new(5).string(b"ssh-userauth")).await;
        self.next(6).await.unwrap();
    }

    /// Opens a session channel with a window of ours; gives the server's number of it.
    pub(crate) async fn open(&mut self, number: u32, window: u32) -> u32 {
        let request = Message::new(90).string(b"session");
        self.send(&request.u32(number).u32(window).u32(32_768))
            .await;
        let reply = self.next(91).await.unwrap();
        u32::from_be_bytes(reply[5..9].try_into().unwrap())
    }

    /// Asks for a subsystem in a channel; whether it was started.
    pub(crate) async fn subsystem(&mut self, channel: u32, name: &str) -> bool {
        self.send(&request(channel, b"subsystem", name.as_bytes()))
            .await;
        self.answered().await
    }

    /// Whether the next answer to a channel request is a success.
    pub(crate) async fn answered(&mut self) -> bool {
        loop {
            match self.receive().await.unwrap()[0] {
                99 => return true,
                100 => return false,
                _ => {}
            }
        }
    }

    /// Sends bytes in a channel, whatever the window says.
    pub(crate) async fn data(&mut self, channel: u32, bytes: &[u8]) {
        for piece in bytes.chunks(32_000) {
            self.send(&Message::new(94).u32(channel).string(piece))
                .await;
        }
    }

    /// The next message with this number, skipping others; `None` if the server ends the connection before.
    pub(crate) async fn next(&mut self, number: u8) -> Option<Vec<u8>> {
        loop {
            let message = self.receive().await?;
            if message[0] == number {
                return Some(message);
            }
        }
    }

    /// Sends a message; the server may be gone.
    pub(crate) async fn send(&mut self, message: &Message) {
        let packet = self.packet(&message.0);
        self.send_raw(&packet).await;
    }

    /// A packet with that content; what is packed is counted as sent.
    pub(crate) fn packet(&mut self, payload: &[u8]) -> Vec<u8> {
        self.sent += 1;
        let length_counts = if self.out.is_some() { 0 } else { 4 };
        let block = if self.out.is_some() { 16 } else { 8 };
        let mut padding = block - (length_counts + 1 + payload.len()) % block;
        if padding < 4 {
            padding += block;
        }
        let mut body = vec![u8::try_from(padding).unwrap()];
        body.extend_from_slice(payload);
        body.resize(body.len() + padding, 0);
        let length = u32::try_from(body.len()).unwrap().to_be_bytes();
        if let Some(keys) = &mut self.out {
            let nonce = keys.nonce();
            keys.key
                .seal_in_place_append_tag(nonce, Aad::from(length), &mut body)
                .unwrap();
        }
        [&length[..], &body].concat()
    }

    /// Messages sent so far: the number of the next one (RFC 4253 section 6.4). Strict key exchange is not spoken.
    pub(crate) fn sent(&self) -> u32 {
        self.sent
    }

    /// Sends bytes that need be no message; the server may be gone.
    pub(crate) async fn send_raw(&mut self, bytes: &[u8]) {
        let _ = within("room in the socket", self.stream.write_all(bytes)).await;
    }

    /// The next message, whatever it is; `None` after the server ended the connection.
    pub(crate) async fn receive(&mut self) -> Option<Vec<u8>> {
        within("a message", self.receive_in_time()).await
    }

    async fn receive_in_time(&mut self) -> Option<Vec<u8>> {
        let mut length = [0; 4];
        self.stream.read_exact(&mut length).await.ok()?;
        let tag = if self.inward.is_some() { TAG } else { 0 };
        let mut body = vec![0; u32::from_be_bytes(length) as usize + tag];
        self.stream.read_exact(&mut body).await.ok()?;
        if let Some(keys) = &mut self.inward {
            let nonce = keys.nonce();
            keys.key
                .open_in_place(nonce, Aad::from(length), &mut body)
                .unwrap();
            body.truncate(body.len() - TAG);
        }
        let padding = usize::from(body[0]);
        Some(body[1..body.len() - padding].to_vec())
    }

    /// Whether the server has ended the connection; what it said before is lost.
    pub(crate) fn is_closed(&self) -> bool {
        match self.stream.try_read(&mut [0; 256]) {
            Ok(read) => read == 0,
            Err(error) => error.kind() != std::io::ErrorKind::WouldBlock,
        }
    }

    /// Whether the server takes no more: it has closed the socket and not only its own direction.
    pub(crate) async fn is_broken(&mut self) -> bool {
        let ignored = self.packet(&Message::new(2).string(b"").0);
        within("room in the socket", self.stream.write_all(&ignored))
            .await
            .is_err()
    }

    /// Sends nothing any more.
    pub(crate) async fn shut(&mut self) {
        let _ = self.stream.shutdown().await;
    }

    /// Reads to the end of the connection; the bytes as they came.
    pub(crate) async fn rest_of_bytes(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let _ = within("the end", self.stream.read_to_end(&mut bytes)).await;
        bytes
    }

    /// Reads to the end of the connection; what came before it.
    pub(crate) async fn rest(&mut self) -> Vec<Vec<u8>> {
        let mut messages = Vec::new();
        while let Some(message) = self.receive().await {
            messages.push(message);
        }
        messages
    }
}

/// A channel request that wants a reply.
pub(crate) fn request(channel: u32, name: &[u8], value: &[u8]) -> Message {
    Message::new(98)
        .u32(channel)
        .string(name)
        .byte(1)
        .string(value)
}

pub(crate) fn kex_init() -> Message {
    kex_init_offering(CURVE25519)
}

/// A KEXINIT with these methods to exchange keys.
pub(crate) fn kex_init_offering(kex: &[u8]) -> Message {
    kex_init_with(kex, b"none")
}

/// A KEXINIT with these methods to exchange keys and to compress.
pub(crate) fn kex_init_with(kex: &[u8], compression: &[u8]) -> Message {
    let mut message = Message::new(20);
    message.0.extend_from_slice(&[7; 16]);
    let lists: [&[u8]; 10] = [
        kex,
        b"ssh-ed25519",
        b"aes128-gcm@openssh.com",
        b"aes128-gcm@openssh.com",
        b"hmac-sha2-256",
        b"hmac-sha2-256",
        compression,
        compression,
        b"",
        b"",
    ];
    lists
        .iter()
        .fold(message, |message, list| message.string(list))
        .byte(0)
        .u32(0)
}

/// A string and what is behind it.
pub(crate) fn split_string(bytes: &[u8]) -> (&[u8], &[u8]) {
    let length = u32::from_be_bytes(bytes[..4].try_into().unwrap()) as usize;
    bytes[4..].split_at(length)
}
