//! Object stores for tests, and what can go wrong between them and a client.
//!
//! - [`Emulator`]: programs that others wrote, each in a process and a directory of its own: moto for what S3 does, `rclone
//!   serve s3` for signatures, which moto does not check, azurite for Azure, gcp-storage-emulator for Google. One of each
//!   is shared by the tests of a process ([`moto`], [`rclone`], [`azurite`], [`gcs`]), with a bucket for each test. They end
//!   with the test process, however that ends: a guardian sees to it.
//! - [`FakeS3`]: in this process, for what moto is too slow for or keeps in memory: uploads and downloads of any size, a
//!   hundred thousand objects.
//! - [`FakeGcs`]: the same for Google, with what its emulator lacks.
//! - [`FakeIdentity`]: where machines get their credentials.
//! - [`Proxy`]: between a client and any of them. Counts requests by what they do, answers them in the store's place, cuts
//!   and slows connections down.
//! - [`TlsFront`]: TLS before any of them, with an authority of its own.
//! - [`Call`]: a request that a test sends itself.
//!
//! Everything listens on a free port of the loopback interface. An emulator that is not installed makes the test fail:
//! `scripts/test` installs it.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "for tests only, which end where something is wrong"
)]

mod call;
mod content;
mod deadline;
#[cfg(unix)]
mod emulator;
mod fake;
mod gcs;
mod identity;
mod operation;
mod page;
mod pattern;
mod proxy;
mod range;
mod requests;
mod serve;
mod sign;
mod tls;

pub use call::{Call, Reply, encode_key};
pub use deadline::{DEADLINE, within};
#[cfg(unix)]
pub use emulator::{Emulator, Product, azurite, gcs, installed, moto, rclone};
pub use fake::{FakeS3, Found, Settings, Stay};
pub use gcs::{FakeGcs, FoundGcs};
pub use identity::{Asked, FakeIdentity};
pub use operation::Dialect;
pub use pattern::Pattern;
pub use proxy::{Action, Answer, Gate, Link, Placed, Proxy, Rule};
pub use requests::{Requests, Seen};
pub use sign::Keys;
pub use tls::TlsFront;
