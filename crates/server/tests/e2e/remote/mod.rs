//! Commands that ask a running server: `--url`, and those that find the server of a settings file.
#![cfg(unix)]

mod access;
mod server;
mod users;

use std::io::Write as _;
use std::path::Path;
use std::process::{Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::program::{sftpgo, text};
use super::running::{Serve, configured};

/// The program as a server, and a directory that has nothing to do with it, from which it is asked.
pub(crate) struct Remote {
    pub(crate) serve: Serve,
    pub(crate) there: TempDir,
    here: TempDir,
    url: String,
}

impl Remote {
    pub(crate) fn start(settings: &Value) -> Self {
        let there = configured(settings);
        let serve = Serve::start(there.path(), &[]);
        let url = format!("http://{}", serve.http);
        Self {
            serve,
            there,
            here: tempfile::tempdir().unwrap(),
            url,
        }
    }

    pub(crate) fn ask(&self, arguments: &[&str], input: &str) -> Output {
        asked(
            self.here.path(),
            &[("SFTPGO_URL", &self.url)],
            arguments,
            input,
        )
    }

    pub(crate) fn works(&self, arguments: &[&str], input: &str) -> String {
        worked(arguments, &self.ask(arguments, input))
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let arguments = [arguments, &["-o", "json"]].concat();
        serde_json::from_str(&self.works(&arguments, "")).unwrap()
    }

    #[track_caller]
    pub(crate) fn fails(&self, arguments: &[&str]) -> String {
        failed(arguments, &self.ask(arguments, ""))
    }

    /// The same on the data provider of the server.
    pub(crate) fn ask_locally(&self, arguments: &[&str], input: &str) -> Output {
        asked(self.there.path(), &[], arguments, input)
    }

    /// A user with a home in the directory of the server, and a password.
    pub(crate) fn add(&self, name: &str, more: &[&str]) -> String {
        let home = self.there.path().join("homes").join(name);
        let home = home.to_str().unwrap();
        let arguments = ["user", "add", name, "--password-stdin", "--home-dir", home];
        self.works(&[&arguments, more].concat(), "secret\n")
    }
}

/// Runs the program to its end.
pub(crate) fn asked(
    directory: &Path,
    variables: &[(&str, &str)],
    arguments: &[&str],
    input: &str,
) -> Output {
    let mut child = sftpgo(directory)
        .args(arguments)
        .envs(variables.iter().copied())
        .env("TZ", "UTC")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that reads nothing may be gone already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

#[track_caller]
pub(crate) fn worked(arguments: &[&str], output: &Output) -> String {
    let said = text(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}");
    text(&output.stdout)
}

#[track_caller]
pub(crate) fn failed(arguments: &[&str], output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    let said = text(&output.stderr);
    assert!(
        said.starts_with("Error: ") || said.starts_with("Warning: "),
        "{said}"
    );
    said
}
