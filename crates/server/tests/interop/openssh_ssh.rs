//! The SSH transport as `ssh` and `sftp` of OpenSSH see it: algorithms, new keys, shared connections, refusals.

use std::fs;
use std::process::{Child, Command, Stdio};

use serde_json::json;

use super::support::files::{assert_same, random_file};
use super::support::{Run, Server};

fn sftp(server: &Server, options: &[&str], commands: &str) -> Run {
    let options = options.iter().flat_map(|option| ["-o", option]);
    let run = server.openssh("sftp").args(options);
    run.args(["-b", "-", "server"]).input(commands)
}

/// Sends a file up and down with these options of `ssh`.
fn there_and_back(server: &Server, options: &[&str]) {
    let sent = server.local_file("up", 6 << 20);
    sftp(
        server,
        options,
        "put up stored\nget stored down\nrm stored\n",
    )
    .succeed();
    assert_same(&sent, &server.work().join("down"));
}

#[test]
fn every_cipher_works() {
    let server = Server::with(json!({ "algorithms_profile": "legacy" }));
    for cipher in [
        "aes128-gcm@openssh.com",
        "aes256-gcm@openssh.com",
        "chacha20-poly1305@openssh.com",
        "aes128-ctr",
        "aes192-ctr",
        "aes256-ctr",
        "aes128-cbc",
        "aes192-cbc",
        "aes256-cbc",
    ] {
        there_and_back(&server, &[&format!("Ciphers={cipher}")]);
    }
}

#[test]
fn every_mac_works() {
    let server = Server::with(json!({ "algorithms_profile": "legacy" }));
    for mac in [
        "hmac-sha2-256-etm@openssh.com",
        "hmac-sha2-512-etm@openssh.com",
        "hmac-sha2-256",
        "hmac-sha2-512",
        "hmac-sha1-etm@openssh.com",
        "hmac-sha1",
    ] {
        there_and_back(&server, &["Ciphers=aes128-ctr", &format!("MACs={mac}")]);
    }
}

/// All that it knows of those that a setting may name; `mlkem768x25519-sha256` came with OpenSSH 9.9.
#[test]
fn every_key_exchange_works() {
    let methods = [
        "sntrup761x25519-sha512@openssh.com",
        "curve25519-sha256",
        "curve25519-sha256@libssh.org",
        "ecdh-sha2-nistp256",
        "ecdh-sha2-nistp384",
        "ecdh-sha2-nistp521",
        "diffie-hellman-group-exchange-sha256",
        "diffie-hellman-group14-sha256",
        "diffie-hellman-group16-sha512",
        "diffie-hellman-group18-sha512",
        "diffie-hellman-group-exchange-sha1",
        "diffie-hellman-group14-sha1",
        "diffie-hellman-group1-sha1",
    ];
    let server = Server::with(json!({ "kex_algorithms": methods }));
    for kex in methods {
        there_and_back(&server, &[&format!("KexAlgorithms={kex}")]);
    }
}

/// It asks for `server-sig-algs` and takes SHA-2 by itself; with SHA-1 alone there is no way in.
#[test]
fn an_rsa_key_logs_in_with_either_kind_of_sha2() {
    let server = Server::start();
    for bits in [2048, 4096] {
        let key = server.use_rsa_key(bits);
        let identity = format!("IdentityFile={}", key.display());
        let with = |algorithms: &str| {
            let accepted = format!("PubkeyAcceptedKeyTypes={algorithms}");
            sftp(&server, &[&identity, &accepted], "pwd\n")
        };
        with("rsa-sha2-512,rsa-sha2-256").succeed();
        with("rsa-sha2-256").succeed();
        with("rsa-sha2-512").succeed();
        with("ssh-rsa").fail().says("Permission denied");
    }
}

#[test]
fn algorithms_of_the_past_are_not_offered() {
    let server = Server::start();
    for option in [
        "Ciphers=aes128-cbc",
        "KexAlgorithms=diffie-hellman-group14-sha1",
        "HostKeyAlgorithms=ssh-rsa",
    ] {
        let said = sftp(&server, &[option], "pwd\n").fail();
        said.says("Unable to negotiate").says("Their offer");
    }
}

/// With the defaults of the client the keys change once in a gigabyte; here after each megabyte, and the client asks.
#[test]
fn a_quarter_gigabyte_moves_while_the_keys_change_all_the_time() {
    let server = Server::start();
    let sent = server.local_file("up", 256 << 20);
    for cipher in ["aes128-gcm@openssh.com", "chacha20-poly1305@openssh.com"] {
        let cipher = format!("Ciphers={cipher}");
        // Its other one takes the client a tenth of a second each time.
        let options = ["RekeyLimit=1M", "KexAlgorithms=curve25519-sha256", &cipher];
        let commands = "put up stored\nget stored down\n";
        sftp(&server, &options, commands).deadline(300).succeed();
        assert_same(&sent, &server.home().join("stored"));
        assert_same(&sent, &server.work().join("down"));
    }
}

#[test]
fn the_greeting_and_the_banner_are_shown() {
    let server = Server::with(json!({ "login_banner_file": "banner" }));
    // Read at the start: a server that has no such file starts, and says so in its log.
    sftp(&server, &[], "pwd\n").succeed();
    drop(server);

    let server = Server::with_files(
        json!({ "login_banner_file": "banner" }),
        &[("banner", "Authorised users only.\nGr\u{fc}\u{df}e\n")],
    );
    let said = server
        .openssh("sftp")
        .args(["-v", "-b", "-", "server"])
        .input("pwd\n")
        .succeed();
    said.says("Authorised users only.\nGr\u{fc}\u{df}e\n");
    said.says("remote software version SFTPGo_");
}

#[test]
fn a_command_or_a_shell_is_refused_at_once() {
    let server = Server::start();
    let ssh = |arguments: &[&str]| server.openssh("ssh").args(arguments).deadline(20);
    ssh(&["server", "echo hi"])
        .fail()
        .says("exec request failed");
    ssh(&["server"]).fail().says("shell request failed");
    ssh(&["-tt", "server"]).fail();
    ssh(&["-s", "server", "netconf"])
        .fail()
        .says("subsystem request failed");
    ssh(&["-W", "127.0.0.1:9", "server"])
        .fail()
        .says("open failed");
    ssh(&[
        "-N",
        "-o",
        "ExitOnForwardFailure=yes",
        "-R",
        "0:127.0.0.1:9",
        "server",
    ])
    .fail();
}

/// A shared connection (`ControlMaster`), ended when this is dropped.
pub(super) struct Master {
    process: Child,
    pub(super) socket: String,
}

impl Master {
    pub(super) fn start(server: &Server) -> Self {
        // The path of a socket is short.
        let socket = server.client_home().join("m").display().to_string();
        let mut process = Command::new("ssh")
            .arg("-F")
            .arg(server.ssh_config())
            .args(["-M", "-N", "-v", "-S", &socket, "server"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut messages = std::io::BufReader::new(process.stderr.take().unwrap());
        let mut line = String::new();
        // The socket is there before the login: the first command waits for it.
        while std::io::BufRead::read_line(&mut messages, &mut line).unwrap() > 0 {
            if line.contains("Entering interactive session") {
                break;
            }
            line.clear();
        }
        // What it says later must not fill the pipe.
        std::thread::spawn(move || std::io::copy(&mut messages, &mut std::io::sink()));
        Self { process, socket }
    }
}

impl Drop for Master {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_refused_command_leaves_the_connection_usable() {
    let server = Server::start();
    let master = Master::start(&server);
    let control = format!("ControlPath={}", master.socket);
    for _ in 0..3 {
        let refused = server
            .openssh("ssh")
            .args(["-o", &control, "server", "echo hi"]);
        refused.deadline(20).fail();
        sftp(&server, &[&control], "pwd\n")
            .succeed()
            .says("working directory: /");
    }
    server
        .openssh("ssh")
        .args(["-o", &control, "-O", "check", "server"])
        .succeed();
}

#[test]
fn two_sessions_share_a_connection_and_end_apart() {
    let server = Server::start();
    let master = Master::start(&server);
    let control = format!("ControlPath={}", master.socket);
    let sizes = [20_000_003, 30_000_001];
    for size in sizes {
        random_file(&server.work().join(format!("up-{size}")), size);
    }
    std::thread::scope(|scope| {
        for size in sizes {
            let (server, control) = (&server, &control);
            scope.spawn(move || {
                for round in 0..3 {
                    let name = format!("{size}-{round}");
                    let commands = format!("put up-{size} s-{name}\nget s-{name} down-{name}\n");
                    sftp(server, &[control], &commands).succeed();
                }
            });
        }
    });
    for size in sizes {
        for round in 0..3 {
            let sent = server.work().join(format!("up-{size}"));
            assert_same(&sent, &server.work().join(format!("down-{size}-{round}")));
        }
    }
    server
        .openssh("ssh")
        .args(["-o", &control, "-O", "check", "server"])
        .succeed();
    assert_eq!(fs::read_dir(server.home()).unwrap().count(), 6);
}

/// More of them than may be open at a time: each must give its place back.
#[test]
fn a_shared_connection_takes_one_session_after_another() {
    let server = Server::start();
    let master = Master::start(&server);
    let control = format!("ControlPath={}", master.socket);
    for _ in 0..40 {
        sftp(&server, &[&control], "pwd\n").succeed();
    }
}
