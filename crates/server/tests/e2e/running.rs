//! The program, running as a server.
#![cfg(unix)]

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::sync::Arc;

use rustix::process::{Signal, getuid};
use serde_json::{Value, json};
use sftpgo_testkit::{Account, Sftp, SshClient, TestServer};
use tempfile::TempDir;

use super::printing::Printing;
use super::program::{free_address, program_at, run, sftpgo, text};

/// The user and group of those who have no file.
const NOBODY: u32 = 65_534;

/// The program, serving on free ports, and what it says.
pub(crate) struct Serve {
    program: Printing,
    pub(crate) ssh: SocketAddr,
    pub(crate) http: SocketAddr,
}

impl Serve {
    /// Starts it and waits until it is ready.
    pub(crate) fn start(directory: &Path, variables: &[(&str, &str)]) -> Self {
        Self::ready(|| Self::spawn(directory, variables))
    }

    fn ready(spawn: impl Fn() -> Self) -> Self {
        // Port 0 would switch HTTP off. Should somebody take the free port meanwhile, there is another one.
        for _ in 0..10 {
            let mut serve = spawn();
            if let Some(line) = serve.line_with("  SFTP ") {
                serve.ssh = line.split_whitespace().nth(1).unwrap().parse().unwrap();
                serve.line_with("Host key").unwrap();
                return serve;
            }
            let seen = serve.seen();
            let taken = seen.iter().any(|line| line.contains("(httpd.bind_port)"));
            assert!(taken, "{seen:#?}");
        }
        panic!("no free port");
    }

    /// Starts it by a command that needs no retry: it brings its sockets.
    pub(crate) fn start_command(command: Command) -> Self {
        let mut serve = Self::spawn_command(command, &[]);
        let line = serve.line_with("  SFTP ").unwrap();
        serve.ssh = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        serve
    }

    /// Starts it with its standard error in a file.
    pub(crate) fn start_with_errors_in(directory: &Path, file: &Path) -> Self {
        Self::ready(|| {
            let mut command = sftpgo(directory);
            command.stderr(fs::File::create(file).unwrap());
            Self::spawn_command(command, &[])
        })
    }

    /// Starts it with its log on stdout, where [`Self::line_with`] finds it.
    pub(crate) fn start_logging(directory: &Path) -> Self {
        let mut serve = Self::spawn(directory, &[("SFTPGO_LOG_FILE_PATH", "")]);
        let line = serve
            .line_with(r#""message":"listening on 127.0.0.1"#)
            .unwrap();
        let address = line.split_once("listening on ").unwrap().1;
        serve.ssh = address.split_once('"').unwrap().0.parse().unwrap();
        serve
    }

    /// Starts it as somebody whom the system does not allow everything, also if these tests are run by root. Everything
    /// in the directory is given to it.
    pub(crate) fn start_unprivileged(directory: &Path) -> Self {
        if !getuid().is_root() {
            return Self::start(directory, &[]);
        }
        // Where everybody may run it.
        let program = directory.join("program");
        fs::copy(sftpgo(directory).get_program(), &program).unwrap();
        give(directory, NOBODY);
        Self::ready(|| {
            let mut command = program_at(&program, directory);
            command.uid(NOBODY).gid(NOBODY);
            Self::spawn_command(command, &[])
        })
    }

    pub(crate) fn spawn(directory: &Path, variables: &[(&str, &str)]) -> Self {
        Self::spawn_command(sftpgo(directory), variables)
    }

    fn spawn_command(mut command: Command, variables: &[(&str, &str)]) -> Self {
        let http = free_address();
        command
            .arg("serve")
            .env("SFTPGO_SFTPD__BIND_PORT", "0")
            .env("SFTPGO_SFTPD__BIND_ADDRESS", "127.0.0.1")
            .env("SFTPGO_HTTPD__BIND_PORT", http.port().to_string())
            .envs(variables.iter().copied());
        Self {
            program: Printing::start(&mut command),
            ssh: ([127, 0, 0, 1], 0).into(),
            http,
        }
    }

    /// The next line that contains `word`; `None` if the program ends before it says so.
    pub(crate) fn line_with(&mut self, word: &str) -> Option<String> {
        self.program.line_with(word)
    }

    /// All that it has said, as far as it was looked at.
    pub(crate) fn seen(&self) -> &[String] {
        &self.program.seen
    }

    pub(crate) fn signal(&self, signal: Signal) {
        self.program.signal(signal);
    }

    /// Waits for the end; reads what is said until then.
    pub(crate) fn wait(self) -> (ExitStatus, Vec<String>) {
        self.program.wait()
    }

    /// What everybody on the machine can see of it.
    #[cfg(target_os = "linux")]
    pub(crate) fn command_line(&self) -> String {
        let line = fs::read(format!("/proc/{}/cmdline", self.program.id())).unwrap();
        String::from_utf8_lossy(&line).replace('\0', " ")
    }

    /// The most memory the program has had so far.
    #[cfg(target_os = "linux")]
    pub(crate) fn peak_kilobytes(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.program.id())).unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with("VmHWM:"))
            .unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    pub(crate) async fn login(&self, name: &str) -> SshClient {
        let mut client = SshClient::connect(self.ssh, None).await;
        assert!(client.key(name, &Account::key(name)).await);
        client
    }

    pub(crate) async fn sftp(&self, name: &str) -> Sftp {
        Sftp::open(Arc::new(self.login(name).await)).await.unwrap()
    }
}

/// Gives a directory and all in it to a user and group of this number.
fn give(directory: &Path, id: u32) {
    chown(directory, Some(id), Some(id)).unwrap();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            give(&path, id);
        } else {
            chown(path, Some(id), Some(id)).unwrap();
        }
    }
}

/// A directory with a host key and a settings file that names it, so that nobody waits for an RSA key.
pub(crate) fn configured(more: &Value) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::write(
        directory.path().join("host_key"),
        TestServer::host_key().file(),
    )
    .unwrap();
    let mut settings = json!({ "sftpd": { "keys": [{ "private_key": "host_key" }] } });
    for (section, values) in more.as_object().into_iter().flatten() {
        for (key, value) in values.as_object().unwrap() {
            settings[section][key] = value.clone();
        }
    }
    fs::write(directory.path().join("sftpgo.json"), settings.to_string()).unwrap();
    directory
}

pub(crate) fn add_user(directory: &Path, name: &str) {
    let home = directory.join("homes").join(name);
    let key = Account::key(name).line("");
    let arguments = [
        "user",
        "add",
        name,
        "--no-password",
        "--public-key",
        &key,
        "--home-dir",
    ];
    let output = run(
        directory,
        &[&arguments[..], &[home.to_str().unwrap()]].concat(),
        "",
    );
    assert!(output.status.success(), "{}", text(&output.stderr));
}
