//! [`KeyTrust`]: whose certificates are believed, and what was revoked. From files, which are read again on request.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use sftpgo_model::public_key::{PublicKeyError, RevocationList, StoredKey};
use sftpgo_model::{PublicKey, SettingIssue};

use super::offered::{CERTIFIED_RSA_BITS, OfferedKey};

const AUTHORITIES: &str = "sftpd.trusted_user_ca_keys";
const REVOKED: &str = "sftpd.revoked_user_keys";

/// Longest file with authorities, and longest list of what was revoked: a million hashes.
const LONGEST_AUTHORITIES: u64 = 1 << 20;
const LONGEST_LIST: u64 = 64 << 20;

/// The files, by absolute paths.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyFiles {
    /// Public keys of authorities whose certificates log users in, several in each.
    pub authorities: Vec<PathBuf>,
    /// Keys and certificates that do not log in any more.
    pub revoked: Option<PathBuf>,
}

/// What the files say.
#[derive(Debug, Default)]
pub struct KeyTrust {
    files: KeyFiles,
    now: ArcSwap<Trusted>,
}

/// What the files said when they were read.
#[derive(Debug, Default)]
pub(super) struct Trusted {
    authorities: Vec<PublicKey>,
    revoked: RevocationList,
}

/// What was read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reloaded {
    /// Authorities that are trusted now.
    pub authorities: usize,
}

impl KeyTrust {
    /// Reads the files. Blocking.
    ///
    /// # Errors
    /// One of them cannot be read or understood.
    pub fn load(files: KeyFiles) -> Result<Self, SettingIssue> {
        let now = ArcSwap::from_pointee(Trusted::read(&files)?);
        Ok(Self { files, now })
    }

    /// Reads the files again; `None` if there are none. Blocking. Who is logged in stays so.
    ///
    /// # Errors
    /// One of them cannot be read or understood; then everything stays as it was.
    pub fn reload(&self) -> Result<Option<Reloaded>, SettingIssue> {
        if self.files == KeyFiles::default() {
            return Ok(None);
        }
        let read = Trusted::read(&self.files)?;
        let authorities = read.authorities.len();
        self.now.store(Arc::new(read));
        Ok(Some(Reloaded { authorities }))
    }

    pub(super) fn now(&self) -> Arc<Trusted> {
        self.now.load_full()
    }
}

impl Trusted {
    fn read(files: &KeyFiles) -> Result<Self, SettingIssue> {
        let mut authorities = Vec::new();
        for path in &files.authorities {
            let issue = |reason: String| {
                SettingIssue::new(AUTHORITIES, format!("{}: {reason}", path.display()))
            };
            let file = read(path, LONGEST_AUTHORITIES).map_err(issue)?;
            let read = parse_authorities(&file).map_err(issue)?;
            if read.is_empty() {
                // Whoever empties it wants nobody trusted: the others must not stay because of that.
                tracing::warn!("{AUTHORITIES}: there is no key in {}", path.display());
            }
            authorities.extend(read);
        }
        let revoked = match &files.revoked {
            None => RevocationList::default(),
            Some(path) => {
                let issue = |reason: String| {
                    SettingIssue::new(REVOKED, format!("{}: {reason}", path.display()))
                };
                let file = read(path, LONGEST_LIST).map_err(issue)?;
                RevocationList::parse(&file).map_err(|error| issue(error.to_string()))?
            }
        };
        Ok(Self {
            authorities,
            revoked,
        })
    }

    /// Whether certificates that this key signed are believed, for every account.
    pub(super) fn trusts(&self, authority: &PublicKey) -> bool {
        self.authorities
            .iter()
            .any(|known| known.same_key(authority))
    }

    /// Whether the key was revoked, or its certificate, or the authority of that.
    pub(super) fn has_revoked(&self, offered: &OfferedKey) -> bool {
        self.has_revoked_key(offered.key())
            || offered.certificate().is_some_and(|certificate| {
                self.revoked.revokes_certificate(certificate)
                    || self.has_revoked_key(certificate.authority())
            })
    }

    fn has_revoked_key(&self, key: &PublicKey) -> bool {
        if self.revoked.is_empty() {
            return false;
        }
        let sha1 = digest(&SHA1_FOR_LEGACY_USE_ONLY, key.blob());
        let sha256 = digest(&SHA256, key.blob());
        self.revoked
            .revokes_key(key, sha1.as_ref(), sha256.as_ref())
    }
}

/// Whether certificates may be signed with such a key.
pub(super) fn may_be_authority(key: &PublicKey) -> bool {
    key.material()
        .is_ok_and(|key| key.rsa_bits().is_none_or(|bits| bits >= CERTIFIED_RSA_BITS))
}

/// A public key in each line, with empty lines and comments between them.
fn parse_authorities(file: &[u8]) -> Result<Vec<PublicKey>, String> {
    let mut keys = Vec::new();
    for (index, line) in file.split(|byte| *byte == b'\n').enumerate() {
        let issue = |reason: &str| format!("line {}: {reason}", index + 1);
        // Comments may be in any encoding.
        let line = String::from_utf8_lossy(line);
        for line in PublicKey::lines(&line) {
            let key = authority(line).map_err(|reason| issue(&reason))?;
            keys.push(key);
        }
    }
    Ok(keys)
}

fn authority(line: &str) -> Result<PublicKey, String> {
    let mut stored = StoredKey::parse_all(line).map_err(|error| error.to_string())?;
    let stored = stored.pop().ok_or(PublicKeyError::Type.to_string())?;
    if stored.has_options {
        return Err("options are for the keys of accounts; write the public key alone".to_owned());
    }
    if !may_be_authority(&stored.key) {
        let reason =
            "this key cannot be an authority: RSA needs 2048 to 8192 bits, and there is no DSA";
        return Err(reason.to_owned());
    }
    Ok(stored.key)
}

/// Reads a whole file of at most so many bytes. Nothing that could keep the reader waiting is opened.
fn read(path: &Path, longest: u64) -> Result<Vec<u8>, String> {
    let metadata = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if !metadata.is_file() {
        return Err("not a regular file".to_owned());
    }
    let file = File::open(path).map_err(|error| error.to_string())?;
    let mut content = Vec::new();
    let read = file.take(longest + 1).read_to_end(&mut content);
    let length = read.map_err(|error| error.to_string())?;
    if length as u64 > longest {
        return Err(format!("longer than {longest} bytes"));
    }
    Ok(content)
}

#[cfg(test)]
mod tests;
