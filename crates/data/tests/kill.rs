//! A process that is killed while it writes a file of the bolt driver: the file opens again, and every account that was
//! acknowledged is there.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use sftpgo_data::config::DataProviderConfig;
use sftpgo_data::{DataProvider, QuotaChange, QuotaDelta, UserQuery};
use sftpgo_model::{UnixMillis, UserRecord};
use tokio::task::JoinSet;

/// Names the file to the process that is to be killed.
const FILE: &str = "SFTPGO_TEST_KILL_FILE";
/// Acknowledged accounts before the kill.
const ACCOUNTS: usize = 60;
/// The file is written, killed and opened so often.
const ROUNDS: usize = 4;

async fn open(path: &Path) -> Arc<dyn DataProvider> {
    let config = DataProviderConfig {
        driver: "bolt".to_owned(),
        name: path.to_str().unwrap().to_owned(),
        ..DataProviderConfig::default()
    };
    let (settings, _) = config.resolve("/".as_ref()).unwrap();
    sftpgo_data::open(&settings, Vec::new()).await.unwrap()
}

fn account(name: String) -> UserRecord {
    UserRecord {
        username: name,
        status: 1,
        home_dir: "/srv".to_owned(),
        ..UserRecord::default()
    }
}

/// The process that is killed: adds accounts, says which were acknowledged, and keeps the counters moving. Called as a
/// test of its own it has no file and does nothing.
#[tokio::test(flavor = "multi_thread")]
async fn writes_until_it_is_killed() {
    let Some(path) = std::env::var_os(FILE).map(PathBuf::from) else {
        return;
    };
    let provider = open(&path).await;
    let mut tasks = JoinSet::new();
    for writer in 0..4 {
        let provider = Arc::clone(&provider);
        tasks.spawn(async move {
            for number in 0_u64.. {
                let name = format!("{}-{writer}-{number}", std::process::id());
                let added = provider.add_user(&account(name.clone())).await.unwrap();
                let one = QuotaDelta { files: 1, bytes: 1 };
                let at = UnixMillis(1);
                let change = QuotaChange {
                    username: &name,
                    delta: one,
                    at,
                    number: number + 1,
                };
                provider.add_quota(&change).await.unwrap();
                provider.set_last_login(&name, at).await.unwrap();
                // Every third goes again, and is not told of: whether it is there does not count then.
                if number % 3 == 2 {
                    provider.delete_user(added.id).await.unwrap();
                    continue;
                }
                let mut stdout = std::io::stdout().lock();
                writeln!(stdout, "\nadded {} {name} .", added.id).unwrap();
                stdout.flush().unwrap();
            }
        });
    }
    tasks.join_all().await;
}

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Id and name of each account that a process acknowledged before it was killed with SIGKILL.
fn write_and_kill(path: &Path) -> Vec<(i64, String)> {
    let program = std::env::current_exe().unwrap();
    let child = Command::new(program)
        .args(["--exact", "writes_until_it_is_killed", "--nocapture"])
        .env(FILE, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut child = Killed(child);
    let mut lines = BufReader::new(child.0.stdout.take().unwrap()).lines();
    let mut added = Vec::new();
    let mut read = |added: &mut Vec<(i64, String)>| -> bool {
        let Some(Ok(line)) = lines.next() else {
            return false;
        };
        let words: Vec<&str> = line.split(' ').collect();
        // The last line may be cut: then there is no dot.
        if let ["added", id, name, "."] = words[..] {
            added.push((id.parse().unwrap(), name.to_owned()));
        }
        true
    };
    while added.len() < ACCOUNTS {
        assert!(read(&mut added), "the process ended by itself");
    }
    child.0.kill().unwrap();
    // What it said before it died.
    while read(&mut added) {}
    added
}

#[tokio::test]
async fn accounts_that_were_acknowledged_survive_a_kill() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("sftpgo.bolt");
    let mut acknowledged = Vec::new();
    for _ in 0..ROUNDS {
        acknowledged.extend(write_and_kill(&path));
        let provider = open(&path).await;
        for (id, name) in &acknowledged {
            let found = provider.user_by_name(name).await.unwrap();
            assert_eq!(found.map(|user| user.id), Some(*id), "{name}");
            let found = provider.user_by_id(*id).await.unwrap();
            assert_eq!(found.map(|user| user.username).as_ref(), Some(name));
        }
        let highest = acknowledged.iter().map(|(id, _)| *id).max().unwrap();
        let next = provider
            .add_user(&account("next".to_owned()))
            .await
            .unwrap();
        assert!(next.id > highest);
        provider.delete_user(next.id).await.unwrap();
        let query = UserQuery {
            limit: u32::MAX,
            ..UserQuery::default()
        };
        let users = provider.users(&query).await.unwrap();
        assert!(users.len() >= acknowledged.len());
        provider.close().await;
    }
}
