//! The certificate authorities that this machine trusts.

use std::path::{Path, PathBuf};

/// Where systems keep them in one file: Debian and Arch, Fedora, openSUSE, Alpine and the BSDs.
const BUNDLES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// The file with the authorities that this machine trusts, those of its owner among them; `None` if it has none, and
/// then those that browsers trust are all there are.
pub(crate) fn system_roots() -> Option<PathBuf> {
    BUNDLES
        .iter()
        .map(Path::new)
        .find(|path| path.is_file())
        .map(Path::to_path_buf)
}
