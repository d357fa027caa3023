//! Three programs on one PostgreSQL: what holds for one holds for all, also when one of them dies or the database goes away
//! for a while.
#![cfg(unix)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};
use sftpgo_testdb::{Database, Product, Server, Setup};
use sftpgo_testkit::{Account, FileClient as _, Sftp, SshClient, Usage, request, until, usage};
use sftpgo_wire::sftp::OpenFlags;
use tempfile::TempDir;
use tokio::task::{JoinSet, spawn_blocking};

use super::running::{Serve, configured};

/// Programs that serve the accounts of one database, and homes that all of them see.
struct Cluster {
    servers: Vec<Serve>,
    homes: TempDir,
    _configs: Vec<TempDir>,
}

impl Cluster {
    async fn start(database: &Database, count: usize) -> Self {
        let settings = json!({ "data_provider": {
            "driver": "postgresql",
            "name": database.name(),
            "host": "127.0.0.1",
            "port": database.server().port(),
            "username": database.user(),
            "password": database.password(),
        } });
        let configs: Vec<_> = (0..count).map(|_| configured(&settings)).collect();
        let starting = configs.iter().map(|config| {
            let directory = config.path().to_owned();
            spawn_blocking(move || Serve::start(&directory, &[]))
        });
        let servers = futures_util::future::join_all(starting).await;
        Self {
            servers: servers.into_iter().map(Result::unwrap).collect(),
            homes: tempfile::tempdir().unwrap(),
            _configs: configs,
        }
    }

    async fn rest(&self, server: usize, method: &str, path: &str, body: &Value) -> Value {
        let path = format!("/api/v1/{path}");
        let response = request(self.servers[server].http, method, &path, body).await;
        assert_eq!(response.status, 200, "{method} {path}: {}", response.body);
        response.json()
    }

    async fn add(&self, account: Account) -> i64 {
        let home = self.homes.path().join(account.name());
        let added = self.rest(0, "POST", "user", &account.json(&home)).await;
        added["id"].as_i64().unwrap()
    }

    async fn quota(&self, name: &str) -> Usage {
        let path = format!("user?username={name}");
        // A server writes what it has counted before it answers; the one that may be dead is left out.
        let mut users = Value::Null;
        for server in [self.servers.len() - 1, 0] {
            users = self.rest(server, "GET", &path, &Value::Null).await;
        }
        Usage {
            files: users[0]["used_quota_files"].as_i64().unwrap(),
            bytes: users[0]["used_quota_size"].as_i64().unwrap(),
        }
    }

    fn usage(&self, name: &str) -> Usage {
        usage(&self.homes.path().join(name))
    }

    async fn logs_in(&self, server: usize, name: &str) -> Option<SshClient> {
        logs_in(self.servers[server].ssh, name).await
    }
}

async fn logs_in(server: SocketAddr, name: &str) -> Option<SshClient> {
    let mut client = SshClient::connect(server, None).await;
    let accepted = client.key(name, &Account::key(name)).await;
    accepted.then_some(client)
}

#[tokio::test(flavor = "multi_thread")]
async fn session_limits_quotas_and_changes_hold_on_three_servers() {
    let database = Database::create(&sftpgo_testdb::postgresql()).await;
    let cluster = Cluster::start(&database, 3).await;
    let id = cluster
        .add(
            Account::new("alice")
                .quota(0, 100_000)
                .with("max_sessions", 3),
        )
        .await;

    let mut clients = Vec::new();
    for server in 0..3 {
        clients.push(cluster.servers[server].sftp("alice").await);
    }
    for server in 0..3 {
        assert!(cluster.logs_in(server, "alice").await.is_none());
    }

    clients[0].put(b"/a", &[b'.'; 60_000]).await.unwrap();
    assert!(clients[1].put(b"/b", &[b'.'; 60_000]).await.is_err());
    clients[2].remove_file(b"/a").await.unwrap();
    clients[1].put(b"/b", &[b'.'; 60_000]).await.unwrap();
    let _ = clients[0].remove_file(b"/a").await;
    until("counters that are right", async || {
        cluster.quota("alice").await == cluster.usage("alice")
    })
    .await;

    let change = json!({ "id": id, "permissions": { "/": ["list"] } });
    let path = format!("user/{id}");
    cluster.rest(1, "PUT", &path, &change).await;
    for client in &mut clients {
        until("new rules in old sessions", async || {
            client.get(b"/b").await.is_err()
        })
        .await;
    }
    let change = json!({ "id": id, "status": 0 });
    cluster.rest(2, "PUT", &path, &change).await;
    for client in &clients {
        until("the end of the session", async || client.ssh().is_closed()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sessions_and_reservations_of_a_server_that_was_killed_are_given_back() {
    let database = Database::create(&sftpgo_testdb::postgresql()).await;
    let cluster = Cluster::start(&database, 3).await;
    cluster
        .add(
            Account::new("alice")
                .quota(0, 1_000_000_000)
                .with("max_sessions", 2),
        )
        .await;
    let doomed = &cluster.servers[1];
    let mut client = doomed.sftp("alice").await;
    // An upload that has reserved more than it has written.
    let flags = OpenFlags(0x02 | 0x08 | 0x10);
    let handle = client.open_file(b"/open", flags).await.unwrap();
    client.write(&handle, 0, &[b'.'; 40_000]).await.unwrap();
    let _other = doomed.login("alice").await;
    assert!(cluster.logs_in(0, "alice").await.is_none());

    doomed.signal(Signal::KILL);
    // Not before the server is known to be dead, and by itself after that.
    until("the sessions of the dead server", async || {
        cluster.logs_in(0, "alice").await.is_some()
    })
    .await;
    until("what the dead server reserved", async || {
        cluster.quota("alice").await == cluster.usage("alice")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_of_the_database_in_the_middle_of_the_load_loses_no_counter() {
    let database_server = Server::start(Product::Postgresql, Setup::default());
    let database = Database::create(&database_server).await;
    let cluster = Cluster::start(&database, 2).await;
    let names: Vec<String> = (0..6).map(|number| format!("user{number}")).collect();
    for (number, name) in names.iter().enumerate() {
        // Every other one has a limit, and with it reservations.
        let account = Account::new(name);
        let limited = number % 2 == 0;
        cluster
            .add(if limited {
                account.quota(0, 1 << 40)
            } else {
                account
            })
            .await;
    }
    let stop = Arc::new(AtomicBool::new(false));
    let done = Arc::new(AtomicU64::new(0));
    let mut work = JoinSet::new();
    let addresses: Vec<SocketAddr> = cluster.servers.iter().map(|server| server.ssh).collect();
    for (number, name) in names.iter().enumerate() {
        let (addresses, name) = (addresses.clone(), name.clone());
        let (stop, done) = (Arc::clone(&stop), Arc::clone(&done));
        work.spawn(async move {
            let mut round = 0_usize;
            while !stop.load(Ordering::Relaxed) {
                round += 1;
                let server = addresses[(number + round) % 2];
                // Logins fail while the database is away; the next one may not.
                let Some(client) = logs_in(server, &name).await else {
                    continue;
                };
                let Some(mut sftp) = Sftp::open(Arc::new(client)).await else {
                    continue;
                };
                for step in 0..8 {
                    let path = format!("/f{}", (round + step) % 5);
                    let _ = sftp
                        .put(path.as_bytes(), &vec![b'.'; 1000 * step + round])
                        .await;
                    if step % 3 == 2 {
                        let _ = sftp.remove_file(path.as_bytes()).await;
                    }
                }
                done.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    let rounds = |wanted: u64| {
        let done = Arc::clone(&done);
        async move { until("the load", async || done.load(Ordering::Relaxed) >= wanted).await }
    };
    rounds(6).await;
    for crash in [false, true, false] {
        let server = Arc::clone(&database_server);
        spawn_blocking(move || {
            if crash {
                server.kill();
                server.resume();
            } else {
                server.restart();
            }
        })
        .await
        .unwrap();
        // Logins work again by themselves, on both servers.
        rounds(done.load(Ordering::Relaxed) + 8).await;
    }
    stop.store(true, Ordering::Relaxed);
    while let Some(worker) = work.join_next().await {
        worker.unwrap();
    }
    let deadline = Instant::now() + Duration::from_secs(30);
    for name in &names {
        loop {
            let (counted, real) = (cluster.quota(name).await, cluster.usage(name));
            if counted == real {
                break;
            }
            assert!(
                Instant::now() < deadline,
                "{name}: {counted:?} counted, {real:?} there"
            );
        }
    }
    let status = cluster.rest(0, "GET", "providerstatus", &Value::Null).await;
    assert_eq!(status["message"], "Alive");
}
