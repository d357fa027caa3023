//! Accounts that change, are full, or whose storage is not there (TestLogin*, TestQuota*).

use std::fs;
use std::sync::Arc;

use serde_json::{Value, json};
use sftpgo_testkit::{Account, FileClient as _, PASSWORD, Refusal, Sftp, TestServer, Usage, until};

use crate::requests::{APPEND, Ask, BOTH, CREATE, REPLACE, WRITE};

async fn change(server: &TestServer, name: &str, json: &Value) {
    server.change(name, json).await;
}

/// Waits until a session is told this when it removes what is not there: what it may do decides.
async fn until_told(sftp: &mut Sftp, kind: Refusal) {
    until("the new rules", async || {
        sftp.remove(b"/nothing").await.unwrap_err().kind == kind
    })
    .await;
}

async fn server_with(account: Account) -> TestServer {
    let server = TestServer::start().await;
    server.add(account).await;
    server
}

/// TestLogin: any of several keys.
#[tokio::test]
async fn each_of_several_keys_logs_in() {
    let keys = ["alice", "bob", "carol"].map(Account::key);
    let lines: Vec<_> = keys.iter().map(|key| key.line("comment")).collect();
    let server = server_with(Account::new("alice").with("public_keys", lines)).await;
    for key in &keys {
        assert!(server.connect().await.key("alice", key).await);
    }
    let stranger = Account::key("mallory");
    assert!(!server.connect().await.key("alice", &stranger).await);
}

/// TestLoginAfterUserUpdateEmptyPwd and -EmptyPubKey.
#[tokio::test]
async fn an_update_without_credentials_keeps_them() {
    let server = server_with(Account::new("alice")).await;
    change(&server, "alice", &json!({ "max_sessions": 5 })).await;
    change(&server, "alice", &json!({ "public_keys": [] })).await;
    assert!(server.connect().await.password("alice", PASSWORD).await);
    let key = Account::key("alice");
    assert!(!server.connect().await.key("alice", &key).await, "cleared");
    let keys = json!({ "public_keys": [key.line("")] });
    change(&server, "alice", &keys).await;
    change(&server, "alice", &json!({ "uid": 0 })).await;
    assert!(server.connect().await.key("alice", &key).await);
    assert!(server.connect().await.password("alice", PASSWORD).await);
}

/// TestLoginInvalidFs: here one whose credentials nobody can open.
#[tokio::test]
async fn an_account_whose_storage_cannot_be_opened_gets_no_session() {
    let gcs = json!({ "provider": 2, "gcsconfig": { "bucket": "b", "credentials": "$aes$00$00" } });
    let server = server_with(Account::new("alice").with("filesystem", gcs)).await;
    let mut client = server.connect().await;
    assert!(client.key("alice", &Account::key("alice")).await);
    let mut sftp = Sftp::open_raw(Arc::new(client)).await.unwrap();
    assert!(sftp.reply().await.is_none());
    let ssh = Arc::clone(sftp.ssh());
    until("the end of the connection", async || ssh.is_closed()).await;
    assert!(server.core().registry().connections().is_empty());
}

/// Unlike reference 6.1, where a session is a snapshot.
#[tokio::test]
async fn a_session_follows_its_account_and_shares_its_quota() {
    let server = server_with(Account::new("alice").quota(2, 0)).await;
    let mut old = server.sftp("alice").await;
    let closed = json!({
        "permissions": { "/": ["list"] },
        "filters": { "file_extensions": [{ "path": "/", "denied_extensions": [".txt"] }] },
    });
    change(&server, "alice", &closed).await;
    let mut new = server.sftp("alice").await;
    until_told(&mut old, Refusal::Denied).await;
    for session in [&mut old, &mut new] {
        let refusal = Ask::Put(b"/x").refusal(session).await;
        assert_eq!(refusal, Some(Refusal::Denied));
    }
    change(&server, "alice", &json!({ "permissions": { "/": ["*"] } })).await;
    until_told(&mut old, Refusal::NotFound).await;
    let refusal = Ask::Put(b"/a.txt").refusal(&mut old).await;
    assert_eq!(refusal, Some(Refusal::Denied), "the filter stays");
    old.put(b"/a", b"1").await.unwrap();
    let mut third = server.sftp("alice").await;
    third.put(b"/b", b"2").await.unwrap();
    // Full by what another session did.
    let full = Some(Refusal::Failed);
    assert_eq!(Ask::Put(b"/c").refusal(&mut old).await, full);
    change(&server, "alice", &json!({ "quota_files": 3 })).await;
    old.put(b"/c", b"3").await.unwrap();
    assert_eq!(server.quota("alice").await, Usage { files: 3, bytes: 3 });
    third.remove(b"/c").await.unwrap();
    change(&server, "alice", &json!({ "quota_files": 2 })).await;
    assert_eq!(Ask::Put(b"/c").refusal(&mut old).await, full);
    assert_eq!(Ask::Put(b"/c").refusal(&mut third).await, full);
}

/// TestQuotaFileReplace.
#[tokio::test]
async fn a_file_of_the_same_size_changes_no_counter_and_one_over_the_quota_can_be_removed() {
    for mode in 0..3 {
        let server = TestServer::builder().upload_mode(mode).start().await;
        server.add(Account::new("alice").quota(1_000, 0)).await;
        let mut sftp = server.sftp("alice").await;
        let content = [b'c'; 65_535];
        for _ in 0..2 {
            sftp.put(b"/file", &content).await.unwrap();
            let used = Usage {
                files: 1,
                bytes: 65_535,
            };
            assert_eq!(server.quota("alice").await, used);
        }
        change(&server, "alice", &json!({ "quota_size": 65_534 })).await;
        let mut sftp = server.sftp("alice").await;
        let refused = sftp.put(b"/file", &content).await.unwrap_err();
        assert_eq!(refused.kind, Refusal::Failed);
        assert_eq!(
            fs::read(server.home("alice").join("file")).unwrap(),
            content
        );
        sftp.remove(b"/file").await.unwrap();
        assert_eq!(server.quota("alice").await, Usage::default());
    }
}

/// A full account opens nothing for writing that could grow: not a new file, and no existing one either.
#[tokio::test]
async fn a_full_account_opens_no_file_for_writing() {
    let server = server_with(Account::new("alice").quota(0, 10)).await;
    let mut sftp = server.sftp("alice").await;
    sftp.put(b"/file", b"0123456789").await.unwrap();
    for path in [&b"/file"[..], b"/new"] {
        for flags in [WRITE, CREATE, REPLACE, APPEND, BOTH] {
            let ask = Ask::Open(path, flags);
            // Without CREAT there is nothing to open.
            let missing = path == b"/new" && !flags.contains(sftpgo_wire::sftp::OpenFlags::CREATE);
            let expected = if missing {
                Refusal::NotFound
            } else {
                Refusal::Failed
            };
            assert_eq!(ask.refusal(&mut sftp).await, Some(expected), "{ask:?}");
        }
    }
    let refused = sftp.open_file(b"/file", REPLACE).await.unwrap_err();
    assert_eq!(refused.message, "Failure: quota exceeded");
    assert_eq!(sftp.get(b"/file").await.unwrap(), b"0123456789");
    // What takes no room goes on, and what gives room back.
    assert_eq!(
        Ask::Rename(b"/file", b"/moved").refusal(&mut sftp).await,
        None
    );
    assert_eq!(Ask::Size(b"/moved", 9).refusal(&mut sftp).await, None);
    assert_eq!(Ask::Put(b"/new").refusal(&mut sftp).await, None);
}
