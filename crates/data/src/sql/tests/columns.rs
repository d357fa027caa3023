//! What stands in the columns, and what is made of it (reference 5.2).

use sftpgo_model::{Filters, UserRecord};
use sqlx::Row as _;

use super::{Place, REFERENCE_USER, REFERENCE_V1, REFERENCE_V2};
use crate::conformance::samples::{everybody, stored, user};
use crate::error::DataErrorKind;

/// The account of the reference after `change`, as it is read.
async fn alice_after(change: &'static str) -> crate::DataResult<UserRecord> {
    let place = Place::with_database(&[REFERENCE_V1, REFERENCE_V2, REFERENCE_USER, change]).await;
    let provider = place.open().await.unwrap();
    let alice = provider.user_by_name("alice").await;
    provider.close().await;
    alice.map(Option::unwrap)
}

#[tokio::test]
async fn written_columns_are_never_null() {
    let place = Place::new();
    let provider = place.open().await.unwrap();
    provider.add_user(&user("alice")).await.unwrap();
    let empty = provider.add_user(&user("bob")).await.unwrap();
    provider
        .update_user(&UserRecord {
            id: empty.id,
            ..UserRecord::default()
        })
        .await
        .unwrap();
    provider.close().await;
    let rows = place.rows("SELECT * FROM users ORDER BY username").await;
    for (row, permissions) in rows.iter().zip([r#"{"/":["*"]}"#, "{}"]) {
        let column = |name: &str| row.get::<String, _>(name);
        assert_eq!(column("public_keys"), "[]");
        assert_eq!(column("permissions"), permissions);
        assert_eq!(column("filters"), "{}");
        assert_eq!(
            column("filesystem"),
            r#"{"provider":0,"s3config":{},"gcsconfig":{}}"#
        );
        assert_eq!(column("virtual_folders"), "[]");
    }
    assert_eq!(
        rows[1].get::<Option<String>, _>("password").as_deref(),
        Some("")
    );
}

#[tokio::test]
async fn a_bare_list_of_permissions_is_that_of_the_root() {
    let alice = alice_after(r#"UPDATE users SET permissions = '["list","download"]'"#).await;
    let permissions = alice.unwrap().permissions;
    assert_eq!(
        permissions.into_iter().collect::<Vec<_>>(),
        [(
            "/".to_owned(),
            vec!["list".to_owned(), "download".to_owned()]
        )]
    );
}

#[tokio::test]
async fn a_directory_with_null_permissions_allows_nothing() {
    let alice = alice_after(r#"UPDATE users SET permissions = '{"/":["*"],"/closed":null}'"#).await;
    assert!(alice.unwrap().permissions["/closed"].is_empty());
}

#[tokio::test]
async fn invalid_permissions_make_the_record_corrupt() {
    for change in [
        "UPDATE users SET permissions = ''",
        "UPDATE users SET permissions = 'null'",
        "UPDATE users SET permissions = '{\"/\":'",
        "UPDATE users SET permissions = '{\"/\":\"*\"}'",
        "UPDATE users SET permissions = '[1]'",
        "UPDATE users SET permissions = x'ff00'",
    ] {
        let error = alice_after(change).await.unwrap_err();
        assert_eq!(error.kind(), DataErrorKind::Corrupt, "{change}");
    }
}

#[tokio::test]
async fn one_corrupt_record_does_not_hide_the_others_by_name() {
    let broken = "UPDATE users SET permissions = 'x'";
    let place = Place::with_database(&[REFERENCE_V1, REFERENCE_V2, REFERENCE_USER, broken]).await;
    let provider = place.open().await.unwrap();
    let added = provider.add_user(&user("bob")).await.unwrap();
    assert_eq!(stored(&provider, "bob").await, added);
    let error = provider.users(&everybody()).await.unwrap_err();
    assert_eq!(error.kind(), DataErrorKind::Corrupt);
    assert!(error.to_string().contains("alice"), "{error}");
    provider.close().await;
}

#[tokio::test]
async fn other_invalid_json_is_left_out() {
    let change = "UPDATE users SET public_keys = '[', filters = '{\"denied_ip\":5}',
        filesystem = '', virtual_folders = '{}'";
    let alice = alice_after(change).await.unwrap();
    assert!(alice.public_keys.is_empty() && alice.virtual_folders.is_empty());
    assert_eq!(alice.filters, Filters::default());
    assert_eq!(alice.filesystem, UserRecord::default().filesystem);
    assert_eq!(alice.home_dir, "/srv/alice");
}

#[tokio::test]
async fn null_columns_are_empty() {
    let change = "UPDATE users SET password = NULL, public_keys = NULL, filters = NULL,
        filesystem = 'null', virtual_folders = NULL";
    let alice = alice_after(change).await.unwrap();
    assert!(alice.password.is_empty() && alice.public_keys.is_empty());
    assert_eq!(alice.filters, Filters::default());
    assert_eq!(alice.filesystem, UserRecord::default().filesystem);
}

#[tokio::test]
async fn a_null_beside_a_filter_does_not_lose_the_filter() {
    let change = r#"UPDATE users SET
        filters = '{"allowed_ip":null,"Denied_IP":["203.0.113.0/24"],"unknown":1}'"#;
    assert_eq!(
        alice_after(change).await.unwrap().filters.denied_ip,
        ["203.0.113.0/24"]
    );
}

#[tokio::test]
async fn bytes_and_fractions_in_place_of_text_and_numbers_are_read() {
    let change = r#"UPDATE users SET home_dir = CAST('/srv/bytes' AS BLOB),
        public_keys = CAST('["k"]' AS BLOB), used_quota_size = 12.5, quota_size = 9e300"#;
    let alice = alice_after(change).await.unwrap();
    assert_eq!(alice.home_dir, "/srv/bytes");
    assert_eq!(alice.public_keys, ["k"]);
    assert_eq!((alice.used_quota_size, alice.quota_size), (12, i64::MAX));
}

#[tokio::test]
async fn text_in_place_of_a_number_makes_the_record_corrupt() {
    let error = alice_after("UPDATE users SET status = 'on'")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), DataErrorKind::Corrupt);
    assert!(error.to_string().contains("alice"), "{error}");
}
