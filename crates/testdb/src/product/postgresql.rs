//! PostgreSQL: <https://www.postgresql.org/docs/15/app-initdb.html>, <https://www.postgresql.org/docs/15/app-postgres.html>.

use std::process::Command;

use super::{PASSWORD, Place, program};

/// Where Debian keeps the programs of the server.
const PROGRAMS: &str = "/usr/lib/postgresql/15/bin";

pub(super) fn initialize(place: &Place<'_>) -> Command {
    let password = place.directory.join("password");
    std::fs::write(&password, PASSWORD).unwrap();
    let mut command = program(PROGRAMS, "initdb");
    command
        .args(["--no-sync", "--username=postgres", "--auth=scram-sha-256"])
        .args(["--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions"])
        .arg("--pwfile")
        .arg(password)
        .arg("--pgdata")
        .arg(place.directory.join("data"));
    command
}

pub(super) fn serve(place: &Place<'_>) -> Command {
    let mut command = program(PROGRAMS, "postgres");
    command.arg("-D").arg(place.directory.join("data"));
    let mut set = |name: &str, value: &str| {
        command.arg("-c").arg(format!("{name}={value}"));
    };
    set("listen_addresses", "127.0.0.1");
    set("port", &place.port.to_string());
    set("unix_socket_directories", place.directory.to_str().unwrap());
    // Nothing here must survive a power failure. What was committed must survive a crash of the server alone, so
    // `synchronous_commit` stays on.
    for name in ["fsync", "full_page_writes", "autovacuum"] {
        set(name, "off");
    }
    set("wal_level", "minimal");
    set("max_wal_senders", "0");
    set("max_connections", &place.setup.connections.to_string());
    set("shared_buffers", "16MB");
    set("lc_messages", "C");
    if let Some(certificates) = place.certificates {
        set("ssl", "on");
        set("ssl_cert_file", certificates.server().to_str().unwrap());
        set("ssl_key_file", certificates.key().to_str().unwrap());
    }
    command
}
