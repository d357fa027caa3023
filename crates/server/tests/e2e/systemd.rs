//! The server under a service manager: what it is told, and sockets that it opened.
#![cfg(target_os = "linux")]

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::Signal;
use serde_json::{Value, json};
use sftpgo_testkit::{Account, DEADLINE, FileClient as _, SshClient, request};
use tempfile::TempDir;

use super::program::{program_at, sftpgo, text};
use super::running::{Serve, add_user, configured};

/// The end of the service manager.
struct Manager {
    socket: UnixDatagram,
    path: PathBuf,
    _directory: TempDir,
}

impl Manager {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        Self {
            socket,
            path,
            _directory: directory,
        }
    }

    fn name(&self) -> &str {
        self.path.to_str().unwrap()
    }

    /// The next message that has this line.
    fn hears(&self, line: &str) -> String {
        let mut buffer = [0; 4096];
        loop {
            let length = self.socket.recv(&mut buffer).unwrap();
            let message = text(&buffer[..length]);
            if message.lines().any(|one| one == line) {
                return message;
            }
        }
    }
}

/// The server with these sockets as its descriptors from 3 on, as a service manager starts it.
fn activated(directory: &Path, names: &str, sockets: Vec<OwnedFd>) -> Command {
    let count = sockets.len();
    let mut command = program_at(Path::new("/bin/sh"), directory);
    let mut sockets = sockets.into_iter();
    let mut moves = String::new();
    if let Some(first) = sockets.next() {
        command.stdin(first);
        moves.push_str("exec 3<&0 </dev/null; ");
    }
    if let Some(second) = sockets.next() {
        command.stderr(second);
        moves.push_str("exec 4<&2 2>&1; ");
    }
    let script = format!(
        "{moves} LISTEN_FDS={count} LISTEN_FDNAMES='{names}' LISTEN_PID=$$ exec \"$0\" \"$@\""
    );
    command.arg("-c").arg(script);
    command.arg(sftpgo(directory).get_program());
    command
}

fn listening() -> (TcpListener, SocketAddr) {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

#[tokio::test]
async fn the_service_manager_hears_of_start_life_reload_and_stop() {
    let manager = Manager::new();
    let directory = configured(&Value::Null);
    add_user(directory.path(), "alice");
    let variables = [
        ("NOTIFY_SOCKET", manager.name()),
        ("WATCHDOG_USEC", "400000"),
    ];
    let serve = Serve::start(directory.path(), &variables);
    let ready = manager.hears("READY=1");
    let status = format!(
        "STATUS=serving SFTP on {}, HTTP on {}",
        serve.ssh, serve.http
    );
    assert!(ready.contains(&status), "{ready}");
    for _ in 0..3 {
        manager.hears("WATCHDOG=1");
    }
    let _sftp = serve.sftp("alice").await;
    manager.hears(&format!("{status}; connections: 1, transfers: 0"));
    serve.signal(Signal::HUP);
    let reloading = manager.hears("RELOADING=1");
    assert!(reloading.contains("\nMONOTONIC_USEC="), "{reloading}");
    manager.hears("READY=1");
    serve.signal(Signal::TERM);
    manager.hears("STOPPING=1");
    let (status, said) = serve.wait();
    assert_eq!(status.code(), Some(0), "{said:#?}");
}

#[tokio::test]
async fn signs_of_life_go_on_while_transfers_may_end() {
    let manager = Manager::new();
    let directory = configured(&Value::Null);
    add_user(directory.path(), "alice");
    let variables = [
        ("NOTIFY_SOCKET", manager.name()),
        ("WATCHDOG_USEC", "200000"),
    ];
    let serve = Serve::start(directory.path(), &variables);
    let mut sftp = serve.sftp("alice").await;
    let write = sftpgo_wire::sftp::OpenFlags(
        sftpgo_wire::sftp::OpenFlags::WRITE.0 | sftpgo_wire::sftp::OpenFlags::CREATE.0,
    );
    let handle = sftp.open_file(b"/slow", write).await.unwrap();
    serve.signal(Signal::TERM);
    manager.hears("STOPPING=1");
    for _ in 0..3 {
        manager.hears("WATCHDOG=1");
    }
    sftp.close(&handle).await.unwrap();
    assert_eq!(serve.wait().0.code(), Some(0));
}

#[test]
fn a_notification_socket_that_is_not_there_is_only_a_warning() {
    let directory = configured(&Value::Null);
    let mut serve = Serve::spawn(directory.path(), &[("NOTIFY_SOCKET", "/no/such/socket")]);
    assert!(serve.line_with("/no/such/socket").is_some());
    assert!(serve.line_with("  SFTP ").is_some());
}

#[tokio::test]
async fn sockets_that_are_inherited_are_served_instead_of_those_in_the_settings() {
    let directory = configured(&Value::Null);
    add_user(directory.path(), "alice");
    let ((ssh, ssh_address), (http, http_address)) = (listening(), listening());
    // In the order of the descriptors.
    let sockets = vec![http.into(), ssh.into()];
    let serve = Serve::start_command(activated(directory.path(), "http:sftpgo.socket", sockets));
    assert_eq!(serve.ssh, ssh_address);
    let mut sftp = serve.sftp("alice").await;
    sftp.put(b"/file", b"1").await.unwrap();
    let health = request(http_address, "GET", "/healthz", &Value::Null).await;
    assert_eq!(health.status, 200);
    // Nobody listens where the settings say.
    assert!(TcpStream::connect(serve.http).is_err());
    serve.signal(Signal::TERM);
    assert_eq!(serve.wait().0.code(), Some(0));
}

#[tokio::test]
async fn clients_wait_over_a_restart_if_the_service_manager_keeps_the_socket() {
    let directory = configured(&Value::Null);
    add_user(directory.path(), "alice");
    let (socket, address) = listening();
    let start = || {
        let socket = socket.try_clone().unwrap().into();
        Serve::start_command(activated(directory.path(), "sftp", vec![socket]))
    };
    let first = start();
    drop(first.sftp("alice").await);
    first.signal(Signal::TERM);
    assert_eq!(first.wait().0.code(), Some(0));

    let waiting = tokio::spawn(async move {
        let mut client = SshClient::connect(address, None).await;
        client.key("alice", &Account::key("alice")).await
    });
    // The connection is made by the kernel.
    tokio::task::yield_now().await;
    let _second = tokio::task::spawn_blocking({
        let directory = directory.path().to_owned();
        let socket: OwnedFd = socket.try_clone().unwrap().into();
        move || Serve::start_command(activated(&directory, "sftp", vec![socket]))
    })
    .await
    .unwrap();
    assert!(waiting.await.unwrap());
}

#[test]
fn sockets_that_must_not_be_served_stop_the_start_and_say_why() {
    let everywhere = || OwnedFd::from(TcpListener::bind("0.0.0.0:0").unwrap());
    let local = || OwnedFd::from(listening().0);
    let datagrams = || OwnedFd::from(std::net::UdpSocket::bind("127.0.0.1:0").unwrap());
    let cases: [(&str, Vec<OwnedFd>, &str, &str); 5] = [
        ("http", vec![everywhere()], "18080", "httpd.auth_user_file"),
        ("http", vec![local()], "0", "httpd.bind_port"),
        ("sftp:sftp", vec![local(), local()], "0", "more than one"),
        (
            "sftp:web",
            vec![local(), local()],
            "0",
            "FileDescriptorName",
        ),
        ("sftp", vec![datagrams()], "0", "ListenStream"),
    ];
    for (names, sockets, http_port, word) in cases {
        let directory = configured(&json!({ "sftpd": { "bind_address": "127.0.0.1" } }));
        let output = activated(directory.path(), names, sockets)
            .arg("serve")
            .env("SFTPGO_SFTPD__BIND_PORT", "0")
            .env("SFTPGO_HTTPD__BIND_PORT", http_port)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap()
            .wait_with_output()
            .unwrap();
        let said = text(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(word), "{word}: {said}");
        assert!(!directory.path().join("sftpgo.db").exists());
    }
}
