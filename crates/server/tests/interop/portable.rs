//! `sftpgo portable` and the programs of whoever it is shared with: OpenSSH with the lines as they are printed, a terminal, and
//! Avahi, which finds it.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::support::{Run, keys};

const PROGRAM: &str = env!("CARGO_BIN_EXE_sftpgo");
const PATIENCE: Duration = Duration::from_secs(60);

/// Ends when it is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A directory with one to share, in which is a file.
fn prepared() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("docs")).unwrap();
    fs::write(directory.path().join("docs/report"), "figures").unwrap();
    directory
}

/// What the lines say, until the share is ready.
fn ready(lines: &mut impl Iterator<Item = String>) -> Vec<String> {
    let mut said = Vec::new();
    for line in lines {
        let ends = line.contains("Ctrl-C");
        said.push(line);
        if ends {
            return said;
        }
    }
    panic!("it ended: {said:#?}");
}

fn value<'a>(said: &'a [String], name: &str) -> &'a str {
    let mut values = said
        .iter()
        .filter_map(|line| line.trim().strip_prefix(name));
    values
        .next()
        .unwrap_or_else(|| panic!("no {name} in {said:#?}"))
        .trim()
}

/// Answers OpenSSH with the password.
fn answers(directory: &Path, password: &str) {
    let program = directory.join("answer");
    fs::write(&program, format!("#!/bin/sh\necho '{password}'\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
}

/// The command that was printed, with files of known hosts and keys of this test.
fn connect(directory: &Path, command: &str, options: &str) -> Run {
    let known = directory.join("known_hosts");
    let options = format!(
        "sftp -F none -o StrictHostKeyChecking=yes -o UserKnownHostsFile='{}' {options}",
        known.display()
    );
    let line = command.replacen("sftp", &options, 1);
    Run::new("sh", directory, directory)
        .args(["-c", &line])
        .env("SSH_ASKPASS", directory.join("answer"))
        .env("SSH_ASKPASS_REQUIRE", "force")
        .input("get report fetched\n")
}

#[test]
fn openssh_connects_with_the_lines_that_are_printed() {
    let directory = prepared();
    let at = directory.path();
    keys::make_of(&["ed25519"], &at.join("key"));
    let public = fs::read_to_string(at.join("key.pub")).unwrap();
    for key in [None, Some(public.trim())] {
        let mut command = Command::new(PROGRAM);
        command
            .args(["portable", "-d", "docs", "--bind-address=127.0.0.1"])
            .args(key.map(|key| format!("--public-key={key}")))
            .current_dir(at)
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let _running = Running(child);
        let said = ready(&mut output.lines().map_while(Result::ok));
        fs::write(at.join("known_hosts"), value(&said, "known_hosts")).unwrap();
        answers(at, value(&said, "Password"));
        let options = match key {
            Some(shown) => {
                assert_eq!(value(&said, "Key "), shown);
                "-o BatchMode=yes -o PreferredAuthentications=publickey -i key"
            }
            None => "-o PreferredAuthentications=password",
        };
        connect(at, value(&said, "Connect"), options).succeed();
        assert_eq!(fs::read(at.join("fetched")).unwrap(), b"figures");
        fs::remove_file(at.join("fetched")).unwrap();
    }
}

/// Reads what a terminal shows until a word is there.
struct Screen {
    output: std::process::ChildStdout,
    seen: String,
}

impl Screen {
    fn until(&mut self, word: &str) {
        let begun = Instant::now();
        let mut buffer = [0; 4096];
        while !self.seen.contains(word) {
            assert!(begun.elapsed() < PATIENCE, "no {word:?} in {:?}", self.seen);
            let count = self.output.read(&mut buffer).unwrap();
            assert!(count > 0, "no {word:?} in {:?}", self.seen);
            self.seen
                .push_str(&String::from_utf8_lossy(&buffer[..count]));
        }
    }
}

#[test]
fn a_terminal_shows_running_transfers() {
    let directory = prepared();
    let at = directory.path();
    fs::write(at.join("large"), vec![0; 1 << 20]).unwrap();
    let share =
        format!("exec '{PROGRAM}' portable -d docs -g '*' -S=false --bind-address=127.0.0.1");
    // A terminal of its own, wide enough for a name.
    let mut child = Command::new("script")
        .args(["--quiet", "--flush", "--command"])
        .arg(format!("stty cols 120 rows 40; {share}"))
        .arg("/dev/null")
        .env("TERM", "xterm")
        .current_dir(at)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("script: {error} (Debian has it)"));
    let output = child.stdout.take().unwrap();
    let _running = Running(child);
    let mut screen = Screen {
        output,
        seen: String::new(),
    };
    screen.until("Ctrl-C");
    let said: Vec<_> = screen.seen.lines().map(str::to_owned).collect();
    fs::write(at.join("known_hosts"), value(&said, "known_hosts")).unwrap();
    answers(at, value(&said, "Password"));
    // 1 MiB at 4,000 kbit/s takes two seconds.
    let upload = connect(at, value(&said, "Connect"), "-l 4000").input("put large\n");
    let upload = std::thread::spawn(move || upload.succeed());
    screen.until("/s  /large");
    screen.until("docs/large  1.0 MB");
    upload.join().unwrap();
}

#[test]
fn avahi_finds_a_share_and_its_credentials_only_on_request() {
    for (flag, told) in [("-C=false", false), ("-C", true)] {
        let directory = prepared();
        let at = directory.path();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/scripts/avahi.sh");
        let run = Run::new("bash", at, at)
            .arg(script)
            .args([PROGRAM, "."])
            // The network is one of its own, and so are its ports.
            .args([
                "-d",
                "docs",
                "-s",
                "2022",
                "-u",
                "ali",
                "-p",
                "open-sesame",
                flag,
            ]);
        let found = run.succeed();
        let found = String::from_utf8_lossy(&found.stdout);
        let (running, ended) = found.split_once("-- ended\n").unwrap();
        let resolved: Vec<_> = running
            .lines()
            .filter(|line| line.starts_with("=;"))
            .collect();
        assert!(!resolved.is_empty(), "{found}");
        for line in resolved {
            assert!(line.contains(r"SFTPGo\032portable\0322022"), "{line}");
            assert!(
                line.contains(";2022;") && line.contains("\"version=0."),
                "{line}"
            );
            assert_eq!(line.contains("\"user=ali\""), told, "{line}");
            assert_eq!(line.contains("\"password=open-sesame\""), told, "{line}");
        }
        assert_eq!(ended.trim(), "", "it says good-bye");
    }
}
