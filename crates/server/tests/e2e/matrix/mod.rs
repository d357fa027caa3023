//! Every operation of SFTP, SCP and the SSH commands against every kind of place: extension filters (reference 3.4), virtual folders (3.5), and links
//! that lead to what is closed or filtered.
//!
//! A test plays a table: a row is an operation, a column a place, a cell the answer. Each operation has a directory of its
//! own, so that no cell sees what another one did.
#![cfg(unix)]

mod commands;
mod filters;
mod folders;
mod links;

use std::fmt::Write as _;

use sftpgo_testkit::{Refusal, Sftp, TestServer};

use super::requests::{APPEND, Ask, BOTH, CREATE, REPLACE, WRITE};

/// What is done, by the name of its row.
const OPERATIONS: &[&str] = &[
    "stat",
    "lstat",
    "list",
    "statvfs",
    "readlink",
    "get",
    "put",
    "create",
    "write",
    "replace",
    "append",
    "both",
    "truncate",
    "mode",
    "owner",
    "times",
    "remove",
    "mkdir",
    "rmdir",
    "link-at",
    "link-to",
    "move-from",
    "move-to",
    "posix-from",
    "posix-to",
    "dir-to",
    "digest",
    "link-times",
    "hard-from",
    "hard-to",
    "copy-from",
    "copy-to",
    "digest-1",
    "fsetstat",
    "scp-get",
    "scp-tree",
    "scp-put",
    "scp-dir",
    "hash",
    "df",
];

/// The request of a row for a place. `directory` is the row's own, `column` the number of the place: both give names that
/// are used once.
async fn ask(sftp: &mut Sftp, operation: &str, directory: &str, column: usize, path: &str) -> char {
    let own = |name: &str| format!("{directory}/{name}-{column}").into_bytes();
    let (source, source_dir, target, link) =
        (own("source"), own("source-dir"), own("target"), own("link"));
    let path = path.as_bytes();
    if let Some(refusal) = commands::ask(sftp.ssh(), operation, path).await {
        return letter(refusal);
    }
    let ask = match operation {
        "stat" => Ask::Stat(path),
        "lstat" => Ask::Lstat(path),
        "list" => Ask::List(path),
        "statvfs" => Ask::Statvfs(path),
        "readlink" => Ask::ReadLink(path),
        "get" => Ask::Get(path),
        "put" => Ask::Put(path),
        "create" => Ask::Open(path, CREATE),
        "write" => Ask::Open(path, WRITE),
        "replace" => Ask::Open(path, REPLACE),
        "append" => Ask::Open(path, APPEND),
        "both" => Ask::Open(path, BOTH),
        "truncate" => Ask::Size(path, 1),
        "mode" => Ask::Mode(path, 0o755),
        "owner" => Ask::Owner(path),
        "times" => Ask::Times(path),
        "remove" => Ask::Remove(path),
        "mkdir" => Ask::MkDir(path),
        "rmdir" => Ask::RmDir(path),
        "link-at" => Ask::Symlink(b"text", path),
        "link-to" => Ask::Symlink(path, &link),
        "move-from" => Ask::Rename(path, &target),
        "move-to" => Ask::Rename(&source, path),
        "posix-from" => Ask::PosixRename(path, &target),
        "posix-to" => Ask::PosixRename(&source, path),
        "dir-to" => Ask::Rename(&source_dir, path),
        "digest" => Ask::Digest(path),
        "link-times" => Ask::LinkTimes(path),
        "hard-from" => Ask::HardLink(path, &target),
        "hard-to" => Ask::HardLink(&source, path),
        "copy-from" => Ask::Copy(path, &target),
        "copy-to" => Ask::Copy(&source, path),
        "digest-1" => Ask::DigestOfByte(path),
        "fsetstat" => Ask::HandleMode(path, 0o644),
        other => panic!("no operation {other}"),
    };
    letter(ask.refusal(sftp).await)
}

fn letter(refusal: Option<Refusal>) -> char {
    match refusal {
        None => '.',
        Some(Refusal::Denied) => 'D',
        Some(Refusal::NotFound) => 'N',
        Some(Refusal::Failed) => 'F',
        Some(Refusal::BadMessage) => 'B',
        Some(Refusal::Unsupported) => 'U',
        Some(other) => panic!("{other:?}"),
    }
}

/// A server with every command.
async fn server() -> TestServer {
    let builder = TestServer::builder().set("sftpd.enabled_ssh_commands", vec!["*"]);
    builder.start().await
}

/// The names of files and directories that [`ask`] moves, for every column.
fn movables(home: &std::path::Path, directory: &str, columns: usize) {
    let directory = home.join(directory.trim_start_matches('/'));
    for column in 0..columns {
        std::fs::create_dir_all(directory.join(format!("source-dir-{column}"))).unwrap();
        std::fs::write(directory.join(format!("source-{column}")), b"own").unwrap();
    }
}

/// Plays all operations; `places` gives the paths of a row's columns.
async fn played(sftp: &mut Sftp, places: impl Fn(&str) -> Vec<String>) -> String {
    played_in(sftp, "", places).await
}

/// Likewise, with the directories of the rows in `base`.
async fn played_in(sftp: &mut Sftp, base: &str, places: impl Fn(&str) -> Vec<String>) -> String {
    let mut table = String::new();
    for operation in OPERATIONS {
        let directory = format!("{base}/{operation}");
        let _ = write!(table, "{operation:<10}");
        for (column, path) in places(&format!("/{operation}")).iter().enumerate() {
            let cell = ask(sftp, operation, &directory, column, path).await;
            let _ = write!(table, " {cell}");
        }
        table.push('\n');
    }
    table
}

/// Compares row by row, and shows the rows that differ.
#[track_caller]
fn assert_table(played: &str, expected: &str) {
    let expected: Vec<&str> = expected
        .lines()
        .map(str::trim)
        .filter(|row| !row.is_empty())
        .collect();
    let mut differ = String::new();
    for row in played.lines() {
        if !expected.contains(&row) {
            let _ = writeln!(differ, "{row}");
        }
    }
    assert!(
        differ.is_empty(),
        "these rows are not in the table:\n{differ}"
    );
    assert_eq!(played.lines().count(), expected.len());
}
