//! SCP record by record (reference 7 and D.6), against a server that has it enabled.

mod download;
mod ending;
mod hostile;
mod paths;
mod permissions;
mod reference;
mod upload;
mod wildcards;

use std::path::{Path, PathBuf};

use sftpgo_testkit::{Account, Builder, Scp, SshClient, TestServer};

/// A server with its user `alice`, who is logged in. Her home is there already.
struct Scene {
    server: TestServer,
    ssh: SshClient,
}

fn builder() -> Builder {
    TestServer::builder().set("sftpd.enabled_ssh_commands", vec!["scp", "cd"])
}

impl Scene {
    async fn of(builder: Builder, account: Account) -> Self {
        let server = builder.start().await;
        server.add(account).await;
        let ssh = server.login("alice").await;
        ssh.exec(b"cd", b"").await.unwrap();
        Self { server, ssh }
    }

    async fn with(account: Account) -> Self {
        Self::of(builder(), account).await
    }

    async fn plain() -> Self {
        Self::with(Account::new("alice")).await
    }

    fn home(&self) -> PathBuf {
        self.server.home("alice")
    }

    fn disk(&self, path: &str) -> PathBuf {
        self.home().join(path)
    }

    async fn scp(&self, arguments: impl AsRef<[u8]>) -> Scp {
        Scp::start(&self.ssh, arguments).await.unwrap()
    }

    /// An upload that the server agreed to begin.
    async fn sink(&self, arguments: impl AsRef<[u8]>) -> Scp {
        let mut scp = self.scp(arguments).await;
        scp.agreed(&b""[..]).await;
        scp
    }

    /// A download that the client has asked to begin.
    async fn source(&self, arguments: impl AsRef<[u8]>) -> Scp {
        let scp = self.scp(arguments).await;
        scp.send(&b"\0"[..]);
        scp
    }

    /// Uploads one file by `scp -t path`; what the server complains about if it does.
    async fn put(&self, path: &str, content: &[u8]) -> Result<(), String> {
        let mut scp = self.sink(format!("-t -- '{path}'")).await;
        let result = put_file(&mut scp, "name", content).await;
        scp.ends_with(u32::from(result.is_err())).await;
        result
    }

    /// Downloads one file by `scp -f path`; what the server complains about if it does.
    async fn get(&self, path: &str) -> Result<Vec<u8>, String> {
        let mut scp = self.source(format!("-f -- '{path}'")).await;
        let result = get_file(&mut scp).await.map(|(_, content)| content);
        scp.ends_with(u32::from(result.is_err())).await;
        result
    }
}

/// Sends one file in the directory that is open.
async fn put_file(scp: &mut Scp, name: &str, content: &[u8]) -> Result<(), String> {
    use sftpgo_wire::scp::Reply;
    let text = |reply| match reply {
        Reply::Ok => Ok(()),
        Reply::Complaint(told) => Err(String::from_utf8_lossy(&told.text).into_owned()),
    };
    scp.send(format!("C0644 {} {name}\n", content.len()));
    text(scp.reply().await)?;
    scp.send(content.to_vec());
    scp.send(&b"\0"[..]);
    text(scp.reply().await)
}

/// Takes one file: its record without the `C` and the newline, and its content.
async fn get_file(scp: &mut Scp) -> Result<(String, Vec<u8>), String> {
    let line = String::from_utf8(scp.line().await).unwrap();
    let Some(record) = line.strip_prefix('C') else {
        return Err(line.trim_start_matches('\u{1}').trim_end().to_owned());
    };
    scp.send(&b"\0"[..]);
    let size = record.split(' ').nth(1).unwrap().parse().unwrap();
    let content = scp.take(size).await;
    scp.agreed(&b""[..]).await;
    scp.send(&b"\0"[..]);
    Ok((record.trim_end().to_owned(), content))
}

/// The names of everything in a directory of the disk, hidden files included.
fn names_in(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}
