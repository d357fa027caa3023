//! `sftpgo portable` as somebody starts it who wants to share a directory for an hour (reference 15).
#![cfg(unix)]

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::sync::Arc;

use rustix::process::Signal;
use sftpgo_testkit::{Account, FileClient as _, Refusal, Sftp, SshClient, TestServer};

use super::printing::Printing;
use super::program::{run, sftpgo, text};

/// A share on loopback, and what it printed.
struct Portable(Printing);

impl Portable {
    /// Starts it in `directory` and waits until it is ready.
    fn start(directory: &Path, arguments: &[&str]) -> Self {
        let mut command = sftpgo(directory);
        command.args(["portable", "--bind-address", "127.0.0.1"]);
        command.args(arguments);
        Self::spawn(command)
    }

    fn spawn(mut command: Command) -> Self {
        let mut portable = Self(Printing::start(&mut command));
        portable.line_with("Ctrl-C ends it");
        portable
    }

    /// The next line that contains `word`.
    fn line_with(&mut self, word: &str) -> String {
        let line = self.0.line_with(word);
        line.unwrap_or_else(|| panic!("no {word:?} in {:#?}", self.0.seen))
    }

    /// What stands behind `name` in what was printed.
    fn value(&self, name: &str) -> &str {
        let lines = self.0.seen.iter().map(|line| line.trim());
        let mut values = lines.filter_map(|line| line.strip_prefix(name));
        values
            .next()
            .unwrap_or_else(|| panic!("no {name} in {:#?}", self.0.seen))
            .trim()
    }

    fn address(&self) -> SocketAddr {
        let port = self.value("Connect").split_whitespace().nth(2).unwrap();
        ([127, 0, 0, 1], port.parse().unwrap()).into()
    }

    async fn login(&self, name: &str) -> Sftp {
        let mut client = SshClient::connect(self.address(), None).await;
        assert!(client.password(name, self.value("Password")).await);
        Sftp::open(Arc::new(client)).await.unwrap()
    }

    /// Ends it as Ctrl-C does; gives its status and what else it printed.
    fn interrupt(self) -> (ExitStatus, Vec<String>) {
        self.0.signal(Signal::INT);
        let before = self.0.seen.len();
        let (status, mut seen) = self.0.wait();
        (status, seen.split_off(before))
    }
}

/// A working directory with a directory to share, in which is a file.
fn prepared() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("docs")).unwrap();
    fs::write(directory.path().join("docs/report.txt"), "figures").unwrap();
    directory
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

async fn refused(sftp: &mut Sftp, path: &[u8]) -> bool {
    let answer = sftp.put(path, b"x").await;
    matches!(answer, Err(refused) if refused.kind == Refusal::Denied)
}

#[tokio::test]
async fn one_command_shares_the_working_directory_to_read() {
    let directory = prepared();
    let docs = directory.path().join("docs");
    let temporary = directory.path().join("tmp");
    fs::create_dir(&temporary).unwrap();
    let mut command = sftpgo(&docs);
    command
        .args(["portable", "--bind-address", "127.0.0.1"])
        .env("TMPDIR", &temporary);
    let mut portable = Portable::spawn(command);
    assert_eq!(portable.value("Password").len(), 16);
    assert_eq!(portable.value("Commands"), "md5sum, sha1sum, cd, pwd");
    let port = portable.address().port();
    assert!((49152..=64151).contains(&port), "{port}");

    let mut sftp = portable.login("user").await;
    assert_eq!(sftp.get(b"/report.txt").await.unwrap(), b"figures");
    assert!(refused(&mut sftp, b"/new").await);
    let line = portable.line_with("report.txt");
    assert!(line.contains("↓") && line.contains("7 B"), "{line}");
    let (status, rest) = portable.interrupt();
    assert!(status.success(), "{rest:?}");
    assert_eq!(
        names(&docs),
        ["report.txt"],
        "nothing else is written there"
    );
    assert_eq!(names(&temporary), [""; 0], "nothing is left behind");
}

#[tokio::test]
async fn the_printed_host_key_is_the_one_that_clients_see() {
    let directory = prepared();
    let portable = Portable::start(directory.path(), &["-S=false"]);
    let known = portable.value("known_hosts");
    let (hosts, key) = known.split_once(' ').unwrap();
    assert_eq!(hosts, format!("[127.0.0.1]:{}", portable.address().port()));
    // The client of the tests knows no key that it could compare but one of its own, so both are printed.
    assert!(key.starts_with("ssh-ed25519 "), "{known}");
    assert!(
        portable
            .value("Host key")
            .starts_with("ssh-ed25519 SHA256:")
    );
}

#[tokio::test]
async fn a_host_key_of_the_operator_stays_the_same() {
    let directory = prepared();
    let key = TestServer::host_key();
    fs::write(directory.path().join("host_key"), key.file()).unwrap();
    let portable = Portable::start(directory.path(), &["-d", "docs", "--host-key", "host_key"]);
    assert!(portable.value("Host key").contains(&key.fingerprint()));
    let mut client = SshClient::connect(portable.address(), Some(&key)).await;
    assert!(client.password("user", portable.value("Password")).await);
}

#[tokio::test]
async fn several_directories_are_folders_of_one_share() {
    let directory = prepared();
    fs::create_dir(directory.path().join("music")).unwrap();
    let arguments = [
        "-d",
        "docs",
        "-d",
        "/songs::music",
        "-g",
        "list,download,upload",
    ];
    let portable = Portable::start(directory.path(), &arguments);
    let mut sftp = portable.login("user").await;
    let listed = sftp.list(b"/").await.unwrap();
    let mut listed: Vec<_> = listed.into_iter().map(|entry| entry.name).collect();
    listed.sort();
    assert_eq!(listed, [&b"docs"[..], b"songs"]);
    assert_eq!(sftp.get(b"/docs/report.txt").await.unwrap(), b"figures");
    sftp.put(b"/songs/one", b"la").await.unwrap();
    assert_eq!(fs::read(directory.path().join("music/one")).unwrap(), b"la");
    assert!(
        refused(&mut sftp, b"/elsewhere").await,
        "the root is nobody's"
    );
}

#[tokio::test]
async fn a_key_that_is_given_is_enough() {
    let directory = prepared();
    let key = Account::key("carol");
    fs::write(
        directory.path().join("keys"),
        format!("# hers\n{}\n", key.line("carol")),
    )
    .unwrap();
    let arguments = ["-u", "carol", "-k", "@keys", "-d", "docs", "-g", "*"];
    let portable = Portable::start(directory.path(), &arguments);
    assert!(portable.value("Password").starts_with("none"));
    assert_eq!(portable.value("Key"), key.line("carol"));
    let mut client = SshClient::connect(portable.address(), None).await;
    assert!(client.key("carol", &key).await);
    let mut sftp = Sftp::open(Arc::new(client)).await.unwrap();
    sftp.put(b"/new", b"x").await.unwrap();
    assert_eq!(fs::read(directory.path().join("docs/new")).unwrap(), b"x");
}

#[tokio::test]
async fn a_chosen_password_is_taken_from_a_file_and_not_shown() {
    let directory = prepared();
    fs::write(directory.path().join("password"), "open sesame\n").unwrap();
    let arguments = ["-d", "docs", "-u", "ali", "--password-file", "password"];
    let mut portable = Portable::start(directory.path(), &arguments);
    assert!(
        portable
            .0
            .seen
            .iter()
            .all(|line| !line.contains("open sesame"))
    );
    let mut client = SshClient::connect(portable.address(), None).await;
    assert!(!client.password("ali", "wrong").await);
    assert!(client.password("ali", "open sesame").await);
    let line = portable.line_with("login failed");
    assert!(line.contains("127.0.0.1 as ali (password)"), "{line}");
}

#[tokio::test]
async fn extensions_are_allowed_and_denied_by_directory() {
    let directory = prepared();
    let arguments = [
        "-d",
        "docs",
        "-g",
        "*",
        "--denied-extensions",
        "/::.exe,.bat",
        "--allowed-extensions",
        "/pictures::.jpg",
    ];
    let portable = Portable::start(directory.path(), &arguments);
    let mut sftp = portable.login("user").await;
    sftp.create_dir(b"/pictures").await.unwrap();
    assert!(refused(&mut sftp, b"/a.exe").await);
    assert!(refused(&mut sftp, b"/pictures/a.png").await);
    sftp.put(b"/a.png", b"x").await.unwrap();
    sftp.put(b"/pictures/a.jpg", b"x").await.unwrap();
}

#[tokio::test]
async fn a_log_is_written_where_one_is_asked_for() {
    let directory = prepared();
    let portable = Portable::start(directory.path(), &["-d", "docs", "-l", "share.log"]);
    let mut sftp = portable.login("user").await;
    sftp.get(b"/report.txt").await.unwrap();
    let (status, _) = portable.interrupt();
    assert!(status.success());
    let log = fs::read_to_string(directory.path().join("share.log")).unwrap();
    assert!(log.contains(r#""sender":"Download""#), "{log}");
    assert_eq!(names(directory.path()), ["docs", "share.log"]);
}

#[test]
fn mistakes_are_told_with_the_flag_and_what_to_do() {
    let directory = prepared();
    for (arguments, words) in [
        (&["-d", "missing"][..], &["missing", "No such file"][..]),
        (&["-d", "docs/report.txt"], &["not a directory"]),
        (&["-g", "list,fly"], &["fly"]),
        (&["-k", "nonsense"], &["--public-key", "nonsense"]),
        (&["-f", "1"], &["bucket"]),
        (&["--gcs-bucket", "b"], &["--fs-provider gcs"]),
        (
            &["--password-file", "missing"],
            &["--password-file missing"],
        ),
        (
            &["--host-key", "docs/report.txt"],
            &["host key", "report.txt"],
        ),
        (
            &["--ssh-commands", "*", "-l", "docs/report.txt/log"],
            &["docs/report.txt/log"],
        ),
    ] {
        let arguments = [
            &["portable", "-S=false", "--bind-address=127.0.0.1"],
            arguments,
        ]
        .concat();
        let output = run(directory.path(), &arguments, "");
        let errors = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {errors}");
        for word in words {
            assert!(errors.contains(word), "{arguments:?}: {errors}");
        }
    }
}
