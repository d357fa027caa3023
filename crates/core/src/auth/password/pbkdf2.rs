//! PBKDF2 in the reference's form (reference 4.3): `$pbkdf2-<digest>$<iterations>$<salt>$<key>`.
//!
//! The salt is the text itself, not base64. The key is base64 with padding and as long as the digest.

use std::num::NonZeroU32;

use aws_lc_rs::digest::{SHA1_OUTPUT_LEN, SHA256_OUTPUT_LEN, SHA512_OUTPUT_LEN};
use aws_lc_rs::pbkdf2::{self, PBKDF2_HMAC_SHA1, PBKDF2_HMAC_SHA256, PBKDF2_HMAC_SHA512};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::stored::{UnusableHash, padded_for_hmac, parse_cost};

/// Most iterations: some seconds.
const MAX_ITERATIONS: u32 = 5_000_000;

/// What follows the prefix.
pub(super) struct Pbkdf2<'a> {
    algorithm: pbkdf2::Algorithm,
    iterations: NonZeroU32,
    salt: &'a str,
    key: Zeroizing<Vec<u8>>,
}

impl<'a> Pbkdf2<'a> {
    pub(super) fn parse_sha1(rest: &'a str) -> Result<Self, UnusableHash> {
        Self::parse(rest, PBKDF2_HMAC_SHA1, SHA1_OUTPUT_LEN)
    }

    pub(super) fn parse_sha256(rest: &'a str) -> Result<Self, UnusableHash> {
        Self::parse(rest, PBKDF2_HMAC_SHA256, SHA256_OUTPUT_LEN)
    }

    pub(super) fn parse_sha512(rest: &'a str) -> Result<Self, UnusableHash> {
        Self::parse(rest, PBKDF2_HMAC_SHA512, SHA512_OUTPUT_LEN)
    }

    fn parse(
        rest: &'a str,
        algorithm: pbkdf2::Algorithm,
        key_length: usize,
    ) -> Result<Self, UnusableHash> {
        let malformed = UnusableHash::Malformed;
        let mut parts = rest.split('$');
        let mut part = || parts.next().ok_or(malformed);
        let (iterations, salt, key) = (part()?, part()?, part()?);
        if parts.next().is_some() {
            return Err(malformed);
        }
        let iterations = parse_cost(iterations, "number of iterations", MAX_ITERATIONS)?;
        let key = Zeroizing::new(STANDARD.decode(key).map_err(|_| malformed)?);
        if key.len() != key_length {
            return Err(malformed);
        }
        Ok(Self {
            algorithm,
            iterations: NonZeroU32::new(iterations).ok_or(malformed)?,
            salt,
            key,
        })
    }

    pub(super) fn matches(&self, password: &[u8]) -> bool {
        if padded_for_hmac(password) {
            return false;
        }
        let salt = self.salt.as_bytes();
        // Compares in constant time.
        pbkdf2::verify(self.algorithm, self.iterations, salt, password, &self.key).is_ok()
    }
}
