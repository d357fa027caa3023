//! bcrypt: `$2a$<cost>$`, 22 characters of salt, 31 of key. `$2b$` and `$2y$` are the same computation.
//!
//! As everywhere, only the first 72 bytes of a password count.

use base64::Engine as _;
use base64::alphabet::BCRYPT;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::stored::{UnusableHash, parse_cost};

/// Highest cost, the logarithm of the rounds: some seconds.
const MAX_COST: u32 = 16;
const MIN_COST: u32 = 4;
const SALT_CHARACTERS: usize = 22;
const KEY_CHARACTERS: usize = 31;
/// What Blowfish takes as a key.
const MAX_KEY: usize = 72;

/// Some programs left noise in the four bits of a salt that are not used; they are ignored there and here.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &BCRYPT,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

/// What follows the prefix.
pub(super) struct Bcrypt<'a> {
    cost: u32,
    salt: [u8; 16],
    key: &'a str,
}

impl<'a> Bcrypt<'a> {
    pub(super) fn parse(rest: &'a str) -> Result<Self, UnusableHash> {
        let malformed = UnusableHash::Malformed;
        let (cost, text) = rest.split_once('$').ok_or(malformed)?;
        let (salt, key) = text.split_at_checked(SALT_CHARACTERS).ok_or(malformed)?;
        if cost.len() != 2 || key.len() != KEY_CHARACTERS {
            return Err(malformed);
        }
        let cost = parse_cost(cost, "cost", MAX_COST)?;
        let salt = BASE64.decode(salt).map_err(|_| malformed)?;
        let salt = salt.try_into().map_err(|_| malformed)?;
        if cost < MIN_COST {
            return Err(malformed);
        }
        Ok(Self { cost, salt, key })
    }

    pub(super) fn matches(&self, password: &[u8]) -> bool {
        // The key is used in a circle, with a zero at its end: with zeros within, other passwords would be the same key.
        if password.contains(&0) {
            return false;
        }
        let bytes = password.iter().copied().chain([0]).take(MAX_KEY);
        let password: Zeroizing<Vec<u8>> = Zeroizing::new(bytes.collect());
        let key = bcrypt::bcrypt(self.cost, self.salt, &password);
        // One byte less than was computed: so it has been since the first implementation.
        let key = BASE64.encode(key.split_last().map_or(&key[..], |(_, key)| key));
        key.as_bytes().ct_eq(self.key.as_bytes()).into()
    }
}
