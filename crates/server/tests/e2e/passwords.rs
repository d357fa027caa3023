//! Accounts whose password hash came from another system log in over SFTP, with the password and with nothing else
//! (reference 4.3, and `TestPasswordsHash*` of its tests). The computations have their vectors in core.

use std::sync::Arc;

use futures_util::StreamExt as _;
use sftpgo_testkit::{Account, PASSWORD, Sftp, TestServer};

/// An account made with this hash: the password opens a session, the hash does not.
async fn assert_logs_in(password: &str, stored: &str) {
    let server = TestServer::start().await;
    server
        .add(Account::new("alice").with("password", stored))
        .await;
    let mut client = server.connect().await;
    assert!(!client.password("alice", stored).await, "{stored}");
    assert!(client.password("alice", password).await, "{stored}");
    let mut sftp = Sftp::open(Arc::new(client)).await.unwrap();
    assert_eq!(sftp.realpath(b".").await.unwrap(), b"/");
}

#[tokio::test]
async fn a_pbkdf2_sha1_hash_logs_in_with_its_password_only() {
    let stored = "$pbkdf2-sha1$150000$DveVjgYUD05R$X6ydQZdyMeOvpgND2nqGR/0GGic=";
    assert_logs_in("password", stored).await;
}

#[tokio::test]
async fn a_pbkdf2_sha256_hash_logs_in_with_its_password_only() {
    let stored = "$pbkdf2-sha256$150000$E86a9YMX3zC7$R5J62hsSq+pYw00hLLPKBbcGXmq7fj5+/M0IFoYtZbo=";
    assert_logs_in("password", stored).await;
}

#[tokio::test]
async fn a_pbkdf2_sha512_hash_logs_in_with_its_password_only() {
    let stored = "$pbkdf2-sha512$150000$dsu7T5R3IaVQ$1hFXPO1ntRBcoWkSLKw+s4sAP09Xtu4Ya7CyxFq64jM9zdUg8eRJVr3NcR2vQgb0W9HHvZaILHsL4Q/Vr6arCg==";
    assert_logs_in("password", stored).await;
}

#[tokio::test]
async fn a_bcrypt_hash_logs_in_with_its_password_only() {
    let stored = "$2a$14$ajq8Q7fbtFRQvXpdCq7Jcuy.Rx1h/L4J60Otx.gyNLbAYctGMJ9tK";
    assert_logs_in("secret", stored).await;
    let stored = "$2y$05$bcHSED7aO1cfLto6ZdDBOOKzlwftslVhtpIkRhAtSa4GuLmk5mola";
    assert_logs_in("password1", stored).await;
    let stored = "$2b$04$abcdefghijklmnopqrstuum174eFeoTj0DHmtuueFaS3Wde4P7wHG";
    assert_logs_in("pässword", stored).await;
}

#[tokio::test]
async fn a_sha256_crypt_hash_logs_in_with_its_password_only() {
    let stored = "$5$rounds=10000$saltstringsaltst$3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA";
    assert_logs_in("Hello world!", stored).await;
}

#[tokio::test]
async fn a_sha512_crypt_hash_logs_in_with_its_password_only() {
    let stored = "$6$459ead56b72e44bc$uog86fUxscjt28BZxqFBE2pp2QD8P/1e98MNF75Z9xJfQvOckZnQ/1YJqiq1XeytPuDieHZvDAMoP7352ELkO1";
    assert_logs_in("secret", stored).await;
}

#[tokio::test]
async fn an_md5_crypt_hash_logs_in_with_its_password_only() {
    assert_logs_in("password", "$1$b5caebda$VODr/nyhGWgZaY8sJ4x05.").await;
}

#[tokio::test]
async fn an_apr1_hash_logs_in_with_its_password_only() {
    assert_logs_in("password", "$apr1$OBWLeSme$WoJbB736e7kKxMBIAqilb1").await;
}

#[tokio::test]
async fn an_argon2id_hash_of_other_parameters_logs_in_with_its_password_only() {
    let stored =
        "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc";
    assert_logs_in("password", stored).await;
}

#[tokio::test]
async fn yescrypt_and_scrypt_hashes_of_linux_systems_log_in_with_their_password_only() {
    let stored = "$y$j9T$abcdefghijklmnopqrstu0$v.m2x5/6XcgH.GBv1OwI1H0ONwMgqKqaIx3FSduhez6";
    assert_logs_in("password", stored).await;
    let stored = "$7$C6..../....SodiumChloride$kBGj9fHznVYFQMEn/qDCfrDevf9YDtcDdKvEqHJLV8D";
    assert_logs_in("pleaseletmein", stored).await;
}

async fn password_works(server: &TestServer, password: &str) -> bool {
    server.connect().await.password("alice", password).await
}

#[tokio::test]
async fn a_storm_of_logins_with_one_password_is_no_storm_of_hashes() {
    const LOGINS: usize = 200;
    const AT_A_TIME: usize = 32;
    let server = TestServer::start().await;
    server.add(Account::new("alice")).await;
    let before = server.core().password_hashes();
    let logins = futures_util::stream::iter(0..LOGINS)
        .map(|_| password_works(&server, PASSWORD))
        .buffer_unordered(AT_A_TIME)
        .all(async |works| works);
    assert!(logins.await);
    let hashes = server.core().password_hashes() - before;
    // One a minute; the machine may be slow.
    assert!((1..=5).contains(&hashes), "{hashes}");

    let before = server.core().password_hashes();
    for _ in 0..3 {
        assert!(!password_works(&server, "wrong").await);
    }
    assert_eq!(server.core().password_hashes() - before, 3);
}

#[tokio::test]
async fn a_changed_password_locks_out_the_old_one_at_once() {
    let server = TestServer::start().await;
    server.add(Account::new("alice")).await;
    assert!(password_works(&server, PASSWORD).await);
    assert!(password_works(&server, PASSWORD).await);
    let users = server.users();
    let mut alice = users.stored_by_name("alice").await.unwrap();
    alice.password = "another one".to_owned();
    users.update(alice.clone()).await.unwrap();
    assert!(!password_works(&server, PASSWORD).await);
    assert!(password_works(&server, "another one").await);

    // Whatever else refuses a login does so as before.
    alice.password = users.stored_by_name("alice").await.unwrap().password;
    alice.status = 0;
    users.update(alice.clone()).await.unwrap();
    assert!(!password_works(&server, "another one").await);
    alice.status = 1;
    users.update(alice.clone()).await.unwrap();
    assert!(password_works(&server, "another one").await);
    users.delete(alice.id).await.unwrap();
    assert!(!password_works(&server, "another one").await);
}
