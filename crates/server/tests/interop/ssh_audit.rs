//! `ssh-audit`: what a scanner says about a server.

use serde_json::json;

use super::support::{Server, python};

/// What it prints about the server, and its exit status: 0 is a clean report, 2 one with warnings, 3 one with failures.
fn audited(server: &Server) -> (Vec<String>, Option<i32>) {
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
    (
        said.text().lines().map(str::to_owned).collect(),
        said.code(),
    )
}

/// Host keys of its own making included.
#[test]
fn an_audit_of_modern_finds_nothing_to_warn_of() {
    let server = Server::with_own_host_keys(&json!({ "algorithms_profile": "modern" }));
    let (lines, code) = audited(&server);
    let shown = lines.join("\n");
    assert_eq!(code, Some(0), "{shown}");
    assert!(
        !shown.contains("[fail]") && !shown.contains("[warn]"),
        "{shown}"
    );
    for expected in [
        "(kex) mlkem768x25519-sha256",
        "(kex) sntrup761x25519-sha512@openssh.com",
        "(kex) kex-strict-s-v00@openssh.com",
        "(key) ssh-ed25519",
        "(key) rsa-sha2-512",
        "(enc) aes128-gcm@openssh.com",
        "(mac) hmac-sha2-256-etm@openssh.com",
    ] {
        assert!(shown.contains(expected), "{expected} not in {shown}");
    }
}

/// It knows every algorithm that a profile offers; `compat` fails for the curves of NIST alone, and has no SHA-1.
#[test]
fn an_audit_of_the_other_profiles_finds_what_they_are_for() {
    for (profile, reason) in [("compat", "elliptic curves"), ("legacy", "SHA-1")] {
        let server = Server::with(json!({ "algorithms_profile": profile }));
        let (lines, _) = audited(&server);
        let fails: Vec<_> = lines
            .iter()
            .filter(|line| line.contains("[fail]"))
            .collect();
        assert!(fails.iter().any(|line| line.contains(reason)), "{fails:#?}");
        if profile == "compat" {
            assert!(fails.iter().all(|line| line.contains(reason)), "{fails:#?}");
        }
        assert!(
            !lines.iter().any(|line| line.contains("unknown algorithm")),
            "{lines:#?}"
        );
    }
}
