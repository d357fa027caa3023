//! Keys, security keys and certificates in software: the private halves are numbers in this file.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sftpgo_model::{Certificate, PublicKey};

/// Appends fields (RFC 4251 section 5).
#[derive(Debug, Clone, Default)]
pub(super) struct Bytes(pub(super) Vec<u8>);

impl Bytes {
    pub(super) fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    pub(super) fn string(self, bytes: &[u8]) -> Self {
        let length = u32::try_from(bytes.len()).unwrap();
        self.raw(&length.to_be_bytes()).raw(bytes)
    }

    /// A number that may begin with a bit, as halves of ECDSA signatures do.
    fn number(self, bytes: &[u8]) -> Self {
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        let bytes = &bytes[zeros..];
        if bytes.first().is_some_and(|first| *first >= 0x80) {
            self.string(&[&[0], bytes].concat())
        } else {
            self.string(bytes)
        }
    }
}

/// The Ed25519 pair of that number.
pub(super) struct Pair(Ed25519KeyPair);

impl Pair {
    pub(super) fn numbered(number: u8) -> Self {
        Self(Ed25519KeyPair::from_seed_unchecked(&[number; 32]).unwrap())
    }

    pub(super) fn blob(&self) -> Vec<u8> {
        let named = Bytes::default().string(b"ssh-ed25519");
        named.string(self.0.public_key().as_ref()).0
    }

    pub(super) fn line(&self) -> String {
        line("ssh-ed25519", &self.blob())
    }

    pub(super) fn sign(&self, data: &[u8]) -> Vec<u8> {
        let named = Bytes::default().string(b"ssh-ed25519");
        named.string(self.0.sign(data).as_ref()).0
    }
}

/// A line of `authorized_keys`.
pub(super) fn line(name: &str, blob: &[u8]) -> String {
    format!("{name} {} comment", STANDARD.encode(blob))
}

/// A security key in software: of Ed25519, or of ECDSA.
pub(super) enum SecurityKey {
    Ed25519(Ed25519KeyPair),
    Ecdsa(EcdsaKeyPair),
}

const APPLICATION: &[u8] = b"ssh:";

impl SecurityKey {
    pub(super) fn both() -> [Self; 2] {
        let ecdsa = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let ed25519 = Ed25519KeyPair::from_seed_unchecked(&[77; 32]).unwrap();
        [Self::Ed25519(ed25519), Self::Ecdsa(ecdsa)]
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Ed25519(_) => "sk-ssh-ed25519@openssh.com",
            Self::Ecdsa(_) => "sk-ecdsa-sha2-nistp256@openssh.com",
        }
    }

    pub(super) fn blob(&self) -> Vec<u8> {
        self.fields(Bytes::default().string(self.name().as_bytes()))
            .0
    }

    /// The fields behind the name.
    pub(super) fn fields(&self, after: Bytes) -> Bytes {
        let point = match self {
            Self::Ed25519(pair) => after.string(pair.public_key().as_ref()),
            Self::Ecdsa(pair) => after.string(b"nistp256").string(pair.public_key().as_ref()),
        };
        point.string(APPLICATION)
    }

    /// A signature with these flags.
    pub(super) fn sign(&self, data: &[u8], flags: u8) -> Vec<u8> {
        let counter = 7_u32.to_be_bytes();
        let message = Bytes::default()
            .raw(digest(&SHA256, APPLICATION).as_ref())
            .raw(&[flags])
            .raw(&counter)
            .raw(digest(&SHA256, data).as_ref());
        let body = match self {
            Self::Ed25519(pair) => pair.sign(&message.0).as_ref().to_vec(),
            Self::Ecdsa(pair) => {
                let signature = pair.sign(&SystemRandom::new(), &message.0).unwrap();
                let (r, s) = signature.as_ref().split_at(32);
                Bytes::default().number(r).number(s).0
            }
        };
        let named = Bytes::default().string(self.name().as_bytes());
        named.string(&body).raw(&[flags]).raw(&counter).0
    }
}

/// A certificate for `Pair::numbered(1)`, signed by `Pair::numbered(9)`, unless told otherwise.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) name: &'static str,
    /// The fields of the certified key.
    pub(super) key: Vec<u8>,
    pub(super) kind: u32,
    pub(super) principals: &'static [&'static str],
    pub(super) valid: (u64, u64),
    pub(super) critical: &'static [(&'static str, &'static str)],
    pub(super) extensions: &'static [&'static str],
    pub(super) authority: u8,
}

impl Draft {
    pub(super) fn new() -> Self {
        let pair = Pair::numbered(1);
        Self {
            name: "ssh-ed25519-cert-v01@openssh.com",
            key: Bytes::default().string(pair.0.public_key().as_ref()).0,
            kind: 1,
            principals: &["alice"],
            valid: (0, u64::MAX),
            critical: &[],
            extensions: &[],
            authority: 9,
        }
    }

    pub(super) fn blob(&self) -> Vec<u8> {
        let mut principals = Bytes::default();
        for name in self.principals {
            principals = principals.string(name.as_bytes());
        }
        let mut critical = Bytes::default();
        for (name, value) in self.critical {
            let value = match *value {
                "" => Bytes::default(),
                value => Bytes::default().string(value.as_bytes()),
            };
            critical = critical.string(name.as_bytes()).string(&value.0);
        }
        let mut extensions = Bytes::default();
        for name in self.extensions {
            extensions = extensions.string(name.as_bytes()).string(b"");
        }
        let authority = Pair::numbered(self.authority);
        let signed = Bytes::default()
            .string(self.name.as_bytes())
            .string(b"nonce")
            .raw(&self.key)
            .raw(&5_u64.to_be_bytes())
            .raw(&self.kind.to_be_bytes())
            .string(b"key id")
            .string(&principals.0)
            .raw(&self.valid.0.to_be_bytes())
            .raw(&self.valid.1.to_be_bytes())
            .string(&critical.0)
            .string(&extensions.0)
            .string(b"")
            .string(&authority.blob());
        let signature = authority.sign(&signed.0);
        signed.string(&signature).0
    }

    pub(super) fn certificate(&self) -> Certificate {
        Certificate::from_blob(&self.blob()).unwrap()
    }
}

/// The blob of a certificate that `ssh-keygen` made.
pub(super) fn vector(name: &str) -> Vec<u8> {
    let vectors = include_str!("../../../../../model/src/public_key/certificate/vectors");
    let mut lines = vectors.lines();
    let line = lines.find(|line| line.ends_with(&format!(" {name}")));
    STANDARD
        .decode(line.unwrap().split(' ').nth(1).unwrap())
        .unwrap()
}

/// The key of a pair as accounts store it.
pub(super) fn key(pair: &Pair) -> PublicKey {
    PublicKey::from_blob(&pair.blob()).unwrap()
}
