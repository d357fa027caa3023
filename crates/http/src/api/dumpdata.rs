//! `GET /api/v1/dumpdata`: writes all accounts to a file below `httpd.backups_path` (reference 11.8).

use std::sync::Arc;

use axum::extract::State;
use sftpgo_core::admin::{DumpFile, MakeDirectories};
use sftpgo_core::model::{StoragePath, VirtualPath};

use super::Api;
use super::parameters::{Parameters, Sent};
use crate::problem::{ApiResult, Problem, acknowledged, in_time};

/// Writes the dump; nothing of it is in the reply.
pub(crate) async fn write(State(api): State<Arc<Api>>, sent: Sent) -> ApiResult {
    let parameters = Parameters::read(sent)?;
    let file = DumpFile {
        root: api.backups_path.clone(),
        path: output_file(parameters.value("output_file").unwrap_or_default())?,
        directories: MakeDirectories::All,
    };
    let indented = parameters.value("indent") == Some("1");
    in_time(&api.limits, api.core.dump_users(file, indented)).await?;
    Ok(acknowledged("Data saved"))
}

fn output_file(name: &str) -> Result<StoragePath, Problem> {
    let invalid = |reason: &str| Problem::bad_request(format!("Invalid output_file: {reason}"));
    if name.is_empty() {
        return Err(invalid("it is missing"));
    }
    if name.starts_with('/') {
        return Err(invalid(
            "it must be relative; it is written below httpd.backups_path",
        ));
    }
    // Anywhere, also within a name: that is how the reference understands it.
    if name.contains("..") {
        return Err(invalid("it must not contain \"..\""));
    }
    let path = VirtualPath::parse(name.as_bytes()).map_err(|error| invalid(&error.to_string()))?;
    if path.is_root() || name.ends_with('/') {
        return Err(invalid("it is the name of a directory"));
    }
    Ok(path.to_storage())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_named_relative_to_the_backups_and_stays_there() {
        for (name, path) in [
            ("a.json", "a.json"),
            ("./a/b//c", "a/b/c"),
            ("~", "~"),
            ("a b", "a b"),
        ] {
            assert_eq!(output_file(name).unwrap().to_string(), path);
        }
        for name in [
            "", "/a", "//a", "..", "../a", "a/../b", "a..b", ".", "./", "a/", "a\0b",
        ] {
            assert!(output_file(name).is_err(), "{name:?}");
        }
        assert!(output_file(&"x".repeat(256)).is_err());
    }
}
