//! [`OfferedKey`], which anybody can name, and [`VerifiedKey`], which only its owner can sign with.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sftpgo_model::public_key::{CertificateError, MaterialError, PublicKeyError};
use sftpgo_model::{Certificate, PublicKey};
use thiserror::Error;

use super::algorithm::{AcceptedSignatures, Announced, SignatureAlgorithm};
use super::signature::{Signature, Touch};

/// Smallest RSA key that a certificate may be about, or be signed with, in bits.
pub(super) const CERTIFIED_RSA_BITS: usize = 2048;

/// Why a key, or a signature of it, is refused whoever it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeyError {
    /// No key of this kind logs in.
    #[error("keys of this kind, or signatures of it, are not accepted")]
    Algorithm,
    /// What clients sign with SHA-1.
    #[error("signatures with SHA-1 are not accepted")]
    Sha1,
    /// The key is not of the announced type.
    #[error("the key is not of the type that the request names")]
    Type,
    /// The bytes are no key.
    #[error(transparent)]
    Key(#[from] PublicKeyError),
    /// Nothing is computed with such a key.
    #[error(transparent)]
    Material(#[from] MaterialError),
    /// The bytes are no certificate.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The key in a certificate is too small.
    #[error("RSA keys in certificates must have 2048 bits")]
    Certified,
    /// Another algorithm has signed than the request names.
    #[error("the signature is not of the algorithm that the request names")]
    Signature,
    /// The signature is not one of this key over this session.
    #[error("the signature is wrong")]
    Wrong,
}

/// A key or a certificate that a client names: of an acceptable type and size, with names that agree. Nothing is known of
/// whoever names it.
#[derive(Debug, Clone)]
pub struct OfferedKey {
    announced: Announced,
    accepted: AcceptedSignatures,
    /// The key that has to sign: that of the certificate, if there is one.
    key: PublicKey,
    certificate: Option<Certificate>,
}

impl OfferedKey {
    /// Reads the key of a request: the name of the algorithm and the key in wire form. Decides by names and sizes alone:
    /// nothing is computed, looked up or opened.
    ///
    /// # Errors
    /// No such key logs in anywhere, or none that signs so.
    pub fn parse(
        algorithm: &str,
        blob: &[u8],
        accepted: &AcceptedSignatures,
    ) -> Result<Self, KeyError> {
        let announced = Announced::parse(algorithm).ok_or(KeyError::Algorithm)?;
        if announced
            .signature
            .is_some_and(|named| !accepted.contains(named))
        {
            return Err(KeyError::Algorithm);
        }
        let certificate = announced
            .is_certificate
            .then(|| Certificate::from_blob(blob))
            .transpose()?;
        let key = match &certificate {
            Some(certificate) => certificate.key().clone(),
            None => PublicKey::from_blob(blob)?,
        };
        if key.algorithm() != announced.key_type {
            return Err(KeyError::Type);
        }
        let bits = key.material()?.rsa_bits();
        if certificate.is_some() && bits.is_some_and(|bits| bits < CERTIFIED_RSA_BITS) {
            return Err(KeyError::Certified);
        }
        Ok(Self {
            announced,
            accepted: accepted.clone(),
            key,
            certificate,
        })
    }

    /// The key that has to sign; that of the certificate, if there is one.
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// What an authority says of the key.
    pub const fn certificate(&self) -> Option<&Certificate> {
        self.certificate.as_ref()
    }

    /// The line of `authorized_keys`, or of a certificate file, without a comment.
    pub fn to_line(&self) -> String {
        match &self.certificate {
            Some(certificate) => {
                let blob = STANDARD.encode(certificate.blob());
                format!("{} {blob}", certificate.name())
            }
            None => self.key.to_line(),
        }
    }

    /// A hash of what was offered: the same for the same key with the same certificate, and for nothing else.
    pub(in crate::auth) fn digest(&self) -> [u8; 32] {
        let blob = self
            .certificate
            .as_ref()
            .map_or(self.key.blob(), Certificate::blob);
        let mut hash = [0; 32];
        let computed = digest(&SHA256, blob);
        hash.iter_mut()
            .zip(computed.as_ref())
            .for_each(|(to, from)| *to = *from);
        hash
    }

    /// Whether a client that asks about the key so would be understood when it signs.
    ///
    /// # Errors
    /// The name is `ssh-rsa` and SHA-1 is not accepted: nearly all who ask that sign with it, and would be asked for a
    /// passphrase for nothing.
    pub fn check_question(&self) -> Result<(), KeyError> {
        if self.announced.signature.is_none()
            && !self.accepted.contains(SignatureAlgorithm::RsaSha1)
        {
            return Err(KeyError::Sha1);
        }
        Ok(())
    }

    /// Verifies that the owner of the key made this signature, in wire form, over `data`.
    ///
    /// # Errors
    /// It is not, or not by the algorithm that was announced, or by one that is not accepted.
    pub fn verify(self, data: &[u8], signature: &[u8]) -> Result<VerifiedKey, KeyError> {
        let signature = Signature::parse(signature).ok_or(KeyError::Algorithm)?;
        if !self.announced.admits(signature.algorithm) {
            return Err(KeyError::Signature);
        }
        if !self.accepted.contains(signature.algorithm) {
            let is_sha1 = signature.algorithm == SignatureAlgorithm::RsaSha1;
            return Err(if is_sha1 {
                KeyError::Sha1
            } else {
                KeyError::Algorithm
            });
        }
        let signed = signature.verify(&self.key.material()?, data);
        let touch = signed.ok_or(KeyError::Wrong)?.touch;
        Ok(VerifiedKey {
            offered: self,
            touch,
        })
    }
}

/// A key of which the client has made a signature. Only [`OfferedKey::verify`] makes one, and consumes the key that it
/// verified: there is no way to be asked about one key and to log in with another.
#[derive(Debug)]
pub struct VerifiedKey {
    offered: OfferedKey,
    touch: Option<Touch>,
}

impl VerifiedKey {
    /// The key, with its certificate.
    pub const fn offered(&self) -> &OfferedKey {
        &self.offered
    }

    /// What a security key says of whoever used it.
    pub(super) const fn touch(&self) -> Option<Touch> {
        self.touch
    }
}
