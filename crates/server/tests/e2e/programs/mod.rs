//! The rules around git and rsync on the server: who may run them where, what is counted, what ends them. The programs are
//! real, their clients are not: these tests speak the first words of the protocols themselves.

mod quota;
mod rules;
mod running;

use std::fs;
use std::path::Path;
use std::process::Command;

use sftpgo_testkit::{Account, Ran, SshClient, TestServer};

/// A server on which every command is enabled, and a login there.
pub(crate) async fn scene(account: Account) -> (TestServer, SshClient) {
    let server = TestServer::builder()
        .set("sftpd.enabled_ssh_commands", vec!["*"])
        .start()
        .await;
    let name = account.name().to_owned();
    server.add(account).await;
    let client = server.login(&name).await;
    // The home is there from the first session on.
    ran(&client, "cd").await;
    (server, client)
}

/// Runs a command whose client sends nothing.
pub(crate) async fn ran(client: &SshClient, command: &str) -> Ran {
    client.exec(command.as_bytes(), b"").await.unwrap()
}

fn stderr(ran: &Ran) -> String {
    String::from_utf8_lossy(&ran.stderr).into_owned()
}

/// Makes an empty repository.
pub(crate) fn repository(path: &Path) {
    let output = Command::new("git")
        .args(["init", "-q", "--bare"])
        .arg(path)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// Whether git answers with the list of references, that is, runs at all.
async fn git_runs(client: &SshClient, service: &str, path: &str) -> bool {
    let ran = client
        .exec(format!("git-{service} '{path}'").as_bytes(), b"0000")
        .await
        .unwrap();
    // A reference for "no references yet" comes first; the list ends with a flush packet.
    ran.text().contains("capabilities^{}") || (ran.status == Some(0) && ran.text() == "0000")
}

/// Whether rsync answers with its version, that is, runs at all.
async fn rsync_runs(client: &SshClient, line: &str) -> bool {
    let ran = client.exec(line.as_bytes(), &[]).await.unwrap();
    // A version is four bytes, the second of which is zero.
    ran.stdout.len() >= 4 && ran.stdout[1..4] == [0, 0, 0]
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// The processes that work in a directory.
fn working_in(directory: &Path) -> usize {
    let directory = directory.canonicalize().unwrap();
    let processes = fs::read_dir("/proc").unwrap();
    processes
        .filter(|process| {
            let cwd = process.as_ref().unwrap().path().join("cwd");
            fs::read_link(cwd).is_ok_and(|cwd| cwd == directory)
        })
        .count()
}
