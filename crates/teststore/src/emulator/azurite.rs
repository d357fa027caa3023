//! azurite: <https://github.com/Azure/Azurite#usage-with-npm>.

use std::path::Path;
use std::process::Command;

use super::product::installed;
use crate::{Call, Keys, encode_key};

pub(super) const READY: (&str, &str) = ("/", "Azurite-Blob/");

/// The account of every such emulator; Microsoft publishes its key.
pub(super) const KEYS: Keys = Keys {
    id: "devstoreaccount1",
    secret: "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
};

/// The account stands in the path, since it cannot stand in the name of the host.
pub(super) const ROOT: &str = "/devstoreaccount1";

pub(super) fn serve(directory: &Path, port: u16) -> Command {
    let mut command = Command::new("node");
    command
        .arg(installed("node_modules/azurite/dist/src/blob/main.js"))
        .args(["--blobHost", "127.0.0.1", "--blobPort"])
        .arg(port.to_string())
        .arg("--location")
        .arg(directory.join("data"))
        // Clients are newer than it is.
        .args(["--silent", "--skipApiVersionCheck", "--disableTelemetry"]);
    command
}

pub(super) fn make_bucket(name: &str) -> Call {
    Call::new("PUT", format!("{ROOT}/{name}?restype=container"))
}

pub(super) fn put(bucket: &str, key: &str) -> Call {
    content_path("PUT", bucket, key).header("x-ms-blob-type", "BlockBlob")
}

pub(super) fn content(bucket: &str, key: &str) -> Call {
    content_path("GET", bucket, key)
}

fn content_path(method: &'static str, bucket: &str, key: &str) -> Call {
    Call::new(method, format!("{ROOT}/{bucket}/{}", encode_key(key)))
}
