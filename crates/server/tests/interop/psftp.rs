//! `psftp`: the SSH and SFTP of PuTTY, which WinSCP and FileZilla are built on.

use std::fs;

use super::support::files::{
    SIZES, assert_each_once, assert_same, assert_same_tree, beginning, make_tree, many_files, mode,
};
use super::support::{PASSWORD, Run, Server};

/// Runs these commands; the first that fails ends it.
fn psftp(server: &Server, commands: &str) -> Run {
    psftp_as(server, PASSWORD, commands)
}

fn psftp_as(server: &Server, password: &str, commands: &str) -> Run {
    let script = server.work().join("script");
    fs::write(&script, commands).unwrap();
    server
        .client("psftp")
        .args([
            "-P",
            &server.port().to_string(),
            "-pw",
            password,
            "-batch",
            "-b",
        ])
        .arg(script)
        .args([
            "-hostkey",
            &server.host_key_fingerprint(),
            "alice@127.0.0.1",
        ])
}

#[test]
fn files_of_every_size_come_back_unchanged() {
    let server = Server::start();
    let mut commands = String::new();
    for size in SIZES {
        server.local_file(&format!("up-{size}"), size);
        commands += &format!("put up-{size} s-{size}\nget s-{size} down-{size}\n");
    }
    psftp(&server, &commands).succeed();
    for size in SIZES {
        let sent = server.work().join(format!("up-{size}"));
        assert_same(&sent, &server.home().join(format!("s-{size}")));
        assert_same(&sent, &server.work().join(format!("down-{size}")));
    }
}

/// PuTTY ends the connection if it is sent data while the keys change (clients.md calls it out for every PuTTY core).
#[test]
fn a_large_file_moves_while_the_keys_change() {
    let server = Server::start();
    let sessions = server.client_home().join(".putty/sessions");
    fs::create_dir_all(&sessions).unwrap();
    fs::write(
        sessions.join("often"),
        "RekeyBytes=1M\nRekeyTime=60\nPortNumber=22\n",
    )
    .unwrap();
    let sent = server.local_file("up", 64 << 20);
    let commands = "put up stored\nget stored down\n";
    psftp(&server, commands).args(["-load", "often"]).succeed();
    assert_same(&sent, &server.home().join("stored"));
    assert_same(&sent, &server.work().join("down"));
}

#[test]
fn interrupted_transfers_go_on_where_they_stopped() {
    let server = Server::start();
    let sent = server.local_file("up", 3_000_001);
    let (stored, down) = (server.home().join("stored"), server.work().join("down"));
    beginning(&sent, &stored, 1_234_567);
    beginning(&sent, &down, 2_000_000);
    psftp(&server, "reput up stored\nreget stored down\n").succeed();
    assert_same(&sent, &stored);
    assert_same(&sent, &down);
}

#[test]
fn a_tree_goes_up_and_comes_down() {
    let server = Server::start();
    let tree = server.work().join("tree");
    make_tree(&tree);
    psftp(&server, "put -r tree stored\nget -r stored back\n").succeed();
    assert_same_tree(&tree, &server.home().join("stored"));
    assert_same_tree(&tree, &server.work().join("back"));
}

#[test]
fn each_of_ten_thousand_names_is_listed_once() {
    let server = Server::start();
    let names = many_files(&server.home().join("many"), 10_000);
    let said = psftp(&server, "ls many\n").succeed().text();
    let entries = said.lines().filter(|line| line.starts_with('-'));
    assert_each_once(
        entries.filter_map(|line| line.split_whitespace().last()),
        &names,
    );
}

#[test]
fn names_are_renamed_changed_and_removed() {
    let server = Server::start();
    let home = server.home();
    fs::write(home.join("old name"), "fresh").unwrap();
    fs::write(home.join("gone"), "x").unwrap();
    fs::write(home.join("one"), "fresh").unwrap();
    fs::write(home.join("other"), "stale and longer").unwrap();
    let commands = "mkdir \"a directory\"\nmv \"old name\" \"a directory\"\nrm gone\nmv one other\n\
                    cd \"a directory\"\nmv \"old name\" k\u{e4}se\nchmod 600 k\u{e4}se\npwd\n\
                    mkdir b\nrmdir b\n";
    psftp(&server, commands)
        .succeed()
        .says("Remote directory is now /a directory");
    let moved = home.join("a directory/k\u{e4}se");
    assert_eq!(fs::read(&moved).unwrap(), b"fresh");
    assert_eq!(mode(&moved), 0o600);
    assert_eq!(fs::read_dir(home.join("a directory")).unwrap().count(), 1);
    assert!(!home.join("gone").exists() && !home.join("one").exists());
    assert_eq!(fs::read(home.join("other")).unwrap(), b"fresh");
}

#[test]
fn refusals_are_told_and_end_with_an_error() {
    let server = Server::start();
    fs::create_dir_all(server.home().join("d/e")).unwrap();
    psftp(&server, "get nothing\n")
        .fail()
        .says("no such file or directory");
    psftp(&server, "mkdir d\n").fail().says("failure");
    psftp(&server, "rmdir d\n").fail().says("failure");
    psftp(&server, "mkdir no/such\n")
        .fail()
        .says("no such file or directory");
    psftp_as(&server, "wrong", "pwd\n").fail();
}
