//! Logins with OpenSSH certificates: whom they let in, what they restrict, and what was revoked.

use std::fs;
use std::sync::Arc;

use serde_json::json;
use sftpgo_testkit::{
    Account, CertificateDraft, FileClient as _, PASSWORD, Sftp, SshClient, TestCertificate,
    TestKey, TestServer,
};

use super::hostile::peer::{Message, Peer};

/// The key of whoever has certificates; no account stores it.
fn user_key() -> TestKey {
    TestKey::numbered(21)
}

fn authority() -> TestKey {
    TestKey::numbered(22)
}

/// A certificate for alice, of the authority that is trusted.
fn draft() -> CertificateDraft {
    CertificateDraft::of(&user_key()).names("alice")
}

/// A server that trusts the authority.
async fn server() -> TestServer {
    TestServer::builder()
        .set("sftpd.trusted_user_ca_keys", json!(["ca.pub"]))
        .file("ca.pub", format!("# ours\n{}\n", authority().line("ca")))
        .start()
        .await
}

/// The same, with alice.
async fn server_of_alice() -> TestServer {
    let server = server().await;
    server.add(Account::new("alice")).await;
    server
}

async fn lets_in(server: &TestServer, name: &str, certificate: &TestCertificate) -> bool {
    let mut client = server.connect().await;
    client.certificate(name, &user_key(), certificate).await
}

async fn logged_in(server: &TestServer, certificate: &TestCertificate) -> SshClient {
    let mut client = server.connect().await;
    assert!(client.certificate("alice", &user_key(), certificate).await);
    client
}

#[tokio::test]
async fn a_certificate_of_a_trusted_authority_logs_in_the_accounts_that_it_names() {
    let server = server_of_alice().await;
    server.add(Account::new("bob")).await;
    server.add(Account::new("carol")).await;
    let certificate = draft().names("bob").signed_by(&authority());
    let client = logged_in(&server, &certificate).await;
    let mut sftp = Sftp::open(Arc::new(client)).await.unwrap();
    sftp.put(b"/whose", b"").await.unwrap();
    assert!(server.home("alice").join("whose").exists());
    assert!(lets_in(&server, "bob", &certificate).await);
    assert!(!lets_in(&server, "carol", &certificate).await, "not named");
    // Naming somebody makes no account.
    let certificate = draft().names("dave").signed_by(&authority());
    assert!(!lets_in(&server, "dave", &certificate).await);
}

#[tokio::test]
async fn a_certificate_that_is_not_good_for_the_login_is_refused() {
    let server = server_of_alice().await;
    let year_2001 = 1_000_000_000;
    let no_principals = CertificateDraft::of(&user_key());
    let cases = [
        ("names nobody", no_principals.clone()),
        ("names somebody else", no_principals.names("Alice")),
        ("is one of a host", draft().host()),
        ("has expired", draft().valid(0, year_2001)),
        ("is not valid yet", draft().valid(u64::MAX - 1, u64::MAX)),
        (
            "is used from elsewhere",
            draft().option("source-address", "192.0.2.0/24,2001:db8::/32"),
        ),
        (
            "forces what is not served",
            draft().option("force-command", "/bin/sh"),
        ),
        (
            "forces what is not enabled",
            draft().option("force-command", "sha512sum /x"),
        ),
        (
            "has an option that nobody knows",
            draft().option("mystery@example.com", "x"),
        ),
        (
            "asks for a security key that verifies its user",
            draft().option("verify-required", ""),
        ),
    ];
    for (why, draft) in cases {
        let certificate = draft.signed_by(&authority());
        assert!(!lets_in(&server, "alice", &certificate).await, "{why}");
    }
    let stranger = draft().signed_by(&TestKey::numbered(23));
    assert!(!lets_in(&server, "alice", &stranger).await, "of a stranger");
    let own = draft().signed_by(&user_key());
    assert!(!lets_in(&server, "alice", &own).await, "of its own key");
    assert!(lets_in(&server, "alice", &draft().signed_by(&authority())).await);
}

#[tokio::test]
async fn without_the_setting_no_certificate_logs_in() {
    let server = TestServer::start().await;
    // Not even one of the key that the account has.
    let keys = vec![user_key().line("alice")];
    server
        .add(Account::new("alice").with("public_keys", keys))
        .await;
    let certificate = draft().signed_by(&authority());
    assert!(!lets_in(&server, "alice", &certificate).await);
    let mut client = server.connect().await;
    assert!(client.key("alice", &user_key()).await);
}

#[tokio::test]
async fn the_owner_of_the_certified_key_has_to_sign() {
    let server = server_of_alice().await;
    let certificate = draft().signed_by(&authority());
    let mut client = server.connect().await;
    let thief = TestKey::numbered(24);
    assert!(!client.certificate("alice", &thief, &certificate).await);
    // Nor is the authority itself a key of anybody.
    assert!(!client.key("alice", &authority()).await);
    assert!(!client.key("alice", &user_key()).await);
}

#[tokio::test]
async fn what_an_account_forbids_it_forbids_to_certificates() {
    let server = server().await;
    let certificate = ["denied", "elsewhere", "disabled", "free"]
        .iter()
        .fold(draft(), |draft, name| draft.names(name))
        .signed_by(&authority());
    let filters = json!({ "denied_login_methods": ["publickey"] });
    let denied = Account::new("denied").with("filters", filters);
    let filters = json!({ "denied_ip": ["127.0.0.0/8"] });
    let elsewhere = Account::new("elsewhere").with("filters", filters);
    let disabled = Account::new("disabled").with("status", 0);
    for account in [denied, elsewhere, disabled, Account::new("free")] {
        let name = account.name().to_owned();
        server.add(account).await;
        assert_eq!(lets_in(&server, &name, &certificate).await, name == "free");
    }
}

#[tokio::test]
async fn where_a_certificate_forces_sftp_there_is_nothing_else() {
    let server = server_of_alice().await;
    let certificate = draft().option("force-command", "internal-sftp");
    let client = logged_in(&server, &certificate.signed_by(&authority())).await;
    assert!(client.exec(b"pwd", b"").await.is_none());
    assert!(client.exec(b"internal-sftp", b"").await.is_none());
    let mut sftp = Sftp::open(Arc::new(client)).await.unwrap();
    assert_eq!(sftp.realpath(b".").await.unwrap(), b"/");
}

#[tokio::test]
async fn a_command_that_a_certificate_forces_runs_instead_of_any_other() {
    let server = server_of_alice().await;
    let certificate = draft().option("force-command", "pwd");
    let client = logged_in(&server, &certificate.signed_by(&authority())).await;
    for asked in ["pwd", "md5sum /secret", "rm -rf /"] {
        let ran = client.exec(asked.as_bytes(), b"").await.unwrap();
        assert_eq!((ran.text().as_str(), ran.status), ("/\n", Some(0)));
    }
    assert!(client.subsystem("sftp").await.is_none());
}

/// CVE-2026-46595: the address is asked for whichever way the login goes.
#[tokio::test]
async fn source_addresses_hold_for_every_way_to_log_in() {
    let server = server().await;
    let here = draft().option("source-address", "192.0.2.0/24,127.0.0.1");
    let here = here.names("chained").signed_by(&authority());
    let elsewhere = draft().option("source-address", "192.0.2.0/24");
    let elsewhere = elsewhere.names("chained").signed_by(&authority());
    let filters = json!({ "required_login_methods": ["publickey,password"] });
    server.add(Account::new("alice")).await;
    server
        .add(Account::new("chained").with("filters", filters))
        .await;
    assert!(lets_in(&server, "alice", &here).await);
    assert!(!lets_in(&server, "alice", &elsewhere).await);
    for (certificate, expected) in [(&here, true), (&elsewhere, false)] {
        let mut client = server.connect().await;
        assert!(
            !client
                .certificate("chained", &user_key(), certificate)
                .await
        );
        assert_eq!(client.password("chained", PASSWORD).await, expected);
    }
}

/// CVE-2026-39828.
#[tokio::test]
async fn the_limits_of_a_certificate_stay_when_more_methods_are_proved() {
    let server = server().await;
    let certificate = draft().option("force-command", "internal-sftp");
    let certificate = certificate.signed_by(&authority());
    for order in ["publickey,password", "password,publickey"] {
        let filters = json!({ "required_login_methods": [order] });
        let account = Account::new("alice").with("filters", filters);
        let server = match order {
            "publickey,password" => &server,
            _ => &self::server().await,
        };
        server.add(account).await;
        let mut client = server.connect().await;
        if order.starts_with("password") {
            assert!(!client.password("alice", PASSWORD).await);
            assert!(client.certificate("alice", &user_key(), &certificate).await);
        } else {
            assert!(!client.certificate("alice", &user_key(), &certificate).await);
            assert!(client.password("alice", PASSWORD).await);
        }
        assert!(client.exec(b"pwd", b"").await.is_none(), "{order}");
        assert!(client.subsystem("sftp").await.is_some(), "{order}");
    }
}

#[tokio::test]
async fn an_authority_in_the_keys_of_an_account_signs_for_this_account_alone() {
    let server = TestServer::start().await;
    let keys = |options: &str| vec![format!("{options} {}", authority().line("ca"))];
    server
        .add(Account::new("alice").with("public_keys", keys("cert-authority")))
        .await;
    let options = "cert-authority,principals=\"ops\",from=\"127.0.0.*\"";
    server
        .add(Account::new("bob").with("public_keys", keys(options)))
        .await;
    server.add(Account::new("carol")).await;
    let everybody = draft().names("bob").names("carol").signed_by(&authority());
    assert!(lets_in(&server, "alice", &everybody).await);
    assert!(!lets_in(&server, "bob", &everybody).await);
    assert!(!lets_in(&server, "carol", &everybody).await);
    let ops = CertificateDraft::of(&user_key()).names("ops");
    let ops = ops.signed_by(&authority());
    assert!(lets_in(&server, "bob", &ops).await);
    assert!(!lets_in(&server, "alice", &ops).await);
    let mut client = server.connect().await;
    assert!(
        !client.key("alice", &authority()).await,
        "signs, and no more"
    );
}

/// A question about a certificate, and its number in the answer: 60 is PK_OK, 51 a failure.
async fn asked(server: &TestServer, algorithm: &str, blob: &[u8]) -> u8 {
    let mut peer = Peer::connect(server.ssh_address()).await;
    peer.service().await;
    let request = Message::new(50)
        .string(b"alice")
        .string(b"ssh-connection")
        .string(b"publickey")
        .byte(0)
        .string(algorithm.as_bytes())
        .string(blob);
    peer.send(&request).await;
    let answer = peer.receive().await.unwrap();
    if answer[0] == 60 {
        let echo = Message::new(60).string(algorithm.as_bytes()).string(blob);
        assert_eq!(answer, echo.0, "what was asked is what is answered");
    }
    answer[0]
}

#[tokio::test]
async fn questions_about_certificates_are_answered_as_their_signatures_would_be() {
    let server = server_of_alice().await;
    let name = "ssh-ed25519-cert-v01@openssh.com";
    let good = draft().signed_by(&authority()).blob();
    assert_eq!(asked(&server, name, &good).await, 60);
    let expired = draft().valid(0, 1).signed_by(&authority()).blob();
    assert_eq!(asked(&server, name, &expired).await, 51);
    for other in ["ssh-ed25519", "rsa-sha2-512-cert-v01@openssh.com", "x"] {
        assert_eq!(asked(&server, other, &good).await, 51, "{other}");
    }
    let mut changed = good.clone();
    for at in 0..good.len() {
        changed[at] ^= 0x20;
        // A sample, each on a connection of its own.
        if at % 23 == 0 {
            assert_eq!(asked(&server, name, &changed).await, 51, "byte {at}");
        }
        changed[at] ^= 0x20;
    }
    for length in [0, 1, 4, 40, good.len() - 1] {
        assert_eq!(asked(&server, name, &good[..length]).await, 51, "{length}");
    }
}

/// What nests certificates in certificates overflows the stacks of decoders that follow it.
#[tokio::test]
async fn certificates_within_certificates_are_refused_whatever_their_depth() {
    let server = server_of_alice().await;
    let name = b"ssh-ed25519-cert-v01@openssh.com";
    let mut inner = authority().blob();
    for _ in 0..200 {
        let signature = Message::default().string(b"ssh-ed25519").string(&[7; 64]);
        inner = Message::default()
            .string(name)
            .string(b"")
            .string(&[7; 32])
            .u32(0)
            .u32(0)
            .u32(1)
            .string(b"")
            .string(b"")
            .u32(0)
            .u32(0)
            .u32(u32::MAX)
            .u32(u32::MAX)
            .string(b"")
            .string(b"")
            .string(b"")
            .string(&inner)
            .string(&signature.0)
            .0;
    }
    let name = std::str::from_utf8(name).unwrap();
    assert_eq!(asked(&server, name, &inner).await, 51);
    assert_eq!(asked(&server, "ssh-ed25519", &inner).await, 51);
    let good = draft().signed_by(&authority());
    assert!(lets_in(&server, "alice", &good).await, "the server goes on");
}

#[cfg(unix)]
mod files {
    use rustix::process::Signal;
    use serde_json::Value;
    use tempfile::TempDir;

    use super::super::hooks::Scripts;
    use super::super::program::{free_address, sftpgo, text};
    use super::super::running::{Serve, add_user, configured};
    use super::*;

    /// A directory with settings, alice, an authority and an empty list of what was revoked.
    fn directory() -> TempDir {
        let directory = configured(&json!({
            "sftpd": { "trusted_user_ca_keys": ["ca.pub"], "revoked_user_keys": "revoked" }
        }));
        let at = directory.path();
        fs::write(at.join("ca.pub"), authority().line("ca")).unwrap();
        fs::write(at.join("revoked"), "").unwrap();
        add_user(at, "alice");
        directory
    }

    async fn certificate_works(serve: &Serve, certificate: &TestCertificate) -> bool {
        let mut client = SshClient::connect(serve.ssh, None).await;
        client.certificate("alice", &user_key(), certificate).await
    }

    async fn key_works(serve: &Serve) -> bool {
        let mut client = SshClient::connect(serve.ssh, None).await;
        client.key("alice", &Account::key("alice")).await
    }

    #[track_caller]
    fn reload(serve: &mut Serve) -> String {
        serve.signal(Signal::HUP);
        serve.line_with("asked to reload").unwrap()
    }

    #[tokio::test]
    async fn what_is_revoked_with_a_hang_up_logs_in_no_more_and_who_is_logged_in_stays() {
        let directory = directory();
        let at = directory.path();
        let mut serve = Serve::start_logging(at);
        let certificate = draft().called(7, "laptop").signed_by(&authority());
        let mut sftp = serve.sftp("alice").await;
        assert!(certificate_works(&serve, &certificate).await);

        let lines = [Account::key("alice"), user_key()].map(|key| key.line("lost"));
        fs::write(at.join("revoked"), lines.join("\n")).unwrap();
        assert!(key_works(&serve).await, "not before it is asked for");
        let said = reload(&mut serve);
        assert!(said.contains("(1)"), "{said}");
        assert!(!key_works(&serve).await);
        assert!(!certificate_works(&serve, &certificate).await);
        sftp.put(b"/file", b"12345").await.unwrap();

        fs::write(at.join("revoked"), authority().line("")).unwrap();
        reload(&mut serve);
        assert!(key_works(&serve).await);
        assert!(!certificate_works(&serve, &certificate).await);
    }

    #[tokio::test]
    async fn files_that_are_broken_at_a_hang_up_leave_everything_as_it_was() {
        let directory = directory();
        let at = directory.path();
        let mut serve = Serve::start_logging(at);
        let certificate = draft().signed_by(&authority());
        let line = Account::key("alice").line("");
        fs::write(at.join("revoked"), &line).unwrap();
        reload(&mut serve);
        for (file, content, setting) in [
            ("revoked", "SSHKRL\n\0cut off", "sftpd.revoked_user_keys"),
            ("revoked", "nonsense", "sftpd.revoked_user_keys"),
            ("ca.pub", "nonsense", "sftpd.trusted_user_ca_keys"),
        ] {
            let before = fs::read(at.join(file)).unwrap();
            fs::write(at.join(file), content).unwrap();
            let said = reload(&mut serve);
            assert!(
                said.contains("stay as they were") && said.contains(setting),
                "{said}"
            );
            assert!(said.contains(r#""level":"error""#), "{said}");
            assert!(!key_works(&serve).await);
            assert!(certificate_works(&serve, &certificate).await);
            fs::write(at.join(file), before).unwrap();
        }
        fs::remove_file(at.join("revoked")).unwrap();
        assert!(reload(&mut serve).contains("stay as they were"));
        assert!(!key_works(&serve).await);
        // Nobody is trusted by an empty file.
        fs::write(at.join("revoked"), "").unwrap();
        fs::write(at.join("ca.pub"), "").unwrap();
        reload(&mut serve);
        assert!(key_works(&serve).await);
        assert!(!certificate_works(&serve, &certificate).await);
    }

    #[test]
    fn a_file_about_keys_that_cannot_be_used_stops_the_start() {
        for (setting, file, content) in [
            ("trusted_user_ca_keys", "ca.pub", Some("nonsense")),
            ("trusted_user_ca_keys", "ca.pub", None),
            ("revoked_user_keys", "revoked", Some("SSHKRL\n\0")),
            ("revoked_user_keys", "revoked", Some("nonsense")),
            ("revoked_user_keys", "revoked", None),
        ] {
            let directory = directory();
            let path = directory.path().join(file);
            match content {
                Some(content) => fs::write(path, content).unwrap(),
                None => fs::remove_file(path).unwrap(),
            }
            let output = sftpgo(directory.path())
                .arg("serve")
                .env("SFTPGO_SFTPD__BIND_PORT", "0")
                .env("SFTPGO_HTTPD__BIND_PORT", free_address().port().to_string())
                .output()
                .unwrap();
            let said = text(&output.stdout) + &text(&output.stderr);
            assert_eq!(output.status.code(), Some(1), "{said}");
            assert!(said.contains(&format!("sftpd.{setting}")), "{said}");
            assert!(said.contains(file), "{said}");
        }
    }

    #[tokio::test]
    async fn the_external_program_sees_a_certificate_and_its_key_does_not_become_one_of_the_account()
     {
        let scripts = Scripts::new();
        let user = scripts.user("alice", &json!({ "password": PASSWORD }));
        let script = format!(
            r#"
echo "$SFTPGO_AUTHD_PUBLIC_KEY" > "$here/key"
case "$SFTPGO_AUTHD_PUBLIC_KEY" in
  ssh-ed25519-cert-v01@openssh.com*) echo '{user}' ;;
esac"#
        );
        let server = TestServer::builder()
            .set("sftpd.trusted_user_ca_keys", json!(["ca.pub"]))
            .file("ca.pub", authority().line("ca"))
            .set(
                "data_provider.external_auth_program",
                scripts.script("auth", &script),
            )
            .start()
            .await;
        let stranger = draft().signed_by(&TestKey::numbered(23));
        assert!(
            !lets_in(&server, "alice", &stranger).await,
            "whatever it says"
        );
        let certificate = draft().signed_by(&authority());
        assert!(lets_in(&server, "alice", &certificate).await);
        assert_eq!(scripts.text("key").trim(), certificate.line());
        let alice = server.users().stored_by_name("alice").await.unwrap();
        assert!(alice.public_keys.is_empty(), "{:?}", alice.public_keys);
        let mut client = server.connect().await;
        assert!(!client.key("alice", &user_key()).await);
    }

    #[tokio::test]
    async fn the_log_names_the_certificate_its_authority_and_why_it_was_refused() {
        let directory = directory();
        let mut serve = Serve::start_logging(directory.path());
        let id = "al\u{202e}ice\n\"of\" ops".to_owned() + &"x".repeat(200);
        let certificate = draft().called(7, &id).signed_by(&authority());
        assert!(certificate_works(&serve, &certificate).await);
        let line: Value =
            serde_json::from_str(&serve.line_with("logged in with").unwrap()).unwrap();
        let said = line["message"].as_str().unwrap();
        let expected = format!(
            "publickey: {} CA {} serial 7 id \"al\\u{{202e}}ice\\n\\\"of\\\" opsxxx",
            user_key().fingerprint(),
            authority().fingerprint()
        );
        assert!(said.contains(&expected), "{said}");
        assert!(!said.contains(&"x".repeat(64)), "{said}");

        let expired = draft().valid(0, 1).signed_by(&authority());
        assert!(!certificate_works(&serve, &expired).await);
        let line = serve.line_with(r#""sender":"connection_failed""#).unwrap();
        let line: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line["username"], "alice");
        assert_eq!(line["login_type"], "publickey");
        assert!(
            line["error"].as_str().unwrap().contains("expired"),
            "{line}"
        );
    }
}
