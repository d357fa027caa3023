//! The invariant of quotas: when nothing is open, a user's counters are the sum over the user's files, whatever clients
//! did before, however it ended, and in every upload mode; and nobody has more than the limit.

use std::time::{Duration, Instant};

use bytes::Bytes;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use sftpgo_testdb::Database;
use sftpgo_testkit::{Account, Builder, FileClient as _, Scp, Sftp, TestServer, Usage, quoted};
use sftpgo_wire::sftp::{Attrs, Extension, OpenFlags, client};
use tokio::runtime::Runtime;

use super::databases::on_database;

const FILES: i64 = 5;
const BYTES: i64 = 300_000;
/// For uploads of vanished clients to be cleaned up.
const SETTLE: Duration = Duration::from_secs(5);

/// Few names, so that operations meet each other. One is nearly as long as a name may be, one is too long.
const NAMES: usize = 7;

fn name(index: usize) -> Vec<u8> {
    match index {
        0..4 => vec![b'/', b'a' + u8::try_from(index).unwrap()],
        4 => b"/d/a".to_vec(),
        5 => [b"/", &[b'n'; 255][..]].concat(),
        _ => [b"/", &[b'x'; 300][..]].concat(),
    }
}

/// One step of one of two clients.
#[derive(Debug, Clone)]
enum Step {
    Put {
        name: usize,
        size: usize,
    },
    Append {
        name: usize,
        size: usize,
    },
    Remove {
        name: usize,
    },
    Rename {
        from: usize,
        to: usize,
    },
    Truncate {
        name: usize,
        size: u64,
    },
    MakeDir {
        name: usize,
    },
    RemoveDir {
        name: usize,
    },
    Symlink {
        target: usize,
        link: usize,
    },
    HardLink {
        from: usize,
        to: usize,
    },
    /// Opens a file that stays open; at most one a client.
    Open {
        name: usize,
        flags: u32,
    },
    Write {
        offset: u64,
        size: usize,
    },
    SetSize {
        size: u64,
    },
    Close,
    /// Sends without waiting for answers, so that work is under way when the next step comes.
    Flood {
        offset: u64,
        size: usize,
    },
    /// An upload by SCP of a file of this size, of which so many bytes are sent.
    Scp {
        name: usize,
        size: usize,
        sent: usize,
    },
    Vanish,
}

fn steps() -> impl Strategy<Value = Vec<(usize, Step)>> {
    let name = || 0..NAMES;
    let size = || prop_oneof![3 => 0..5_000_usize, 2 => 0..120_000_usize];
    let offset = || prop_oneof![Just(0_u64), 0..150_000_u64];
    let flags = prop_oneof![
        Just(0x02 | 0x08 | 0x10),
        Just(0x02 | 0x08),
        Just(0x02 | 0x08 | 0x04),
        Just(0x02),
        Just(0x01 | 0x02 | 0x08),
        Just(0x02 | 0x08 | 0x20),
    ];
    let step = prop_oneof![
        4 => (name(), size()).prop_map(|(name, size)| Step::Put { name, size }),
        2 => (name(), size()).prop_map(|(name, size)| Step::Append { name, size }),
        3 => name().prop_map(|name| Step::Remove { name }),
        3 => (name(), name()).prop_map(|(from, to)| Step::Rename { from, to }),
        2 => (name(), offset()).prop_map(|(name, size)| Step::Truncate { name, size }),
        1 => name().prop_map(|name| Step::MakeDir { name }),
        1 => name().prop_map(|name| Step::RemoveDir { name }),
        1 => (name(), name()).prop_map(|(target, link)| Step::Symlink { target, link }),
        3 => (name(), name()).prop_map(|(from, to)| Step::HardLink { from, to }),
        5 => (name(), flags).prop_map(|(name, flags)| Step::Open { name, flags }),
        4 => (offset(), size()).prop_map(|(offset, size)| Step::Write { offset, size }),
        2 => offset().prop_map(|size| Step::SetSize { size }),
        3 => Just(Step::Close),
        2 => (offset(), size()).prop_map(|(offset, size)| Step::Flood { offset, size }),
        4 => (name(), size(), size()).prop_map(|(name, size, sent)| {
            // Half of them send all of it.
            let sent = if sent < size { sent } else { size };
            Step::Scp { name, size, sent }
        }),
        2 => Just(Step::Vanish),
    ];
    prop::collection::vec((0..2_usize, step), 1..25)
}

/// A client and the file it holds open.
struct Worker {
    sftp: Sftp,
    open: Option<Bytes>,
}

impl Worker {
    /// Refusals are outcomes like any other.
    async fn take(&mut self, step: &Step) {
        let sftp = &mut self.sftp;
        match *step {
            Step::Put { name: to, size } => drop(sftp.put(&name(to), &content(size)).await),
            Step::Append { name: to, size } => drop(sftp.append(&name(to), &content(size)).await),
            Step::Remove { name: of } => drop(sftp.remove_file(&name(of)).await),
            Step::Rename { from, to } => drop(sftp.rename(&name(from), &name(to)).await),
            Step::Truncate { name: of, size } => drop(sftp.setstat(&name(of), &sized(size)).await),
            Step::MakeDir { name: at } => drop(sftp.create_dir(&name(at)).await),
            Step::RemoveDir { name: at } => drop(sftp.remove_dir(&name(at)).await),
            Step::Symlink { target, link } => {
                drop(sftp.symlink(&name(target), &name(link)).await);
            }
            Step::HardLink { from, to } => {
                let request = Extension::Hardlink {
                    from: name(from).into(),
                    to: name(to).into(),
                };
                drop(sftp.extended(&request).await);
            }
            Step::Open { name: of, flags } => {
                self.close().await;
                self.open = self.sftp.open_file(&name(of), OpenFlags(flags)).await.ok();
            }
            Step::Write { offset, size } => {
                if let Some(handle) = &self.open {
                    drop(sftp.write(handle, offset, &content(size)).await);
                }
            }
            Step::SetSize { size } => {
                if let Some(handle) = &self.open {
                    drop(sftp.fsetstat(handle, &sized(size)).await);
                }
            }
            Step::Close => self.close().await,
            Step::Flood { offset, size } => {
                let Some(handle) = self.open.clone() else {
                    return;
                };
                let data = content(size);
                for (number, block) in (0_u64..).zip(data.chunks(8_000)) {
                    let at = offset + 8_000 * number;
                    sftp.send(|out, id| client::write(out, id, &handle, at, block));
                }
            }
            Step::Scp {
                name: to,
                size,
                sent,
            } => {
                let line = [b"-t -- ", &quoted(&name(to))[..]].concat();
                let Some(mut scp) = Scp::start(sftp.ssh(), line).await else {
                    return;
                };
                scp.send(format!("C0644 {size} name\n"));
                scp.send(content(sent));
                if sent == size {
                    scp.send(&b"\0"[..]);
                }
                scp.eof();
                scp.rest().await;
            }
            Step::Vanish => sftp.vanish(),
        }
    }

    async fn close(&mut self) {
        if let Some(handle) = self.open.take() {
            drop(self.sftp.close(&handle).await);
        }
    }
}

fn content(size: usize) -> Vec<u8> {
    vec![b'.'; size]
}

fn sized(size: u64) -> Attrs {
    Attrs {
        size: Some(size),
        ..Attrs::EMPTY
    }
}

async fn worker(server: &TestServer, user: &str) -> Worker {
    Worker {
        sftp: server.sftp(user).await,
        open: None,
    }
}

/// Lets two clients of a new user take the steps, each on its server; gives the counters and what is on the disk after all
/// ended. The home is that of the first server.
async fn outcome(servers: [&TestServer; 2], user: &str, steps: &[(usize, Step)]) -> (Usage, Usage) {
    let mut workers = [
        worker(servers[0], user).await,
        worker(servers[1], user).await,
    ];
    drop(workers[0].sftp.create_dir(b"/d").await);
    for (who, step) in steps {
        workers[*who].take(step).await;
        if matches!(step, Step::Vanish) {
            workers[*who] = worker(servers[*who], user).await;
        }
    }
    let [mut first, second] = workers;
    first.close().await;
    // Both ways to end: with a CLOSE, and without.
    drop((first, second));
    let end = Instant::now() + SETTLE;
    loop {
        servers[1].core().flush_quota().await;
        let pair = (servers[0].quota(user).await, servers[0].usage(user));
        if pair.0 == pair.1 || Instant::now() > end {
            return pair;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

fn builder(mode: u8) -> Builder {
    TestServer::builder()
        .upload_mode(mode)
        .set("sftpd.enabled_ssh_commands", vec!["scp"])
}

fn holds(mode: u8, driver: &str, cases: u32) {
    let runtime = Runtime::new().unwrap();
    let server = runtime.block_on(builder(mode).driver(driver).start());
    holds_on(&runtime, [&server, &server], cases);
}

fn holds_on(runtime: &Runtime, servers: [&TestServer; 2], cases: u32) {
    let config = Config {
        cases,
        failure_persistence: None,
        // Each one may wait for counters that will never be right.
        max_shrink_iters: 0,
        ..Config::default()
    };
    let number = std::cell::Cell::new(0_u32);
    let result = TestRunner::new(config).run(&(steps(), any::<bool>()), |(steps, limited)| {
        number.set(number.get() + 1);
        let user = format!("user{}", number.get());
        let account = Account::new(&user);
        let account = if limited {
            account.quota(FILES, BYTES)
        } else {
            account
        };
        let (counted, real) = runtime.block_on(async {
            servers[0].add(account).await;
            outcome(servers, &user, &steps).await
        });
        prop_assert_eq!(counted, real, "counted, and really there");
        if limited {
            prop_assert!(
                real.files <= FILES && real.bytes <= BYTES,
                "{real:?} is over the limit"
            );
        }
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

/// Two servers on one database and one disk, which one user works on at the same time.
fn holds_on_two_servers(mode: u8, cases: u32) {
    let runtime = Runtime::new().unwrap();
    let (first, second) = runtime.block_on(async {
        let first = builder(mode).driver("sqlite").start().await;
        let second = builder(mode).beside(&first).start().await;
        (first, second)
    });
    holds_on(&runtime, [&first, &second], cases);
}

#[test]
fn counters_of_two_servers_on_one_file_are_the_sum_of_files_written_in_place() {
    holds_on_two_servers(0, 30);
}

#[test]
fn counters_of_two_servers_on_one_file_are_the_sum_of_files_written_atomically() {
    holds_on_two_servers(1, 20);
}

#[test]
fn counters_of_two_servers_on_one_file_are_the_sum_of_files_whose_partial_uploads_stay() {
    holds_on_two_servers(2, 20);
}

#[test]
fn counters_of_two_servers_on_postgresql_are_the_sum_of_files() {
    let runtime = Runtime::new().unwrap();
    let database = runtime.block_on(Database::create(&sftpgo_testdb::postgresql()));
    let (first, second) = runtime.block_on(async {
        let start = || on_database(builder(0), &database).start();
        (start().await, start().await)
    });
    holds_on(&runtime, [&first, &second], 40);
}

#[test]
fn counters_of_two_servers_on_mysql_are_the_sum_of_files() {
    let runtime = Runtime::new().unwrap();
    let database = runtime.block_on(Database::create(&sftpgo_testdb::mariadb()));
    let (first, second) = runtime.block_on(async {
        let start = || on_database(builder(0), &database).start();
        (start().await, start().await)
    });
    holds_on(&runtime, [&first, &second], 20);
}

#[test]
fn counters_are_the_sum_of_files_written_in_place() {
    holds(0, "memory", 150);
}

#[test]
fn counters_are_the_sum_of_files_written_atomically() {
    holds(1, "memory", 150);
}

#[test]
fn counters_are_the_sum_of_files_whose_partial_uploads_stay() {
    holds(2, "memory", 150);
}

#[test]
fn counters_in_a_database_are_the_sum_of_files() {
    holds(0, "sqlite", 40);
}

/// The upload that ends last settles the file, and the size it looked at must be the last one: found by the random sequences.
#[tokio::test]
async fn an_upload_that_is_given_up_beside_another_of_the_same_file_does_not_settle_an_old_size() {
    let server = TestServer::start().await;
    let account = Account::new("alice");
    server.add(account).await;
    for size in 1..150 {
        let steps = [
            (
                0,
                Step::Open {
                    name: 0,
                    flags: 0x02 | 0x08,
                },
            ),
            (
                1,
                Step::Open {
                    name: 0,
                    flags: 0x02 | 0x08 | 0x04,
                },
            ),
            (1, Step::Vanish),
            (
                0,
                Step::Write {
                    offset: 0,
                    size: 100 * size,
                },
            ),
            (0, Step::Close),
        ];
        let (counted, real) = outcome([&server, &server], "alice", &steps).await;
        assert_eq!(counted, real, "counted, and really there");
    }
}
