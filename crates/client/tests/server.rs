//! A server that says what a test wants: every kind of answer and of silence, and what becomes of it.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sftpgo_client::{
    BaseUrl, Client, ClientError, ClientErrorKind, ClientSettings, Credentials, Limits, Provider,
    Started, Trust,
};
use sftpgo_testdb::Certificates;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

const PASSWORD: &str = "hunter2";

/// A server that answers every request in one way, and what it was asked.
struct Fake {
    address: SocketAddr,
    asked: mpsc::UnboundedReceiver<String>,
}

impl Fake {
    async fn answering(answer: &str) -> Self {
        Self::start(answer, None).await
    }

    async fn over_tls(answer: &str, certificates: &Certificates) -> Self {
        let chain = CertificateDer::pem_file_iter(certificates.server()).unwrap();
        let chain = chain.collect::<Result<Vec<_>, _>>().unwrap();
        let key = PrivateKeyDer::from_pem_file(certificates.key()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        Self::start(answer, Some(TlsAcceptor::from(Arc::new(config)))).await
    }

    async fn start(answer: &str, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, asked) = mpsc::unbounded_channel();
        let answer = answer.to_owned();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (answer, sender, tls) = (answer.clone(), sender.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        // A client that does not believe us goes away.
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => serve(stream, &answer, &sender).await,
                            Err(_) => Ok(()),
                        },
                        None => serve(stream, &answer, &sender).await,
                    }
                });
            }
        });
        Self { address, asked }
    }

    fn settings(&self) -> ClientSettings {
        settings(&format!("http://{}", self.address))
    }

    fn client(&self) -> Client {
        Client::new(self.settings()).unwrap()
    }

    fn last_asked(&mut self) -> String {
        self.asked.try_recv().unwrap()
    }
}

/// Reads a request to its end, as far as tests send them, and answers.
async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    answer: &str,
    sender: &mpsc::UnboundedSender<String>,
) -> std::io::Result<()> {
    let mut request = Vec::new();
    loop {
        let mut piece = [0; 4096];
        let length = stream.read(&mut piece).await?;
        request.extend_from_slice(piece.get(..length).unwrap());
        let text = String::from_utf8_lossy(&request);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            assert!(length > 0, "half a request");
            continue;
        };
        let declared = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        if body.len() >= declared.map_or(0, |length| length.parse().unwrap()) {
            break;
        }
    }
    let _ = sender.send(String::from_utf8(request).unwrap());
    if answer.is_empty() {
        // Until the client gives up.
        let _ = stream.read(&mut [0]).await?;
        return Ok(());
    }
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}

fn settings(url: &str) -> ClientSettings {
    ClientSettings {
        base: BaseUrl::parse(url).unwrap(),
        credentials: Some(Credentials::new("admin", PASSWORD).unwrap()),
        trust: Trust::default(),
        limits: Limits::default(),
    }
}

fn json(status: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

fn reply(status: u16, error: &str, message: &str) -> String {
    let body = format!(r#"{{"error":"{error}","message":"{message}","status":{status}}}"#);
    json(&format!("{status} Said"), &body)
}

async fn error_of(answer: &str) -> ClientError {
    let server = Fake::answering(answer).await;
    server.client().version().await.unwrap_err()
}

#[track_caller]
fn is(error: &ClientError, kind: ClientErrorKind, words: &[&str]) {
    let said = error.to_string();
    assert_eq!(error.kind(), kind, "{said}");
    for word in words {
        assert!(said.contains(word), "{word:?} is not in: {said}");
    }
    assert!(!said.contains(PASSWORD) && !format!("{error:?}").contains(PASSWORD));
    assert!(!said.contains(char::is_control), "{said:?}");
}

#[tokio::test]
async fn a_request_says_who_asks_and_for_what() {
    let mut server = Fake::answering(&json("200 OK", "[]")).await;
    let mut settings = server.settings();
    settings.base = BaseUrl::parse(&format!("http://{}/below/", server.address)).unwrap();
    let client = Client::new(settings).unwrap();
    assert_eq!(client.user("a b&c").await.unwrap(), None);
    let asked = server.last_asked();
    let (line, _) = asked.split_once("\r\n").unwrap();
    assert_eq!(line, "GET /below/api/v1/user?username=a+b%26c HTTP/1.1");
    assert!(
        asked.contains("authorization: Basic YWRtaW46aHVudGVyMg=="),
        "{asked}"
    );
    assert!(!format!("{client:?}").contains("YWRt"));
}

#[tokio::test]
async fn a_server_that_is_not_there_cannot_be_reached() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let client = Client::new(settings(&format!("http://{address}"))).unwrap();
    let error = client.version().await.unwrap_err();
    let words = [
        "cannot connect",
        &address.to_string(),
        "refused",
        "httpd.bind_port",
    ];
    is(&error, ClientErrorKind::Unreachable, &words);
    let nowhere = Client::new(settings("http://no-such-host.invalid")).unwrap();
    let error = nowhere.version().await.unwrap_err();
    is(
        &error,
        ClientErrorKind::Unreachable,
        &["no-such-host.invalid"],
    );
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up_in_time() {
    let server = Fake::answering("").await;
    let mut settings = server.settings();
    settings.limits.request = Duration::from_millis(50);
    let client = Client::new(settings).unwrap();
    let error = client.version().await.unwrap_err();
    is(&error, ClientErrorKind::TimedOut, &["within 0.05 s"]);
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_told() {
    let error = error_of("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{").await;
    is(&error, ClientErrorKind::Unreachable, &["broke off"]);
    let error = error_of("nonsense\r\n\r\n").await;
    is(&error, ClientErrorKind::Unreachable, &["no answer"]);
}

#[tokio::test]
async fn an_answer_has_a_bound() {
    let server = Fake::answering(&json("200 OK", &"x".repeat(1000))).await;
    let mut settings = server.settings();
    settings.limits.answer = 999;
    let client = Client::new(settings).unwrap();
    let error = client.version().await.unwrap_err();
    is(&error, ClientErrorKind::NotUnderstood, &["999 bytes"]);
}

#[tokio::test]
async fn wrong_and_missing_passwords_say_what_to_give() {
    let server = Fake::answering(&reply(401, "Unauthorized", "")).await;
    let error = server.client().version().await.unwrap_err();
    let words = [
        "refuses this name",
        "--auth-password-file",
        "SFTPGO_AUTH_PASSWORD",
    ];
    is(&error, ClientErrorKind::Unauthorized, &words);
    let mut without = server.settings();
    without.credentials = None;
    let client = Client::new(without).unwrap();
    let error = client.version().await.unwrap_err();
    is(
        &error,
        ClientErrorKind::Unauthorized,
        &["asks for a name", "--auth-user"],
    );
    let error =
        error_of("HTTP/1.1 429 Too Many\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n").await;
    is(&error, ClientErrorKind::TooManyAttempts, &["wait 7 s"]);
}

#[tokio::test]
async fn the_sentence_of_a_server_that_refuses_is_passed_on() {
    let error = error_of(&reply(400, "Validation error: no", "")).await;
    is(&error, ClientErrorKind::Refused, &[]);
    assert_eq!(error.to_string(), "Validation error: no");
    let error = error_of(&reply(403, "the defender is not enabled", "")).await;
    is(
        &error,
        ClientErrorKind::Refused,
        &["the defender is not enabled"],
    );
    let error = error_of(&reply(500, "disk\\u001b[2J full", "")).await;
    is(&error, ClientErrorKind::Failed, &["500", "disk", "full"]);
    let error = error_of("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 6\r\n\r\n<html>").await;
    is(&error, ClientErrorKind::Failed, &["502 Bad Gateway"]);
}

#[tokio::test]
async fn what_is_no_sftpgo_of_this_version_is_told() {
    for answer in [
        reply(404, "", "Not Found"),
        json("200 OK", "<html>"),
        json("200 OK", "[]"),
        "HTTP/1.1 301 Moved\r\nLocation: https://elsewhere/\r\nContent-Length: 0\r\n\r\n"
            .to_owned(),
    ] {
        let error = error_of(&answer).await;
        is(&error, ClientErrorKind::NotUnderstood, &[]);
    }
    let error =
        error_of("HTTP/1.1 302 Found\r\nLocation: https://else/\r\nContent-Length: 0\r\n\r\n");
    let words = ["sends us to https://else/"];
    is(&error.await, ClientErrorKind::NotUnderstood, &words);
}

#[tokio::test]
async fn a_thing_that_is_not_there_is_named() {
    let server = Fake::answering(&reply(404, "", "Not Found")).await;
    let error = server.client().close_connection("x/y").await.unwrap_err();
    is(&error, ClientErrorKind::NotFound, &["\"x/y\""]);
    let error = server.client().forgive("192.0.2.1").await.unwrap_err();
    is(
        &error,
        ClientErrorKind::NotFound,
        &["192.0.2.1", "not banned"],
    );
    let server = Fake::answering(&reply(404, "Not found: username \\\"u\\\"", "")).await;
    let error = server.client().start_quota_scan("u").await.unwrap_err();
    is(
        &error,
        ClientErrorKind::NotFound,
        &["Not found: username \"u\""],
    );
}

#[tokio::test]
async fn a_scan_that_is_under_way_is_no_error() {
    let message = "Another scan is already in progress";
    let server = Fake::answering(&reply(409, "", message)).await;
    let started = server.client().start_quota_scan("u").await.unwrap();
    assert_eq!(started, Started::Before);
    let server = Fake::answering(&reply(201, "", "Scan started")).await;
    let started = server.client().start_quota_scan("u").await.unwrap();
    assert_eq!(started, Started::Now);
}

#[tokio::test]
async fn a_data_provider_that_is_away_is_an_answer() {
    let server = Fake::answering(&reply(500, "database is locked", "")).await;
    let Provider::Away(reason) = server.client().provider().await.unwrap() else {
        panic!("it is away");
    };
    assert!(reason.contains("database is locked"), "{reason}");
    let server = Fake::answering(&reply(200, "", "Alive")).await;
    let provider = server.client().provider().await.unwrap();
    assert_eq!(provider, Provider::Alive);
}

#[tokio::test]
async fn a_list_that_begins_again_and_again_has_an_end() {
    let page = r#"[{"id":1,"username":"alice","home_dir":"/h"}]"#;
    let server = Fake::answering(&json("200 OK", page)).await;
    let client = server.client();
    assert_eq!(client.users_after(None).await.unwrap().len(), 1);
    let error = client.users_after(Some("alice")).await.unwrap_err();
    is(&error, ClientErrorKind::NotUnderstood, &[]);
    // Nor is somebody taken for somebody else.
    assert_eq!(client.user("bob").await.unwrap(), None);
}

fn pem(path: impl AsRef<Path>) -> Vec<u8> {
    std::fs::read(path).unwrap()
}

/// The answer of a server with a certificate for `localhost` to a client that believes something.
async fn over_tls(
    certificates: &Certificates,
    host: &str,
    trust: Trust,
) -> Result<String, ClientError> {
    let server = Fake::over_tls(&json("200 OK", r#"{"version":"1"}"#), certificates).await;
    let url = format!("https://{host}:{}", server.address.port());
    let client = Client::new(ClientSettings {
        trust,
        ..settings(&url)
    });
    Ok(client.unwrap().version().await?.version)
}

#[tokio::test]
async fn certificates_are_believed_that_were_given_or_are_signed_by_one_that_was() {
    let (ours, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let ours = Certificates::make(ours.path());
    let theirs = Certificates::make(theirs.path());
    for given in [ours.authority(), ours.server()] {
        let trust = Trust::these(&pem(given)).unwrap();
        assert_eq!(over_tls(&ours, "localhost", trust).await.unwrap(), "1");
    }
    let exactly = Trust::exactly(&pem(ours.server())).unwrap();
    assert_eq!(over_tls(&ours, "127.0.0.1", exactly).await.unwrap(), "1");

    let error = over_tls(&ours, "localhost", Trust::default())
        .await
        .unwrap_err();
    is(&error, ClientErrorKind::Certificate, &["--ca-file"]);
    let trust = Trust::these(&pem(theirs.authority())).unwrap();
    let error = over_tls(&ours, "localhost", trust).await.unwrap_err();
    is(&error, ClientErrorKind::Certificate, &["file of --ca-file"]);
    let exactly = Trust::exactly(&pem(theirs.server())).unwrap();
    let error = over_tls(&ours, "127.0.0.1", exactly).await.unwrap_err();
    is(
        &error,
        ClientErrorKind::Certificate,
        &["httpd.certificate_file", "SIGHUP"],
    );
}

#[tokio::test]
async fn a_certificate_is_for_the_name_that_was_called() {
    let directory = tempfile::tempdir().unwrap();
    let certificates = Certificates::make(directory.path());
    for given in [certificates.authority(), certificates.server()] {
        let trust = Trust::these(&pem(given)).unwrap();
        let error = over_tls(&certificates, "127.0.0.1", trust)
            .await
            .unwrap_err();
        is(&error, ClientErrorKind::Certificate, &["another name"]);
    }
}

#[tokio::test]
async fn a_server_without_tls_is_told_from_one_that_is_not_there() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        // It looks at the first line of what it takes for a request.
        let _ = stream.read(&mut [0; 4096]).await.unwrap();
        let answer = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
        stream.write_all(answer.as_bytes()).await.unwrap();
    });
    let client = Client::new(settings(&format!("https://{address}"))).unwrap();
    let error = client.version().await.unwrap_err();
    is(
        &error,
        ClientErrorKind::Certificate,
        &["does not speak TLS"],
    );
    server.await.unwrap();
}
