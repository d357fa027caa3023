//! Accounts for tests.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sftpgo_model::{UnixMillis, UserRecord};

use crate::provider::{DataProvider, QuotaChange, QuotaDelta, UserQuery};

/// A small account.
pub(crate) fn user(username: &str) -> UserRecord {
    UserRecord {
        status: 1,
        username: username.to_owned(),
        password: "$argon2id$v=19$m=65536,t=1,p=2$c2FsdA$aGFzaA".to_owned(),
        home_dir: format!("/srv/{username}"),
        permissions: BTreeMap::from([("/".to_owned(), vec!["*".to_owned()])]),
        ..UserRecord::default()
    }
}

/// An account with every field set, secrets in each form that may be stored.
pub(crate) fn full_user(username: &str) -> UserRecord {
    let text = r#"{"id":77,"status":1,"username":"","expiration_date":4102444800000,
        "password":"$2a$10$hash","public_keys":["ssh-ed25519 AAAA first","ssh-rsa BBBB zweiter ☂"],
        "home_dir":"/srv/'quoted' \"home\"; --",
        "virtual_folders":[{"virtual_path":"/v","mapped_path":"/mnt/v"},
            {"virtual_path":"/ü","mapped_path":"/mnt/\\back"}],
        "uid":1000,"gid":1001,"max_sessions":3,"quota_size":1099511627776,"quota_files":100000,
        "permissions":{"/":["*"],"/CamelCase":["list","download"],"/empty":[]},
        "used_quota_size":1,"used_quota_files":2,"last_quota_update":3,
        "upload_bandwidth":100,"download_bandwidth":200,"last_login":4,
        "filters":{"allowed_ip":["192.0.2.0/24"],"denied_ip":["2001:db8::/32"],
            "denied_login_methods":["password"],
            "file_extensions":[{"path":"/","allowed_extensions":[".jpg"],"denied_extensions":[".EXE"]}]},
        "filesystem":{"provider":1,
            "s3config":{"bucket":"b","key_prefix":"p/","region":"r","access_key":"k",
                "access_secret":"$aes$6b6579$64617461","endpoint":"https://[::1]:9000",
                "storage_class":"STANDARD_IA","session_token":"$aes$6b6579$746f6b",
                "role_arn":"arn:aws:iam::1:role/r","acl":"private","upload_part_size":8,
                "upload_concurrency":3,"download_part_size":9,"download_concurrency":4,
                "force_path_style":true,"ca_certificates":"-----BEGIN\n☂"},
            "gcsconfig":{"bucket":"g","key_prefix":"q/","credentials":"$aes$6b6579$67637364",
                "automatic_credentials":1,"storage_class":"NEARLINE","acl":"private",
                "upload_part_size":16,"endpoint":"http://[::1]:9","ca_certificates":"c"},
            "azblobconfig":{"container":"c","account_name":"a","account_key":"$aes$6b6579$6b6579",
                "sas_url":"$aes$6b6579$736173","endpoint":"blob.example.com","upload_part_size":5,
                "upload_concurrency":2,"download_part_size":6,"download_concurrency":7,
                "access_tier":"Cool","key_prefix":"r/","use_emulator":true,"ca_certificates":"d"}}}"#;
    let record = UserRecord::from_json(text.as_bytes()).unwrap();
    UserRecord {
        username: username.to_owned(),
        ..record
    }
}

/// What the record is once it is added.
pub(crate) fn as_added(record: &UserRecord, id: i64) -> UserRecord {
    UserRecord {
        id,
        used_quota_size: 0,
        used_quota_files: 0,
        last_quota_update: 0,
        last_login: 0,
        ..record.clone()
    }
}

/// Everybody, in order.
pub(crate) fn everybody() -> UserQuery {
    UserQuery {
        limit: 1000,
        ..UserQuery::default()
    }
}

/// A change of counters that was never made before.
pub(crate) fn change(username: &str, delta: QuotaDelta, at: UnixMillis) -> QuotaChange<'_> {
    static NUMBER: AtomicU64 = AtomicU64::new(1);
    QuotaChange {
        username,
        delta,
        at,
        number: NUMBER.fetch_add(1, Ordering::Relaxed),
    }
}

/// The stored account of that name.
pub(crate) async fn stored(provider: &Arc<dyn DataProvider>, username: &str) -> UserRecord {
    provider.user_by_name(username).await.unwrap().unwrap()
}
