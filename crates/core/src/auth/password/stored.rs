//! [`StoredHash`]: what a record may hold as its password, taken apart.

use std::fmt;

use super::argon2id::Argon2id;
use super::bcrypt::Bcrypt;
use super::md5_crypt::Md5Crypt;
use super::pbkdf2::Pbkdf2;
use super::sha_crypt::ShaCrypt;
use super::yescrypt::Yescrypt;

/// Longest stored hash that is looked at; the longest of a usual form has 150 bytes.
const MAX_STORED: usize = 1024;

type Parse = for<'a> fn(&'a str) -> Result<StoredHash<'a>, UnusableHash>;

/// The formats, by prefix (reference 4.1; `$2b$`, `$2y$`, `$5$`, `$y$` and `$7$` are additions). What has none of them is a plain password.
const FORMATS: [(&str, Parse); 13] = [
    ("$argon2id$", |rest| {
        Argon2id::parse(rest).map(StoredHash::Argon2id)
    }),
    ("$2a$", |rest| Bcrypt::parse(rest).map(StoredHash::Bcrypt)),
    ("$2b$", |rest| Bcrypt::parse(rest).map(StoredHash::Bcrypt)),
    ("$2y$", |rest| Bcrypt::parse(rest).map(StoredHash::Bcrypt)),
    ("$pbkdf2-sha1$", |rest| {
        Pbkdf2::parse_sha1(rest).map(StoredHash::Pbkdf2)
    }),
    ("$pbkdf2-sha256$", |rest| {
        Pbkdf2::parse_sha256(rest).map(StoredHash::Pbkdf2)
    }),
    ("$pbkdf2-sha512$", |rest| {
        Pbkdf2::parse_sha512(rest).map(StoredHash::Pbkdf2)
    }),
    ("$1$", |rest| {
        Md5Crypt::parse("$1$", rest).map(StoredHash::Md5Crypt)
    }),
    ("$apr1$", |rest| {
        Md5Crypt::parse("$apr1$", rest).map(StoredHash::Md5Crypt)
    }),
    ("$5$", |rest| {
        ShaCrypt::parse_sha256(rest).map(StoredHash::ShaCrypt)
    }),
    ("$6$", |rest| {
        ShaCrypt::parse_sha512(rest).map(StoredHash::ShaCrypt)
    }),
    ("$y$", |rest| {
        Yescrypt::parse_yescrypt(rest).map(StoredHash::Yescrypt)
    }),
    ("$7$", |rest| {
        Yescrypt::parse_scrypt(rest).map(StoredHash::Yescrypt)
    }),
];

/// Whether `stored` is a hash in a format that records may hold.
pub fn is_recognised_hash(stored: &str) -> bool {
    FORMATS.iter().any(|(prefix, _)| stored.starts_with(prefix))
}

/// Whether passwords can be checked against `stored`: its format is known, and it asks for no more work than a login may cost.
/// Checks none.
///
/// # Errors
/// Why not, without the hash.
pub fn check_stored_hash(stored: &str) -> Result<(), String> {
    let parsed = StoredHash::parse(stored).map(drop);
    parsed.map_err(|reason| reason.to_string())
}

/// Why a stored hash is not even compared. Shows nothing of it but a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UnusableHash {
    /// No prefix that is known: a plain password, which is never stored by us.
    Unknown,
    /// Not what its prefix promises.
    Malformed,
    /// It asks for more work than a login may cost.
    TooCostly {
        what: &'static str,
        asked: u64,
        bound: u64,
    },
}

impl fmt::Display for UnusableHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("its format is not known"),
            Self::Malformed => f.write_str("it is malformed"),
            Self::TooCostly { what, asked, bound } => {
                write!(f, "its {what}, {asked}, is over the bound of {bound}")
            }
        }
    }
}

/// A hash whose form was checked and whose cost is within its bound. No `Debug`: it is a secret.
pub(super) enum StoredHash<'a> {
    Argon2id(Argon2id<'a>),
    Bcrypt(Bcrypt<'a>),
    Pbkdf2(Pbkdf2<'a>),
    Md5Crypt(Md5Crypt<'a>),
    ShaCrypt(ShaCrypt<'a>),
    Yescrypt(Yescrypt<'a>),
}

impl<'a> StoredHash<'a> {
    /// Takes the text of a record apart. Costs nothing.
    pub(super) fn parse(stored: &'a str) -> Result<Self, UnusableHash> {
        let known = FORMATS
            .iter()
            .find_map(|(prefix, parse)| Some((stored.strip_prefix(prefix)?, parse)));
        let (rest, parse) = known.ok_or(UnusableHash::Unknown)?;
        if stored.len() > MAX_STORED {
            return Err(UnusableHash::Malformed);
        }
        parse(rest)
    }

    /// Whether the hash was made from `password`. Takes what the hash asks for; compares in constant time. The empty
    /// password matches nothing.
    pub(super) fn matches(&self, password: &[u8]) -> bool {
        if password.is_empty() {
            return false;
        }
        match self {
            Self::Argon2id(hash) => hash.matches(password),
            Self::Bcrypt(hash) => hash.matches(password),
            Self::Pbkdf2(hash) => hash.matches(password),
            Self::Md5Crypt(hash) => hash.matches(password),
            Self::ShaCrypt(hash) => hash.matches(password),
            Self::Yescrypt(hash) => hash.matches(password),
        }
    }

    /// The memory that [`matches`](Self::matches) takes, in KiB; 0 if it is little.
    pub(super) fn memory(&self) -> u64 {
        match self {
            Self::Argon2id(hash) => hash.memory(),
            Self::Yescrypt(hash) => hash.memory(),
            Self::Bcrypt(_) | Self::Pbkdf2(_) | Self::Md5Crypt(_) | Self::ShaCrypt(_) => 0,
        }
    }
}

/// Reads how often something is to be done: decimal digits, at most `bound`.
pub(super) fn parse_cost(text: &str, what: &'static str, bound: u32) -> Result<u32, UnusableHash> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(UnusableHash::Malformed);
    }
    // Digits only: what does not fit is too large.
    let asked = text.parse().unwrap_or(u64::MAX);
    bounded(asked, what, bound.into())?;
    u32::try_from(asked).map_err(|_| UnusableHash::Malformed)
}

/// Whether what is asked for is within its bound.
pub(super) fn bounded(asked: u64, what: &'static str, bound: u64) -> Result<(), UnusableHash> {
    if asked <= bound {
        return Ok(());
    }
    Err(UnusableHash::TooCostly { what, asked, bound })
}

/// Whether HMAC, which PBKDF2 and scrypt are made of, takes this password for a shorter one: it fills short keys with zeros
/// (RFC 2104 section 2).
pub(super) fn padded_for_hmac(password: &[u8]) -> bool {
    password.ends_with(&[0])
}
