//! What `packaging/` gives to other programs, tried with these programs: fail2ban reads the log, samples of external
//! authentication ask a directory, shells complete commands. The Debian package has `packaging/check`.

mod completions;
mod fail2ban;
mod ldap;

use std::path::{Path, PathBuf};

/// A file of `packaging/`.
fn packaged(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../packaging")
        .join(name)
        .canonicalize()
        .unwrap()
}
