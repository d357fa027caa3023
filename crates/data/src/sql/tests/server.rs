//! PostgreSQL and MariaDB: databases that others made, rights, restarts, TLS.
//!
//! Each test runs on both. What they must say differently stands in [`Words`].

mod concurrency;
mod life;
mod refusals;
mod rights;
mod takeover;
mod tls;
mod transaction;
mod words;

/// Stamps tests for both products. The argument of each function is an empty database.
macro_rules! on_both {
    ($($case:ident,)*) => {
        mod postgresql {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $case() {
                let server = sftpgo_testdb::postgresql();
                super::$case(sftpgo_testdb::Database::create(&server).await).await;
            })*
        }

        mod mysql {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $case() {
                let server = sftpgo_testdb::mariadb();
                super::$case(sftpgo_testdb::Database::create(&server).await).await;
            })*
        }
    };
}

/// Stamps tests for both products that need a server of their own.
macro_rules! on_a_server_of_its_own {
    ($setup:expr; $($case:ident,)*) => {
        mod postgresql {
            use super::Setup;

            $(#[tokio::test(flavor = "multi_thread")]
            async fn $case() {
                let product = sftpgo_testdb::Product::Postgresql;
                super::$case(sftpgo_testdb::Server::start(product, $setup)).await;
            })*
        }

        mod mysql {
            use super::Setup;

            $(#[tokio::test(flavor = "multi_thread")]
            async fn $case() {
                let product = sftpgo_testdb::Product::Mariadb;
                super::$case(sftpgo_testdb::Server::start(product, $setup)).await;
            })*
        }
    };
}

use {on_a_server_of_its_own, on_both};
