//! Ed25519 keys: the same in every run, and made without waiting.

use std::sync::Arc;

use russh::keys::ssh_key::LineEnding;
use russh::keys::ssh_key::private::Ed25519Keypair;
use russh::keys::{PrivateKey, PublicKey};

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
