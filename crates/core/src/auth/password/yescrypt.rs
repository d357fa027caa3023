//! yescrypt of current Linux systems, `$y$<parameters>$<salt>$<key>`, and scrypt as crypt(3) writes it,
//! `$7$<N><r><p><salt>$<key>`.
//!
//! Both are the same computation in different flavours. Parameters of yescrypt that no crypt(3) chooses by itself (a
//! read-only memory, upgraded hashes, flavours of experiments) are not supported.

use subtle::ConstantTimeEq as _;
use yescrypt::{Mode, Params, yescrypt};
use zeroize::Zeroizing;

use super::crypt64;
use super::stored::{UnusableHash, bounded, padded_for_hmac};

/// Most memory: 256 MiB, 16 times what mkpasswd chooses.
const MAX_MEMORY: u64 = 256 * 1024;
/// Most memory in KiB times passes over it: some seconds.
const MAX_WORK: u64 = 1024 * 1024;
/// Most lanes; each has tables of its own, too.
const MAX_LANES: u64 = 255;
/// What crypt(3) allows.
const MAX_SALT: usize = 64;
const KEY_CHARACTERS: usize = 43;
/// The bytes of the key as they are written.
const ORDER: [usize; 32] = [
    2, 1, 0, 5, 4, 3, 8, 7, 6, 11, 10, 9, 14, 13, 12, 17, 16, 15, 20, 19, 18, 23, 22, 21, 26, 25,
    24, 29, 28, 27, 31, 30,
];

/// What follows the prefix.
pub(super) struct Yescrypt<'a> {
    params: Params,
    memory: u64,
    salt: Vec<u8>,
    key: &'a str,
}

/// What decides about the cost.
struct Cost {
    mode: Mode,
    rounds_log2: u64,
    block: u64,
    lanes: u64,
    time: u64,
}

impl<'a> Yescrypt<'a> {
    pub(super) fn parse_yescrypt(rest: &'a str) -> Result<Self, UnusableHash> {
        let malformed = UnusableHash::Malformed;
        let mut parts = rest.split('$');
        let mut part = || parts.next().ok_or(malformed);
        let (parameters, salt, key) = (part()?, part()?, part()?);
        if parts.next().is_some() {
            return Err(malformed);
        }
        let cost = Cost::parse_yescrypt(parameters).ok_or(malformed)?;
        let salt = crypt64::decode(salt).ok_or(malformed)?;
        Self::new(&cost, salt, key)
    }

    pub(super) fn parse_scrypt(rest: &'a str) -> Result<Self, UnusableHash> {
        let malformed = UnusableHash::Malformed;
        let (setting, key) = rest.rsplit_once('$').ok_or(malformed)?;
        let (parameters, salt) = setting.split_at_checked(11).ok_or(malformed)?;
        let cost = Cost::parse_scrypt(parameters).ok_or(malformed)?;
        // The text itself.
        Self::new(&cost, salt.as_bytes().to_vec(), key)
    }

    fn new(cost: &Cost, salt: Vec<u8>, key: &'a str) -> Result<Self, UnusableHash> {
        if salt.len() > MAX_SALT || key.len() != KEY_CHARACTERS {
            return Err(UnusableHash::Malformed);
        }
        let memory = cost.check()?;
        let params = cost.params().ok_or(UnusableHash::Malformed)?;
        Ok(Self {
            params,
            memory,
            salt,
            key,
        })
    }

    /// What a check takes, in KiB.
    pub(super) fn memory(&self) -> u64 {
        self.memory
    }

    pub(super) fn matches(&self, password: &[u8]) -> bool {
        if padded_for_hmac(password) {
            return false;
        }
        let mut key = Zeroizing::new([0; 32]);
        let computed = yescrypt(password, &self.salt, &self.params, &mut *key);
        let key = Zeroizing::new(crypt64::encode(&*key, &ORDER));
        computed.is_ok() && key.as_bytes().ct_eq(self.key.as_bytes()).into()
    }
}

impl Cost {
    /// The variable-length numbers of yescrypt's `PARAMETERS`.
    fn parse_yescrypt(text: &str) -> Option<Self> {
        let mut characters = text.bytes();
        let mode = match variable_number(&mut characters, 0)? {
            0 => Mode::Classic,
            1 => Mode::Worm,
            47 => Mode::Rw,
            _ => return None,
        };
        let rounds_log2 = variable_number(&mut characters, 1)?;
        let block = variable_number(&mut characters, 1)?;
        let (mut lanes, mut time) = (1, 0);
        if characters.len() > 0 {
            // Which of the others follow.
            let others = variable_number(&mut characters, 1)?;
            if others & 1 != 0 {
                lanes = variable_number(&mut characters, 2)?;
            }
            if others & 2 != 0 {
                time = variable_number(&mut characters, 1)?;
            }
            if others & !3 != 0 {
                return None;
            }
        }
        if characters.next().is_some() {
            return None;
        }
        Some(Self {
            mode,
            rounds_log2,
            block,
            lanes,
            time,
        })
    }

    /// A character, and twice five.
    fn parse_scrypt(text: &str) -> Option<Self> {
        let mut characters = text.bytes();
        let mut number = |length: u32| {
            (0..length).try_fold(0, |number, place| {
                let digit = crypt64::value(characters.next()?)?;
                Some(number | digit << (6 * place))
            })
        };
        Some(Self {
            mode: Mode::Classic,
            rounds_log2: number(1)?,
            block: number(5)?,
            lanes: number(5)?,
            time: 0,
        })
    }

    /// Gives the memory in KiB if all is within the bounds.
    fn check(&self) -> Result<u64, UnusableHash> {
        bounded(self.lanes, "number of lanes", MAX_LANES)?;
        let rounds = u32::try_from(self.rounds_log2)
            .ok()
            .and_then(|log2| 1_u64.checked_shl(log2))
            .unwrap_or(u64::MAX);
        let blocks = rounds.saturating_add(self.lanes).saturating_add(2);
        let memory = blocks.saturating_mul(128).saturating_mul(self.block) / 1024;
        bounded(memory, "memory in KiB", MAX_MEMORY)?;
        let passes = match self.mode {
            Mode::Rw => self.time.saturating_add(1),
            // One after the other here, each over all of the memory.
            Mode::Classic | Mode::Worm => self.time.saturating_add(1).saturating_mul(self.lanes),
        };
        let work = memory.saturating_mul(passes);
        bounded(work, "memory in KiB times passes", MAX_WORK)?;
        Ok(memory)
    }

    fn params(&self) -> Option<Params> {
        let small = |number| u32::try_from(number).ok();
        let rounds = 1_u64.checked_shl(small(self.rounds_log2)?)?;
        let (block, lanes, time) = (small(self.block)?, small(self.lanes)?, small(self.time)?);
        if rounds < 2 || block == 0 || lanes == 0 {
            return None;
        }
        Params::new_with_all_params(self.mode, rounds, block, lanes, time, 0).ok()
    }
}

/// A number of one to six characters: small ones are short. `least` is what a single lowest character stands for.
fn variable_number(characters: &mut impl Iterator<Item = u8>, least: u64) -> Option<u64> {
    let first = crypt64::value(characters.next()?)?;
    let (mut start, mut end, mut bits) = (0, 47, 0);
    let mut number = least;
    while first > end {
        number += (end + 1 - start) << bits;
        start = end + 1;
        end = start + (62 - end) / 2;
        bits += 6;
    }
    number += (first - start) << bits;
    while bits > 0 {
        bits -= 6;
        number += crypt64::value(characters.next()?)? << bits;
    }
    Some(number)
}
