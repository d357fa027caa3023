//! Renaming, removing, linking, and changes of attributes.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};

use super::sftp;
use crate::support::Server;
use crate::support::files::{mode, named, named_files, odd_names};

#[test]
fn a_rename_replaces_what_is_there() {
    let server = Server::start();
    let home = server.home();
    fs::write(home.join("old"), "fresh").unwrap();
    fs::write(home.join("new"), "stale and longer").unwrap();
    fs::create_dir_all(home.join("directory/below")).unwrap();
    sftp(
        &server,
        "rename old new\nrename directory \"moved directory\"\n",
    )
    .succeed();
    assert_eq!(fs::read(home.join("new")).unwrap(), b"fresh");
    assert!(!home.join("old").exists());
    assert!(home.join("moved directory/below").is_dir());
}

#[test]
fn a_rename_of_protocol_version_3_works_too() {
    let server = Server::start();
    let home = server.home();
    fs::write(home.join("old"), "fresh").unwrap();
    sftp(&server, "rename -l old new\n").succeed();
    assert_eq!(fs::read(home.join("new")).unwrap(), b"fresh");
    assert!(!home.join("old").exists());
}

#[test]
fn a_rename_of_a_missing_file_says_so() {
    let server = Server::start();
    let said = sftp(&server, "rename nothing something\n").fail();
    said.says("No such file or directory");
}

#[test]
fn directories_are_made_and_only_empty_ones_removed() {
    let server = Server::start();
    let home = server.home();
    sftp(&server, "mkdir a\nmkdir a/b\nmkdir \"a/with space\"\n").succeed();
    sftp(&server, "mkdir a\n")
        .fail()
        .says("remote mkdir \"/a\": Failure");
    sftp(&server, "mkdir no/such\n")
        .fail()
        .says("No such file or directory");
    sftp(&server, "rmdir a\n").fail().says("Failure");
    sftp(&server, "rmdir nothing\n")
        .fail()
        .says("No such file or directory");
    sftp(&server, "rmdir a/b\nrmdir \"a/with space\"\nrmdir a\n").succeed();
    assert!(!home.join("a").exists());
}

#[test]
fn files_are_removed_and_directories_are_not_taken_for_files() {
    let server = Server::start();
    let home = server.home();
    fs::create_dir(home.join("directory")).unwrap();
    fs::write(home.join("file"), "x").unwrap();
    sftp(&server, "rm file\n").succeed();
    sftp(&server, "rm file\n").fail();
    sftp(&server, "rm directory\n").fail();
    assert!(!home.join("file").exists() && home.join("directory").is_dir());
}

#[test]
fn a_name_that_is_not_utf8_can_be_moved_and_removed() {
    let server = Server::start();
    let odd = server.home().join("odd");
    named_files(&odd, &odd_names());
    sftp(&server, "cd odd\nget latin-* fetched\nrm latin-*\n").succeed();
    assert!(!named(&odd, b"latin-\xe9\xff").exists());
    assert_eq!(
        fs::read(server.work().join("fetched")).unwrap(),
        b"latin-\xe9\xff"
    );
}

#[test]
fn links_are_made_shown_and_followed() {
    let server = Server::start();
    let home = server.home();
    fs::create_dir(home.join("d")).unwrap();
    fs::write(home.join("file"), "content").unwrap();
    let commands = "ln -s file soft\nln -s ../file d/up\nln -s /file d/absolute\n\
                    get soft one\nget d/up two\nget d/absolute three\n";
    sftp(&server, commands).succeed();
    for name in ["one", "two", "three"] {
        assert_eq!(
            fs::read(server.work().join(name)).unwrap(),
            b"content",
            "{name}"
        );
    }
    // What the client wrote is kept, so that the tree can be moved.
    assert_eq!(
        fs::read_link(home.join("soft")).unwrap().to_str(),
        Some("file")
    );
    assert_eq!(
        fs::read_link(home.join("d/up")).unwrap().to_str(),
        Some("../file")
    );
    sftp(&server, "rm soft\nrm d/up\n").succeed();
    assert_eq!(fs::read(home.join("file")).unwrap(), b"content");
}

#[test]
fn copies_and_second_names_are_made_by_the_server() {
    let server = Server::start();
    let home = server.home();
    let content: Vec<u8> = (0..1_000_000_u32).map(|n| (n / 251) as u8).collect();
    fs::write(home.join("file"), &content).unwrap();
    sftp(&server, "ln file second\ncp file copy\n").succeed();
    assert!(fs::read(home.join("copy")).unwrap() == content);
    let inode = |name: &str| fs::metadata(home.join(name)).unwrap().ino();
    assert_eq!(inode("second"), inode("file"));
    assert_ne!(inode("copy"), inode("file"));
    sftp(&server, "ln file copy\n").fail();
    sftp(&server, "ln /nothing third\n").fail();
}

#[test]
fn a_link_that_leads_outside_the_home_opens_nothing() {
    let server = Server::start();
    let home = server.home();
    let secret = server.reader_home().join("secret");
    fs::write(&secret, "secret").unwrap();
    symlink(&secret, home.join("leak")).unwrap();
    symlink("../reader", home.join("sideways")).unwrap();
    symlink("../reader/new", home.join("dangling")).unwrap();
    fs::write(server.work().join("up"), "mine").unwrap();
    for command in [
        "get leak",
        "put up leak",
        "cd sideways",
        "get sideways/secret",
        "put up sideways/secret",
        "put up dangling",
        "chmod 777 leak",
        "get ../reader/secret",
    ] {
        sftp(&server, &format!("{command}\n")).fail();
    }
    assert_eq!(fs::read(&secret).unwrap(), b"secret");
    assert_eq!(fs::read_dir(server.reader_home()).unwrap().count(), 1);
    sftp(&server, "rm leak\n").succeed();
    assert!(secret.exists());
}

#[test]
fn modes_and_owners_are_changed() {
    let server = Server::start();
    let file = server.home().join("file");
    fs::write(&file, "x").unwrap();
    let metadata = fs::metadata(&file).unwrap();
    let (owner, group) = (metadata.uid(), metadata.gid());
    let commands = format!("chmod 600 file\nchown {owner} file\nchgrp {group} file\n");
    sftp(&server, &commands).succeed();
    assert_eq!(mode(&file), 0o600);
    sftp(&server, "chmod 600 nothing\n")
        .fail()
        .says("No such file or directory");
}
