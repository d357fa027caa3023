//! The emulators start, keep what they are given, and end.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests"
)]

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use sftpgo_teststore::{Call, Emulator, Keys, Product, azurite, gcs, moto, rclone};

/// A key with what has to be encoded in a URL.
const KEY: &str = "folder/a b+c%d.txt";

async fn an_object_that_is_put_can_be_got(emulator: &Emulator) {
    let (first, second) = (emulator.bucket().await, emulator.bucket().await);
    assert_ne!(first, second);
    emulator.put(&first, KEY, "content").await;
    let content = emulator.content(&first, KEY).await;
    assert_eq!(content.as_deref(), Some(&b"content"[..]));
    assert_eq!(emulator.content(&second, KEY).await, None);
}

#[tokio::test]
async fn moto_keeps_objects() {
    an_object_that_is_put_can_be_got(&moto()).await;
}

#[tokio::test]
async fn rclone_keeps_objects() {
    an_object_that_is_put_can_be_got(&rclone()).await;
}

#[tokio::test]
async fn azurite_keeps_objects() {
    an_object_that_is_put_can_be_got(&azurite()).await;
}

#[tokio::test]
async fn gcp_storage_emulator_keeps_objects() {
    an_object_that_is_put_can_be_got(&gcs()).await;
}

#[tokio::test]
async fn rclone_refuses_who_does_not_know_the_secret() {
    let emulator = rclone();
    let bucket = emulator.bucket().await;
    let wrong = Keys {
        secret: "another",
        ..emulator.keys()
    };
    let address = emulator.address();
    let call = Call::new("GET", format!("/{bucket}?list-type=2"));
    let reply = call.clone().signed(address, wrong).send(address).await;
    assert_eq!(reply.status, 403, "{}", reply.text());
    assert!(
        reply.text().contains("SignatureDoesNotMatch"),
        "{}",
        reply.text()
    );
    emulator.call(call).await.succeeded();
}

#[tokio::test]
async fn azurite_refuses_who_does_not_know_the_secret() {
    let emulator = azurite();
    let bucket = emulator.bucket().await;
    let wrong = Keys {
        secret: "YW5vdGhlcg==",
        ..emulator.keys()
    };
    let target = format!("/devstoreaccount1/{bucket}?restype=container&comp=list");
    let call = Call::new("GET", target);
    let address = emulator.address();
    let reply = call.clone().with_shared_key(wrong).send(address).await;
    assert_eq!(reply.status, 403, "{}", reply.text());
    emulator.call(call).await.succeeded();
}

/// The addresses, as the kernel writes them, that somebody listens at on this port.
fn listening(port: u16) -> Vec<String> {
    let mut found = Vec::new();
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        let table = fs::read_to_string(table).unwrap_or_default();
        for line in table.lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let (address, number) = fields[1].split_once(':').unwrap();
            if fields[3] == "0A" && number == format!("{port:04X}") {
                found.push(address.to_owned());
            }
        }
    }
    found
}

#[tokio::test]
async fn emulators_listen_on_the_loopback_interface_only() {
    for emulator in [moto(), rclone(), azurite(), gcs()] {
        let found = listening(emulator.address().port());
        // 127.0.0.1
        assert_eq!(found, ["0100007F"], "{:?}", emulator.product());
    }
}

#[tokio::test]
async fn an_emulator_that_is_dropped_has_ended_and_left_nothing() {
    let emulator = Emulator::start(Product::Rclone);
    let bucket = emulator.bucket().await;
    emulator.put(&bucket, "key", "content").await;
    let (address, directory) = (emulator.address(), emulator.directory().to_owned());
    assert!(directory.is_dir());
    drop(Arc::into_inner(emulator).unwrap());
    assert!(!directory.exists());
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn an_emulator_that_is_frozen_answers_when_it_goes_on() {
    let emulator = Emulator::start(Product::Rclone);
    let bucket = emulator.bucket().await;
    emulator.put(&bucket, "key", "content").await;
    emulator.freeze();
    let asking = emulator.content(&bucket, "key");
    tokio::pin!(asking);
    let answer = tokio::time::timeout(Duration::from_millis(200), &mut asking).await;
    assert!(answer.is_err(), "it answers although it is frozen");
    emulator.thaw();
    assert_eq!(asking.await.as_deref(), Some(&b"content"[..]));
}
