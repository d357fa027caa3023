//! moto: <https://docs.getmoto.org/en/latest/docs/server_mode.html>.

use std::process::Command;

use super::product::installed;

/// A page that only moto has.
pub(super) const READY: (&str, &str) = ("/moto-api/data.json", "200 ");

pub(super) fn serve(port: u16) -> Command {
    let mut command = Command::new(installed("venv/bin/python"));
    command
        .args(["-m", "moto.server", "-H", "127.0.0.1", "-p"])
        .arg(port.to_string())
        // Nobody asks instance metadata, or another service, in its name.
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_ACCESS_KEY_ID", "none")
        .env("AWS_SECRET_ACCESS_KEY", "none");
    command
}
