//! Hooks of logins: programs and URLs that decide about them. The scripts do what the reference's sample programs do
//! (reference 9.3 to 9.5, D.3).
#![cfg(unix)]

mod bounds;
mod external_auth;
mod http;
mod keyboard_interactive;
mod pre_login;
pub(crate) mod service;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::{Pid, test_kill_process};
use serde_json::{Value, json};
use sftpgo_core::data::UserQuery;
use sftpgo_testkit::{Account, TestServer, until};
use tempfile::TempDir;

/// A directory with scripts, what they write, and the homes of the users that they make.
pub(crate) struct Scripts {
    directory: TempDir,
}

impl Scripts {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("homes")).unwrap();
        Self { directory }
    }

    /// Writes a script of the shell, in which `$here` is this directory; gives its path.
    pub(crate) fn script(&self, name: &str, text: &str) -> String {
        let path = self.file(name);
        let here = self.directory.path().display();
        let script = format!("#!/bin/sh\nhere='{here}'\n{text}\n");
        // Another program writes it: nobody can execute a file that is open for writing, and whatever this process has open
        // is for a moment also open in programs that other tests start.
        let mut writer = Command::new("/bin/sh")
            .args(["-c", "cat > \"$1\" && chmod 700 \"$1\"", "sh"])
            .arg(&path)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = writer.stdin.take().unwrap();
        input.write_all(script.as_bytes()).unwrap();
        drop(input);
        assert!(writer.wait().unwrap().success());
        path.to_str().unwrap().to_owned()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// What a script has written to a file; empty if it has not.
    pub(crate) fn text(&self, name: &str) -> String {
        fs::read_to_string(self.file(name)).unwrap_or_default()
    }

    /// The lines that scripts have written to a file.
    pub(crate) fn lines(&self, name: &str) -> usize {
        self.text(name).lines().count()
    }

    pub(crate) fn home(&self, username: &str) -> PathBuf {
        self.file("homes").join(username)
    }

    /// A user that may do everything in a home below this directory, as a hook gives it.
    pub(crate) fn user(&self, username: &str, more: &Value) -> String {
        let mut user = json!({
            "username": username,
            "status": 1,
            "home_dir": self.home(username),
            "permissions": { "/": ["*"] },
        });
        for (key, value) in more.as_object().into_iter().flatten() {
            user[key] = value.clone();
        }
        user.to_string()
    }

    /// Waits until a script has written the number of a process to a file, and that process is gone.
    pub(crate) async fn until_gone(&self, file: &str) {
        until("a program to have started", async || {
            self.text(file).ends_with('\n')
        })
        .await;
        let number = self.text(file).trim().parse().unwrap();
        let pid = Pid::from_raw(number).unwrap();
        until("the end of a program", async || {
            test_kill_process(pid).is_err() || is_zombie(number)
        })
        .await;
    }
}

/// Whether a process is over and only waits for whoever started it.
fn is_zombie(number: i32) -> bool {
    let stat = fs::read_to_string(Path::new("/proc").join(number.to_string()).join("stat"));
    stat.is_ok_and(|stat| {
        stat.rsplit(") ")
            .next()
            .unwrap_or_default()
            .starts_with('Z')
    })
}

/// Whether alice logs in with this password on a new connection.
pub(crate) async fn password_works(server: &TestServer, password: &str) -> bool {
    server.connect().await.password("alice", password).await
}

/// Whether alice logs in with her key on a new connection.
pub(crate) async fn key_works(server: &TestServer) -> bool {
    let key = Account::key("alice");
    server.connect().await.key("alice", &key).await
}

/// How many users there are.
pub(crate) async fn users(server: &TestServer) -> usize {
    let query = UserQuery {
        limit: 100,
        ..UserQuery::default()
    };
    server.users().list(&query).await.unwrap().len()
}
