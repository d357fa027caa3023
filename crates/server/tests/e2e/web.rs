//! The web admin of the composed server, and real clients that it tells of.

use serde_json::Value;
use sftpgo_core::defender::HostEvent;
use sftpgo_testkit::{Account, FileClient as _, Response, TestServer, request, until};

use super::requests::CREATE;

async fn get(server: &TestServer, path: &str) -> String {
    let reply = request(server.http_address(), "GET", path, &Value::Null).await;
    assert_eq!(reply.status, 200, "{path}: {}", reply.body);
    reply.body
}

/// A form without fields.
async fn post(server: &TestServer, path: &str) -> Response {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let address = server.http_address();
    let (path, body) = path.split_once('?').unwrap_or((path, ""));
    let text = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    Response {
        status: head.split(' ').nth(1).unwrap().parse().unwrap(),
        body: body.to_owned(),
    }
}

#[tokio::test]
async fn names_that_clients_choose_show_as_text() {
    let server = TestServer::start().await;
    let name = "<img src=x onerror=alert(1)>";
    server.add(Account::new(name)).await;
    let mut sftp = server.sftp_as("Open<b>SSH</b>", name).await;
    let handle = sftp
        .open_file(b"/<svg onload=alert(2)>.txt", CREATE)
        .await
        .unwrap();
    sftp.write(&handle, 0, b"four").await.unwrap();
    let page = get(&server, "/web/connections").await;
    for html in ["<img src=x", "<b>SSH", "<svg onload"] {
        assert!(!page.contains(html), "{html}: {page}");
    }
    for text in [
        "&lt;img src=x onerror=alert(1)&gt;",
        "SSH-2.0-Open&lt;b&gt;SSH&lt;&#x2f;b&gt;",
        "&#x2f;&lt;svg onload=alert(2)&gt;.txt",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    let users = get(&server, "/web/users").await;
    assert!(users.contains("&lt;img src=x onerror=alert(1)&gt;") && !users.contains("<img src=x"));
}

#[tokio::test]
async fn a_connection_is_shown_with_its_transfers_and_ended_by_a_form() {
    let server = TestServer::start().await;
    server.add(Account::new("alice")).await;
    assert!(
        get(&server, "/web/connections")
            .await
            .contains("Nobody is connected")
    );
    let mut sftp = server.sftp("alice").await;
    let handle = sftp.open_file(b"/file", CREATE).await.unwrap();
    sftp.write(&handle, 0, &[b'x'; 20_000]).await.unwrap();
    let page = get(&server, "/web/connections").await;
    for text in [
        "alice",
        "SFTP",
        "127.0.0.1:",
        "UL",
        "&#x2f;file",
        "20.0 KB in 00:0",
        " KB&#x2f;s",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    let id = server.core().registry().connections()[0].info.id.clone();
    let form = format!("/web/connection/{id}/disconnect");
    assert!(
        get(&server, &form)
            .await
            .contains("Disconnect alice from 127.0.0.1:")
    );
    assert_eq!(post(&server, &form).await.status, 303);
    let ssh = sftp.ssh().clone();
    until("the end of the connection", async || ssh.is_closed()).await;
    until("an empty list", async || {
        server.core().registry().connections().is_empty()
    })
    .await;
    assert_eq!(post(&server, &form).await.status, 404);
}

#[tokio::test]
async fn the_status_page_tells_what_runs_and_how_it_fares() {
    let server = TestServer::builder().driver("sqlite").start().await;
    server.add(Account::new("alice")).await;
    let mut sftp = server.sftp("alice").await;
    sftp.put(b"/file", &[b'x'; 250_000]).await.unwrap();
    sftp.get(b"/file").await.unwrap();
    let page = get(&server, "/web/status").await.replace("&#x2f;", "/");
    let listener = |address: std::net::SocketAddr| format!("<code>{address}</code>");
    for text in [
        "sqlite".to_owned(),
        "Reachable".to_owned(),
        "250.0 KB since the start".to_owned(),
        listener(server.ssh_address()),
        listener(server.http_address()),
        "SHA256:".to_owned(),
        "The defender is off".to_owned(),
    ] {
        assert!(page.contains(&text), "{text}: {page}");
    }
    until("figures of the throughput", async || {
        server.core().throughput().upload > 0 && server.core().throughput().download > 0
    })
    .await;
}

#[tokio::test]
async fn a_ban_is_shown_and_lifted_by_a_form() {
    let server = TestServer::builder()
        .set("defender.enabled", true)
        .start()
        .await;
    assert!(
        get(&server, "/web/status")
            .await
            .contains("No address is banned")
    );
    let defender = server.core().defender().unwrap();
    let (address, network) = ("192.0.2.7".parse().unwrap(), "2001:db8::1".parse().unwrap());
    for _ in 0..100 {
        defender.report(address, HostEvent::WrongCredential);
        defender.report(network, HostEvent::WrongCredential);
    }
    let page = get(&server, "/web/status").await.replace("&#x2f;", "/");
    assert!(
        page.contains("192.0.2.7") && page.contains("2001:db8::/64"),
        "{page}"
    );
    assert!(page.contains("/web/status/forgive?source=2001%3Adb8%3A%3A%2F64"));
    let question = get(&server, "/web/status/forgive?source=2001%3Adb8%3A%3A%2F64").await;
    assert!(
        question
            .replace("&#x2f;", "/")
            .contains("Lift the ban of 2001:db8::/64?")
    );
    for (form, status) in [
        ("/web/status/forgive?source=192.0.2.7", 303),
        ("/web/status/forgive?source=192.0.2.7", 404),
        ("/web/status/forgive?source=2001%3Adb8%3A%3A%2F64", 303),
        ("/web/status/forgive?source=nowhere", 400),
    ] {
        assert_eq!(post(&server, form).await.status, status, "{form}");
    }
    assert_eq!(defender.banned(), 0);
}

#[tokio::test]
async fn templates_and_static_files_of_the_operator_are_used_and_those_of_the_reference_are_not() {
    let directory = tempfile::tempdir().unwrap();
    let (templates, statics) = (directory.path().join("t"), directory.path().join("s"));
    for path in [&templates, &statics] {
        std::fs::create_dir(path).unwrap();
    }
    std::fs::write(templates.join("base.html"), "{{define \"base\"}}<b>{{end}}").unwrap();
    let own = "{# sftpgo-web 1 #}{{ page.text }} is mine {{ page.wrong.wrong }}";
    std::fs::write(templates.join("message.html"), own).unwrap();
    std::fs::write(statics.join("own.css"), "mine").unwrap();
    let server = TestServer::builder()
        .set("httpd.templates_path", templates.to_str().unwrap())
        .set("httpd.static_files_path", statics.to_str().unwrap())
        .start()
        .await;
    assert!(
        get(&server, "/web/users")
            .await
            .contains("No users here yet")
    );
    assert_eq!(get(&server, "/static/own.css").await, "mine");
    let reply = request(server.http_address(), "GET", "/web/user/7", &Value::Null).await;
    assert_eq!(reply.status, 500, "a template that fails: {}", reply.body);
    assert!(reply.body.contains("Internal Server Error") && !reply.body.contains("wrong"));
}
