//! [`SecurityKey`]: what a security key does, without the hardware (OpenSSH's PROTOCOL.u2f).

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The flag of a signature for which somebody touched the key.
pub const TOUCHED: u8 = 0x01;
/// The flag of a signature for which the key checked a PIN or a finger.
pub const VERIFIED: u8 = 0x04;

const APPLICATION: &[u8] = b"ssh:";
const COUNTER: [u8; 4] = [0, 0, 0, 9];

/// A key whose signatures say what the test wants them to say.
#[derive(Debug)]
pub enum SecurityKey {
    /// `sk-ssh-ed25519@openssh.com`.
    Ed25519(Ed25519KeyPair),
    /// `sk-ecdsa-sha2-nistp256@openssh.com`.
    Ecdsa(EcdsaKeyPair),
}

impl SecurityKey {
    /// A key of each kind.
    #[must_use]
    pub fn of_each_kind() -> [Self; 2] {
        [
            Self::Ed25519(Ed25519KeyPair::generate().unwrap()),
            Self::Ecdsa(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap()),
        ]
    }

    /// The type of the key, which is the name of its signatures as well.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Ed25519(_) => "sk-ssh-ed25519@openssh.com",
            Self::Ecdsa(_) => "sk-ecdsa-sha2-nistp256@openssh.com",
        }
    }

    /// The public half as it goes over the wire.
    #[must_use]
    pub fn blob(&self) -> Vec<u8> {
        let mut blob = string(self.name().as_bytes());
        match self {
            Self::Ed25519(pair) => blob.extend(string(pair.public_key().as_ref())),
            Self::Ecdsa(pair) => {
                blob.extend(string(b"nistp256"));
                blob.extend(string(pair.public_key().as_ref()));
            }
        }
        blob.extend(string(APPLICATION));
        blob
    }

    /// The line for `authorized_keys`, with these options.
    #[must_use]
    pub fn line(&self, options: &str) -> String {
        let line = format!("{options} {} {}", self.name(), STANDARD.encode(self.blob()));
        line.trim_start().to_owned()
    }

    /// A signature with these flags, as it goes over the wire.
    #[must_use]
    pub fn signature(&self, data: &[u8], flags: u8) -> Vec<u8> {
        let mut message = digest(&SHA256, APPLICATION).as_ref().to_vec();
        message.push(flags);
        message.extend(COUNTER);
        message.extend(digest(&SHA256, data).as_ref());
        let body = match self {
            Self::Ed25519(pair) => pair.sign(&message).as_ref().to_vec(),
            Self::Ecdsa(pair) => {
                let signature = pair.sign(&SystemRandom::new(), &message).unwrap();
                let (r, s) = signature.as_ref().split_at(32);
                [number(r), number(s)].concat()
            }
        };
        let mut signature = string(self.name().as_bytes());
        signature.extend(string(&body));
        signature.push(flags);
        signature.extend(COUNTER);
        signature
    }
}

fn string(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap();
    [&length.to_be_bytes()[..], bytes].concat()
}

/// As a number without needless zeros in front, and with one where it would be negative.
fn number(bytes: &[u8]) -> Vec<u8> {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let bytes: Vec<u8> = bytes.iter().copied().skip(zeros).collect();
    if bytes.first().is_some_and(|first| *first >= 0x80) {
        string(&[&[0][..], &bytes].concat())
    } else {
        string(&bytes)
    }
}
