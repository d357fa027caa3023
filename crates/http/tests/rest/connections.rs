//! The connection list, and closing a connection.

use std::net::SocketAddr;

use axum::body::Bytes;
use sftpgo_core::auth::Answer;
use sftpgo_core::model::{Protocol, VirtualPath};
use sftpgo_core::session::OpenIntent;
use sftpgo_core::{Chunk, ConnectionInfo, Session};
use tokio_util::sync::CancellationToken;

use crate::support::TestServer;

async fn session(
    server: &TestServer,
    protocol: Protocol,
    command: &str,
) -> (Session, ConnectionInfo) {
    let mut user = server.user("u");
    user["password"] = "password".into();
    server.added(&user).await;
    let peer: SocketAddr = "192.0.2.1:54321".parse().unwrap();
    let info = ConnectionInfo {
        id: "0af1".into(),
        peer,
        client_version: "SSH-2.0-OpenSSH_8.1".into(),
        cancel: CancellationToken::new(),
    };
    let mut authentication = server.core.authenticator().begin();
    let answer = authentication.password(&info, "u", "password").await;
    let Answer::LoggedIn(login) = answer else {
        panic!("{answer:?}");
    };
    let session = Session::open(&server.core, &login, protocol, command.into())
        .await
        .unwrap();
    (session, info)
}

#[tokio::test]
async fn a_session_is_listed_with_its_transfers() {
    let server = TestServer::start();
    let (sftp, _) = session(&server, Protocol::Sftp, "").await;
    let intent = OpenIntent {
        write: true,
        create: true,
        truncate: true,
        ..OpenIntent::default()
    };
    let path = VirtualPath::parse(b"/dir<1>").unwrap();
    let upload = sftp.open_write(&path, intent).await.unwrap();
    upload
        .write_at(vec![Chunk {
            offset: 0,
            pieces: vec![Bytes::from_static(b"four")],
        }])
        .await
        .unwrap();

    let reply = server.get("/api/v1/connection").await;
    let list = reply.json();
    let (connection, transfer) = (&list[0], &list[0]["active_transfers"][0]);
    let expected = format!(
        concat!(
            r#"[{{"username":"u","connection_id":"0af1","client_version":"SSH-2.0-OpenSSH_8.1","#,
            r#""remote_address":"192.0.2.1:54321","connection_time":{},"last_activity":{},"protocol":"SFTP","#,
            r#""active_transfers":[{{"operation_type":"upload","start_time":{},"size":4,"last_activity":{},"#,
            r#""path":"/dir\u003c1\u003e"}}],"ssh_command":""}}]"#,
            "\n"
        ),
        connection["connection_time"],
        connection["last_activity"],
        transfer["start_time"],
        transfer["last_activity"]
    );
    assert_eq!(reply.body, expected);
    assert!(connection["connection_time"].as_i64() > Some(1_500_000_000_000));
    assert_eq!(connection["last_activity"], transfer["last_activity"]);
}

#[tokio::test]
async fn a_command_is_listed_with_its_text_and_no_transfers_are_an_empty_list() {
    let server = TestServer::start();
    let (scp, _) = session(&server, Protocol::Scp, "scp -t /x").await;
    let list = server.get("/api/v1/connection").await.json();
    assert_eq!(list[0]["protocol"], "SCP");
    assert_eq!(list[0]["ssh_command"], "scp -t /x");
    assert_eq!(list[0]["active_transfers"], serde_json::json!([]));
    drop(scp);
    assert_eq!(server.get("/api/v1/connection").await.body, "[]\n");
}

#[tokio::test]
async fn a_connection_can_be_closed() {
    let server = TestServer::start();
    let (_session, info) = session(&server, Protocol::Sftp, "").await;
    assert_eq!(
        server
            .call("DELETE", "/api/v1/connection/0af", "")
            .await
            .status,
        404
    );
    assert!(!info.cancel.is_cancelled());
    let reply = server.call("DELETE", "/api/v1/connection/0af1", "").await;
    assert_eq!(
        reply.body,
        "{\"error\":\"\",\"message\":\"Connection closed\",\"status\":200}\n"
    );
    assert!(info.cancel.is_cancelled());
}
