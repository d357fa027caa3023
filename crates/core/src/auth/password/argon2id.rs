//! argon2id, the format of new hashes (reference 4.2): `$argon2id$v=19$m=<KiB>,t=<passes>,p=<lanes>$<salt>$<key>`.

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::stored::{UnusableHash, bounded, parse_cost};

/// Most memory a check may take: 256 MiB, four times what new hashes take.
const MAX_MEMORY: u32 = 256 * 1024;
/// Most passes, whatever the memory.
const MAX_PASSES: u32 = 1024;
/// Most memory times passes: 2 GiB written, some seconds.
const MAX_WORK: u64 = 2 * 1024 * 1024;
/// Memory that the caches of a processor hold, so that a pass over it is quick and the bound on passes is enough: `pure-pw` of
/// Pure-FTPd takes this much and, as fast as the machine is, 255, 511 or 1,023 passes.
const CACHED_MEMORY: u32 = 8 * 1024;
/// Most lanes; the reference's library has no more either.
const MAX_LANES: u32 = 255;
/// Longest key.
const MAX_KEY: usize = 128;

/// What follows the prefix.
pub(super) struct Argon2id<'a> {
    argon2: Argon2<'static>,
    salt: Vec<u8>,
    key: &'a str,
    key_length: usize,
}

impl<'a> Argon2id<'a> {
    pub(super) fn parse(rest: &'a str) -> Result<Self, UnusableHash> {
        let malformed = UnusableHash::Malformed;
        let mut parts = rest.split('$');
        let mut part = || parts.next().ok_or(malformed);
        let (version, costs, salt, key) = (part()?, part()?, part()?, part()?);
        if version != "v=19" || parts.next().is_some() {
            return Err(malformed);
        }
        let mut costs = costs.split(',');
        let mut cost = |name: &str, what, bound| {
            let text = costs.next().and_then(|text| text.strip_prefix(name));
            parse_cost(text.ok_or(malformed)?, what, bound)
        };
        let memory = cost("m=", "memory in KiB", MAX_MEMORY)?;
        let passes = cost("t=", "number of passes", MAX_PASSES)?;
        let lanes = cost("p=", "number of lanes", MAX_LANES)?;
        if costs.next().is_some() {
            return Err(malformed);
        }
        if memory > CACHED_MEMORY {
            let work = u64::from(memory) * u64::from(passes);
            bounded(work, "memory in KiB times passes", MAX_WORK)?;
        }
        let salt = STANDARD_NO_PAD.decode(salt).map_err(|_| malformed)?;
        let key_length = STANDARD_NO_PAD.decode(key).map_err(|_| malformed)?.len();
        let params = Params::new(memory, passes, lanes, Some(key_length));
        if key_length > MAX_KEY || salt.len() < argon2::MIN_SALT_LEN {
            return Err(malformed);
        }
        Ok(Self {
            argon2: with_params(params.map_err(|_| malformed)?),
            salt,
            key,
            key_length,
        })
    }

    /// What a check takes, in KiB.
    pub(super) fn memory(&self) -> u64 {
        self.argon2.params().m_cost().into()
    }

    pub(super) fn matches(&self, password: &[u8]) -> bool {
        let mut key = Zeroizing::new(vec![0; self.key_length]);
        let computed = self
            .argon2
            .hash_password_into(password, &self.salt, &mut key);
        let key = Zeroizing::new(STANDARD_NO_PAD.encode(key));
        // Without the memory nothing matches.
        computed.is_ok() && key.as_bytes().ct_eq(self.key.as_bytes()).into()
    }
}

/// What making a hash takes, in KiB.
pub(super) const MEMORY: u32 = 64 * 1024;

/// Makes a new hash with the reference's parameters, which stored hashes of either program share.
pub(super) fn new_hash(password: &[u8], salt: [u8; 16]) -> Result<String, argon2::Error> {
    const PASSES: u32 = 3;
    const LANES: u32 = 2;
    let mut key = Zeroizing::new([0; 32]);
    let params = Params::new(MEMORY, PASSES, LANES, Some(key.len()))?;
    with_params(params).hash_password_into(password, &salt, &mut *key)?;
    let (salt, key) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(key));
    Ok(format!(
        "$argon2id$v=19$m={MEMORY},t={PASSES},p={LANES}${salt}${key}"
    ))
}

fn with_params(params: Params) -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}
