//! The program under test, with accounts, and what its clients need to reach it.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::run::Run;
use super::{files, keys};

/// For the start of a server; one that makes an RSA host key first takes its time.
const START: Duration = Duration::from_secs(60);

/// The account that may do everything, with a password and a key.
pub(crate) const USER: &str = "alice";
pub(crate) const PASSWORD: &str = "open-sesame";
/// The account that may list and download, with the same key and no password.
const READER: &str = "reader";

/// A running server; it ends when this is dropped.
pub(crate) struct Server {
    process: Child,
    port: u16,
    log: Arc<Mutex<Vec<String>>>,
    directory: TempDir,
    variables: Vec<(String, String)>,
}

impl Server {
    /// One with an Ed25519 host key and defaults otherwise.
    pub(crate) fn start() -> Self {
        Self::with(json!({}))
    }

    /// One with these settings of the section `sftpd` too.
    pub(crate) fn with(settings: Value) -> Self {
        Self::with_files(settings, &[])
    }

    /// One with these settings, and with these files in the configuration directory.
    pub(crate) fn with_files(settings: Value, contents: &[(&str, &str)]) -> Self {
        Self::with_host_key(&["ed25519"], settings, contents)
    }

    /// One with an RSA host key of so many bits, and these settings.
    pub(crate) fn with_rsa_host_key(bits: &str, settings: Value) -> Self {
        Self::with_host_key(&["rsa", "-b", bits], settings, &[])
    }

    fn with_host_key(kind: &[&str], settings: Value, contents: &[(&str, &str)]) -> Self {
        let directory = prepare();
        let at = directory.path();
        keys::make_of(kind, &at.join("conf/host_key"));
        for (name, content) in contents {
            fs::write(at.join("conf").join(name), content).unwrap();
        }
        let mut sftpd = json!({ "keys": [{ "private_key": "host_key" }] });
        for (key, value) in settings.as_object().unwrap() {
            sftpd[key] = value.clone();
        }
        configure(at, &sftpd);
        let server = Self::launch(directory, &[]);
        server.write_client_settings();
        server
    }

    /// One whose [`USER`] has her files where `filesystem` of the account says, with these variables of the environment. She
    /// may use every command.
    pub(crate) fn with_filesystem(filesystem: &Value, variables: &[(&str, &str)]) -> Self {
        let directory = prepare();
        let at = directory.path();
        keys::make(&at.join("conf/host_key"));
        configure(
            at,
            &json!({ "keys": [{ "private_key": "host_key" }], "enabled_ssh_commands": ["*"] }),
        );
        add_accounts(at);
        let dump = json!({ "users": [{
            "username": USER,
            "status": 1,
            "home_dir": at.join("homes").join(USER),
            "public_keys": [keys::public(&at.join("client/.ssh/id"))],
            "permissions": { "/": ["*"] },
            "filesystem": filesystem,
        }]});
        fs::write(at.join("dump.json"), dump.to_string()).unwrap();
        let output = sftpgo(at)
            .args(["restore", "dump.json", "--config-dir", "conf"])
            .output()
            .unwrap();
        assert!(output.status.success(), "restore: {output:?}");
        let server = Self::serve(directory, variables);
        server.write_client_settings();
        server
    }

    /// Ends it as a crash does.
    pub(crate) fn crash(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Starts one that has crashed again, with what it had on the disk, on another port.
    pub(crate) fn start_again(mut self) -> Self {
        let directory = std::mem::replace(&mut self.directory, tempfile::tempdir().unwrap());
        let variables = self.variables.iter();
        let variables: Vec<_> = variables
            .map(|(name, value)| (&name[..], &value[..]))
            .collect();
        let server = Self::serve(directory, &variables);
        server.write_client_settings();
        server
    }

    /// One that makes its own host keys, with these settings of the section `sftpd`.
    pub(crate) fn with_own_host_keys(settings: &Value) -> Self {
        let directory = prepare();
        configure(directory.path(), settings);
        Self::launch(directory, &[])
    }

    /// One with these variables of the environment.
    pub(crate) fn with_variables(variables: &[(&str, &str)]) -> Self {
        let directory = prepare();
        keys::make(&directory.path().join("conf/host_key"));
        configure(
            directory.path(),
            &json!({ "keys": [{ "private_key": "host_key" }] }),
        );
        Self::launch(directory, variables)
    }

    fn launch(directory: TempDir, variables: &[(&str, &str)]) -> Self {
        add_accounts(directory.path());
        Self::serve(directory, variables)
    }

    fn serve(directory: TempDir, variables: &[(&str, &str)]) -> Self {
        let at = directory.path();
        let mut process = sftpgo(at)
            .args(["serve", "--config-dir", "conf", "--log-file-path", ""])
            .env("SFTPGO_SFTPD__BIND_PORT", "0")
            .env("SFTPGO_SFTPD__BIND_ADDRESS", "127.0.0.1")
            // Off: these tests have no use for it.
            .env("SFTPGO_HTTPD__BIND_PORT", "0")
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let (sender, port) = channel();
        let reader = BufReader::new(process.stdout.take().unwrap());
        let lines = Arc::clone(&log);
        std::thread::spawn(move || follow(reader, &lines, &sender));
        let Ok(port) = port.recv_timeout(START) else {
            let _ = process.kill();
            let status = process.wait().unwrap();
            panic!(
                "the server did not start: {status}\n{}",
                log.lock().unwrap().join("\n")
            );
        };
        Self {
            process,
            port,
            log,
            directory,
            variables: variables
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        }
    }

    /// `known_hosts`, and a configuration for the clients that use `ssh`: there the server is called `server`, and
    /// `stranger` for a client that has the wrong key.
    fn write_client_settings(&self) {
        let ssh = self.client_home().join(".ssh");
        let host_key = keys::public(&self.host_key());
        let known = format!("[127.0.0.1]:{} {host_key}\n", self.port);
        fs::write(ssh.join("known_hosts"), known).unwrap();
        let text = format!(
            "Host server\n IdentityFile {}\nHost stranger\n IdentityFile {}\n\
             Host *\n HostName 127.0.0.1\n Port {}\n User {USER}\n IdentitiesOnly yes\n \
             IdentityAgent none\n UserKnownHostsFile {}\n GlobalKnownHostsFile /dev/null\n \
             StrictHostKeyChecking yes\n BatchMode yes\n ConnectTimeout 30\n",
            self.key().display(),
            self.wrong_key().display(),
            self.port,
            ssh.join("known_hosts").display(),
        );
        fs::write(self.ssh_config(), text).unwrap();
    }

    /// Changes an account, with the options of `sftpgo user set`.
    pub(crate) fn set_user(&self, name: &str, options: &[&str]) {
        let output = sftpgo(self.directory.path())
            .args(["user", "set", name, "--config-dir", "conf"])
            .args(options)
            .output()
            .unwrap();
        assert!(output.status.success(), "user set: {output:?}");
    }

    /// How many lines of the log have this text.
    pub(crate) fn logged(&self, text: &str) -> usize {
        let log = self.log.lock().unwrap();
        log.iter().filter(|line| line.contains(text)).count()
    }

    /// The log so far.
    pub(crate) fn log_lines(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The home of [`USER`] on the server.
    pub(crate) fn home(&self) -> PathBuf {
        self.directory.path().join("homes").join(USER)
    }

    /// The home of the account that may only list and download.
    pub(crate) fn reader_home(&self) -> PathBuf {
        self.directory.path().join("homes").join(READER)
    }

    /// Where the clients run and have their files.
    pub(crate) fn work(&self) -> PathBuf {
        self.directory.path().join("work")
    }

    /// The home of the clients, which holds `.ssh`.
    pub(crate) fn client_home(&self) -> PathBuf {
        self.directory.path().join("client")
    }

    /// The private key of every account.
    pub(crate) fn key(&self) -> PathBuf {
        self.client_home().join(".ssh/id")
    }

    /// A private key that no account has.
    pub(crate) fn wrong_key(&self) -> PathBuf {
        self.client_home().join(".ssh/wrong")
    }

    /// Gives [`USER`] an RSA key of so many bits instead of the other one; the private half.
    pub(crate) fn use_rsa_key(&self, bits: u32) -> PathBuf {
        self.keys_of(&[&["rsa", "-b", &bits.to_string()]]).remove(0)
    }

    /// Gives [`USER`] keys of these types instead of the other one; the private halves.
    pub(crate) fn keys_of(&self, kinds: &[&[&str]]) -> Vec<PathBuf> {
        let mut options = Vec::new();
        let mut paths = Vec::new();
        for kind in kinds {
            let path = self.client_home().join(format!(".ssh/{}", kind.join("")));
            keys::make_of(kind, &path);
            options.extend(["--public-key".to_owned(), keys::public(&path)]);
            paths.push(path);
        }
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        self.set_user(USER, &options);
        paths
    }

    pub(crate) fn host_key(&self) -> PathBuf {
        self.directory.path().join("conf/host_key")
    }

    /// `SHA256:...`
    pub(crate) fn host_key_fingerprint(&self) -> String {
        keys::fingerprint(&self.host_key())
    }

    pub(crate) fn ssh_config(&self) -> PathBuf {
        self.client_home().join(".ssh/config")
    }

    /// A client that is run in [`Self::work`].
    pub(crate) fn client(&self, program: impl AsRef<std::ffi::OsStr>) -> Run {
        Run::new(program, &self.client_home(), &self.work())
    }

    /// `ssh`, `scp`, `sftp` or `sshfs` with the configuration for this server.
    pub(crate) fn openssh(&self, program: &str) -> Run {
        self.client(program).arg("-F").arg(self.ssh_config())
    }

    /// A local file of random bytes.
    pub(crate) fn local_file(&self, name: &str, size: u64) -> PathBuf {
        let path = self.work().join(name);
        files::random_file(&path, size);
        path
    }

    /// A program that answers every question for a password with `password`.
    pub(crate) fn askpass(&self, password: &str) -> PathBuf {
        self.program("askpass", &format!("echo '{password}'"))
    }

    /// A program that answers the first question with `first` and every other one with `then`.
    pub(crate) fn askpass_once(&self, first: &str, then: &str) -> PathBuf {
        let mark = self.client_home().join("asked");
        let mark = mark.display();
        let text =
            format!("if [ -e {mark} ]; then echo '{then}'; else : > {mark}; echo '{first}'; fi");
        self.program("askpass-once", &text)
    }

    /// A program that answers each question in which one of these words stands.
    pub(crate) fn askpass_for(&self, answers: &[(&str, &str)]) -> PathBuf {
        let cases = answers
            .iter()
            .map(|(word, answer)| format!("*{word}*) echo '{answer}';;"));
        let text = format!("case \"$1\" in {} esac", cases.collect::<String>());
        self.program("askpass-for", &text)
    }

    fn program(&self, name: &str, text: &str) -> PathBuf {
        let path = self.client_home().join(name);
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        files::set_mode(&path, 0o700);
        path
    }
}

impl Drop for Server {
    /// Shows the end of the log if the test fails: it often says why.
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            let log = self.log.lock().unwrap();
            let from = log.len().saturating_sub(30);
            eprintln!("the end of the server's log:\n{}", log[from..].join("\n"));
        }
    }
}

fn prepare() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    for name in ["conf", "homes/alice", "homes/reader", "client/.ssh", "work"] {
        fs::create_dir_all(at.join(name)).unwrap();
    }
    keys::make(&at.join("client/.ssh/id"));
    keys::make(&at.join("client/.ssh/wrong"));
    directory
}

/// Makes the accounts, with homes on the disk.
fn add_accounts(at: &Path) {
    let key = fs::read_to_string(at.join("client/.ssh/id.pub")).unwrap();
    let home = |name: &str| at.join("homes").join(name).display().to_string();
    let add = |name: &str, password: &str, permissions: &str| {
        let mut child = sftpgo(at)
            .args(["user", "add", name, password, "--public-key", &key])
            .args(["--home-dir", &home(name), "--permission", permissions])
            .args(["--config-dir", "conf"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // The one who needs no password does not wait for it.
        let _ = writeln!(stdin, "{PASSWORD}");
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "user add: {output:?}");
    };
    add(USER, "--password-stdin", "/:*");
    add(READER, "--no-password", "/:list,download");
}

fn configure(directory: &Path, sftpd: &Value) {
    let config = json!({ "sftpd": sftpd }).to_string();
    fs::write(directory.join("conf/sftpgo.json"), config).unwrap();
}

fn sftpgo(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sftpgo"));
    // Not the settings of whoever runs the test.
    command
        .env_clear()
        .env("HOME", directory)
        .current_dir(directory);
    command
}

/// Keeps the log, and tells the port once the server listens.
fn follow(reader: impl BufRead, lines: &Mutex<Vec<String>>, port: &Sender<u16>) {
    for line in reader.lines().map_while(Result::ok) {
        if let Some(found) = listening_port(&line) {
            let _ = port.send(found);
        }
        lines.lock().unwrap().push(line);
    }
}

fn listening_port(line: &str) -> Option<u16> {
    let entry: Value = serde_json::from_str(line).ok()?;
    let message = entry["message"]
        .as_str()
        .filter(|_| entry["sender"] == "sftpd")?;
    let address = message.split_once("listening on ")?.1;
    address
        .split_whitespace()
        .next()?
        .rsplit_once(':')?
        .1
        .parse()
        .ok()
}
