//! Operations that go beside SFTP: SCP and SSH commands, on the connection of the session.

use sftpgo_testkit::{Refusal, Scp, SshClient, quoted};
use sftpgo_wire::scp::Reply;

/// Why something was refused, by what the client is told.
fn kind(text: &[u8]) -> Refusal {
    let text = String::from_utf8_lossy(text);
    let kinds = [
        ("Permission Denied", Refusal::Denied),
        ("No Such File", Refusal::NotFound),
        ("Unsupported", Refusal::Unsupported),
    ];
    let found = kinds.iter().find(|(part, _)| text.contains(part));
    found.map_or(Refusal::Failed, |(_, kind)| *kind)
}

/// Runs an operation that is one of these; `None` within if it succeeded.
pub(super) async fn ask(ssh: &SshClient, operation: &str, path: &[u8]) -> Option<Option<Refusal>> {
    Some(match operation {
        "scp-get" => source(ssh, "-f", path).await,
        "scp-tree" => source(ssh, "-r -f", path).await,
        "scp-put" => sink(ssh, "-t", &["C0644 1 name\n", "x\0"], path).await,
        "scp-dir" => sink(ssh, "-r -t", &["D0755 0 name\n", "E\n"], path).await,
        "hash" => command(ssh, "sha256sum", path).await,
        "df" => command(ssh, "df", path).await,
        _ => return None,
    })
}

async fn command(ssh: &SshClient, name: &str, path: &[u8]) -> Option<Refusal> {
    let line = [name.as_bytes(), b" ", &quoted(path)].concat();
    let ran = ssh.exec(&line, b"").await.unwrap();
    (ran.status != Some(0)).then(|| kind(&ran.stdout))
}

async fn start(ssh: &SshClient, flags: &str, path: &[u8]) -> Scp {
    let line = [flags.as_bytes(), b" -- ", &quoted(path)].concat();
    Scp::start(ssh, line).await.unwrap()
}

/// Asks for a file or a tree; what comes first says whether it may be had.
async fn source(ssh: &SshClient, flags: &str, path: &[u8]) -> Option<Refusal> {
    let mut scp = start(ssh, flags, path).await;
    scp.send(&b"\0"[..]);
    let line = scp.line().await;
    let refused = line.starts_with(b"\x01") || line.starts_with(b"\x02");
    scp.close();
    refused.then(|| kind(&line))
}

/// Sends records one after the other, as long as they are agreed to.
async fn sink(ssh: &SshClient, flags: &str, records: &[&str], path: &[u8]) -> Option<Refusal> {
    let mut scp = start(ssh, flags, path).await;
    let mut refused = told(scp.reply().await);
    for record in records {
        if refused.is_none() {
            scp.send(record.as_bytes().to_vec());
            refused = told(scp.reply().await);
        }
    }
    scp.eof();
    scp.rest().await;
    refused
}

fn told(reply: Reply) -> Option<Refusal> {
    match reply {
        Reply::Ok => None,
        Reply::Complaint(told) => Some(kind(&told.text)),
    }
}
