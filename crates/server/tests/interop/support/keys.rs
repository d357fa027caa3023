//! Keys for one test, made by `ssh-keygen`: Ed25519, because making an RSA key takes longer.

use std::path::Path;
use std::process::Command;

/// Makes `path` and `path.pub`.
pub(crate) fn make(path: &Path) {
    make_of(&["ed25519"], path);
}

/// Makes `path` and `path.pub`; `kind` is the type and what else is said about it.
pub(crate) fn make_of(kind: &[&str], path: &Path) {
    let output = Command::new("ssh-keygen")
        .args(["-q", "-N", "", "-C", "interop", "-t"])
        .args(kind)
        .arg("-f")
        .arg(path)
        .output()
        .unwrap_or_else(|error| panic!("ssh-keygen: {error} (scripts/test installs it)"));
    assert!(output.status.success(), "ssh-keygen: {output:?}");
}

/// Makes a certificate of a key beside it, where OpenSSH finds it: signed by an authority, with these options of
/// `ssh-keygen`.
pub(crate) fn certify(authority: &Path, key: &Path, options: &[&str]) {
    let output = Command::new("ssh-keygen")
        .args(["-q", "-I", "interop", "-s"])
        .arg(authority)
        .args(options)
        .arg(key.with_extension("pub"))
        .output()
        .unwrap();
    assert!(output.status.success(), "ssh-keygen: {output:?}");
}

/// Makes a list of what was revoked: what these words say, in the form of `ssh-keygen -k`, of this authority.
pub(crate) fn revoke(authority: &Path, list: &Path, words: &str) {
    let specification = list.with_extension("spec");
    std::fs::write(&specification, words).unwrap();
    let output = Command::new("ssh-keygen")
        .args(["-q", "-k", "-f"])
        .arg(list)
        .arg("-s")
        .arg(authority.with_extension("pub"))
        .arg(specification)
        .output()
        .unwrap();
    assert!(output.status.success(), "ssh-keygen: {output:?}");
}

/// The public half without its comment.
pub(crate) fn public(path: &Path) -> String {
    let line = std::fs::read_to_string(path.with_extension("pub")).unwrap();
    let fields: Vec<&str> = line.split_whitespace().take(2).collect();
    fields.join(" ")
}

/// `SHA256:...`, as clients show it.
pub(crate) fn fingerprint(path: &Path) -> String {
    let output = Command::new("ssh-keygen")
        .arg("-lf")
        .arg(path)
        .output()
        .unwrap();
    let line = String::from_utf8(output.stdout).unwrap();
    line.split_whitespace().nth(1).unwrap().to_owned()
}
