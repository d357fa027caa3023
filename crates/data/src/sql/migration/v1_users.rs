//! Version 1: what `initprovider` of the reference creates (reference 5.2, 5.3).

use super::{Migration, Step};
use crate::sql::dialect::Dialect;
use crate::sql::table_name::TableName;

pub(super) const MIGRATION: Migration = Migration { version: 1, steps };

fn steps(dialect: &Dialect, table: &TableName) -> Vec<Step> {
    let Dialect {
        quote,
        key,
        integer,
        bigint,
        text,
        table_options,
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
    // A database that cannot undo this may have been interrupted in the middle.
    let create = match dialect.count_column {
        Some(_) => "CREATE TABLE IF NOT EXISTS",
        None => "CREATE TABLE",
    };
    vec![
        Step::always(format!("{create} {users} ({columns}){table_options}")),
        Step::always(format!(
            "{create} {schema_version} (id {key}, version {integer} NOT NULL){table_options}"
        )),
        Step::always(format!("INSERT INTO {schema_version} (version) VALUES (1)")),
    ]
}
