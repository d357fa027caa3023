//! Version 1: what `initprovider` of the reference creates (reference 5.2, 5.3).

use super::Migration;
use crate::sql::dialect::Dialect;
use crate::sql::table_name::TableName;

pub(super) const MIGRATION: Migration = Migration {
    version: 1,
    statements,
};

fn statements(dialect: &Dialect, table: &TableName) -> Vec<String> {
    let Dialect {
        quote,
        key,
        integer,
        bigint,
        text,
        ..
    } = dialect;
    let users = table.quoted(*quote);
    let schema_version = TableName::schema_version().quoted(*quote);
    let columns = [
        format!("id {key}"),
        "username varchar(255) NOT NULL UNIQUE".to_owned(),
        "password varchar(255) NULL".to_owned(),
        format!("public_keys {text} NULL"),
        "home_dir varchar(255) NOT NULL".to_owned(),
        format!("uid {integer} NOT NULL"),
        format!("gid {integer} NOT NULL"),
        format!("max_sessions {integer} NOT NULL"),
        format!("quota_size {bigint} NOT NULL"),
        format!("quota_files {integer} NOT NULL"),
        format!("permissions {text} NOT NULL"),
        format!("used_quota_size {bigint} NOT NULL"),
        format!("used_quota_files {integer} NOT NULL"),
        format!("last_quota_update {bigint} NOT NULL"),
        format!("upload_bandwidth {integer} NOT NULL"),
        format!("download_bandwidth {integer} NOT NULL"),
        format!("expiration_date {bigint} NOT NULL"),
        format!("last_login {bigint} NOT NULL"),
        format!("status {integer} NOT NULL"),
        format!("filters {text} NULL"),
        format!("filesystem {text} NULL"),
    ]
    .join(", ");
    vec![
        format!("CREATE TABLE {users} ({columns})"),
        format!("CREATE TABLE {schema_version} (id {key}, version {integer} NOT NULL)"),
        format!("INSERT INTO {schema_version} (version) VALUES (1)"),
    ]
}
