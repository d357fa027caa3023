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

/// In one request with its description: a request with the content alone must not be empty here.
pub(super) fn put(bucket: &str, key: &str, content: &[u8]) -> Call {
    const END: &str = "the-end-of-a-part-of-a-test";
    let target = format!("/upload/storage/v1/b/{bucket}/o?uploadType=multipart");
    let name = serde_json::json!({ "name": key });
    let mut body = format!(
        "--{END}\r\ncontent-type: application/json\r\n\r\n{name}\r\n\
         --{END}\r\ncontent-type: application/octet-stream\r\n\r\n"
    )
    .into_bytes();
    body.extend_from_slice(content);
    body.extend_from_slice(format!("\r\n--{END}--\r\n").as_bytes());
    Call::new("POST", target)
        .header("content-type", format!("multipart/related; boundary={END}"))
        .body(body)
}

pub(super) fn content(bucket: &str, key: &str) -> Call {
    let key = in_one_name(key);
    Call::new("GET", format!("/storage/v1/b/{bucket}/o/{key}?alt=media"))
}

/// A key is one name of a path here, slashes included.
fn in_one_name(key: &str) -> String {
    encode_key(key).replace('/', "%2F")
}
