//! `scp` of OpenSSH 9, which speaks SFTP.

use std::fs;

use super::support::files::{
    SIZES, assert_same, assert_same_tree, make_tree, mode, mtime, named_files, odd_names,
    pattern_names, set_mode, set_mtime,
};
use super::support::{Run, Server};

fn scp<'a>(server: &Server, arguments: impl IntoIterator<Item = &'a str>) -> Run {
    server.openssh("scp").arg("-q").args(arguments)
}

#[test]
fn files_of_every_size_come_back_unchanged() {
    let server = Server::start();
    let names: Vec<String> = SIZES.iter().map(|size| format!("up-{size}")).collect();
    for (name, size) in names.iter().zip(SIZES) {
        server.local_file(name, size);
    }
    scp(&server, names.iter().map(String::as_str).chain(["server:"])).succeed();
    fs::create_dir(server.work().join("back")).unwrap();
    scp(&server, ["server:up-*", "back"]).succeed();
    for name in &names {
        assert_same(&server.work().join(name), &server.home().join(name));
        assert_same(
            &server.work().join(name),
            &server.work().join("back").join(name),
        );
    }
}

#[test]
fn a_tree_goes_up_and_comes_down_with_times_and_modes() {
    let server = Server::start();
    let tree = server.work().join("tree");
    make_tree(&tree);
    named_files(&tree.join("odd"), &odd_names());
    named_files(&tree.join("odd"), &pattern_names());
    let file = tree.join("file");
    fs::write(&file, "x").unwrap();
    set_mode(&file, 0o751);
    set_mtime(&file, 1_234_567_890);
    scp(&server, ["-rp", "tree", "server:stored"]).succeed();
    assert_same_tree(&tree, &server.home().join("stored"));
    scp(&server, ["-rp", "server:stored", "back"]).succeed();
    assert_same_tree(&tree, &server.work().join("back"));
    for copy in [
        server.home().join("stored/file"),
        server.work().join("back/file"),
    ] {
        assert_eq!(
            (mode(&copy), mtime(&copy)),
            (0o751, 1_234_567_890),
            "{}",
            copy.display()
        );
    }
    // Once more, over what is there.
    fs::write(&file, "changed").unwrap();
    scp(&server, ["-r", "tree/file", "server:stored/file"]).succeed();
    assert_same_tree(&tree, &server.home().join("stored"));
}

#[test]
fn paths_may_be_absolute_or_begin_at_the_home() {
    let server = Server::start();
    let sent = server.local_file("up", 1000);
    fs::create_dir(server.home().join("d")).unwrap();
    for target in [
        "server:d/relative",
        "server:/d/absolute",
        "server:~/d/tilde",
        "server:d",
    ] {
        scp(&server, ["up", target]).succeed();
    }
    for name in ["relative", "absolute", "tilde", "up"] {
        assert_same(&sent, &server.home().join("d").join(name));
    }
    scp(&server, ["scp://server/d/up", "by-address"]).succeed();
    assert_same(&sent, &server.work().join("by-address"));
}

#[test]
fn a_file_is_copied_between_two_accounts_through_the_client() {
    let server = Server::start();
    let sent = server.reader_home().join("file");
    super::support::files::random_file(&sent, 300_000);
    scp(&server, ["-3", "reader@server:file", "server:copied"]).succeed();
    assert_same(&sent, &server.home().join("copied"));
}

#[test]
fn failures_are_told_and_end_with_an_error() {
    let server = Server::start();
    server.local_file("up", 10);
    fs::create_dir(server.home().join("directory")).unwrap();
    scp(&server, ["server:nothing", "."]).fail().says("nothing");
    scp(&server, ["up", "server:no/such/name"])
        .fail()
        .says("No such file or directory");
    scp(&server, ["server:directory", "."])
        .fail()
        .says("not a regular file");
    scp(&server, ["up", "reader@server:up"])
        .fail()
        .says("ermission denied");
    assert!(!server.reader_home().join("up").exists());
}

#[test]
fn the_old_protocol_is_refused_at_once_unless_it_is_enabled() {
    let server = Server::start();
    server.local_file("up", 10);
    scp(&server, ["-O", "up", "server:"]).deadline(20).fail();
    assert!(!server.home().join("up").exists());
}

/// It asks what a tilde means, and does not know the home by itself.
#[test]
fn a_tilde_is_the_home() {
    let server = Server::start();
    fs::create_dir(server.home().join("d")).unwrap();
    fs::write(server.work().join("file"), "content").unwrap();
    scp(&server, ["file", "server:~/d/up"]).succeed();
    assert_eq!(fs::read(server.home().join("d/up")).unwrap(), b"content");
    scp(&server, ["server:~/d/up", "down"]).succeed();
    assert_eq!(fs::read(server.work().join("down")).unwrap(), b"content");
    scp(&server, ["server:~somebody/d/up", "other"]).fail();
    assert!(!server.work().join("other").exists());
}
