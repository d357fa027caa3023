//! The tables of the reference on each product, and what tests ask differently.

use sftpgo_testdb::{Database, Product};

/// What `initprovider` of the reference makes in PostgreSQL, version 1 (reference 5.2, 5.3).
const POSTGRESQL_V1: &str = r#"
    CREATE TABLE "users" ("id" serial NOT NULL PRIMARY KEY, "username" varchar(255) NOT NULL UNIQUE,
        "password" varchar(255) NULL, "public_keys" text NULL, "home_dir" varchar(255) NOT NULL,
        "uid" integer NOT NULL, "gid" integer NOT NULL, "max_sessions" integer NOT NULL,
        "quota_size" bigint NOT NULL, "quota_files" integer NOT NULL, "permissions" text NOT NULL,
        "used_quota_size" bigint NOT NULL, "used_quota_files" integer NOT NULL,
        "last_quota_update" bigint NOT NULL, "upload_bandwidth" integer NOT NULL,
        "download_bandwidth" integer NOT NULL, "expiration_date" bigint NOT NULL,
        "last_login" bigint NOT NULL, "status" integer NOT NULL, "filters" text NULL,
        "filesystem" text NULL);
    CREATE TABLE "schema_version" ("id" serial NOT NULL PRIMARY KEY, "version" integer NOT NULL);
    INSERT INTO schema_version (version) VALUES (1);"#;

/// The same in MySQL, whatever the collation of the database.
const MYSQL_V1: &str = r"
    CREATE TABLE `users` (`id` integer AUTO_INCREMENT NOT NULL PRIMARY KEY,
        `username` varchar(255) NOT NULL UNIQUE, `password` varchar(255) NULL,
        `public_keys` longtext NULL, `home_dir` varchar(255) NOT NULL, `uid` integer NOT NULL,
        `gid` integer NOT NULL, `max_sessions` integer NOT NULL, `quota_size` bigint NOT NULL,
        `quota_files` integer NOT NULL, `permissions` longtext NOT NULL,
        `used_quota_size` bigint NOT NULL, `used_quota_files` integer NOT NULL,
        `last_quota_update` bigint NOT NULL, `upload_bandwidth` integer NOT NULL,
        `download_bandwidth` integer NOT NULL, `expiration_date` bigint(20) NOT NULL,
        `last_login` bigint(20) NOT NULL, `status` int(11) NOT NULL, `filters` longtext DEFAULT NULL,
        `filesystem` longtext DEFAULT NULL);
    CREATE TABLE `schema_version` (`id` integer AUTO_INCREMENT NOT NULL PRIMARY KEY,
        `version` integer NOT NULL);
    INSERT INTO schema_version (version) VALUES (1);";

/// What the start of the reference at 0.9.6 does to version 1.
const POSTGRESQL_V2: &str = "ALTER TABLE users ADD COLUMN virtual_folders text NULL;
    UPDATE schema_version SET version = 2;";
const MYSQL_V2: &str = "ALTER TABLE users ADD COLUMN virtual_folders longtext NULL;
    UPDATE schema_version SET version = 2;";

/// An account as the reference writes it.
pub(super) const REFERENCE_USER: &str = r#"INSERT INTO users (username, password, public_keys, home_dir, uid,
        gid, max_sessions, quota_size, quota_files, permissions, used_quota_size, used_quota_files,
        last_quota_update, upload_bandwidth, download_bandwidth, expiration_date, last_login,
        status, filters, filesystem)
    VALUES ('alice', '$argon2id$x', '["ssh-ed25519 AAAA"]', '/srv/alice', 1000, 1001, 2, 4096, 10,
        '{"/":["*"],"/Docs":["list"]}', 1024, 3, 1580000000000, 64, 128, 0, 1580000000001, 1,
        '{"allowed_ip":[],"denied_ip":["192.0.2.0/24"]}',
        '{"provider":0,"s3config":{},"gcsconfig":{}}')"#;

fn is_postgresql(database: &Database) -> bool {
    database.server().product() == Product::Postgresql
}

/// Version 1 of the reference.
pub(super) async fn make_v1(database: &Database) {
    let v1 = match is_postgresql(database) {
        true => POSTGRESQL_V1,
        false => MYSQL_V1,
    };
    database.run(v1).await;
}

/// Version 2 of the reference.
pub(super) async fn make_v2(database: &Database) {
    make_v1(database).await;
    let v2 = match is_postgresql(database) {
        true => POSTGRESQL_V2,
        false => MYSQL_V2,
    };
    database.run(v2).await;
}

/// Name, type, collation and whether NULL is allowed, of every column of a table.
pub(super) async fn columns(database: &Database, table: &str) -> Vec<Vec<String>> {
    let schema = match is_postgresql(database) {
        true => "current_schema()",
        false => "DATABASE()",
    };
    let query = format!(
        "SELECT column_name, data_type, collation_name, is_nullable FROM information_schema.columns \
         WHERE table_schema = {schema} AND table_name = '{table}' ORDER BY ordinal_position"
    );
    database.rows(&query).await
}

/// What `schema_version` states.
pub(super) async fn version(database: &Database) -> Vec<Vec<String>> {
    database.rows("SELECT version FROM schema_version").await
}

/// Runs statements that are written with the quotes of PostgreSQL.
pub(super) async fn run(database: &Database, statements: &str) {
    match is_postgresql(database) {
        true => database.run(statements).await,
        false => database.run(&statements.replace('"', "`")).await,
    }
}
