//! The composed server from outside: through sockets and through the program.
//!
//! Every test starts a server of its own on free ports, in a directory of its own. `sftp`, `scp`, `commands` and `programs`
//! speak their protocols, `matrix` holds every operation against every kind of place, `reference` has what the reference's own
//! tests say and no other module does, `hostile` attacks, `hooks` decide about logins, `actions` are told of what happens,
//! `logs` reads the log, `servers` has several on one database, `https` has certificates, `remote` the commands that ask
//! a running server, `systemd` is its service manager, `semantics` reads SEMANTICS.md. The
//! other modules are about the front doors. What users do with every protocol is in the `scenarios` beside this.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "helpers of tests"
)]

mod actions;
mod architecture;
mod certificates;
mod cluster;
mod combinations;
mod command_log;
mod commands;
mod databases;
mod defender;
mod dump_cli;
mod hooks;
mod hostile;
mod https;
mod import;
mod limits;
mod login;
mod login_answers;
mod login_keys;
mod login_log;
mod logs;
mod matrix;
mod metrics;
mod packaging;
mod passwords;
mod portable;
mod printing;
mod program;
mod programs;
mod proxy_protocol;
mod quota_property;
mod quota_scans;
mod reference;
mod reference_dump;
mod reload;
mod remote;
mod requests;
mod running;
mod scp;
mod security_keys;
mod semantics;
mod serve;
mod servers;
mod sftp;
mod systemd;
mod transfer_log;
mod user_cli;
mod web;
