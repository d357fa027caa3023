//! gcp-storage-emulator: <https://github.com/oittaa/gcp-storage-emulator>. The paths are those of Google's JSON interface.

use std::process::Command;

use super::product::installed;
use crate::{Call, encode_key};

pub(super) const READY: (&str, &str) = ("/storage/v1/b?project=test", "storage#buckets");

pub(super) fn serve(port: u16) -> Command {
    let mut command = Command::new(installed("venv/bin/gcp-storage-emulator"));
    command
        .args(["start", "--host=127.0.0.1", "--in-memory"])
        .arg(format!("--port={port}"));
    command
}

pub(super) fn make_bucket(name: &str) -> Call {
    Call::new("POST", "/storage/v1/b?project=test")
        .header("content-type", "application/json")
        .body(format!(r#"{{"name":"{name}"}}"#))
}

pub(super) fn put(bucket: &str, key: &str) -> Call {
    let key = in_one_name(key);
    let target = format!("/upload/storage/v1/b/{bucket}/o?uploadType=media&name={key}");
    Call::new("POST", target).header("content-type", "application/octet-stream")
}

pub(super) fn content(bucket: &str, key: &str) -> Call {
    let key = in_one_name(key);
    Call::new("GET", format!("/storage/v1/b/{bucket}/o/{key}?alt=media"))
}

/// A key is one name of a path here, slashes included.
fn in_one_name(key: &str) -> String {
    encode_key(key).replace('/', "%2F")
}
