//! Uploads and downloads.

use std::fs;

use super::{sftp, sftp_with};
use crate::support::Server;
use crate::support::files::{
    SIZES, assert_same, assert_same_tree, beginning, make_tree, mode, mtime, named_files,
    odd_names, pattern_names, set_mode, set_mtime,
};

#[test]
fn files_of_every_size_come_back_unchanged() {
    let server = Server::start();
    let mut commands = String::new();
    for size in SIZES {
        server.local_file(&format!("up-{size}"), size);
        commands += &format!("put up-{size} stored-{size}\nget stored-{size} down-{size}\n");
    }
    sftp(&server, &commands).succeed();
    for size in SIZES {
        let sent = server.work().join(format!("up-{size}"));
        assert_same(&sent, &server.home().join(format!("stored-{size}")));
        assert_same(&sent, &server.work().join(format!("down-{size}")));
    }
}

#[test]
fn large_requests_many_at_a_time_and_small_ones_one_by_one() {
    let server = Server::start();
    let sent = server.local_file("up", 40 << 20);
    let small = server.local_file("small", 100_001);
    for (name, file, options) in [
        ("large", &sent, ["-B", "261120", "-R", "256"]),
        ("many", &sent, ["-B", "4096", "-R", "512"]),
        ("single", &small, ["-B", "1000", "-R", "1"]),
    ] {
        let source = file.display();
        let commands = format!("put {source} {name}\nget {name} {name}-down\n");
        sftp_with(&server, &options, &commands).succeed();
        assert_same(file, &server.home().join(name));
        assert_same(file, &server.work().join(format!("{name}-down")));
    }
}

#[test]
fn interrupted_transfers_go_on_where_they_stopped() {
    let server = Server::start();
    let sent = server.local_file("up", 3_000_001);
    let (stored, down) = (server.home().join("stored"), server.work().join("down"));
    beginning(&sent, &stored, 1_234_567);
    sftp(&server, "reput up stored\n").succeed();
    assert_same(&sent, &stored);
    beginning(&sent, &down, 2_000_000);
    sftp(&server, "reget stored down\n").succeed();
    assert_same(&sent, &down);
}

#[test]
fn an_upload_replaces_a_longer_file() {
    let server = Server::start();
    let sent = server.local_file("up", 1000);
    let stored = server.home().join("stored");
    fs::write(&stored, vec![b'x'; 100_000]).unwrap();
    sftp(&server, "put up stored\n").succeed();
    assert_same(&sent, &stored);
}

#[test]
fn times_and_modes_are_kept_both_ways() {
    let server = Server::start();
    let sent = server.local_file("up", 5000);
    set_mode(&sent, 0o640);
    set_mtime(&sent, 1_234_567_890);
    sftp(&server, "put -p up stored\nget -p stored down\n").succeed();
    for path in [server.home().join("stored"), server.work().join("down")] {
        let name = path.display();
        assert_eq!(mode(&path), 0o640, "{name}");
        assert_eq!(mtime(&path), 1_234_567_890, "{name}");
    }
}

#[test]
fn an_upload_that_is_flushed_to_disk_succeeds() {
    let server = Server::start();
    let sent = server.local_file("up", 70_000);
    sftp(&server, "put -f up stored\n").succeed();
    assert_same(&sent, &server.home().join("stored"));
}

#[test]
fn a_tree_goes_up_and_comes_down() {
    let server = Server::start();
    let tree = server.work().join("tree");
    assert_eq!(make_tree(&tree), 300);
    let odd = tree.join("odd");
    named_files(&odd, &odd_names());
    named_files(&odd, &pattern_names());
    named_files(&odd, &[b"new\nline"]);
    set_mtime(&tree.join("empty"), 1_000_000_000);
    sftp(&server, "put -Rp tree stored\nget -Rp stored back\n").succeed();
    assert_same_tree(&tree, &server.home().join("stored"));
    assert_same_tree(&tree, &server.work().join("back"));
    assert_eq!(mtime(&server.home().join("stored/empty")), 1_000_000_000);
}

#[test]
fn a_missing_source_or_directory_is_named() {
    let server = Server::start();
    server.local_file("up", 10);
    let missing = sftp(&server, "get nothing\n").fail();
    missing.says("/nothing").says("not found");
    sftp(&server, "put up no/such/directory\n")
        .fail()
        .says("No such file or directory");
    assert_eq!(fs::read_dir(server.home()).unwrap().count(), 0);
}
