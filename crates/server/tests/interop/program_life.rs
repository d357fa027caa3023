//! How git and rsync on the server end: with their client, with their connection, and never as a zombie.

use std::fs;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use super::openssh_ssh::Master;
use super::support::Server;
use super::support::files::{self, assert_same_tree, make_tree};

/// More than the 60 s after which the server says that it is still there: once in a while OpenSSH 9.2 sends the end of a
/// channel whose client was killed only together with its next packet, and an answer to the server is that packet.
const DEADLINE: Duration = Duration::from_secs(150);

fn server() -> Server {
    Server::with(json!({ "enabled_ssh_commands": ["*"] }))
}

/// The processes that work in a directory.
fn working_in(directory: &Path) -> Vec<PathBuf> {
    let directory = directory.canonicalize().unwrap();
    let processes = fs::read_dir("/proc")
        .unwrap()
        .map(|entry| entry.unwrap().path());
    processes
        .filter(|process| fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd == directory))
        .collect()
}

/// Waits until the server has no child any more, not even one that ended.
fn assert_no_children(server: &Server) {
    let start = Instant::now();
    let parent = format!("PPid:\t{}\n", server.pid());
    loop {
        let processes = fs::read_dir("/proc")
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let children: Vec<_> = processes
            .filter(|process| {
                fs::read_to_string(process.join("status"))
                    .is_ok_and(|status| status.contains(&parent))
            })
            .collect();
        if children.is_empty() {
            return;
        }
        assert!(start.elapsed() < DEADLINE, "{children:?}");
        std::thread::yield_now();
    }
}

/// `ssh` with a command whose input stays open.
struct Held {
    process: Child,
    _stdin: ChildStdin,
}

impl Held {
    /// Returns when the program on the server has said something.
    fn start(server: &Server, command: &str) -> Self {
        let mut process = Command::new("ssh")
            .arg("-F")
            .arg(server.ssh_config())
            .args(["server", command])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let stdin = process.stdin.take().unwrap();
        let mut byte = [0];
        process
            .stdout
            .as_mut()
            .unwrap()
            .read_exact(&mut byte)
            .unwrap();
        Self {
            process,
            _stdin: stdin,
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_client_that_is_killed_takes_its_program_with_it() {
    let server = server();
    let repository = server.home().join("repo.git");
    server
        .client("git")
        .args(["init", "-q", "--bare"])
        .arg(&repository)
        .succeed();
    let directory = server.home().join("d");
    fs::create_dir(&directory).unwrap();
    for (command, place) in [
        ("git-receive-pack '/repo.git'", &repository),
        ("rsync --server -re.iLsfxCIvu . d", &directory),
    ] {
        let client = Held::start(&server, command);
        assert!(!working_in(place).is_empty(), "{command}");
        drop(client);
        let start = Instant::now();
        while !working_in(place).is_empty() {
            assert!(start.elapsed() < DEADLINE, "{command} goes on");
            std::thread::yield_now();
        }
        assert_no_children(&server);
    }
}

#[test]
fn a_shared_connection_runs_several_transfers_and_each_ends_alone() {
    let server = server();
    let up = server.work().join("up");
    make_tree(&up);
    let master = Master::start(&server);
    let ssh = format!(
        "ssh -F {} -o ControlPath={}",
        server.ssh_config().display(),
        master.socket
    );
    std::thread::scope(|scope| {
        for number in 0..6 {
            let (server, ssh) = (&server, &ssh);
            scope.spawn(move || {
                let there = format!("server:t{number}/");
                let back = format!("down{number}");
                server
                    .client("rsync")
                    .args(["-a", "-e", ssh, "up/", &there])
                    .succeed();
                server
                    .client("rsync")
                    .args(["-a", "-e", ssh, &there, &back])
                    .succeed();
            });
        }
    });
    for number in 0..6 {
        assert_same_tree(&up, &server.work().join(format!("down{number}")));
    }
    assert_no_children(&server);
}

#[test]
fn a_connection_has_a_number_of_programs_and_no_more() {
    let server = server();
    fs::create_dir(server.home().join("d")).unwrap();
    let master = Master::start(&server);
    let control = format!("ControlPath={}", master.socket);
    let line = "rsync --server -re.iLsfxCIvu . d";
    let mut held = Vec::new();
    for _ in 0..8 {
        let mut process = Command::new("ssh")
            .arg("-F")
            .arg(server.ssh_config())
            .args(["-o", &control, "server", line])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = process.stdin.take().unwrap();
        process
            .stdout
            .as_mut()
            .unwrap()
            .read_exact(&mut [0])
            .unwrap();
        held.push(Held {
            process,
            _stdin: stdin,
        });
    }
    let refused = server.openssh("ssh").args(["-o", &control, "server", line]);
    refused.fail().says("too many commands are running");
    drop(held);
    assert_no_children(&server);
}

/// Only root can give programs another user; without, they stay what the server is.
#[test]
fn what_programs_store_belongs_to_the_user_of_the_account() {
    let server = server();
    let home = server.home();
    let owner = |path: &Path| {
        let found = fs::metadata(path).unwrap();
        (found.uid(), found.gid())
    };
    let own = owner(&home);
    fs::create_dir(home.join("both")).unwrap();
    fs::create_dir(home.join("group")).unwrap();
    let repository = home.join("both/repo.git");
    let init = ["init", "-q", "--bare"];
    server.client("git").args(init).arg(&repository).succeed();
    let root = home.join("../..");
    let expected = if own.0 == 0 {
        // git looks at the directories above its own.
        files::set_mode(&root, 0o755);
        let chown = |what: &str, path: &Path| {
            server
                .client("chown")
                .args(["-R", what])
                .arg(path)
                .succeed();
        };
        chown("1234:4321", &home);
        chown("0:4321", &home.join("group"));
        (1234, 4321)
    } else {
        own
    };
    fs::write(server.work().join("file"), "content").unwrap();
    let ssh = format!("ssh -F {}", server.ssh_config().display());
    let set = |uid: &str, gid: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_sftpgo"))
            .args(["user", "set", "alice", "--uid", uid, "--gid", gid])
            .args(["--config-dir", "conf"])
            .env_clear()
            .current_dir(&root)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    set("1234", "4321");
    let rsync = |to: &str| {
        server
            .client("rsync")
            .args(["-e", &ssh, "-a", "file", to])
            .succeed()
    };
    rsync("server:both/");
    assert_eq!(owner(&home.join("both/file")), expected);
    let git = |arguments: &[&str]| {
        let run = server.client("git").env("GIT_SSH_COMMAND", &ssh);
        run.args(["-c", "user.name=x", "-c", "user.email=x@example.org"])
            .args(arguments)
    };
    git(&["init", "-q", "copy"]).succeed();
    git(&["-C", "copy", "commit", "-q", "--allow-empty", "-m", "x"]).succeed();
    git(&[
        "-C",
        "copy",
        "push",
        "-q",
        "server:both/repo.git",
        "HEAD:refs/heads/main",
    ])
    .succeed();
    assert_eq!(owner(&repository.join("refs/heads/main")), expected);
    // One alone leaves the other as it is.
    set("0", "4321");
    rsync("server:group/");
    let expected = if own.0 == 0 { (0, 4321) } else { own };
    assert_eq!(owner(&home.join("group/file")), expected);
}
