//! HTTPS of the program: certificates that are renewed while it runs, and mistakes that stop its start.
#![cfg(unix)]

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use rustix::process::Signal;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use sftpgo_testdb::Certificates;
use sftpgo_testkit::within;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::program::{free_address, run, text};
use super::running::{Serve, configured};

/// `alice` with the password `password1`.
const USERS: &str = "alice:$2y$05$bcHSED7aO1cfLto6ZdDBOOKzlwftslVhtpIkRhAtSa4GuLmk5mola\n";
const BY_ALICE: &str = "Authorization: Basic YWxpY2U6cGFzc3dvcmQx\r\n";

fn settings() -> Value {
    json!({ "httpd": { "certificate_file": "server.pem", "certificate_key_file": "server.key" } })
}

/// Asks over TLS, trusting an authority; the whole reply.
async fn asked(
    address: SocketAddr,
    authority: &Certificates,
    field: &str,
) -> std::io::Result<String> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(authority.authority()).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(config));
    within("an answer over TLS", async {
        let stream = TcpStream::connect(address).await?;
        let name = ServerName::try_from("localhost").unwrap();
        let mut stream = connector.connect(name, stream).await?;
        let request = format!(
            "GET /api/v1/version HTTP/1.1\r\nHost: localhost\r\n{field}Connection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await?;
        let mut reply = String::new();
        stream.read_to_string(&mut reply).await?;
        Ok(reply)
    })
    .await
}

#[track_caller]
fn reload(serve: &mut Serve) -> String {
    serve.signal(Signal::HUP);
    serve.line_with("asked to reload").unwrap()
}

#[tokio::test]
async fn a_certificate_is_renewed_with_a_hang_up_and_a_bad_one_keeps_the_old() {
    let directory = configured(&settings());
    let at = directory.path();
    let renewal = tempfile::tempdir().unwrap();
    let old = Certificates::make(at);
    let new = Certificates::make(renewal.path());
    let mut serve = Serve::start(at, &[]);
    let greeting = serve.seen().join("\n");
    assert!(greeting.contains("  REST API  https://"), "{greeting}");
    let (address, ok) = (serve.http, "HTTP/1.1 200 ");
    assert!(asked(address, &old, "").await.unwrap().starts_with(ok));

    // Only one of the two was replaced so far.
    fs::copy(new.server(), old.server()).unwrap();
    let said = reload(&mut serve);
    let names = said.contains("httpd.certificate_key_file") && said.contains("server.key");
    assert!(said.contains("stay as they were") && names, "{said}");
    assert!(asked(address, &old, "").await.unwrap().starts_with(ok));

    fs::copy(new.key(), old.key()).unwrap();
    let said = reload(&mut serve);
    assert!(said.contains("were read again"), "{said}");
    assert!(asked(address, &new, "").await.unwrap().starts_with(ok));
    // The authority of a test directory is the old one still.
    assert!(asked(address, &old, "").await.is_err());
}

#[tokio::test]
async fn with_a_password_file_https_may_be_open_to_everybody() {
    let mut settings = settings();
    settings["httpd"]["bind_address"] = "0.0.0.0".into();
    settings["httpd"]["auth_user_file"] = "users".into();
    let directory = configured(&settings);
    let at = directory.path();
    fs::write(at.join("users"), USERS).unwrap();
    let certificates = Certificates::make(at);
    let serve = Serve::start(at, &[]);
    let port = serve.http.port();
    let address = ([127, 0, 0, 1], port).into();
    let refused = asked(address, &certificates, "").await.unwrap();
    assert!(refused.starts_with("HTTP/1.1 401 "), "{refused}");
    assert!(refused.ends_with("{\"error\":\"Unauthorized\",\"message\":\"\",\"status\":401}\n"));
    let answered = asked(address, &certificates, BY_ALICE).await.unwrap();
    assert!(answered.starts_with("HTTP/1.1 200 "), "{answered}");
}

fn refused(directory: &Path, expected: &[&str]) {
    let output = run(directory, &["serve"], "");
    let said = text(&output.stdout) + &text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    for text in expected {
        assert!(said.contains(text), "{text} not in {said}");
    }
}

#[test]
fn a_start_with_a_bad_password_file_or_certificate_fails_and_names_the_setting() {
    let mut both = settings();
    both["sftpd"] = json!({ "bind_port": 0 });
    both["httpd"]["bind_port"] = free_address().port().into();
    let mut users = both.clone();
    users["httpd"]["auth_user_file"] = "missing".into();
    let directory = configured(&users);
    Certificates::make(directory.path());
    refused(directory.path(), &["httpd.auth_user_file: ", "missing"]);

    let directory = configured(&both);
    let at = directory.path();
    Certificates::make(at);
    fs::copy(at.join("authority.key"), at.join("server.key")).unwrap();
    let reason = "it is not the key of the certificate";
    refused(at, &["httpd.certificate_key_file: ", "server.key", reason]);
}
