//! `asyncssh`, which sends many requests at a time and knows the key exchange of the post-quantum age. The cases are in
//! `scripts/asyncssh_client.py`.

use std::fs;

use super::support::files::many_files;
use super::support::{Server, python_client};

fn case(server: &Server, name: &str) {
    python_client(server, "asyncssh_client.py", name).succeed();
}

#[test]
fn files_come_back_unchanged() {
    case(&Server::start(), "transfers");
}

#[test]
fn a_tree_goes_up_and_comes_down_with_names_of_any_bytes() {
    case(&Server::start(), "trees");
}

#[test]
fn a_file_is_continued_and_written_in_any_order() {
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
fn links_and_copies_are_made_by_the_server() {
    let server = Server::start();
    case(&server, "copies");
    // It takes every server that does not call itself OpenSSH for one that wants the link before its target.
    let link = fs::read_link(server.home().join("soft")).unwrap();
    assert_eq!(link.to_str(), Some("file"));
}

#[test]
fn errors_have_the_code_of_their_kind() {
    let server = Server::start();
    fs::write(server.reader_home().join("file"), "content").unwrap();
    case(&server, "errors");
}

#[test]
fn only_the_right_password_and_key_log_in() {
    case(&Server::start(), "logins");
}

#[test]
fn every_key_exchange_works_and_the_keys_change() {
    case(&Server::start(), "key_exchanges");
}

#[test]
fn refused_commands_and_parallel_sessions_share_a_connection() {
    case(&Server::start(), "channels");
}
