//! Public keys as they stand in `authorized_keys` files (sshd(8), AUTHORIZED_KEYS FILE FORMAT), OpenSSH certificates and
//! lists of what was revoked. Bytes in, values out: nothing here verifies a signature.

mod addresses;
mod certificate;
mod fields;
mod material;
mod options;
mod revocation;

use std::fmt;

pub use addresses::AddressPatterns;
pub use certificate::{Certificate, CertificateError, CertificateKind, CriticalOptions};
pub use fields::Fields;
pub use material::{Curve, KeyMaterial, MaterialError};
pub use options::{ExpiryTime, KeyOptions, OptionError};
pub use revocation::{RevocationError, RevocationList};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

/// Longest key blob that is accepted: an RSA key of 16384 bits needs about 2 KiB, certificates a little more.
const MAX_BLOB: usize = 16 * 1024;

/// Why a line is not a public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PublicKeyError {
    /// No key type that we know is in the line.
    #[error("no known key type found")]
    Type,
    /// The part after the type is not base64, or not a key of that type.
    #[error("the key data is damaged")]
    Data,
}

/// A public key: what identifies its owner, and the comment that names it in logs.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    algorithm: String,
    blob: Vec<u8>,
    comment: String,
}

const TYPES: [&str; 7] = [
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "ssh-rsa",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
];
/// Still parsed, because old records hold such keys; no login succeeds with one.
const OLD_TYPES: [&str; 1] = ["ssh-dss"];

impl PublicKey {
    /// Parses one line: optional options, type, base64 blob, optional comment. A trailing CR LF is ignored, and so are the
    /// options; [`StoredKey`] has them.
    pub fn parse(line: &str) -> Result<Self, PublicKeyError> {
        Self::split(line).map(|(_, key)| key)
    }

    /// The options in front of a key, and the key.
    fn split(line: &str) -> Result<(&str, Self), PublicKeyError> {
        let line = line.trim();
        let known = |word: &&str| TYPES.contains(word) || OLD_TYPES.contains(word);
        let begins_with_type = line
            .split([' ', '\t'])
            .next()
            .is_some_and(|word| known(&word));
        let (options, key) = if begins_with_type {
            ("", line)
        } else {
            options::split_line(line)
        };
        let mut words = key.split([' ', '\t']).filter(|word| !word.is_empty());
        let algorithm = words.next().filter(known).ok_or(PublicKeyError::Type)?;
        let text = words
            .next()
            .ok_or(PublicKeyError::Data)?
            .trim_end_matches('=');
        let blob = STANDARD_NO_PAD
            .decode(text)
            .map_err(|_| PublicKeyError::Data)?;
        let comment = words.collect::<Vec<_>>().join(" ");
        if blob.len() > MAX_BLOB || Fields::new(&blob).string() != Some(algorithm.as_bytes()) {
            return Err(PublicKeyError::Data);
        }
        if !has_whole_fields(&blob) {
            return Err(PublicKeyError::Data);
        }
        let key = Self {
            algorithm: algorithm.to_owned(),
            blob,
            comment,
        };
        Ok((options, key))
    }

    /// The lines of a value that hold keys: people put whole `authorized_keys` files into one. Empty lines and comments are
    /// left out.
    pub fn lines(value: &str) -> impl Iterator<Item = &str> {
        let lines = value.split(['\n', '\r']).map(str::trim);
        lines.filter(|line| !line.is_empty() && !line.starts_with('#'))
    }

    /// Parses every key of a value, a line each.
    ///
    /// # Errors
    /// There is none, or one of the lines is no key.
    pub fn parse_all(value: &str) -> Result<Vec<Self>, PublicKeyError> {
        let keys: Vec<_> = Self::lines(value)
            .map(Self::parse)
            .collect::<Result<_, _>>()?;
        if keys.is_empty() {
            return Err(PublicKeyError::Type);
        }
        Ok(keys)
    }

    /// Makes a key from the blob a client sent (RFC 4253 section 6.6).
    pub fn from_blob(blob: &[u8]) -> Result<Self, PublicKeyError> {
        let name = Fields::new(blob).string().ok_or(PublicKeyError::Data)?;
        let algorithm = TYPES.into_iter().find(|known| known.as_bytes() == name);
        if blob.len() > MAX_BLOB || !has_whole_fields(blob) {
            return Err(PublicKeyError::Data);
        }
        Ok(Self {
            algorithm: algorithm.ok_or(PublicKeyError::Type)?.to_owned(),
            blob: blob.to_vec(),
            comment: String::new(),
        })
    }

    /// Whether both are the same key; comments and options do not matter.
    pub fn same_key(&self, other: &Self) -> bool {
        self.blob == other.blob
    }

    /// What the key is made of.
    ///
    /// # Errors
    /// It is of a type or a size that nothing is computed with.
    pub fn material(&self) -> Result<KeyMaterial<'_>, MaterialError> {
        KeyMaterial::parse(&self.blob)
    }

    /// The type, such as `ssh-ed25519`.
    pub fn algorithm(&self) -> &str {
        &self.algorithm
    }

    /// The key in wire form.
    pub fn blob(&self) -> &[u8] {
        &self.blob
    }

    /// The comment at the end of the line, empty if there is none.
    pub fn comment(&self) -> &str {
        &self.comment
    }

    /// `SHA256:...` as `ssh-keygen -l` prints it.
    pub fn fingerprint(&self) -> String {
        format!(
            "SHA256:{}",
            STANDARD_NO_PAD.encode(Sha256::digest(&self.blob))
        )
    }

    /// The `authorized_keys` line of this key, without a newline.
    pub fn to_line(&self) -> String {
        let mut line = format!("{} {}", self.algorithm, STANDARD.encode(&self.blob));
        if !self.comment.is_empty() {
            line.push(' ');
            line.push_str(&self.comment);
        }
        line
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({} {})", self.algorithm, self.fingerprint())
    }
}

/// A key blob is a sequence of strings and mpints, which look alike: at least a name and one field, nothing left over.
fn has_whole_fields(blob: &[u8]) -> bool {
    let mut rest = Fields::new(blob);
    let mut fields = 0;
    while !rest.is_empty() {
        if rest.string().is_none() {
            return false;
        }
        fields += 1;
    }
    fields >= 2
}

/// A key of an account, with what its line says about its use.
#[derive(Debug, Clone)]
pub struct StoredKey {
    /// The key.
    pub key: PublicKey,
    /// The options in front of it. A key whose options are not understood exists, but does not log in: any of them may be
    /// a restriction.
    pub options: Result<KeyOptions, OptionError>,
    /// Whether there are any, be they understood or not.
    pub has_options: bool,
}

impl StoredKey {
    /// Parses every key of a value, a line each.
    ///
    /// # Errors
    /// There is none, or one of the lines is no key.
    pub fn parse_all(value: &str) -> Result<Vec<Self>, PublicKeyError> {
        let stored = |line| {
            let (options, key) = PublicKey::split(line)?;
            Ok(Self {
                key,
                options: KeyOptions::parse(options),
                has_options: !options.is_empty(),
            })
        };
        let keys: Vec<_> = PublicKey::lines(value)
            .map(stored)
            .collect::<Result<_, _>>()?;
        if keys.is_empty() {
            return Err(PublicKeyError::Type);
        }
        Ok(keys)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f alice laptop";

    #[test]
    fn options_comments_and_line_ends_do_not_matter_for_identity() {
        let plain = PublicKey::parse(LINE).unwrap();
        let with_options = PublicKey::parse(&format!("no-pty,from=\"*\" {LINE}\r\n")).unwrap();
        assert!(plain.same_key(&with_options));
        assert_eq!(plain.comment(), "alice laptop");
        assert!(PublicKey::from_blob(plain.blob()).unwrap().same_key(&plain));
        assert_eq!(PublicKey::parse(&plain.to_line()).unwrap(), plain);
    }

    #[test]
    fn a_value_may_hold_several_keys_a_line_each() {
        let other =
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIP////////////////////////////////////////// b";
        let value = format!("# keys of alice\r\n{LINE}\r\n\n  {other}\n");
        let keys = PublicKey::parse_all(&value).unwrap();
        let comments: Vec<_> = keys.iter().map(PublicKey::comment).collect();
        assert_eq!(comments, ["alice laptop", "b"]);
        assert_eq!(PublicKey::parse_all(LINE).unwrap().len(), 1);
        for broken in ["", "\n#\n", &format!("{LINE}\nnonsense")] {
            assert_eq!(PublicKey::parse_all(broken), Err(PublicKeyError::Type));
        }
    }

    #[test]
    fn types_within_quotes_are_no_types() {
        let line = format!("command=\"echo ssh-rsa AAAA\",from=\"192.0.2.7\" {LINE}");
        let stored = StoredKey::parse_all(&line).unwrap().remove(0);
        assert_eq!(stored.key, PublicKey::parse(LINE).unwrap());
        let options = stored.options.unwrap();
        assert_eq!(options.command.as_deref(), Some("echo ssh-rsa AAAA"));
        assert!(PublicKey::parse(&format!("command=\"{LINE}\"")).is_err());
    }

    #[test]
    fn a_key_whose_options_are_not_understood_is_a_key_with_an_error() {
        let stored = StoredKey::parse_all(&format!("only-on-mondays {LINE}")).unwrap();
        assert!(matches!(stored[0].options, Err(OptionError::Unknown(_))));
    }

    #[test]
    fn damaged_lines_are_refused() {
        assert_eq!(PublicKey::parse("invalid key"), Err(PublicKeyError::Type));
        assert_eq!(PublicKey::parse("ssh-ed25519"), Err(PublicKeyError::Data));
        assert_eq!(
            PublicKey::parse("ssh-ed25519 AAAA!"),
            Err(PublicKeyError::Data)
        );
        assert_eq!(
            PublicKey::parse("ssh-rsa AAAAC3NzaC1lZDI1NTE5"),
            Err(PublicKeyError::Data)
        );
        assert!(PublicKey::from_blob(&[0xff; 40]).is_err());
    }
}
