//! Database servers for tests: PostgreSQL and MariaDB, as Debian packages them, each in a directory of its own.
//!
//! [`postgresql`] and [`mariadb`] are one server per test process, shared by its tests, with a database for each test;
//! what a test does to a server as a whole (stop it, demand TLS) it does to one of its own, [`Server::start`]. Servers
//! listen on a free port of the loopback interface and on a Unix socket, run without the rights of root, and end with
//! the test process, however that ends: a guardian sees to it.
//!
//! A server that is not installed makes the test fail: `scripts/test` installs it.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "for tests only, which end where something is wrong"
)]

mod certificate;
mod database;
mod product;
mod server;

pub use certificate::Certificates;
pub use database::Database;
pub use product::Product;
pub use server::{Server, Setup, mariadb, postgresql};
