//! TLS to a server with a certificate for `localhost` of an authority that nobody knows.

use std::path::Path;
use std::sync::Arc;

use sftpgo_testdb::{Database, Product, Server, Setup};

use super::on_a_server_of_its_own;
use crate::config::{DataProviderConfig, HiddenText};
use crate::conformance::servers::{config, resolved};
use crate::error::{DataError, DataErrorKind};

on_a_server_of_its_own! {
    Setup { tls: true, ..Setup::default() };
    certificates_are_checked_as_the_settings_say,
}

async fn opened(config: DataProviderConfig) -> Result<(), DataError> {
    let provider = crate::open(&resolved(config), Vec::new()).await?;
    provider.check().await?;
    provider.close().await;
    Ok(())
}

/// The settings for the mode that checks nothing, and for the one that checks all.
fn modes(product: Product) -> (i32, i32) {
    match product {
        Product::Postgresql => (1, 3),
        Product::Mariadb => (2, 1),
    }
}

fn with_authority(database: &Database, host: &str, authority: &Path, by_name: bool) -> HiddenText {
    let (user, name, port) = (database.user(), database.name(), database.server().port());
    let (password, authority) = (database.password(), authority.display().to_string());
    HiddenText::new(match database.server().product() {
        Product::Postgresql => {
            let mode = if by_name { "verify-full" } else { "verify-ca" };
            format!(
                "host={host} port={port} dbname={name} user={user} password='{password}' \
                 sslmode={mode} sslrootcert={authority}"
            )
        }
        Product::Mariadb => {
            let mode = if by_name {
                "VERIFY_IDENTITY"
            } else {
                "VERIFY_CA"
            };
            let authority = authority.replace('/', "%2F");
            format!(
                "{user}:{password}@tcp({host}:{port})/{name}?ssl-mode={mode}&ssl-ca={authority}"
            )
        }
    })
}

#[track_caller]
fn assert_refused(done: Result<(), DataError>, key: &str) {
    let error = done.unwrap_err();
    assert_eq!(error.kind(), DataErrorKind::Internal, "{error}");
    assert!(error.to_string().contains(key), "{error}");
}

async fn certificates_are_checked_as_the_settings_say(server: Arc<Server>) {
    let database = Database::create(&server).await;
    let (any, full) = modes(server.product());
    let by_mode = |sslmode| DataProviderConfig {
        sslmode,
        host: "localhost".to_owned(),
        ..config(&database)
    };
    opened(by_mode(any)).await.unwrap();
    let refused = opened(by_mode(full)).await;
    let message = refused.as_ref().unwrap_err().to_string();
    assert!(message.contains("UnknownIssuer"), "{message}");
    assert_refused(refused, "data_provider.sslmode");

    let authority = server.certificates().unwrap().authority();
    let by_string = |host: &str, by_name| DataProviderConfig {
        connection_string: with_authority(&database, host, &authority, by_name),
        ..config(&database)
    };
    opened(by_string("localhost", true)).await.unwrap();
    opened(by_string("127.0.0.1", false)).await.unwrap();
    let key = "data_provider.connection_string";
    assert_refused(opened(by_string("127.0.0.1", true)).await, key);

    let other = tempfile::tempdir().unwrap();
    let other = sftpgo_testdb::Certificates::make(other.path());
    let wrong = DataProviderConfig {
        connection_string: with_authority(&database, "localhost", &other.authority(), true),
        ..config(&database)
    };
    assert_refused(opened(wrong).await, key);
}

#[tokio::test]
async fn a_server_without_tls_is_not_used_where_tls_is_demanded() {
    for server in [sftpgo_testdb::postgresql(), sftpgo_testdb::mariadb()] {
        let database = Database::create(&server).await;
        let (any, full) = modes(server.product());
        for sslmode in [any, full] {
            let demanding = DataProviderConfig {
                sslmode,
                ..config(&database)
            };
            assert_refused(opened(demanding).await, "data_provider.sslmode");
        }
    }
    // "preferred" does without.
    let database = Database::create(&sftpgo_testdb::mariadb()).await;
    let preferring = DataProviderConfig {
        sslmode: 3,
        ..config(&database)
    };
    opened(preferring).await.unwrap();
}
