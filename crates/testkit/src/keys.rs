//! Keys that are the same in every run, and made without waiting: Ed25519 ones, and one RSA key.

use std::sync::Arc;

use russh::keys::signature::Signer as _;
use russh::keys::ssh_encoding::Encode as _;
use russh::keys::ssh_key::private::Ed25519Keypair;
use russh::keys::ssh_key::private::KeypairData;
use russh::keys::ssh_key::{LineEnding, Signature};
use russh::keys::{Algorithm, HashAlg, PrivateKey, PublicKey, PublicKeyBase64 as _};

/// 2048 bits, for tests only: everybody knows it.
const RSA: &str = include_str!("rsa_key");

/// A key pair of a client or of the server.
#[derive(Debug, Clone)]
pub struct TestKey(Arc<PrivateKey>);

impl TestKey {
    /// The key of that number; each number has one.
    #[must_use]
    pub fn numbered(number: u8) -> Self {
        let pair = Ed25519Keypair::from_seed(&[number; 32]);
        Self(Arc::new(PrivateKey::from(pair)))
    }

    /// The RSA key.
    #[must_use]
    pub fn rsa() -> Self {
        Self(Arc::new(PrivateKey::from_openssh(RSA).unwrap()))
    }

    /// The public half as it goes over the wire.
    #[must_use]
    pub fn blob(&self) -> Vec<u8> {
        self.0.public_key().public_key_bytes()
    }

    /// The signature as it goes over the wire: of the RSA key, by the algorithm of that name.
    #[must_use]
    pub fn rsa_signature(&self, algorithm: &str, data: &[u8]) -> Vec<u8> {
        let KeypairData::Rsa(pair) = self.0.key_data() else {
            panic!("not the RSA key");
        };
        let signature = (pair, rsa_hash(algorithm)).try_sign(data).unwrap();
        signature.encode_vec().unwrap()
    }

    /// The signature as it goes over the wire, of any key but the RSA one.
    #[must_use]
    pub fn signature(&self, data: &[u8]) -> Vec<u8> {
        let signature: Signature = self.0.as_ref().try_sign(data).unwrap();
        signature.encode_vec().unwrap()
    }

    /// The line for `authorized_keys`, with this comment.
    #[must_use]
    pub fn line(&self, comment: &str) -> String {
        let line = self.0.public_key().to_openssh().unwrap();
        format!("{} {comment}", line.trim_end())
    }

    /// The private key as a file holds it.
    #[must_use]
    pub fn file(&self) -> String {
        self.0.to_openssh(LineEnding::LF).unwrap().to_string()
    }

    /// `SHA256:...`
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.0
            .public_key()
            .fingerprint(Default::default())
            .to_string()
    }

    pub(crate) fn private(&self) -> Arc<PrivateKey> {
        Arc::clone(&self.0)
    }

    pub(crate) fn public(&self) -> PublicKey {
        self.0.public_key().clone()
    }
}

/// The hash of an RSA signature algorithm: none is SHA-1.
pub(crate) fn rsa_hash(algorithm: &str) -> Option<HashAlg> {
    match Algorithm::new(algorithm) {
        Ok(Algorithm::Rsa { hash }) => hash,
        other => panic!("{algorithm} is no algorithm of RSA: {other:?}"),
    }
}
