//! SQLite databases that others made, and files that are none.

mod columns;
mod files;
mod pages;
mod server;
mod servers;
mod sharing;
mod takeover;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};

use crate::config::{DataProviderConfig, DataProviderSettings};
use crate::error::DataResult;
use crate::provider::DataProvider;

/// What `initprovider` of the reference makes, version 1 (reference 5.2, 5.3).
const REFERENCE_V1: &str = r#"
    CREATE TABLE "users" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
        "username" varchar(255) NOT NULL UNIQUE, "password" varchar(255) NULL,
        "public_keys" text NULL, "home_dir" varchar(255) NOT NULL, "uid" integer NOT NULL,
        "gid" integer NOT NULL, "max_sessions" integer NOT NULL, "quota_size" bigint NOT NULL,
        "quota_files" integer NOT NULL, "permissions" text NOT NULL,
        "used_quota_size" bigint NOT NULL, "used_quota_files" integer NOT NULL,
        "last_quota_update" bigint NOT NULL, "upload_bandwidth" integer NOT NULL,
        "download_bandwidth" integer NOT NULL, "expiration_date" bigint NOT NULL,
        "last_login" bigint NOT NULL, "status" integer NOT NULL, "filters" text NULL,
        "filesystem" text NULL);
    CREATE TABLE "schema_version" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
        "version" integer NOT NULL);
    INSERT INTO schema_version (version) VALUES (1);"#;

/// What the start of the reference at 0.9.6 does to version 1.
const REFERENCE_V2: &str = r#"ALTER TABLE "users" ADD COLUMN "virtual_folders" text NULL;
    UPDATE schema_version SET version = 2;"#;

/// An account as the reference writes it.
const REFERENCE_USER: &str = r#"INSERT INTO users (username, password, public_keys, home_dir, uid,
        gid, max_sessions, quota_size, quota_files, permissions, used_quota_size, used_quota_files,
        last_quota_update, upload_bandwidth, download_bandwidth, expiration_date, last_login,
        status, filters, filesystem)
    VALUES ('alice', '$argon2id$x', '["ssh-ed25519 AAAA"]', '/srv/alice', 1000, 1001, 2, 4096, 10,
        '{"/":["*"],"/Docs":["list"]}', 1024, 3, 1580000000000, 64, 128, 0, 1580000000001, 1,
        '{"allowed_ip":[],"denied_ip":["192.0.2.0/24"]}',
        '{"provider":0,"s3config":{},"gcsconfig":{}}')"#;

/// A directory of its own with a database file in it, not yet made.
struct Place {
    _directory: tempfile::TempDir,
    path: PathBuf,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("sftpgo.db");
        Self {
            _directory: directory,
            path,
        }
    }

    /// A place with a database that these statements made.
    async fn with_database(statements: &[&'static str]) -> Self {
        let place = Self::new();
        for statement in statements {
            place.run(statement).await;
        }
        place
    }

    /// Runs statements the way another program would.
    async fn run(&self, statements: &'static str) {
        let mut connection = connect(&self.path).await;
        sqlx::raw_sql(statements)
            .execute(&mut connection)
            .await
            .unwrap();
        connection.close().await.unwrap();
    }

    /// Rows as another program sees them.
    async fn rows(&self, statement: &str) -> Vec<SqliteRow> {
        let mut connection = connect(&self.path).await;
        let query = sqlx::query(AssertSqlSafe(statement.to_owned()));
        let rows = query.fetch_all(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        rows
    }

    async fn open(&self) -> DataResult<Arc<dyn DataProvider>> {
        crate::open(&settings(&self.path), Vec::new()).await
    }
}

async fn connect(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true);
    options.connect().await.unwrap()
}

fn settings(path: &Path) -> DataProviderSettings {
    let name = path.to_str().unwrap().to_owned();
    let config = DataProviderConfig {
        name,
        ..DataProviderConfig::default()
    };
    config.resolve("/nowhere".as_ref()).unwrap().0
}
