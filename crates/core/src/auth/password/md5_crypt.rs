//! md5crypt of FreeBSD (`$1$`) and Apache (`$apr1$`): `<prefix><salt>$<key>`, 1,000 rounds whatever the hash says.

use md5::{Digest as _, Md5};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::crypt64;
use super::stored::UnusableHash;

/// So much of the salt counts.
const MAX_SALT: usize = 8;
const KEY_CHARACTERS: usize = 22;
/// The bytes of the digest as they are written.
const ORDER: [usize; 16] = [0, 6, 12, 1, 7, 13, 2, 8, 14, 3, 9, 15, 4, 10, 5, 11];

/// What follows the prefix, and the prefix, which is part of what is hashed.
pub(super) struct Md5Crypt<'a> {
    prefix: &'static str,
    salt: &'a [u8],
    key: &'a str,
}

impl<'a> Md5Crypt<'a> {
    pub(super) fn parse(prefix: &'static str, rest: &'a str) -> Result<Self, UnusableHash> {
        let (salt, key) = rest.split_once('$').ok_or(UnusableHash::Malformed)?;
        if key.len() != KEY_CHARACTERS {
            return Err(UnusableHash::Malformed);
        }
        let salt = salt.as_bytes();
        Ok(Self {
            prefix,
            salt: salt.get(..MAX_SALT).unwrap_or(salt),
            key,
        })
    }

    pub(super) fn matches(&self, password: &[u8]) -> bool {
        let digest = Zeroizing::new(self.digest(password));
        let key = Zeroizing::new(crypt64::encode(&*digest, &ORDER));
        key.as_bytes().ct_eq(self.key.as_bytes()).into()
    }

    fn digest(&self, password: &[u8]) -> [u8; 16] {
        let inner = Md5::new()
            .chain_update(password)
            .chain_update(self.salt)
            .chain_update(password)
            .finalize();
        let mut outer = Md5::new()
            .chain_update(password)
            .chain_update(self.prefix)
            .chain_update(self.salt);
        for part in password.chunks(inner.len()) {
            outer.update(inner.get(..part.len()).unwrap_or(&inner));
        }
        // A byte for each bit of the length, lowest first: zero for a one, the first of the password for a zero.
        let mut bits = password.len();
        while bits != 0 {
            let first = password.get(..1).unwrap_or_default();
            outer.update(if bits & 1 == 1 { &[0] } else { first });
            bits >>= 1;
        }
        let mut digest = outer.finalize();
        for round in 0..1000 {
            let is_odd = round % 2 == 1;
            let mut next = Md5::new();
            next.update(if is_odd { password } else { &digest });
            if round % 3 != 0 {
                next.update(self.salt);
            }
            if round % 7 != 0 {
                next.update(password);
            }
            next.update(if is_odd { &digest } else { password });
            digest = next.finalize();
        }
        digest.into()
    }
}
