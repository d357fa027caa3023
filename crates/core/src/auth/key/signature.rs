//! Verification of signatures (RFC 4253 section 6.6, RFC 5656, RFC 8332, RFC 8709, OpenSSH's PROTOCOL.u2f).

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ED25519,
    EcdsaVerificationAlgorithm, RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
    RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
    RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey,
};
use sftpgo_model::public_key::{Curve, Fields, KeyMaterial};

use super::algorithm::SignatureAlgorithm;

/// The flags of a security key's signature.
const USER_PRESENT: u8 = 0x01;
const USER_VERIFIED: u8 = 0x04;

/// A signature as it came, taken apart.
#[derive(Debug, Clone, Copy)]
pub(super) struct Signature<'a> {
    pub(super) algorithm: SignatureAlgorithm,
    body: &'a [u8],
    /// What a security key signed beside what it was given.
    touch: Option<Touch>,
}

/// What a security key says of whoever used it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Touch {
    flags: u8,
    counter: u32,
}

impl Touch {
    /// Whether somebody touched it.
    pub(super) const fn is_present(self) -> bool {
        self.flags & USER_PRESENT != 0
    }

    /// Whether it checked a PIN or a finger.
    pub(super) const fn is_verified(self) -> bool {
        self.flags & USER_VERIFIED != 0
    }
}

/// A key has made a signature. Only [`Signature::verify`] says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Signed {
    /// For security keys.
    pub(super) touch: Option<Touch>,
}

impl<'a> Signature<'a> {
    /// Takes a signature apart; `None` if it is malformed or of an algorithm that we do not verify.
    pub(super) fn parse(blob: &'a [u8]) -> Option<Self> {
        use SignatureAlgorithm::{SkEcdsa, SkEd25519};
        let mut fields = Fields::new(blob);
        let algorithm = SignatureAlgorithm::named(fields.string()?)?;
        let body = fields.string()?;
        let touch = if matches!(algorithm, SkEd25519 | SkEcdsa) {
            let (flags, counter) = (fields.byte()?, fields.u32()?);
            Some(Touch { flags, counter })
        } else {
            None
        };
        fields.is_empty().then_some(Self {
            algorithm,
            body,
            touch,
        })
    }

    /// Whether the owner of the key signed this message.
    pub(super) fn verify(&self, key: &KeyMaterial<'_>, message: &[u8]) -> Option<Signed> {
        use SignatureAlgorithm as Algorithm;
        let is_valid = match (self.algorithm, *key) {
            (Algorithm::Ed25519, KeyMaterial::Ed25519 { point }) => self.ed25519(point, message),
            (Algorithm::Ecdsa(of), KeyMaterial::Ecdsa { curve, point }) if of == curve => {
                self.ecdsa(curve, point, message)
            }
            (Algorithm::RsaSha256, KeyMaterial::Rsa { exponent, modulus }) => {
                let with = &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY;
                self.rsa(with, exponent, modulus, message)
            }
            (Algorithm::RsaSha512, KeyMaterial::Rsa { exponent, modulus }) => {
                let with = &RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY;
                self.rsa(with, exponent, modulus, message)
            }
            (Algorithm::RsaSha1, KeyMaterial::Rsa { exponent, modulus }) => {
                let with = &RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY;
                self.rsa(with, exponent, modulus, message)
            }
            (Algorithm::SkEd25519, KeyMaterial::SkEd25519 { point, application }) => {
                self.ed25519(point, &self.security_key_message(application, message)?)
            }
            (Algorithm::SkEcdsa, KeyMaterial::SkEcdsa { point, application }) => {
                let message = self.security_key_message(application, message)?;
                self.ecdsa(Curve::P256, point, &message)
            }
            // A key of another type.
            _ => false,
        };
        is_valid.then_some(Signed { touch: self.touch })
    }

    fn ed25519(&self, point: &[u8; 32], message: &[u8]) -> bool {
        let key = UnparsedPublicKey::new(&ED25519, point);
        self.body.len() == 64 && key.verify(message, self.body).is_ok()
    }

    /// Both numbers, in as many bytes as the curve has.
    fn ecdsa(&self, curve: Curve, point: &[u8], message: &[u8]) -> bool {
        let with: &'static EcdsaVerificationAlgorithm = match curve {
            Curve::P256 => &ECDSA_P256_SHA256_FIXED,
            Curve::P384 => &ECDSA_P384_SHA384_FIXED,
            Curve::P521 => &ECDSA_P521_SHA512_FIXED,
        };
        let numbers = || {
            let mut fields = Fields::new(self.body);
            let (r, s) = (fields.number()?, fields.number()?);
            let mut numbers = padded(r, curve.size())?;
            numbers.extend(padded(s, curve.size())?);
            fields.is_empty().then_some(numbers)
        };
        numbers().is_some_and(|numbers| {
            UnparsedPublicKey::new(with, point)
                .verify(message, &numbers)
                .is_ok()
        })
    }

    /// The size of the key was checked when it was taken apart. Old clients leave out zeros in front.
    fn rsa(&self, with: &RsaParameters, e: &[u8], n: &[u8], message: &[u8]) -> bool {
        let key = RsaPublicKeyComponents { n, e };
        padded(self.body, n.len()).is_some_and(|number| key.verify(with, message, &number).is_ok())
    }

    /// What a security key signs instead of a message.
    fn security_key_message(&self, application: &[u8], message: &[u8]) -> Option<Vec<u8>> {
        let Touch { flags, counter } = self.touch?;
        let mut signed = digest(&SHA256, application).as_ref().to_vec();
        signed.push(flags);
        signed.extend_from_slice(&counter.to_be_bytes());
        signed.extend_from_slice(digest(&SHA256, message).as_ref());
        Some(signed)
    }
}

/// A number in this many bytes; `None` if it needs more.
fn padded(number: &[u8], size: usize) -> Option<Vec<u8>> {
    let zeros = size.checked_sub(number.len())?;
    let mut padded = vec![0; zeros];
    padded.extend_from_slice(number);
    Some(padded)
}
