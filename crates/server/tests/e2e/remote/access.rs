//! Who may ask: passwords, certificates, and servers that are not there.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Instant;

use serde_json::json;
use sftpgo_testdb::Certificates;
use sftpgo_testkit::DEADLINE;
use tempfile::TempDir;

use super::{asked, failed, worked};
use crate::program::{free_address, sftpgo, text};
use crate::running::{Serve, configured};

/// `alice` with the password `password1`.
const USERS: &str = "alice:$2y$05$bcHSED7aO1cfLto6ZdDBOOKzlwftslVhtpIkRhAtSa4GuLmk5mola\n";
const PASSWORD: &str = "password1";

/// A server with a password file and HTTPS.
struct Guarded {
    serve: Serve,
    there: TempDir,
    certificates: Certificates,
    here: TempDir,
}

impl Guarded {
    fn start() -> Self {
        let there = configured(&json!({ "httpd": { "auth_user_file": "users",
            "certificate_file": "server.pem", "certificate_key_file": "server.key" } }));
        fs::write(there.path().join("users"), USERS).unwrap();
        let certificates = Certificates::make(there.path());
        let serve = Serve::start(there.path(), &[]);
        let here = tempfile::tempdir().unwrap();
        fs::write(here.path().join("right"), format!("{PASSWORD}\n")).unwrap();
        fs::write(here.path().join("wrong"), "hunter2\n").unwrap();
        Self {
            serve,
            there,
            certificates,
            here,
        }
    }

    fn url(&self) -> String {
        format!("https://localhost:{}", self.serve.http.port())
    }

    /// As alice, believing a certificate.
    fn ask(&self, variables: &[(&str, &str)], ca: &Path, more: &[&str]) -> Output {
        let (url, ca) = (self.url(), ca.to_str().unwrap());
        let arguments = ["status", "--url", &url, "--ca-file", ca];
        let arguments = [&arguments[..], more].concat();
        let output = asked(self.here.path(), variables, &arguments, "");
        for secret in [PASSWORD, "hunter2"] {
            let said = text(&output.stdout) + &text(&output.stderr);
            assert!(!said.contains(secret), "{said}");
        }
        output
    }
}

const RIGHT: [&str; 4] = ["--auth-user", "alice", "--auth-password-file", "right"];
const WRONG: [&str; 4] = ["--auth-user", "alice", "--auth-password-file", "wrong"];

#[test]
fn a_server_with_a_password_and_https_is_asked_with_both() {
    let server = Guarded::start();
    let authority = server.certificates.authority();
    let status = worked(&RIGHT, &server.ask(&[], &authority, &RIGHT));
    assert!(status.contains(&server.url()), "{status}");
    let itself = server.certificates.server();
    worked(&RIGHT, &server.ask(&[], &itself, &RIGHT));
    let variables = [
        ("SFTPGO_AUTH_USER", "alice"),
        ("SFTPGO_AUTH_PASSWORD", PASSWORD),
    ];
    worked(&[], &server.ask(&variables, &authority, &[]));

    // The settings of the server say where it is, and which certificate it has; its name need not be that of loopback.
    let port = server.serve.http.port().to_string();
    let variables = [
        &variables[..],
        &[("SFTPGO_HTTPD__BIND_PORT", port.as_str())],
    ]
    .concat();
    let output = asked(server.there.path(), &variables, &["status"], "");
    assert!(worked(&["status"], &output).contains("https://127.0.0.1:"));
}

#[test]
fn wrong_passwords_and_certificates_are_told_with_what_to_do() {
    let server = Guarded::start();
    let authority = server.certificates.authority();
    let said = failed(&WRONG, &server.ask(&[], &authority, &WRONG));
    assert!(
        said.contains("--auth-password-file") && said.contains("refuses"),
        "{said}"
    );
    let said = failed(&[], &server.ask(&[], &authority, &[]));
    assert!(said.contains("--auth-user"), "{said}");
    let alone = ["--auth-password-file", "right"];
    let said = failed(&alone, &server.ask(&[], &authority, &alone));
    assert!(said.contains("--auth-user"), "{said}");

    let others = tempfile::tempdir().unwrap();
    let others = Certificates::make(others.path()).authority();
    assert!(others.exists());
    let said = failed(&RIGHT, &server.ask(&[], &others, &RIGHT));
    assert!(said.contains("--ca-file"), "{said}");
    let url = server.url();
    let unknown = [&["status", "--url", &url][..], &RIGHT].concat();
    let said = failed(&unknown, &asked(server.here.path(), &[], &unknown, ""));
    assert!(said.contains("--ca-file"), "{said}");
    let by_address = url.replace("localhost", "127.0.0.1");
    let ca = authority.to_str().unwrap();
    let arguments = [
        &["status", "--url", &by_address, "--ca-file", ca][..],
        &RIGHT,
    ]
    .concat();
    let said = failed(&arguments, &asked(server.here.path(), &[], &arguments, ""));
    assert!(said.contains("another name"), "{said}");
    let plain = url.replace("https", "http");
    let said = failed(
        &[],
        &asked(server.here.path(), &[], &["status", "--url", &plain], ""),
    );
    assert!(said.contains("use https://"), "{said}");
}

#[test]
fn a_file_with_a_password_that_others_can_read_is_warned_of() {
    use std::os::unix::fs::PermissionsExt as _;
    let server = Guarded::start();
    let authority = server.certificates.authority();
    let file = server.here.path().join("right");
    for (mode, warned) in [(0o644, true), (0o600, false)] {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let output = server.ask(&[], &authority, &RIGHT);
        worked(&RIGHT, &output);
        assert_eq!(
            text(&output.stderr).contains("chmod 600"),
            warned,
            "{mode:o}"
        );
    }
}

#[test]
fn a_server_that_is_not_there_is_an_error_with_its_address() {
    let directory = tempfile::tempdir().unwrap();
    let address = free_address();
    let url = format!("http://{address}");
    for arguments in [
        &["status"][..],
        &["user", "list"],
        &["user", "add", "bob", "--no-password"],
        &["connections", "list"],
        &["quota", "scan", "alice"],
        &["bans", "list"],
        &["dump", "x.json"],
        &["restore", "/x.json"],
    ] {
        let arguments = [arguments, &["--url", &url]].concat();
        let said = failed(&arguments, &asked(directory.path(), &[], &arguments, ""));
        assert!(
            said.contains("cannot connect to") && said.contains(&url),
            "{said}"
        );
    }
    // Nothing was made where the settings would have their database.
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn a_url_with_a_password_is_refused_without_showing_it() {
    let directory = tempfile::tempdir().unwrap();
    let url = "https://alice:hunter2@localhost";
    for (variables, arguments) in [
        (&[][..], &["status", "--url", url][..]),
        (&[("SFTPGO_URL", url)], &["user", "list"]),
    ] {
        let output = asked(directory.path(), variables, arguments, "");
        let said = failed(arguments, &output);
        assert!(
            said.contains("--auth-password-file") && !said.contains("hunter2"),
            "{said}"
        );
    }
}

#[test]
#[cfg(target_os = "linux")]
fn nobody_sees_a_password_in_the_list_of_processes() {
    let server = Guarded::start();
    let (url, ca) = (server.url(), server.certificates.authority());
    let arguments = [
        "user",
        "add",
        "bob",
        "--password-stdin",
        "--home-dir",
        "/srv/bob",
        "--url",
    ];
    let mut child = sftpgo(server.here.path())
        .args(arguments)
        .args([&url, "--ca-file"])
        .arg(ca)
        .args(RIGHT)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // It waits for the password of bob meanwhile. The line is empty until the program is there.
    let begun = Instant::now();
    let mut line = String::new();
    while line.is_empty() && begun.elapsed() < DEADLINE {
        line = fs::read_to_string(format!("/proc/{}/cmdline", child.id())).unwrap();
    }
    assert!(line.contains("bob") && !line.contains(PASSWORD), "{line}");
    child.stdin.take().unwrap().write_all(b"secret\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
}
