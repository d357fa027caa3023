//! `rclone`, which uses the SSH and SFTP libraries of Go. It tries shell commands first and does without if refused.

use std::fs;

use super::support::files::{
    SIZES, assert_each_once, assert_same, assert_same_tree, make_tree, many_files, mtime,
    named_files, random_file, set_mtime, utf8_names,
};
use super::support::{PASSWORD, Run, Server};

pub(crate) fn rclone<'a>(server: &Server, arguments: impl IntoIterator<Item = &'a str>) -> Run {
    let keys = server.client_home().join(".ssh/known_hosts");
    server
        .client("rclone")
        .args(["--config", "", "--retries", "1", "--low-level-retries", "2"])
        .env("RCLONE_SFTP_HOST", "127.0.0.1")
        .env("RCLONE_SFTP_PORT", server.port().to_string())
        .env("RCLONE_SFTP_USER", "alice")
        .env("RCLONE_SFTP_KEY_FILE", server.key())
        .env("RCLONE_SFTP_KNOWN_HOSTS_FILE", keys)
        .args(arguments)
}

#[test]
fn a_tree_is_copied_checked_and_synchronised() {
    let server = Server::start();
    let tree = server.work().join("tree");
    make_tree(&tree);
    named_files(&tree.join("odd"), &utf8_names());
    for size in SIZES {
        random_file(&tree.join(format!("size-{size}")), size);
    }
    set_mtime(&tree.join("size-1"), 1_234_567_890);
    let both = ["--create-empty-src-dirs", "--transfers", "8"];
    rclone(&server, ["copy", "tree", ":sftp:stored"])
        .args(both)
        .succeed();
    assert_same_tree(&tree, &server.home().join("stored"));
    assert_eq!(mtime(&server.home().join("stored/size-1")), 1_234_567_890);
    rclone(&server, ["check", "--download", "tree", ":sftp:stored"]).succeed();
    rclone(&server, ["copy", ":sftp:stored", "back"])
        .args(both)
        .succeed();
    assert_same_tree(&tree, &server.work().join("back"));
    assert_eq!(mtime(&server.work().join("back/size-1")), 1_234_567_890);

    fs::remove_dir_all(tree.join("dir 1")).unwrap();
    fs::write(tree.join("size-0"), "no longer empty").unwrap();
    rclone(&server, ["sync", "tree", ":sftp:stored"])
        .args(both)
        .succeed();
    assert_same_tree(&tree, &server.home().join("stored"));
    rclone(&server, ["purge", ":sftp:stored"]).succeed();
    assert!(!server.home().join("stored").exists());
}

/// The digests of everything in a tree, by name.
fn digests(server: &Server, kind: &str, root: &str) -> String {
    // Not `hashsum`: it asks for many at once, and those that come while rclone still tries which commands there are fail.
    let arguments = [
        "lsf",
        "-R",
        "--files-only",
        "--format",
        "hp",
        "--hash",
        kind,
        root,
    ];
    let run = rclone(server, arguments);
    let mut lines: Vec<_> = run.succeed().text().lines().map(str::to_owned).collect();
    lines.sort();
    lines.join("\n")
}

#[test]
fn digests_are_found_and_are_those_of_the_files() {
    let server = Server::start();
    let tree = server.work().join("tree");
    make_tree(&tree);
    named_files(&tree.join("odd"), &utf8_names());
    for size in SIZES {
        random_file(&tree.join(format!("size-{size}")), size);
    }
    rclone(&server, ["copy", "tree", ":sftp:stored"]).succeed();
    let said = rclone(&server, ["backend", "features", ":sftp:"]).succeed();
    let features: serde_json::Value = serde_json::from_slice(&said.stdout).unwrap();
    let mut hashes: Vec<_> = features["Hashes"].as_array().unwrap().clone();
    hashes.sort_by_key(ToString::to_string);
    assert_eq!(hashes, ["md5", "sha1"], "{said}");
    for kind in ["md5", "sha1"] {
        let local = digests(&server, kind, "tree");
        assert_eq!(digests(&server, kind, ":sftp:stored"), local);
        assert!(local.lines().count() > SIZES.len());
    }
    // Without `--download`: every file by its digest.
    let checked = rclone(&server, ["check", "tree", ":sftp:stored"]).succeed();
    checked.says("0 differences found");
    assert!(
        !checked.said().contains("could not be checked"),
        "{checked}"
    );
    fs::write(server.home().join("stored/size-1"), "!").unwrap();
    let checked = rclone(&server, ["check", "tree", ":sftp:stored"]).fail();
    checked.says("1 differences found");
}

#[test]
fn a_tree_is_synchronised_both_ways_by_its_digests() {
    let server = Server::start();
    let (tree, stored) = (server.work().join("tree"), server.home().join("stored"));
    make_tree(&tree);
    named_files(&tree.join("odd"), &utf8_names());
    let sync = |from: &str, to: &str| {
        let run = rclone(&server, ["sync", "--checksum", "-v", from, to]);
        run.args(["--create-empty-src-dirs"]).succeed()
    };
    sync("tree", ":sftp:stored");
    assert_same_tree(&tree, &stored);
    // Another content of the same size and date: only a digest tells.
    let change = |root: &std::path::Path, byte: u8| {
        let file = root.join("odd/.hidden");
        let (size, time) = (fs::metadata(&file).unwrap().len(), mtime(&file));
        fs::write(&file, vec![byte; usize::try_from(size).unwrap()]).unwrap();
        set_mtime(&file, u64::try_from(time).unwrap());
    };
    change(&tree, b'a');
    // And the other way round: what is the same is not sent again.
    set_mtime(&tree.join("odd/with space"), 1_234_567_890);
    let said = sync("tree", ":sftp:stored").said();
    assert_same_tree(&tree, &stored);
    assert!(!said.contains("with space: Copied"), "{said}");
    assert!(said.contains(".hidden: Copied"), "{said}");
    change(&stored, b'b');
    sync(":sftp:stored", "tree");
    assert_same_tree(&tree, &stored);
    assert_eq!(fs::read(tree.join("odd/.hidden")).unwrap()[0], b'b');
}

#[test]
fn a_large_file_moves_in_many_concurrent_requests() {
    let server = Server::start();
    let sent = server.local_file("up", 64 << 20);
    // Chunks near the largest packet that OpenSSH and this server take.
    let chunks = ["--sftp-chunk-size", "255k", "--sftp-concurrency", "64"];
    rclone(&server, ["copyto", "up", ":sftp:stored"])
        .args(chunks)
        .succeed();
    rclone(&server, ["copyto", ":sftp:stored", "down"])
        .args(chunks)
        .succeed();
    assert_same(&sent, &server.home().join("stored"));
    assert_same(&sent, &server.work().join("down"));
}

#[test]
fn each_of_ten_thousand_names_is_listed_once() {
    let server = Server::start();
    let names = many_files(&server.home().join("many"), 10_000);
    let said = rclone(&server, ["lsf", ":sftp:many"]).succeed().text();
    assert_each_once(said.lines(), &names);
}

#[test]
fn names_are_moved_replaced_touched_and_removed() {
    let server = Server::start();
    let home = server.home();
    fs::write(home.join("old"), "fresh").unwrap();
    fs::write(home.join("new"), "stale and longer").unwrap();
    rclone(&server, ["moveto", ":sftp:old", ":sftp:new"]).succeed();
    assert_eq!(fs::read(home.join("new")).unwrap(), b"fresh");
    rclone(
        &server,
        ["touch", "--timestamp", "2009-02-13T23:31:30", ":sftp:new"],
    )
    .succeed();
    assert_eq!(mtime(&home.join("new")), 1_234_567_890);
    rclone(&server, ["mkdir", ":sftp:a/b c"]).succeed();
    assert!(home.join("a/b c").is_dir());
    rclone(&server, ["rmdir", ":sftp:a"]).fail();
    rclone(&server, ["rmdirs", ":sftp:a"]).succeed();
    rclone(&server, ["deletefile", ":sftp:new"]).succeed();
    assert_eq!(fs::read_dir(&home).unwrap().count(), 0);
}

#[test]
fn the_free_space_is_shown() {
    let server = Server::start();
    let said = rclone(&server, ["about", "--json", ":sftp:"]).succeed();
    let about: serde_json::Value = serde_json::from_slice(&said.stdout).unwrap();
    assert!(about["total"].as_u64() > Some(0), "{said}");
}

#[test]
fn refusals_are_told_and_end_with_an_error() {
    let server = Server::start();
    server.local_file("up", 10);
    fs::write(server.reader_home().join("file"), "content").unwrap();
    // "directory not found" has an exit status of its own.
    assert_eq!(
        rclone(&server, ["lsf", ":sftp:nothing"]).fail().code(),
        Some(3)
    );
    let reader = |arguments: &[&'static str]| {
        let run = rclone(&server, arguments.iter().copied());
        run.env("RCLONE_SFTP_USER", "reader")
    };
    reader(&["copyto", ":sftp:file", "down"]).succeed();
    reader(&["copy", "up", ":sftp:"]).fail().says("ermission");
    reader(&["deletefile", ":sftp:file"])
        .fail()
        .says("ermission");
    reader(&["mkdir", ":sftp:made"]).fail().says("ermission");
}

#[test]
fn a_password_logs_in_and_a_wrong_one_does_not() {
    let server = Server::start();
    let login = |password: &str| {
        let obscured = rclone(&server, ["obscure", password]).succeed().text();
        rclone(&server, ["mkdir", ":sftp:made"])
            .env("RCLONE_SFTP_KEY_FILE", "")
            .env("RCLONE_SFTP_PASS", obscured.trim())
    };
    login("wrong").fail().says("unable to authenticate");
    assert!(!server.home().join("made").exists());
    login(PASSWORD).succeed();
    assert!(server.home().join("made").is_dir());
    let wrong_key =
        rclone(&server, ["lsf", ":sftp:"]).env("RCLONE_SFTP_KEY_FILE", server.wrong_key());
    wrong_key.fail().says("unable to authenticate");
}
