//! SHA-crypt: `$5$` (SHA-256) and `$6$` (SHA-512), `<prefix>[rounds=<n>$]<salt>$<key>`.

use sha_crypt::{Params, sha256_crypt, sha512_crypt};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::crypt64;
use super::stored::{UnusableHash, parse_cost};

/// Most rounds: a second with usual passwords, some seconds with the longest. What other programs choose is below.
const MAX_ROUNDS: u32 = 1_000_000;

/// The bytes of the digests as they are written.
const ORDER_256: [usize; 32] = [
    0, 10, 20, 21, 1, 11, 12, 22, 2, 3, 13, 23, 24, 4, 14, 15, 25, 5, 6, 16, 26, 27, 7, 17, 18, 28,
    8, 9, 19, 29, 31, 30,
];
const ORDER_512: [usize; 64] = [
    0, 21, 42, 22, 43, 1, 44, 2, 23, 3, 24, 45, 25, 46, 4, 47, 5, 26, 6, 27, 48, 28, 49, 7, 50, 8,
    29, 9, 30, 51, 31, 52, 10, 53, 11, 32, 12, 33, 54, 34, 55, 13, 56, 14, 35, 15, 36, 57, 37, 58,
    16, 59, 17, 38, 18, 39, 60, 40, 61, 19, 62, 20, 41, 63,
];

#[derive(Clone, Copy)]
enum Digest {
    Sha256,
    Sha512,
}

/// What follows the prefix.
pub(super) struct ShaCrypt<'a> {
    digest: Digest,
    rounds: Params,
    salt: &'a str,
    key: &'a str,
}

impl<'a> ShaCrypt<'a> {
    pub(super) fn parse_sha256(rest: &'a str) -> Result<Self, UnusableHash> {
        Self::parse(rest, Digest::Sha256, 43)
    }

    pub(super) fn parse_sha512(rest: &'a str) -> Result<Self, UnusableHash> {
        Self::parse(rest, Digest::Sha512, 86)
    }

    fn parse(rest: &'a str, digest: Digest, key_characters: usize) -> Result<Self, UnusableHash> {
        let malformed = UnusableHash::Malformed;
        let (rounds, rest) = match rest.strip_prefix("rounds=") {
            Some(rest) => {
                let (rounds, rest) = rest.split_once('$').ok_or(malformed)?;
                let rounds = parse_cost(rounds, "number of rounds", MAX_ROUNDS)?;
                // The specification raises what is lower.
                (rounds.max(Params::ROUNDS_MIN), rest)
            }
            None => (Params::RECOMMENDED_ROUNDS, rest),
        };
        let (salt, key) = rest.split_once('$').ok_or(malformed)?;
        if key.len() != key_characters {
            return Err(malformed);
        }
        Ok(Self {
            digest,
            rounds: Params::new(rounds).map_err(|_| malformed)?,
            salt,
            key,
        })
    }

    pub(super) fn matches(&self, password: &[u8]) -> bool {
        // Of the salt the first 16 bytes count; the functions see to it.
        let salt = self.salt.as_bytes();
        let key = Zeroizing::new(match self.digest {
            Digest::Sha256 => {
                crypt64::encode(&sha256_crypt(password, salt, self.rounds), &ORDER_256)
            }
            Digest::Sha512 => {
                crypt64::encode(&sha512_crypt(password, salt, self.rounds), &ORDER_512)
            }
        });
        key.as_bytes().ct_eq(self.key.as_bytes()).into()
    }
}
