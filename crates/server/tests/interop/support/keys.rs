//! Keys for one test, made by `ssh-keygen`: Ed25519, because making an RSA key takes longer.

use std::path::Path;
use std::process::Command;

/// Makes `path` and `path.pub`.
pub(super) fn make(path: &Path) {
    make_of(&["ed25519"], path);
}

/// Makes `path` and `path.pub`; `kind` is the type and what else is said about it.
pub(super) fn make_of(kind: &[&str], path: &Path) {
    let output = Command::new("ssh-keygen")
        .args(["-q", "-N", "", "-C", "interop", "-t"])
        .args(kind)
        .arg("-f")
        .arg(path)
        .output()
        .unwrap_or_else(|error| panic!("ssh-keygen: {error} (scripts/test installs it)"));
    assert!(output.status.success(), "ssh-keygen: {output:?}");
}

/// The public half without its comment.
pub(super) fn public(path: &Path) -> String {
    let line = std::fs::read_to_string(path.with_extension("pub")).unwrap();
    let fields: Vec<&str> = line.split_whitespace().take(2).collect();
    fields.join(" ")
}

/// `SHA256:...`, as clients show it.
pub(super) fn fingerprint(path: &Path) -> String {
    let output = Command::new("ssh-keygen")
        .arg("-lf")
        .arg(path)
        .output()
        .unwrap();
    let line = String::from_utf8(output.stdout).unwrap();
    line.split_whitespace().nth(1).unwrap().to_owned()
}
