//! `git` over `ssh`: clones, pushes, archives, and what is refused.

use std::path::Path;

use serde_json::json;

use super::support::{Run, Server};

fn server() -> Server {
    Server::with(json!({ "enabled_ssh_commands": ["*"] }))
}

/// `git` with the configuration for this server, in the client's directory.
fn git(server: &Server, arguments: &[&str]) -> Run {
    let ssh = format!("ssh -F {}", server.ssh_config().display());
    server
        .client("git")
        .env("GIT_SSH_COMMAND", ssh)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_AUTHOR_NAME", "Test")
        .env("GIT_AUTHOR_EMAIL", "test@example.org")
        .env("GIT_COMMITTER_NAME", "Test")
        .env("GIT_COMMITTER_EMAIL", "test@example.org")
        .args(["-c", "init.defaultBranch=main", "-c", "core.autocrlf=false"])
        .args(arguments)
}

/// An empty bare repository in the home on the server.
fn bare(server: &Server, name: &str) {
    let path = server.home().join(name);
    git(server, &["init", "-q", "--bare"]).arg(path).succeed();
}

/// A working copy with a file of random bytes in it, and `origin` on the server.
fn working_copy(server: &Server, name: &str) {
    git(server, &["init", "-q", "copy"]).succeed();
    let origin = format!("server:/{name}");
    git(server, &["-C", "copy", "remote", "add", "origin", &origin]).succeed();
    commit(server, "copy", "file", 100_000);
}

fn commit(server: &Server, copy: &str, name: &str, size: u64) {
    server.local_file(&format!("{copy}/{name}"), size);
    git(server, &["-C", copy, "add", "-A"]).succeed();
    git(server, &["-C", copy, "commit", "-q", "-m", name]).succeed();
}

fn head(server: &Server, directory: impl AsRef<Path>, revision: &str) -> String {
    let directory = directory.as_ref().display().to_string();
    git(server, &["-C", &directory, "rev-parse", revision])
        .succeed()
        .text()
}

#[test]
fn a_repository_is_pushed_and_cloned() {
    let server = server();
    bare(&server, "repo.git");
    working_copy(&server, "repo.git");
    let pushed = git(&server, &["-C", "copy", "push", "-q", "origin", "main"]).succeed();
    // Nothing of what we forbid git on the server, either.
    assert!(pushed.stderr.is_empty(), "{pushed}");
    git(&server, &["clone", "-q", "server:/repo.git", "clone"]).succeed();
    super::support::files::assert_same(
        &server.work().join("copy/file"),
        &server.work().join("clone/file"),
    );
    let ours = head(&server, "copy", "HEAD");
    assert_eq!(ours, head(&server, "clone", "HEAD"));
    assert_eq!(ours, head(&server, server.home().join("repo.git"), "main"));
}

#[test]
fn branches_tags_and_forced_pushes_arrive() {
    let server = server();
    bare(&server, "repo.git");
    working_copy(&server, "repo.git");
    let push =
        |arguments: &[&str]| git(&server, &["-C", "copy", "push", "-q", "origin"]).args(arguments);
    push(&["main"]).succeed();
    git(&server, &["-C", "copy", "checkout", "-q", "-b", "other"]).succeed();
    // Over a hundred objects are kept as a pack, fewer are not.
    for number in 0..50 {
        server.local_file(&format!("copy/many-{number}"), number);
    }
    commit(&server, "copy", "file2", 3_000_000);
    git(&server, &["-C", "copy", "tag", "-a", "-m", "text", "v1"]).succeed();
    push(&["other", "v1"]).succeed();
    git(
        &server,
        &["-C", "copy", "commit", "-q", "--amend", "-m", "again"],
    )
    .succeed();
    push(&["other"]).fail().says("non-fast-forward");
    push(&["--force", "other"]).succeed();
    push(&[":main"]).fail();
    let ours = head(&server, "copy", "other");
    let repository = server.home().join("repo.git");
    assert_eq!(ours, head(&server, &repository, "other"));
    git(
        &server,
        &["clone", "-q", "-b", "other", "server:repo", "clone"],
    )
    .succeed();
    assert_eq!(ours, head(&server, "clone", "HEAD"));
    git(&server, &["-C", "clone", "fsck", "--full"]).succeed();
    git(
        &server,
        &[
            "--git-dir",
            &repository.display().to_string(),
            "fsck",
            "--full",
        ],
    )
    .succeed();
    git(
        &server,
        &["clone", "-q", "--depth", "1", "server:repo.git", "shallow"],
    )
    .succeed();
}

#[test]
fn a_repository_with_a_working_tree_is_cloned_and_its_branch_is_not_pushed_over() {
    let server = server();
    let tree = server.home().join("tree");
    git(&server, &["init", "-q"]).arg(&tree).succeed();
    working_copy(&server, "tree");
    git(
        &server,
        &["-C", "copy", "push", "-q", "origin", "main:other"],
    )
    .succeed();
    let config = [
        "-C",
        &tree.display().to_string(),
        "config",
        "receive.denyCurrentBranch",
        "updateInstead",
    ]
    .map(str::to_owned);
    git(&server, &config.each_ref().map(String::as_str)).succeed();
    git(&server, &["-C", "copy", "push", "-q", "origin", "main"]).fail();
    git(
        &server,
        &["clone", "-q", "-b", "other", "server:tree", "clone"],
    )
    .succeed();
}

#[test]
fn an_archive_is_made_of_a_commit() {
    let server = server();
    bare(&server, "repo.git");
    working_copy(&server, "repo.git");
    git(&server, &["-C", "copy", "push", "-q", "origin", "main"]).succeed();
    for (format, extract) in [("tar", "-xf"), ("tar.gz", "-xzf")] {
        let archive = format!("a.{format}");
        git(&server, &["archive", "--remote=server:/repo.git"])
            .args([&format!("--format={format}"), "-o", &archive, "main"])
            .succeed();
        let into = server.work().join(format);
        std::fs::create_dir(&into).unwrap();
        server
            .client("tar")
            .args(["-C", format, extract, &archive])
            .succeed();
        super::support::files::assert_same(&server.work().join("copy/file"), &into.join("file"));
    }
}

#[test]
fn what_is_no_repository_or_not_allowed_is_refused() {
    let server = server();
    std::fs::create_dir(server.home().join("plain")).unwrap();
    std::fs::write(server.home().join("file"), "").unwrap();
    for path in ["missing", "plain", "file"] {
        let refused = git(&server, &["clone", &format!("server:/{path}"), "x"]).fail();
        assert!(!refused.said().contains("/homes/"), "{refused}");
    }
    // The other account may list and download, but not write.
    let theirs = server.reader_home().join("repo.git");
    git(&server, &["init", "-q", "--bare"])
        .arg(&theirs)
        .succeed();
    working_copy(&server, "repo.git");
    git(&server, &["clone", "-q", "reader@server:repo.git", "x"]).succeed();
    git(
        &server,
        &["-C", "copy", "push", "-q", "reader@server:repo.git", "main"],
    )
    .fail()
    .says("Permission Denied");
    // Not enabled unless somebody asks for it.
    let plain = Server::start();
    git(&plain, &["clone", "server:/x", "x"])
        .fail()
        .says("exec request failed");
}

/// `sftpgo user` for the account of the tests.
fn user(server: &Server, arguments: &[&str]) -> String {
    let root = server.home().join("../..");
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_sftpgo"))
        .args(["user", arguments[0], "alice"])
        .args(&arguments[1..])
        .args(["--config-dir", "conf"])
        .env_clear()
        .current_dir(root)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Files and bytes: what is counted, and what is there.
fn counted(server: &Server) -> (u64, u64) {
    let user: serde_json::Value = serde_json::from_str(&user(server, &["show", "--json"])).unwrap();
    let number = |name: &str| user[name].as_u64().unwrap();
    (number("used_quota_files"), number("used_quota_size"))
}

fn stored(directory: &Path) -> (u64, u64) {
    let mut sum = (0, 0);
    for entry in std::fs::read_dir(directory).unwrap().map(Result::unwrap) {
        let found = if entry.file_type().unwrap().is_dir() {
            stored(&entry.path())
        } else {
            (1, entry.metadata().unwrap().len())
        };
        sum = (sum.0 + found.0, sum.1 + found.1);
    }
    sum
}

/// Waits until the counters are what is there: they are put right when the client is gone already.
fn assert_counted(server: &Server) {
    let start = std::time::Instant::now();
    loop {
        let (counted, stored) = (counted(server), stored(&server.home()));
        if counted == stored {
            return;
        }
        assert!(
            start.elapsed() < std::time::Duration::from_secs(30),
            "counted {counted:?}, stored {stored:?}"
        );
        std::thread::yield_now();
    }
}

#[test]
fn a_push_over_the_quota_is_refused_and_the_counters_are_right() {
    let server = server();
    bare(&server, "repo.git");
    working_copy(&server, "repo.git");
    git(&server, &["-C", "copy", "push", "-q", "origin", "main"]).succeed();
    assert_counted(&server);
    user(&server, &["set", "--quota-size", "1000000"]);
    commit(&server, "copy", "large", 5_000_000);
    let before = head(&server, server.home().join("repo.git"), "main");
    let refused = git(&server, &["-C", "copy", "push", "-q", "origin", "main"]).fail();
    refused.says("pack exceeds maximum allowed size");
    assert_eq!(
        before,
        head(&server, server.home().join("repo.git"), "main")
    );
    assert_counted(&server);
    // What fits goes on.
    git(&server, &["-C", "copy", "reset", "-q", "--hard", "HEAD~1"]).succeed();
    commit(&server, "copy", "small", 1000);
    git(&server, &["-C", "copy", "push", "-q", "origin", "main"]).succeed();
    assert_counted(&server);
    // A full account takes nothing, be it of bytes or of files.
    for limit in [["--quota-size", "100000"], ["--quota-files", "3"]] {
        user(&server, &["set", "--quota-size", "0", "--quota-files", "0"]);
        user(&server, &["set", limit[0], limit[1]]);
        commit(&server, "copy", limit[0], 10);
        git(&server, &["-C", "copy", "push", "-q", "origin", "main"])
            .fail()
            .says("quota exceeded");
        assert_counted(&server);
    }
    git(&server, &["clone", "-q", "server:repo", "clone"]).succeed();
}
