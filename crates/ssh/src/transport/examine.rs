//! What a file with a host key holds, for whoever brings keys from another server.

use std::path::Path;

use russh::keys::{Algorithm, HashAlg};

use super::host_key::read;

/// A host key that this server can use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostKeyFile {
    /// The name under which the server looks for a key of this type if no setting names one.
    pub usual_name: &'static str,
    /// `SHA256:...`, as clients show it.
    pub fingerprint: String,
    /// The line of its public half.
    pub public: String,
}

/// Reads a private key in any of the formats that host keys may have. Blocks on the disk.
///
/// # Errors
/// Why the server could not use it, with the name of the file.
pub fn examine_host_key(path: &Path) -> Result<HostKeyFile, String> {
    let unusable = |reason: &str| format!("{}: {reason}", path.display());
    let read = read(path).map_err(|error| error.to_string())?;
    let (key, _) =
        read.ok_or_else(|| unusable("keys of DSA are not safe and not used any more"))?;
    let kind = key.algorithm();
    let usual_name = usual_name(&kind).ok_or_else(|| {
        unusable(&format!(
            "keys of type {} are not used as host keys",
            kind.as_str()
        ))
    })?;
    let public = key.public_key();
    let line = public
        .to_openssh()
        .map_err(|error| unusable(&error.to_string()))?;
    Ok(HostKeyFile {
        usual_name,
        fingerprint: public.fingerprint(HashAlg::Sha256).to_string(),
        public: line.trim_end().to_owned(),
    })
}

fn usual_name(kind: &Algorithm) -> Option<&'static str> {
    let names = [
        ("id_ed25519", matches!(kind, Algorithm::Ed25519)),
        ("id_ecdsa", matches!(kind, Algorithm::Ecdsa { .. })),
        ("id_rsa", matches!(kind, Algorithm::Rsa { .. })),
    ];
    names.into_iter().find_map(|(name, is)| is.then_some(name))
}
