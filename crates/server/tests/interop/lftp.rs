//! `lftp`, with its own SFTP engine over `ssh`. It asks for protocol version 6 and keeps many requests going.

use std::fs;

use super::support::files::{
    SIZES, assert_each_once, assert_same, assert_same_tree, beginning, make_tree, many_files, mode,
    mtime, named_files, random_file, set_mtime, utf8_names,
};
use super::support::{PASSWORD, Run, Server};

/// Runs these commands; the first that fails ends it.
fn lftp(server: &Server, commands: &str) -> Run {
    lftp_as(server, "server", "alice", commands)
}

fn lftp_as(server: &Server, host: &str, user: &str, commands: &str) -> Run {
    let config = server.ssh_config();
    let script = format!(
        "set cmd:fail-exit yes\nset net:max-retries 1\nset net:timeout 30\nset xfer:clobber yes\n\
         set sftp:connect-program \"ssh -a -x -F {}\"\nopen -u {user}, sftp://{host}\n{commands}",
        config.display()
    );
    server
        .client("lftp")
        .args(["--norc", "-f", "/dev/stdin"])
        .input(script)
}

#[test]
fn files_of_every_size_come_back_unchanged() {
    let server = Server::start();
    let mut commands = String::new();
    for size in SIZES {
        server.local_file(&format!("up-{size}"), size);
        commands += &format!("put up-{size} -o s-{size}\nget s-{size} -o down-{size}\n");
    }
    lftp(&server, &commands).succeed();
    for size in SIZES {
        let sent = server.work().join(format!("up-{size}"));
        assert_same(&sent, &server.home().join(format!("s-{size}")));
        assert_same(&sent, &server.work().join(format!("down-{size}")));
    }
}

#[test]
fn a_large_file_moves_with_many_requests_in_flight() {
    let server = Server::start();
    let sent = server.local_file("up", 64 << 20);
    let settings =
        "set sftp:max-packets-in-flight 64\nset sftp:size-read 65536\nset sftp:size-write 65536\n";
    let commands =
        format!("{settings}put up -o stored\nget stored -o down\npget -n 4 stored -o parts\n");
    lftp(&server, &commands).succeed();
    for path in [
        server.home().join("stored"),
        server.work().join("down"),
        server.work().join("parts"),
    ] {
        assert_same(&sent, &path);
    }
}

#[test]
fn interrupted_transfers_go_on_where_they_stopped() {
    let server = Server::start();
    let sent = server.local_file("up", 3_000_001);
    let (stored, down) = (server.home().join("stored"), server.work().join("down"));
    beginning(&sent, &stored, 1_234_567);
    beginning(&sent, &down, 2_000_000);
    lftp(&server, "put -c up -o stored\nget -c stored -o down\n").succeed();
    assert_same(&sent, &stored);
    assert_same(&sent, &down);
}

#[test]
fn a_tree_is_mirrored_both_ways_with_times() {
    let server = Server::start();
    let tree = server.work().join("tree");
    make_tree(&tree);
    named_files(&tree.join("odd"), &utf8_names());
    let file = tree.join("dated");
    random_file(&file, 1000);
    set_mtime(&file, 1_234_567_890);
    lftp(
        &server,
        "mirror -R --parallel=4 tree stored\nmirror --parallel=4 stored back\n",
    )
    .succeed();
    assert_same_tree(&tree, &server.home().join("stored"));
    assert_same_tree(&tree, &server.work().join("back"));
    assert_eq!(mtime(&server.home().join("stored/dated")), 1_234_567_890);
    assert_eq!(mtime(&server.work().join("back/dated")), 1_234_567_890);
    // What is up to date is not sent again; what is gone is removed.
    fs::remove_file(&file).unwrap();
    let again = lftp(&server, "mirror -R --delete --verbose tree stored\n").succeed();
    again.says("Removing old file `dated'");
    assert!(!again.said().contains("Transferring"), "{again}");
    assert_same_tree(&tree, &server.home().join("stored"));
    lftp(&server, "rm -r stored\n").succeed();
    assert!(!server.home().join("stored").exists());
}

#[test]
fn each_of_ten_thousand_names_is_listed_once() {
    let server = Server::start();
    let names = many_files(&server.home().join("many"), 10_000);
    let said = lftp(&server, "cd many\ncls -1\n").succeed().text();
    assert_each_once(said.lines(), &names);
}

#[test]
fn names_are_renamed_replaced_and_removed() {
    let server = Server::start();
    let home = server.home();
    fs::write(home.join("old name"), "fresh").unwrap();
    fs::write(home.join("new"), "stale").unwrap();
    let commands = "mv \"old name\" new\nmkdir -p a/b/c\nchmod 600 new\nln -s new link\n\
                    cat link\nrmdir a/b/c a/b a\nls -l\n";
    let said = lftp(&server, commands).succeed();
    said.says("fresh").says("link");
    assert_eq!(fs::read(home.join("new")).unwrap(), b"fresh");
    assert_eq!(mode(&home.join("new")), 0o600);
    assert!(!home.join("old name").exists() && !home.join("a").exists());
    assert_eq!(
        fs::read_link(home.join("link")).unwrap().to_str(),
        Some("new")
    );
}

#[test]
fn refusals_are_told_and_end_with_an_error() {
    let server = Server::start();
    server.local_file("up", 10);
    fs::write(server.reader_home().join("file"), "content").unwrap();
    lftp(&server, "get nothing\n").fail().says("No Such File");
    lftp(&server, "cd no/such\n").fail().says("No Such File");
    let reader = |command: &str| lftp_as(&server, "server", "reader", command);
    reader("get file -o down\n").succeed();
    for command in ["put up\n", "rm file\n", "mkdir made\n", "mv file moved\n"] {
        reader(command).fail().says("ermission Denied");
    }
}

#[test]
fn a_password_logs_in_and_a_wrong_one_does_not() {
    let server = Server::start();
    let login = |password: &str| {
        let config = server.ssh_config();
        let script = format!(
            "set cmd:fail-exit yes\nset net:max-retries 1\nset net:timeout 30\n\
             set sftp:connect-program \"ssh -a -x -F {} -o BatchMode=no -o PubkeyAuthentication=no\"\n\
             open -u alice,{password} sftp://server\nmkdir made\n",
            config.display()
        );
        server
            .client("lftp")
            .args(["--norc", "-f", "/dev/stdin"])
            .input(script)
    };
    login("wrong").fail();
    assert!(!server.home().join("made").exists());
    login(PASSWORD).succeed();
    assert!(server.home().join("made").is_dir());
}
