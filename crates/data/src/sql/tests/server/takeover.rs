//! Databases of the reference and of other programs.

use sftpgo_model::{UnixMillis, UserRecord};
use sftpgo_testdb::{Database, Product};

use super::on_both;
use super::words::{REFERENCE_USER, columns, make_v1, make_v2, run, version};
use crate::config::DataProviderConfig;
use crate::conformance::samples::{change, everybody, full_user, stored, user};
use crate::conformance::servers::{config, resolved, settings};
use crate::drivers::Initialized;
use crate::error::DataErrorKind;
use crate::provider::{QuotaDelta, QuotaUsage, UserQuery};

on_both! {
    a_database_of_version_1_gets_what_is_missing,
    a_database_of_version_2_is_taken_over,
    a_taken_over_table_is_like_a_new_one,
    numbers_of_more_than_32_bits_are_stored,
    a_name_is_no_other_name_that_a_collation_takes_for_it,
    a_table_of_another_name_can_hold_the_users,
    a_newer_database_is_refused_and_left_alone,
    a_database_without_a_usable_version_is_refused,
    a_table_that_holds_no_users_is_refused,
    initializing_tells_what_it_did,
    accounts_survive_a_restart,
}

async fn a_database_of_version_1_gets_what_is_missing(database: Database) {
    make_v1(&database).await;
    database.run(REFERENCE_USER).await;
    let provider = crate::open(&settings(&database), Vec::new()).await.unwrap();
    let alice = stored(&provider, "alice").await;
    assert_eq!(alice.virtual_folders, []);
    assert_eq!(alice.public_keys, ["ssh-ed25519 AAAA"]);
    assert_eq!(alice.filters.denied_ip, ["192.0.2.0/24"]);
    assert!(alice.permissions.contains_key("/Docs"));
    assert_eq!((alice.uid, alice.gid, alice.max_sessions), (1000, 1001, 2));
    assert_eq!(
        (alice.upload_bandwidth, alice.download_bandwidth),
        (64, 128)
    );
    assert_eq!((alice.quota_size, alice.quota_files), (4096, 10));
    let usage = provider.quota("alice").await.unwrap().unwrap();
    let updated = UnixMillis(1_580_000_000_000);
    let expected = QuotaUsage {
        files: 3,
        bytes: 1024,
        updated,
    };
    assert_eq!(usage, expected);
    assert_eq!(alice.last_login, 1_580_000_000_001);
    let added = provider.add_user(&full_user("full")).await.unwrap();
    assert!(added.id > alice.id);
    provider.close().await;
}

async fn a_database_of_version_2_is_taken_over(database: Database) {
    make_v2(&database).await;
    database.run(REFERENCE_USER).await;
    let provider = crate::open(&settings(&database), Vec::new()).await.unwrap();
    assert_eq!(provider.users(&everybody()).await.unwrap().len(), 1);
    provider.close().await;
    // And the same again, with nothing left to do.
    let before = columns(&database, "users").await;
    let provider = crate::open(&settings(&database), Vec::new()).await.unwrap();
    assert_eq!(provider.users(&everybody()).await.unwrap().len(), 1);
    provider.close().await;
    assert_eq!(columns(&database, "users").await, before);
}

async fn a_taken_over_table_is_like_a_new_one(database: Database) {
    let new = Database::create(database.server()).await;
    let opened = crate::open(&settings(&new), Vec::new()).await.unwrap();
    opened.close().await;
    make_v2(&database).await;
    database.run(REFERENCE_USER).await;
    let opened = crate::open(&settings(&database), Vec::new()).await.unwrap();
    opened.close().await;
    let found = columns(&database, "users").await;
    assert_eq!(found.len(), 22);
    assert_eq!(found, columns(&new, "users").await);
    assert_eq!(version(&database).await, version(&new).await);
}

async fn numbers_of_more_than_32_bits_are_stored(database: Database) {
    make_v1(&database).await;
    let provider = crate::open(&settings(&database), Vec::new()).await.unwrap();
    let large = i64::from(u32::MAX) + 7;
    let wide = UserRecord {
        uid: large,
        gid: large,
        max_sessions: large,
        quota_files: large,
        upload_bandwidth: large,
        download_bandwidth: large,
        ..user("wide")
    };
    let added = provider.add_user(&wide).await.unwrap();
    let delta = QuotaDelta {
        files: large,
        bytes: large,
    };
    let reserved = provider
        .reserve_quota(&change("wide", delta, UnixMillis(1)))
        .await;
    assert!(reserved.unwrap());
    let found = stored(&provider, "wide").await;
    assert_eq!(found.used_quota_files, large);
    assert_eq!((found.uid, found.quota_files), (added.uid, large));
    provider.close().await;
}

async fn a_name_is_no_other_name_that_a_collation_takes_for_it(database: Database) {
    // Without managing users nothing is changed, and so the collation stays what it is.
    make_v2(&database).await;
    database.run(REFERENCE_USER).await;
    let settings = resolved(DataProviderConfig {
        manage_users: 0,
        ..config(&database)
    });
    let provider = crate::open(&settings, Vec::new()).await.unwrap();
    for name in ["ALICE", "alice ", "álice"] {
        assert_eq!(provider.user_by_name(name).await.unwrap(), None, "{name}");
        let query = UserQuery {
            username: Some(name.to_owned()),
            ..everybody()
        };
        assert_eq!(provider.users(&query).await.unwrap(), [], "{name}");
    }
    stored(&provider, "alice").await;
    provider.close().await;
}

async fn a_table_of_another_name_can_hold_the_users(database: Database) {
    make_v2(&database).await;
    let other = format!("{}_other", database.name());
    run(&database, &format!(r#"CREATE SCHEMA "{other}""#)).await;
    database.run(REFERENCE_USER).await;
    let moved = match database.server().product() {
        Product::Postgresql => {
            format!("ALTER TABLE users RENAME TO accounts; ALTER TABLE accounts SET SCHEMA {other}")
        }
        Product::Mariadb => format!("ALTER TABLE users RENAME TO {other}.accounts"),
    };
    database.run(&moved).await;
    let settings = resolved(DataProviderConfig {
        users_table: format!("{other}.accounts"),
        ..config(&database)
    });
    let provider = crate::open(&settings, Vec::new()).await.unwrap();
    stored(&provider, "alice").await;
    let added = provider.add_user(&full_user("full")).await.unwrap();
    assert_eq!(stored(&provider, "full").await, added);
    provider.close().await;
}

async fn a_newer_database_is_refused_and_left_alone(database: Database) {
    make_v1(&database).await;
    let before = columns(&database, "users").await;
    for newer in [3, 29, 999_999] {
        database
            .run(&format!("UPDATE schema_version SET version = {newer}"))
            .await;
        let error = crate::open(&settings(&database), Vec::new())
            .await
            .unwrap_err();
        assert_eq!(error.kind(), DataErrorKind::TooNew);
        assert!(error.to_string().contains(database.name()), "{error}");
    }
    assert_eq!(columns(&database, "users").await, before);
}

async fn a_database_without_a_usable_version_is_refused(database: Database) {
    make_v2(&database).await;
    database.run(REFERENCE_USER).await;
    for broken in [
        "UPDATE schema_version SET version = 0",
        "DELETE FROM schema_version",
        "DROP TABLE schema_version",
    ] {
        database.run(broken).await;
        let error = crate::open(&settings(&database), Vec::new())
            .await
            .unwrap_err();
        assert_eq!(error.kind(), DataErrorKind::Corrupt, "{broken}");
        assert!(error.to_string().contains(database.name()), "{error}");
    }
    let error = crate::open(&settings(&database), Vec::new()).await;
    let message = error.unwrap_err().to_string();
    assert!(message.contains("upgrade scripts"), "{message}");
}

async fn a_table_that_holds_no_users_is_refused(database: Database) {
    make_v2(&database).await;
    let other = resolved(DataProviderConfig {
        users_table: "accounts".to_owned(),
        ..config(&database)
    });
    let error = crate::open(&other, Vec::new()).await.unwrap_err();
    assert_eq!(error.kind(), DataErrorKind::Corrupt);
    assert!(
        error.to_string().contains("data_provider.users_table"),
        "{error}"
    );
    database
        .run("CREATE TABLE accounts (id integer, username varchar(255))")
        .await;
    let error = crate::open(&other, Vec::new()).await.unwrap_err();
    assert!(error.to_string().contains(database.name()), "{error}");
}

async fn initializing_tells_what_it_did(database: Database) {
    let initialized = async |database: &Database| crate::initialize(&settings(database)).await;
    assert_eq!(initialized(&database).await.unwrap(), Initialized::Created);
    assert_eq!(initialized(&database).await.unwrap(), Initialized::UpToDate);
    let old = Database::create(database.server()).await;
    make_v1(&old).await;
    let upgraded = initialized(&old).await.unwrap();
    assert!(
        matches!(upgraded, Initialized::Upgraded { from: 1, .. }),
        "{upgraded:?}"
    );
    assert_eq!(initialized(&old).await.unwrap(), Initialized::UpToDate);
}

async fn accounts_survive_a_restart(database: Database) {
    let provider = crate::open(&settings(&database), Vec::new()).await.unwrap();
    let added = provider.add_user(&full_user("full")).await.unwrap();
    provider.close().await;
    let provider = crate::open(&settings(&database), Vec::new()).await.unwrap();
    assert_eq!(stored(&provider, "full").await, added);
    assert!(provider.add_user(&user("next")).await.unwrap().id > added.id);
    provider.close().await;
}

#[tokio::test]
async fn text_of_a_table_in_another_character_set_is_converted() {
    let database = Database::create(&sftpgo_testdb::mariadb()).await;
    make_v2(&database).await;
    database
        .run("ALTER TABLE users CONVERT TO CHARACTER SET latin1 COLLATE latin1_german1_ci")
        .await;
    database.run(REFERENCE_USER).await;
    database.run("UPDATE users SET home_dir = '/srv/süß'").await;
    let provider = crate::open(&settings(&database), Vec::new()).await.unwrap();
    assert_eq!(stored(&provider, "alice").await.home_dir, "/srv/süß");
    provider.add_user(&user("Alice")).await.unwrap();
    provider.add_user(&user("李雷 🦀")).await.unwrap();
    provider.close().await;
}

/// Statements on the schema are not undone in MySQL, so a server can die between any two of them.
#[tokio::test]
async fn an_interrupted_creation_is_continued() {
    let users = "CREATE TABLE users (id integer NOT NULL AUTO_INCREMENT PRIMARY KEY, \
        username varchar(255) NOT NULL UNIQUE, password varchar(255), public_keys longtext, \
        home_dir varchar(255) NOT NULL, uid integer NOT NULL, gid integer NOT NULL, \
        max_sessions integer NOT NULL, quota_size bigint NOT NULL, quota_files integer NOT NULL, \
        permissions longtext NOT NULL, used_quota_size bigint NOT NULL, \
        used_quota_files integer NOT NULL, last_quota_update bigint NOT NULL, \
        upload_bandwidth integer NOT NULL, download_bandwidth integer NOT NULL, \
        expiration_date bigint NOT NULL, last_login bigint NOT NULL, status integer NOT NULL, \
        filters longtext, filesystem longtext)";
    let schema_version = "CREATE TABLE schema_version (id integer NOT NULL AUTO_INCREMENT \
        PRIMARY KEY, version integer NOT NULL)";
    let version = "INSERT INTO schema_version (version) VALUES (1)";
    let folders = "ALTER TABLE users ADD COLUMN virtual_folders longtext";
    let wide = "ALTER TABLE users MODIFY uid bigint NOT NULL";
    let steps = [users, schema_version, version, folders, wide];
    for done in 1..=steps.len() {
        let database = Database::create(&sftpgo_testdb::mariadb()).await;
        for step in &steps[..done] {
            database.run(step).await;
        }
        let provider = crate::open(&settings(&database), Vec::new()).await.unwrap();
        let added = provider.add_user(&full_user("full")).await.unwrap();
        assert_eq!(stored(&provider, "full").await, added);
        provider.close().await;
        let version = super::words::version(&database).await;
        assert_eq!(version.len(), 1, "after {done} steps");
    }
}
