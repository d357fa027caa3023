//! A database whose users are managed elsewhere, and a database user with few rights.

use sftpgo_testdb::{Database, Product};

use super::on_both;
use super::words::{REFERENCE_USER, columns, make_v1, make_v2, version};
use crate::config::{DataProviderConfig, HiddenText};
use crate::conformance::samples::{everybody, stored, user};
use crate::conformance::servers::{config, resolved};
use crate::error::DataErrorKind;

on_both! {
    a_view_in_another_schema_is_enough_for_somebody_who_may_only_read,
    without_managing_users_version_1_gets_the_column_and_no_more,
    whoever_may_not_write_is_told_so,
}

/// The settings of a database user who may read these tables, and of no other.
async fn reader(database: &Database, readable: &[&str]) -> DataProviderConfig {
    let name = format!("{}_reader", database.name());
    let mut statements = match database.server().product() {
        Product::Postgresql => format!(
            "CREATE ROLE {name} LOGIN PASSWORD 'reads'; REVOKE CREATE ON SCHEMA public FROM PUBLIC;"
        ),
        Product::Mariadb => format!("CREATE USER {name} IDENTIFIED BY 'reads';"),
    };
    for table in readable {
        let schema = table.split_once('.').map(|(schema, _)| schema);
        if let (Product::Postgresql, Some(schema)) = (database.server().product(), schema) {
            statements.push_str(&format!("GRANT USAGE ON SCHEMA {schema} TO {name};"));
        }
        statements.push_str(&format!("GRANT SELECT ON {table} TO {name};"));
    }
    database.run(&statements).await;
    DataProviderConfig {
        username: name,
        password: HiddenText::new("reads"),
        ..config(database)
    }
}

async fn a_view_in_another_schema_is_enough_for_somebody_who_may_only_read(database: Database) {
    make_v2(&database).await;
    database.run(REFERENCE_USER).await;
    let view = format!("{}_views", database.name());
    database
        .run(&format!(
            "CREATE SCHEMA {view}; CREATE VIEW {view}.accounts AS \
             SELECT id, username, password, public_keys, home_dir, 1000 AS uid, gid, \
             0 AS max_sessions, quota_size, quota_files, permissions, used_quota_size, \
             used_quota_files * 1.0 AS used_quota_files, last_quota_update, upload_bandwidth, \
             download_bandwidth, expiration_date, last_login, status, filters, filesystem, \
             NULL AS virtual_folders FROM users"
        ))
        .await;
    let accounts = format!("{view}.accounts");
    let settings = resolved(DataProviderConfig {
        users_table: accounts.clone(),
        manage_users: 0,
        ..reader(&database, &[&accounts, "schema_version"]).await
    });
    let provider = crate::open(&settings, Vec::new()).await.unwrap();
    let alice = stored(&provider, "alice").await;
    assert_eq!((alice.uid, alice.used_quota_files), (1000, 3));
    assert_eq!(alice.filters.denied_ip, ["192.0.2.0/24"]);
    assert_eq!(provider.users(&everybody()).await.unwrap().len(), 1);
    provider.check().await.unwrap();
    provider.close().await;
    assert_eq!(version(&database).await, [["2"]]);
}

async fn without_managing_users_version_1_gets_the_column_and_no_more(database: Database) {
    make_v1(&database).await;
    let before = columns(&database, "users").await;
    let settings = resolved(DataProviderConfig {
        manage_users: 0,
        ..config(&database)
    });
    let opened = crate::open(&settings, Vec::new()).await.unwrap();
    opened.close().await;
    let after = columns(&database, "users").await;
    assert_eq!(after[..before.len()], before);
    assert_eq!(after.len(), before.len() + 1);
    assert_eq!(version(&database).await, [["2"]]);
}

async fn whoever_may_not_write_is_told_so(database: Database) {
    make_v2(&database).await;
    let settings = reader(&database, &["users", "schema_version"]).await;
    let error = crate::open(&resolved(settings.clone()), Vec::new())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), DataErrorKind::Internal);
    let message = error.to_string();
    assert!(message.contains("denied"), "{message}");
    assert!(message.contains(database.name()), "{message}");

    let settings = resolved(DataProviderConfig {
        manage_users: 0,
        ..settings
    });
    let provider = crate::open(&settings, Vec::new()).await.unwrap();
    let error = provider.add_user(&user("bob")).await.unwrap_err();
    assert_eq!(error.kind(), DataErrorKind::Internal);
    assert!(error.to_string().contains("denied"), "{error}");
    provider.close().await;
}
