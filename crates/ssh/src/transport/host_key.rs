//! Host keys: read, or made at the first start.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use russh::keys::ssh_key::LineEnding;
use russh::keys::ssh_key::private::Ed25519Keypair;
use russh::keys::{Algorithm, PrivateKey};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::algorithms::Algorithms;
use crate::config::HostKeys;

/// A host key that cannot be used: names the file and what to do.
#[derive(Debug, Error)]
pub(crate) enum HostKeyError {
    /// The file is there and cannot be read.
    #[error("cannot read host key {}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    /// The file is no private key.
    #[error(
        "host key {} is not an unencrypted private key in OpenSSH, PKCS#1, PKCS#8 or SEC1 format: {reason}",
        path.display()
    )]
    Parse { path: PathBuf, reason: String },
    /// A new key cannot be stored.
    #[error(
        "cannot write the new host key {}: {source}; make the configuration directory writable or set sftpd.keys",
        path.display()
    )]
    Write { path: PathBuf, source: io::Error },
    /// The crypto library failed.
    #[error("cannot make a host key")]
    Generate,
}

/// Stands before the key in an ECDSA file that we made. Audits reject its curve, so that such a key is not offered by itself
/// to clients that know better ones. A key that was there before us is offered, because clients know it.
const NOT_OFFERED: &str = "Not offered to clients unless it is listed in sftpd.keys (remove this line to offer it always).\n";

/// How files of DSA keys begin, which the reference could use.
const DSA_FILE: &str = "-----BEGIN DSA PRIVATE KEY-----";
const DSA_REASON: &str = "keys of DSA are not safe and not served any more";

/// Stands for the file of a key that has none.
const IN_MEMORY: &str = "(in memory only)";

/// A loaded key and where it came from.
#[derive(Debug)]
pub(crate) struct HostKey {
    pub(crate) key: PrivateKey,
    /// Its file, or [`IN_MEMORY`].
    pub(crate) path: PathBuf,
    /// Whether it was made just now.
    pub(crate) created: bool,
}

/// The host keys that are offered, one of each type, and the files of those that are not, with the reason.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    pub(crate) keys: Vec<HostKey>,
    pub(crate) left_out: Vec<(PathBuf, &'static str)>,
}

impl Loaded {
    fn leave_out(&mut self, path: &Path, reason: &'static str) {
        self.left_out.push((path.to_owned(), reason));
    }

    /// Adds a key; of several of a type the last one is offered (reference 2.3).
    fn add(&mut self, new: HostKey, algorithms: &Algorithms) {
        let kind = new.key.algorithm();
        if kind == Algorithm::Dsa {
            return self.leave_out(&new.path, DSA_REASON);
        }
        if !algorithms.host_keys.iter().any(|name| signs(&kind, name)) {
            let reason = "its type is not one of those in use (sftpd.host_key_algorithms)";
            return self.leave_out(&new.path, reason);
        }
        let same = self.keys.iter().position(|key| key.key.algorithm() == kind);
        if let Some(same) = same {
            let old = self.keys.remove(same);
            self.leave_out(&old.path, "another key of its type comes behind it");
        }
        self.keys.push(new);
    }
}

/// Whether a key of that type makes signatures of that name.
fn signs(kind: &Algorithm, name: &str) -> bool {
    match Algorithm::new(name) {
        Ok(Algorithm::Rsa { .. }) => matches!(kind, Algorithm::Rsa { .. }),
        Ok(named) => *kind == named,
        Err(_) => false,
    }
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Ed25519,
    Ecdsa,
    Rsa,
}

const GENERATED: [(&str, Kind); 3] = [
    ("id_ed25519", Kind::Ed25519),
    ("id_ecdsa", Kind::Ecdsa),
    ("id_rsa", Kind::Rsa),
];

/// Loads the configured keys, or makes and loads the default ones. Blocking: an RSA key of 4096 bits takes a second to make.
pub(crate) fn load(keys: &HostKeys, algorithms: &Algorithms) -> Result<Loaded, HostKeyError> {
    let mut loaded = Loaded::default();
    match keys {
        HostKeys::Files(paths) => {
            for path in paths {
                let Some((key, _)) = read(path)? else {
                    loaded.leave_out(path, DSA_REASON);
                    continue;
                };
                let key = HostKey {
                    key,
                    path: path.clone(),
                    created: false,
                };
                loaded.add(key, algorithms);
            }
        }
        HostKeys::GenerateIn(directory) => {
            for (name, kind) in GENERATED {
                let path = directory.join(name);
                let created = !path.exists();
                if created {
                    generate(&path, kind)?;
                }
                let Some((key, offered)) = read(&path)? else {
                    loaded.leave_out(&path, DSA_REASON);
                    continue;
                };
                if offered || algorithms.offers_made_ecdsa {
                    loaded.add(HostKey { key, path, created }, algorithms);
                }
            }
        }
        HostKeys::InMemory => {
            for kind in [Kind::Ed25519, Kind::Ecdsa] {
                let (text, _) = make(kind)?;
                let key = russh::keys::decode_secret_key(&text, None);
                let key = HostKey {
                    key: key.map_err(|_| HostKeyError::Generate)?,
                    path: IN_MEMORY.into(),
                    created: true,
                };
                loaded.add(key, algorithms);
            }
        }
    }
    Ok(loaded)
}

/// The key of a file, and whether it is offered without being asked for; `None` for one of DSA.
fn read(path: &Path) -> Result<Option<(PrivateKey, bool)>, HostKeyError> {
    let text = fs::read_to_string(path).map_err(|source| HostKeyError::Read {
        path: path.to_owned(),
        source,
    })?;
    let offered = !text.starts_with(NOT_OFFERED);
    // RFC 7468 allows explanations before the block; the parser does not.
    let start = text.find("-----BEGIN").unwrap_or(0);
    let block = text.get(start..).unwrap_or_default();
    if block.starts_with(DSA_FILE) {
        return Ok(None);
    }
    let key = russh::keys::decode_secret_key(block, None).map_err(|error| HostKeyError::Parse {
        path: path.to_owned(),
        reason: error.to_string(),
    })?;
    Ok(Some((key, offered)))
}

/// A new key as text, and the note that stands before it in a file.
fn make(kind: Kind) -> Result<(Zeroizing<String>, &'static str), HostKeyError> {
    let failed = |_| HostKeyError::Generate;
    Ok(match kind {
        Kind::Ed25519 => {
            let mut seed = [0_u8; 32];
            aws_lc_rs::rand::fill(&mut seed).map_err(failed)?;
            let key = PrivateKey::from(Ed25519Keypair::from_seed(&seed));
            let text = key
                .to_openssh(LineEnding::LF)
                .map_err(|_| HostKeyError::Generate)?;
            (text, "")
        }
        Kind::Ecdsa => {
            let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).map_err(failed)?;
            // Only to be sure that what is stored has a public half.
            let _ = key.public_key();
            (
                pkcs8_pem(key.to_pkcs8v1().map_err(failed)?.as_ref()),
                NOT_OFFERED,
            )
        }
        Kind::Rsa => {
            let key = aws_lc_rs::rsa::KeyPair::generate(KeySize::Rsa4096).map_err(failed)?;
            let der = key.as_der().map_err(failed)?;
            (pkcs8_pem(der.as_ref()), "")
        }
    })
}

fn generate(path: &Path, kind: Kind) -> Result<(), HostKeyError> {
    let (text, note) = make(kind)?;
    let write_failed = |source| HostKeyError::Write {
        path: path.to_owned(),
        source,
    };
    write_new(path, &Zeroizing::new(format!("{note}{}", *text))).map_err(write_failed)?;
    let (key, _) = read(path)?.ok_or(HostKeyError::Generate)?;
    let public = key
        .public_key()
        .to_openssh()
        .map_err(|_| HostKeyError::Generate)?;
    let public_path = path.with_extension("pub");
    // One left over from a key that is gone would mislead.
    let _ = fs::remove_file(&public_path);
    write_new(&public_path, &format!("{}\n", public.trim_end())).map_err(|source| {
        HostKeyError::Write {
            path: public_path,
            source,
        }
    })
}

fn pkcs8_pem(der: &[u8]) -> Zeroizing<String> {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let mut pem = String::from("-----BEGIN PRIVATE KEY-----\n");
    for line in text.as_bytes().chunks(64) {
        pem.push_str(&String::from_utf8_lossy(line));
        pem.push('\n');
    }
    pem.push_str("-----END PRIVATE KEY-----\n");
    Zeroizing::new(pem)
}

/// Writes a file that must not exist, readable by its owner only, whole or not at all.
fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let temporary = path.with_extension("new");
    let _ = fs::remove_file(&temporary);
    let mut file = options.open(&temporary)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&temporary, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algorithms::Wanted;

    fn load(keys: &HostKeys) -> Result<Loaded, HostKeyError> {
        super::load(keys, &profile("modern"))
    }

    fn profile(name: &str) -> Algorithms {
        let wanted = Wanted {
            profile: name,
            ..Wanted::default()
        };
        wanted.resolve(&mut Vec::new()).unwrap()
    }

    fn types(loaded: &Loaded) -> Vec<String> {
        let keys = loaded.keys.iter();
        keys.map(|key| key.key.algorithm().to_string()).collect()
    }

    #[test]
    fn missing_keys_are_made_once_and_ecdsa_is_offered_only_by_name() {
        let directory = tempfile::tempdir().unwrap();
        let keys = HostKeys::GenerateIn(directory.path().to_owned());
        let first = load(&keys).unwrap();
        assert_eq!(types(&first), ["ssh-ed25519", "ssh-rsa"]);
        assert!(first.keys.iter().all(|key| key.created));
        let second = load(&keys).unwrap();
        assert!(second.keys.iter().all(|key| !key.created));
        assert_eq!(
            first.keys[0].key.public_key(),
            second.keys[0].key.public_key()
        );
        let listed = load(&HostKeys::Files(vec![directory.path().join("id_ecdsa")])).unwrap();
        assert_eq!(types(&listed), ["ecdsa-sha2-nistp256"]);
        for name in ["id_ed25519", "id_ecdsa", "id_rsa"] {
            for name in [name.to_owned(), format!("{name}.pub")] {
                let meta = fs::metadata(directory.path().join(&name)).unwrap();
                #[cfg(unix)]
                assert_eq!(
                    std::os::unix::fs::PermissionsExt::mode(&meta.permissions()) & 0o777,
                    0o600
                );
                assert!(meta.len() > 0, "{name}");
            }
        }
        // Clients of the past may know no better one.
        let older = super::load(&keys, &profile("compat")).unwrap();
        let expected = ["ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa"];
        assert_eq!(types(&older), expected);
    }

    #[test]
    fn keys_in_memory_are_new_each_time() {
        let [one, other] =
            [(); 2].map(|()| super::load(&HostKeys::InMemory, &profile("compat")).unwrap());
        assert_eq!(types(&one), ["ssh-ed25519", "ecdsa-sha2-nistp256"]);
        for (one, other) in one.keys.iter().zip(&other.keys) {
            assert_ne!(one.key.public_key(), other.key.public_key());
            assert!(!one.path.exists());
        }
    }

    /// Files with keys of these types, the second of the first type.
    fn files(directory: &Path) -> Vec<PathBuf> {
        let kinds = [
            ("a", Kind::Ed25519),
            ("b", Kind::Ecdsa),
            ("c", Kind::Ed25519),
        ];
        let made = kinds.map(|(name, kind)| {
            let path = directory.join(name);
            generate(&path, kind).unwrap();
            path
        });
        made.into()
    }

    #[test]
    fn of_several_keys_of_a_type_the_last_one_is_offered() {
        let directory = tempfile::tempdir().unwrap();
        let paths = files(directory.path());
        let loaded = load(&HostKeys::Files(paths.clone())).unwrap();
        let used: Vec<_> = loaded.keys.iter().map(|key| key.path.clone()).collect();
        assert_eq!(used, paths[1..]);
        let left_out: Vec<_> = loaded.left_out.into_iter().map(|(path, _)| path).collect();
        assert_eq!(left_out, paths[..1]);
    }

    #[test]
    fn keys_of_types_that_are_not_in_use_are_left_out() {
        let directory = tempfile::tempdir().unwrap();
        let mut paths = files(directory.path());
        let dsa = directory.path().join("dsa");
        fs::write(
            &dsa,
            format!("{DSA_FILE}\nMIIB\n-----END DSA PRIVATE KEY-----\n"),
        )
        .unwrap();
        paths.push(dsa.clone());
        let only = ["ecdsa-sha2-nistp256".to_owned()];
        let wanted = Wanted {
            profile: "modern",
            host_keys: &only,
            ..Wanted::default()
        };
        let algorithms = wanted.resolve(&mut Vec::new()).unwrap();
        let loaded = super::load(&HostKeys::Files(paths), &algorithms).unwrap();
        assert_eq!(types(&loaded), only);
        assert_eq!(loaded.left_out.len(), 3);
        assert!(loaded.left_out.contains(&(dsa, DSA_REASON)));
    }

    #[test]
    fn what_is_no_key_stops_with_the_name_of_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("broken");
        fs::write(&path, "nonsense").unwrap();
        let error = load(&HostKeys::Files(vec![path])).unwrap_err().to_string();
        assert!(error.contains("broken"), "{error}");
        let missing = load(&HostKeys::Files(vec![directory.path().join("none")])).unwrap_err();
        assert!(matches!(missing, HostKeyError::Read { .. }));
    }
}
