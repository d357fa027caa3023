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
    git(&server, &["-C", "copy", "push", "-q", "origin", "main"]).succeed();
    git(&server, &["clone", "-q", "server:/repo.git", "clone"]).succeed();
    super::support::files::assert_same(
        &server.work().join("copy/file"),
        &server.work().join("clone/file"),
    );
    let ours = head(&server, "copy", "HEAD");
    assert_eq!(ours, head(&server, "clone", "HEAD"));
    assert_eq!(ours, head(&server, server.home().join("repo.git"), "main"));
}
