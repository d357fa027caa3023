//! Hooks that are URLs.

use std::time::Duration;

use serde_json::{Value, json};
use sftpgo_testdb::Certificates;
use sftpgo_testkit::{Account, Asked, Attempted, PASSWORD, SshClient, TestServer};

use super::service::{Request, Service};
use super::{Scripts, key_works, password_works, users};
use crate::program::{run, text};
use crate::running::{Serve, configured};

async fn server_asking(url: &str) -> TestServer {
    let builder = TestServer::builder().set("data_provider.external_auth_program", url);
    builder.hook_limit(Duration::from_secs(5)).start().await
}

fn body(request: &Request) -> Value {
    serde_json::from_str(&request.body).unwrap()
}

#[tokio::test]
async fn a_url_decides_about_logins_as_a_program_does() {
    let scripts = Scripts::new();
    let user = scripts.user("alice", &json!({}));
    let service = Service::start(move |request| {
        let asked = body(request);
        let known = asked["password"] == PASSWORD || asked["public_key"] != "";
        if asked["username"] == "alice" && known {
            (200, "", user.clone())
        } else {
            (401, "", user.clone())
        }
    })
    .await;
    let url = service
        .url("/auth?token=t")
        .replace("http://", "http://svc:p%40ss@");
    let server = server_asking(&url).await;
    assert!(!server.connect().await.password("bob", PASSWORD).await);
    assert!(!password_works(&server, "wrong").await);
    assert_eq!(users(&server).await, 0);
    assert!(password_works(&server, PASSWORD).await);
    assert!(key_works(&server).await);

    let seen = service.seen();
    let first = &seen[2];
    assert_eq!(first.line, "POST /auth?token=t");
    assert_eq!(first.headers["content-type"], "application/json");
    assert_eq!(first.headers["authorization"], "Basic c3ZjOnBAc3M=");
    assert_eq!(
        body(first),
        json!({ "username": "alice", "ip": "127.0.0.1", "password": PASSWORD, "public_key": "", "keyboard_interactive": "" })
    );
    let last = body(seen.last().unwrap());
    let line = format!("{}\n", Account::key("alice").line("").trim_end());
    assert_eq!(
        (&last["password"], &last["public_key"]),
        (&json!(""), &json!(line))
    );
    // The key was asked about and signed with.
    assert_eq!(seen.len(), 4);
}

#[tokio::test]
async fn every_answer_but_200_with_a_user_lets_nobody_in() {
    let scripts = Scripts::new();
    let user = scripts.user("alice", &json!({}));
    for (status, said) in [
        (204, ""),
        (200, ""),
        (200, "no"),
        (201, &user),
        (302, &user),
        (403, &user),
        (500, &user),
    ] {
        let service = Service::saying(status, said).await;
        let server = server_asking(&service.url("/")).await;
        assert!(!password_works(&server, PASSWORD).await, "{status} {said}");
        assert_eq!(service.seen().len(), 1);
    }
    let much = format!("{}{user}", " ".repeat(1 << 20));
    let service = Service::saying(200, &much).await;
    assert!(!password_works(&server_asking(&service.url("/")).await, PASSWORD).await);
    // Nobody is there.
    let nobody = crate::program::free_address();
    assert!(!password_works(&server_asking(&format!("http://{nobody}/")).await, PASSWORD).await);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let scripts = Scripts::new();
    let user = scripts.user("alice", &json!({}));
    let other = Service::saying(200, &user).await;
    let location: &'static str =
        Box::leak(format!("location: {}\r\n", other.url("/")).into_boxed_str());
    for status in [301, 302, 307, 308] {
        let service = Service::start(move |_| (status, location, String::new())).await;
        assert!(!password_works(&server_asking(&service.url("/")).await, PASSWORD).await);
    }
    assert!(other.seen().is_empty());
}

#[tokio::test]
async fn a_url_that_does_not_answer_in_time_lets_nobody_in() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let server = TestServer::builder()
        .set("data_provider.pre_login_program", url.as_str())
        .hook_limit(Duration::from_millis(300))
        .start()
        .await;
    server.add(Account::new("alice")).await;
    assert!(!password_works(&server, PASSWORD).await);
    assert!(!key_works(&server).await);
}

#[tokio::test]
async fn a_url_changes_users_before_their_login_or_leaves_them_with_204() {
    let service = Service::start(|request| {
        if request.line.contains("login_method=publickey") {
            (204, "", String::new())
        } else {
            (200, "", json!({ "max_sessions": 7 }).to_string())
        }
    })
    .await;
    let server = TestServer::builder()
        .set(
            "data_provider.pre_login_program",
            service.url("/change?a=b"),
        )
        .start()
        .await;
    server.add(Account::new("alice")).await;
    assert!(key_works(&server).await);
    assert_eq!(
        server.users().by_name("alice").await.unwrap().max_sessions,
        0
    );
    assert!(password_works(&server, PASSWORD).await);
    assert_eq!(
        server.users().by_name("alice").await.unwrap().max_sessions,
        7
    );
    let seen = service.seen();
    assert_eq!(
        seen[0].line,
        "POST /change?a=b&login_method=publickey&ip=127.0.0.1"
    );
    assert_eq!(
        seen[1].line,
        "POST /change?a=b&login_method=password&ip=127.0.0.1"
    );
    assert_eq!(body(&seen[0])["username"], "alice");
    assert!(
        body(&seen[0])["password"]
            .as_str()
            .unwrap()
            .starts_with("$argon2id$")
    );
}

#[tokio::test]
async fn a_url_leads_a_dialogue_round_by_round() {
    let service = Service::start(|request| {
        let asked = body(request);
        let reply = match asked["answers"].as_array().unwrap().first() {
            None => json!({ "questions": ["Pin: "], "echos": [false], "check_password": 1 }),
            Some(answer) if answer == "OK" => {
                json!({ "questions": ["Code: ", "Again: "], "echos": [true, true], "instruction": "codes" })
            }
            Some(_) if asked["answers"] == json!(["1", "1"]) => json!({ "auth_result": 1 }),
            Some(_) => json!({ "auth_result": -1 }),
        };
        (200, "", reply.to_string())
    })
    .await;
    let server = TestServer::builder()
        .set(
            "sftpd.keyboard_interactive_auth_program",
            service.url("/dialogue"),
        )
        .start()
        .await;
    server.add(Account::new("alice")).await;
    for (codes, end) in [(["1", "2"], false), (["1", "1"], true)] {
        let mut client = server.connect().await;
        client.interactive("alice").await;
        let asked = client.answer(&[PASSWORD]).await;
        let questions = vec![("Code: ".to_owned(), true), ("Again: ".to_owned(), true)];
        assert_eq!(asked, Asked::Questions("codes".to_owned(), questions));
        let over = client.answer(&codes).await;
        assert_eq!(over == Asked::Over(Attempted::LoggedIn), end, "{over:?}");
    }
    let rounds: Vec<Value> = service.seen().iter().map(body).collect();
    assert_eq!(rounds.len(), 6);
    let id = |round: &Value| round["request_id"].as_str().unwrap().to_owned();
    assert!(rounds[..3].iter().all(|round| id(round) == id(&rounds[0])));
    assert_ne!(id(&rounds[0]), id(&rounds[3]));
    assert_eq!(rounds[1]["questions"], json!(["Pin: "]));
    assert_eq!(rounds[1]["answers"], json!(["OK"]));
    assert_eq!(rounds[2]["answers"], json!(["1", "2"]));
    assert!(
        rounds
            .iter()
            .all(|round| round["username"] == "alice" && round["ip"] == "127.0.0.1")
    );
    let all = service
        .seen()
        .iter()
        .map(|request| request.body.clone())
        .collect::<String>();
    assert!(!all.contains(PASSWORD));
}

#[tokio::test]
async fn a_url_with_tls_is_asked_if_its_certificate_is_one_that_this_machine_trusts() {
    let scripts = Scripts::new();
    let user = scripts.user("alice", &json!({}));
    let certificates = Certificates::make(&scripts.file("homes"));
    let service = Service::start_tls(&certificates, move |_| (200, "", user.clone())).await;
    let port = service.address.port();
    let url = format!("https://localhost:{port}/");
    let authority = certificates.authority();
    // The certificate is of no address.
    let elsewhere = format!("https://127.0.0.1:{port}/");
    for (url, trusted, works) in [
        (&url, Some(&authority), true),
        (&url, None, false),
        (&elsewhere, Some(&authority), false),
    ] {
        let directory = configured(&json!({ "data_provider": { "external_auth_program": url } }));
        let output = run(directory.path(), &["initprovider"], "");
        assert!(output.status.success(), "{}", text(&output.stderr));
        let trusted = trusted.map(|file| ("SSL_CERT_FILE", file.to_str().unwrap()));
        let serve = Serve::start(directory.path(), trusted.as_slice());
        let mut client = SshClient::connect(serve.ssh, None).await;
        assert_eq!(
            client.password("alice", PASSWORD).await,
            works,
            "{url} {trusted:?}"
        );
    }
    assert_eq!(service.seen().len(), 1);
}
