//! The program with an HTTP server, and clients that give its metrics something to count.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use serde_json::{Value, json};
use sftpgo_testkit::{
    Account, FileClient as _, PASSWORD, Sftp, SshClient, TestKey, TestServer, request,
};
use tempfile::TempDir;

use super::PATIENCE;

/// A running server; it ends when this is dropped.
pub(super) struct Scraped {
    process: Child,
    pub(super) ssh: SocketAddr,
    pub(super) http: SocketAddr,
    directory: TempDir,
}

impl Scraped {
    pub(super) fn start() -> Self {
        // Port 0 would switch HTTP off. Should somebody take the free port meanwhile, there is another one.
        for _ in 0..10 {
            if let Some(scraped) = Self::try_start() {
                return scraped;
            }
        }
        panic!("the server does not start");
    }

    fn try_start() -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let at = directory.path();
        fs::write(at.join("host_key"), TestServer::host_key().file()).unwrap();
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let http = free.local_addr().unwrap();
        drop(free);
        let settings = json!({
            "sftpd": {
                "keys": [{ "private_key": "host_key" }],
                "bind_address": "127.0.0.1",
                "bind_port": 0,
                "enabled_ssh_commands": ["*"],
                // For the raw client.
                "algorithms_profile": "compat",
            },
            "httpd": { "bind_port": http.port() },
        });
        fs::write(at.join("sftpgo.json"), settings.to_string()).unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_sftpgo"))
            .args(["serve", "--log-file-path", ""])
            // Not the settings of whoever runs the test.
            .env_clear()
            .env("HOME", at)
            .current_dir(at)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, ssh) = channel();
        let log = BufReader::new(process.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in log.lines().map_while(Result::ok) {
                if let Some(address) = listening(&line) {
                    let _ = sender.send(address);
                }
            }
        });
        let ssh = first(&ssh);
        let Some(ssh) = ssh else {
            let _ = process.kill();
            let _ = process.wait();
            return None;
        };
        Some(Self {
            process,
            ssh,
            http,
            directory,
        })
    }

    /// Logins that succeed and that fail, transfers both ways by SFTP and SCP, one that fails, commands, requests.
    pub(super) async fn use_it(&self) {
        let home = self.directory.path().join("homes/alice");
        let account = Account::new("alice").quota(0, 1_000_000).json(&home);
        let added = request(self.http, "POST", "/api/v1/user", &account).await;
        assert_eq!(added.status, 200, "{}", added.body);
        let missing = request(self.http, "GET", "/api/v1/user/4711", &Value::Null).await;
        assert_eq!(missing.status, 404);

        let mut client = self.connect().await;
        assert!(!client.password("alice", "wrong").await);
        assert!(!client.key("alice", &TestKey::numbered(9)).await);
        assert!(client.password("alice", PASSWORD).await);
        let mut other = self.connect().await;
        assert!(other.key("alice", &Account::key("alice")).await);

        let client = Arc::new(client);
        let mut sftp = Sftp::open(Arc::clone(&client)).await.unwrap();
        sftp.put(b"/file", &[7; 100_000]).await.unwrap();
        assert_eq!(sftp.get(b"/file").await.unwrap().len(), 100_000);
        // More than the quota.
        assert!(sftp.put(b"/large", &[7; 2_000_000]).await.is_err());

        for (command, input) in [
            (&b"md5sum /file"[..], &b""[..]),
            (b"scp -t /", b"C0644 5 sent\nhello\0"),
            (b"scp -f /file", b"\0\0\0"),
        ] {
            let ran = client.exec(command, input).await.unwrap();
            assert_eq!(ran.status, Some(0), "{}", ran.text());
        }
        let failed = client.exec(b"md5sum /missing", b"").await.unwrap();
        assert_eq!(failed.status, Some(1));
    }

    async fn connect(&self) -> SshClient {
        SshClient::connect(self.ssh, Some(&TestServer::host_key())).await
    }

    pub(super) fn directory(&self) -> &Path {
        self.directory.path()
    }
}

impl Drop for Scraped {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The first address; `None` if the program ends before it listens.
fn first(addresses: &Receiver<SocketAddr>) -> Option<SocketAddr> {
    addresses.recv_timeout(PATIENCE).ok()
}

fn listening(line: &str) -> Option<SocketAddr> {
    let entry: Value = serde_json::from_str(line).ok()?;
    let message = entry["message"].as_str()?;
    let from_ssh = entry["sender"] == "sftpd";
    message
        .strip_prefix("listening on ")
        .filter(|_| from_ssh)?
        .parse()
        .ok()
}
