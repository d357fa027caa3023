//! rclone as a server of S3: <https://rclone.org/commands/rclone_serve_s3/>. Debian's is too old for it.

use std::path::Path;
use std::process::Command;

use super::product::installed;
use crate::Keys;

/// Every request without a signature is refused.
pub(super) const READY: (&str, &str) = ("/", "<Code>");

pub(super) const KEYS: Keys = Keys {
    id: "test-access-key",
    secret: "not-a-secret",
};

pub(super) fn serve(directory: &Path, port: u16) -> Command {
    let mut command = Command::new(installed("venv/bin/rclone"));
    command
        .args(["serve", "s3", "--addr"])
        .arg(format!("127.0.0.1:{port}"))
        .args(["--auth-key", &format!("{},{}", KEYS.id, KEYS.secret)])
        .arg("--config")
        .arg(directory.join("rclone.conf"))
        .arg("--cache-dir")
        .arg(directory.join("tmp"))
        .arg(directory.join("data"));
    command
}
