//! `paramiko`, the SSH library of Python that Ansible and many scripts use. The cases are in `scripts/paramiko_client.py`.

use std::fs;

use super::support::files::many_files;
use super::support::{Server, python_client};

fn case(server: &Server, name: &str) {
    python_client(server, "paramiko_client.py", name).succeed();
}

#[test]
fn files_come_back_unchanged_and_are_seen_at_once() {
    case(&Server::start(), "transfers");
}

#[test]
fn a_file_is_continued_by_appending_and_by_seeking() {
    case(&Server::start(), "resume");
}

#[test]
fn each_of_ten_thousand_names_is_listed_once() {
    let server = Server::start();
    many_files(&server.home().join("many"), 10_000);
    case(&server, "listing");
}

#[test]
fn attributes_are_set_by_path_and_by_handle() {
    case(&Server::start(), "attributes");
}

#[test]
fn names_may_be_any_bytes() {
    case(&Server::start(), "names");
}

#[test]
fn errors_have_the_number_of_their_kind() {
    let server = Server::start();
    fs::write(server.reader_home().join("file"), "content").unwrap();
    case(&server, "errors");
}

#[test]
fn only_the_right_password_and_key_log_in() {
    case(&Server::start(), "logins");
}

#[test]
fn refused_commands_and_parallel_sessions_share_a_connection() {
    case(&Server::start(), "channels");
}

#[test]
fn transfers_survive_new_keys() {
    case(&Server::start(), "rekeying");
}
