//! `scp -O` of OpenSSH: the protocol that `scp` spoke before version 9.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::json;

use super::support::files::{
    SIZES, assert_same, assert_same_tree, make_tree, mode, mtime, named_files, odd_names,
    pattern_names, random_file, set_mode, set_mtime,
};
use super::support::{Run, Server};

fn start() -> Server {
    Server::with(json!({ "enabled_ssh_commands": ["scp"] }))
}

fn scp<'a>(server: &Server, arguments: impl IntoIterator<Item = &'a str>) -> Run {
    server.openssh("scp").args(["-O", "-q"]).args(arguments)
}

#[test]
fn files_of_every_size_come_back_unchanged() {
    let server = start();
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
    let server = start();
    let tree = server.work().join("tree");
    make_tree(&tree);
    named_files(&tree.join("odd"), &odd_names());
    named_files(&tree.join("odd"), &pattern_names());
    let file = tree.join("file");
    fs::write(&file, "x").unwrap();
    set_mode(&file, 0o751);
    set_mtime(&file, 1_234_567_890);
    let directory = tree.join("dir 1");
    set_mode(&directory, 0o711);
    set_mtime(&directory, 1_111_111_111);
    scp(&server, ["-rp", "tree", "server:stored"]).succeed();
    assert_same_tree(&tree, &server.home().join("stored"));
    scp(&server, ["-rp", "server:stored", "back"]).succeed();
    assert_same_tree(&tree, &server.work().join("back"));
    for copy in [server.home().join("stored"), server.work().join("back")] {
        let found = |name: &str| (mode(&copy.join(name)), mtime(&copy.join(name)));
        assert_eq!(found("file"), (0o751, 1_234_567_890), "{}", copy.display());
        assert_eq!(found("dir 1"), (0o711, 1_111_111_111), "{}", copy.display());
    }
    // Once more: now the target is there, and takes the tree inside.
    scp(&server, ["-r", "tree", "server:stored"]).succeed();
    assert_same_tree(&tree, &server.home().join("stored/tree"));
    // And over what is there.
    fs::write(&file, "changed").unwrap();
    scp(&server, ["-r", "tree", "server:stored"]).succeed();
    assert_same_tree(&tree, &server.home().join("stored/tree"));
    // The whole account.
    scp(&server, ["-r", "server:/", "all"]).succeed();
    assert_same_tree(&server.home(), &server.work().join("all"));
}

#[test]
fn several_sources_go_to_a_directory_and_only_there() {
    let server = start();
    for name in ["one", "two", "three"] {
        server.local_file(name, 1000);
    }
    fs::create_dir(server.work().join("dir")).unwrap();
    fs::create_dir(server.home().join("into")).unwrap();
    scp(&server, ["-r", "one", "dir", "two", "three", "server:into"]).succeed();
    for name in ["one", "two", "three"] {
        assert_same(
            &server.work().join(name),
            &server.home().join("into").join(name),
        );
    }
    assert!(server.home().join("into/dir").is_dir());
    scp(&server, ["one", "two", "server:none"])
        .fail()
        .says("none");
    assert!(!server.home().join("none").exists());
    scp(&server, ["server:into/one", "server:into/t*", "dir"]).succeed();
    assert_eq!(fs::read_dir(server.work().join("dir")).unwrap().count(), 3);
}

#[test]
fn paths_may_be_absolute_or_begin_at_the_home() {
    let server = start();
    let sent = server.local_file("up", 1000);
    fs::create_dir(server.home().join("d")).unwrap();
    for target in [
        "server:d/relative",
        "server:/d/absolute",
        "server:~/d/tilde",
        "server:d",
        "server:d/",
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
fn names_are_quoted_for_the_shell_that_other_servers_have() {
    let server = start();
    let names = [
        ("with space", r"with\ space"),
        ("it's", r#""it's""#),
        ("quo\"te", r#"'quo"te'"#),
        (
            "gr\u{f6}\u{df}e-\u{65e5}\u{672c}",
            "gr\u{f6}\u{df}e-\u{65e5}\u{672c}",
        ),
        ("star*", r"star\*"),
        ("[x]", r"'[x]'"),
        ("-dash", "./-dash"),
        ("semi;$HOME`x`", r"'semi;$HOME`x`'"),
    ];
    for (name, quoted) in names {
        let sent = server.local_file("up", 100);
        scp(&server, ["up", &format!("server:{quoted}")]).succeed();
        assert_same(&sent, &server.home().join(name));
        // The client compares the name that comes with what it asked for; it knows quotes by backslash only.
        scp(&server, ["-T", &format!("server:{quoted}"), "down"]).succeed();
        assert_same(&sent, &server.work().join("down"));
    }
    for name in ["star-fish", "x", "other"] {
        fs::write(server.home().join(name), name).unwrap();
    }
    fs::create_dir(server.work().join("back")).unwrap();
    scp(
        &server,
        [r"server:star*", "server:[w-y]", "server:?ther", "back"],
    )
    .succeed();
    let mut found: Vec<_> = fs::read_dir(server.work().join("back"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    found.sort();
    assert_eq!(found, ["other", "star*", "star-fish", "x"]);
}

#[test]
fn a_file_is_copied_between_two_accounts_through_the_client() {
    let server = start();
    let sent = server.reader_home().join("file");
    random_file(&sent, 300_000);
    scp(&server, ["-3", "reader@server:file", "server:copied"]).succeed();
    assert_same(&sent, &server.home().join("copied"));
    make_tree(&server.reader_home().join("tree"));
    scp(&server, ["-3", "-r", "reader@server:tree", "server:copy"]).succeed();
    assert_same_tree(
        &server.reader_home().join("tree"),
        &server.home().join("copy"),
    );
    // The client keeps what the other side says to itself.
    scp(&server, ["-3", "server:copied", "reader@server:back"]).fail();
    assert!(!server.reader_home().join("back").exists());
}

#[test]
fn failures_are_told_and_end_with_an_error() {
    let server = start();
    server.local_file("up", 10);
    fs::create_dir_all(server.home().join("directory/sub")).unwrap();
    fs::create_dir(server.work().join("local")).unwrap();
    scp(&server, ["server:nothing", "."])
        .fail()
        .says("/nothing: No Such File");
    scp(&server, ["-r", "server:nothing", "."])
        .fail()
        .says("/nothing: No Such File");
    scp(&server, ["up", "server:no/such/name"])
        .fail()
        .says("No Such File");
    scp(&server, ["-r", "local", "server:no/such"])
        .fail()
        .says("No Such File");
    scp(&server, ["server:directory", "."])
        .fail()
        .says("not a regular file");
    scp(&server, ["up", "server:directory/sub/x/"]).fail();
    scp(&server, ["local", "server:"]).fail();
    scp(&server, ["up", "reader@server:up"])
        .fail()
        .says("ermission Denied");
    scp(&server, ["-r", "local", "reader@server:"])
        .fail()
        .says("ermission Denied");
    assert_eq!(fs::read_dir(server.reader_home()).unwrap().count(), 0);
    // One of several fails, and the others are there.
    fs::write(server.home().join("there"), "x").unwrap();
    scp(&server, ["up", "none", "up", "server:directory"]).fail();
    assert!(server.home().join("directory/up").exists());
    symlink("/etc", server.home().join("directory/out")).unwrap();
    scp(&server, ["-r", "server:directory", "back"])
        .fail()
        .says("out: Permission Denied");
    assert!(server.work().join("back/up").exists());
    assert!(server.work().join("back/sub").is_dir());
}

#[test]
fn keys_are_exchanged_anew_in_the_middle_of_a_file() {
    let server = start();
    let sent = server.local_file("up", 48 << 20);
    let limit = ["-o", "RekeyLimit=1M"];
    scp(&server, limit.into_iter().chain(["up", "server:"])).succeed();
    assert_same(&sent, &server.home().join("up"));
    scp(&server, limit.into_iter().chain(["server:up", "down"])).succeed();
    assert_same(&sent, &server.work().join("down"));
}
