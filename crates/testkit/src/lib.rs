//! Test only: an in-process server on a free port, and clients that speak to it.
//!
//! [`TestServer`] is the composed server of the product with a temporary directory; [`Account`] describes a user;
//! [`Bucket`] is a home in an object store; [`FileClient`] is what every protocol's client can do, so that a scenario is written
//! once; [`Sftp`] is that client for SFTP and gives access to single packets too.
//!
//! Whatever cannot happen unless the test or the server is wrong panics here: that is how a test fails.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "code of tests: a panic is how a test fails"
)]

mod account;
#[cfg(unix)]
mod bucket;
mod certificate;
mod client;
pub mod corpus;
mod disk;
mod keys;
mod rest;
mod security_key;
mod server;

pub use account::{Account, PASSWORD};
#[cfg(unix)]
pub use bucket::{Bucket, StoreKind, s3_filesystem};
pub use certificate::{CertificateDraft, TestCertificate};
pub use client::{
    Answer, Asked, Attempted, Entry, FileClient, Kind, Ran, Refusal, Refused, Scp, ScpFiles, Sftp,
    SshClient, Stat, connect_from, is_greeted, quoted,
};
pub use disk::{Usage, usage};
pub use keys::TestKey;
pub use rest::{Response, request};
pub use security_key::{SecurityKey, TOUCHED, VERIFIED};
pub use server::{Builder, TestServer};

use std::time::Duration;

/// The longest that anything in a test may take; slow machines included.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// Waits for `work`, and fails the test if it does not come to an end.
pub async fn within<T>(what: &str, work: impl Future<Output = T>) -> T {
    match tokio::time::timeout(DEADLINE, work).await {
        Ok(done) => done,
        Err(_) => panic!("{what} did not happen within {DEADLINE:?}"),
    }
}

/// Waits until `condition` holds, and fails the test if it never does.
pub async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    within(what, async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}
