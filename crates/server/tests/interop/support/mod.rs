//! What every interop test needs: a server, a client with a deadline, files to move.

pub(crate) mod files;
pub(crate) mod keys;
mod run;
mod server;

pub(crate) use run::Run;
pub(crate) use server::{PASSWORD, Server, USER};

use std::path::{Path, PathBuf};

/// The Python that has the clients of `scripts/test-requirements.txt`.
pub(crate) fn python() -> PathBuf {
    let default =
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/test-venv/bin/python");
    std::env::var_os("SFTPGO_TEST_PYTHON").map_or_else(default, PathBuf::from)
}

/// A script of `scripts/` that plays one of its cases against the server.
pub(crate) fn python_client(server: &Server, script: &str, case: &str) -> Run {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/interop/scripts")
        .join(script);
    server
        .client(python())
        // No compiled modules beside the sources.
        .arg("-B")
        .arg(path)
        .arg(case)
        .env("TARGET_PORT", server.port().to_string())
        .env("TARGET_KEY", server.key())
        .env("TARGET_WRONG_KEY", server.wrong_key())
        .env("TARGET_PASSWORD", PASSWORD)
        .env(
            "TARGET_KNOWN_HOSTS",
            server.client_home().join(".ssh/known_hosts"),
        )
}
