//! Homes in object stores from outside: what goes wrong between the server and a store, what a listing costs, and what
//! clients do that were made for disks. What users do every day is in `scenarios`.
//!
//! An object store joins with a row in `StoreKind::ALL` and its words in [`fault`].
#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod away;
mod fault;
mod faults;
mod listing;
mod portable;
mod together;
mod winscp;

use std::net::SocketAddr;

use sftpgo_testkit::{Account, Answer, Bucket, Refusal, StoreKind, TestServer};
use sftpgo_teststore::{Pattern, Proxy};

/// A server whose account `alice` has her home in a bucket.
async fn server_of(bucket: &Bucket) -> TestServer {
    server_by(bucket, bucket.emulator().address()).await
}

/// The same by way of a proxy.
async fn server_by(bucket: &Bucket, address: SocketAddr) -> TestServer {
    let server = TestServer::start().await;
    let filesystem = bucket.filesystem_by(address);
    let account = Account::new("alice").with("filesystem", filesystem);
    server.add(account).await;
    server
}

/// What can be made to fail between a server and a bucket.
async fn proxy_before(bucket: &Bucket) -> Proxy {
    let emulator = bucket.emulator();
    Proxy::http(emulator.address(), emulator.product().dialect()).await
}

/// Why something was refused; fails the test if it was not.
fn refusal<T>(answer: Answer<T>) -> Refusal {
    match answer {
        Ok(_) => panic!("it was not refused"),
        Err(refused) => refused.kind,
    }
}

/// Bytes that show it if parts change places.
fn content(size: u64) -> Vec<u8> {
    Pattern::bytes(0, size).to_vec()
}
