//! Names are bytes: whatever the home can hold can be used, and nothing else can be made.

use std::fs;

use sftpgo_testkit::{Account, FileClient as _, Refusal, TestServer};

use super::{Scene, refusal};

const NAMES: &[&[u8]] = &[
    b"with space",
    b"-dash",
    b"'quotes\"",
    b"back\\slash",
    b"new\nline",
    b"\x1b[31mred",
    b"%41*?[x]",
    "größe-日本".as_bytes(),
    b"not utf-8 \xff\xfe\x80",
    b"...",
    b".hidden",
];

/// Whether a home without names of any bytes has it: text that a person can see.
fn is_text(name: &[u8]) -> bool {
    std::str::from_utf8(name).is_ok_and(|name| !name.chars().any(char::is_control))
}

#[tokio::test]
async fn names_of_any_bytes_are_listed_read_renamed_and_removed() {
    Scene::plain(async |scene, mut client| {
        let any = scene.can().byte_names;
        let (held, refused): (Vec<&[u8]>, Vec<&[u8]>) = NAMES
            .iter()
            .partition(|name| any || is_text(name) && scene.holds(name));
        for name in refused {
            let path = [b"/", name].concat();
            let refused = client.put(&path, name).await;
            assert_eq!(refusal(refused), Refusal::BadMessage);
            assert!(client.stat(&path).await.is_err());
        }
        for name in &held {
            let path = [b"/", *name].concat();
            client.put(&path, name).await.unwrap();
            if let Ok(text) = std::str::from_utf8(name) {
                assert_eq!(scene.stored(text).await.unwrap(), *name);
            }
        }
        let mut listed: Vec<_> = client
            .list(b"/")
            .await
            .unwrap()
            .into_iter()
            .map(|entry| entry.name)
            .collect();
        listed.sort();
        let mut expected: Vec<_> = held.iter().map(|name| name.to_vec()).collect();
        expected.sort();
        assert_eq!(listed, expected);
        for name in held {
            let path = [b"/", name].concat();
            let renamed = [b"/renamed ", name].concat();
            assert_eq!(client.get(&path).await.unwrap(), name);
            client.rename(&path, &renamed).await.unwrap();
            client.stat(&renamed).await.unwrap();
            client.remove_file(&renamed).await.unwrap();
        }
        assert!(scene.names().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_path_with_a_zero_byte_is_no_path() {
    Scene::plain(async |_, mut client| {
        assert_eq!(
            refusal(client.put(b"/a\0b", b"").await),
            Refusal::BadMessage
        );
        assert_eq!(refusal(client.stat(b"/a\0").await), Refusal::BadMessage);
    })
    .await;
}

#[tokio::test]
async fn a_home_may_have_any_name() {
    let server = TestServer::start().await;
    let home = server.home("bob").join("mit Leerzeichen und Größe");
    server
        .add(Account::new("alice").with("home_dir", home.to_str().unwrap()))
        .await;
    let mut client = server.sftp("alice").await;
    client.put(b"/file", b"content").await.unwrap();
    assert_eq!(fs::read(home.join("file")).unwrap(), b"content");
}
