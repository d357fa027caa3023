//! `ssh-audit`: what a scanner says about a server without any settings, host keys of its own making included.

use super::support::{Server, python};

#[test]
fn the_defaults_have_nothing_that_fails_an_audit() {
    let server = Server::unconfigured();
    let audit = python().with_file_name("ssh-audit");
    let run = server
        .client(audit)
        // The rate of connections is not what this is about, and takes long.
        .args([
            "--no-colors",
            "--skip-rate-test",
            "-p",
            &server.port().to_string(),
            "127.0.0.1",
        ]);
    let said = run.finish();
    // 0 is a clean report, 2 one with warnings.
    assert!(matches!(said.code(), Some(0 | 2)), "{said}");
    assert!(!said.said().contains("[fail]"), "{said}");
    for expected in [
        "ssh-ed25519",
        "rsa-sha2-512",
        "kex-strict-s-v00@openssh.com",
    ] {
        said.says(expected);
    }
}
