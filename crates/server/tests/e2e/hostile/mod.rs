//! Attacks on the server through its front doors: what is answered, what ends the channel or the connection, and that
//! nothing is lost, leaked or opened by it.

mod before_login;
mod channels;
mod credentials;
mod exchange;
mod floods;
mod handles;
mod laundering;
mod packets;
mod paths;
pub(crate) mod peer;
mod prefixes;
mod quota;
mod rekey;
mod sessions;
mod spellings;
mod stalled;
#[cfg(unix)]
mod states;
mod swapping;
mod texts;
mod transport;
mod users;
mod vanishing;

use std::time::{Duration, Instant};

use sftpgo_testkit::{Account, Sftp, TestServer, until};
use sftpgo_wire::sftp::OpenFlags;

const CREATE: OpenFlags = OpenFlags(OpenFlags::WRITE.0 | OpenFlags::CREATE.0);
const REPLACE: OpenFlags = OpenFlags(CREATE.0 | OpenFlags::TRUNCATE.0);

/// A server with default settings, its user `alice`, and a session of hers.
async fn alice() -> (TestServer, Sftp) {
    let server = TestServer::start().await;
    server.add(Account::new("alice")).await;
    let sftp = server.sftp("alice").await;
    (server, sftp)
}

/// Waits until nobody is connected and the gauge says so.
async fn until_all_left(server: &TestServer) {
    until("the end of all sessions", async || {
        server.core().registry().connections().is_empty()
            && server.core().metrics().active_connections.value() == 0
    })
    .await;
}

/// Waits until the counters of a user are what is on the disk.
async fn until_counted(server: &TestServer, user: &str) {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        let (counted, real) = (server.quota(user).await, server.usage(user));
        if counted == real {
            return;
        }
        assert!(Instant::now() < end, "counted {counted:?}, there {real:?}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// The names of everything in a directory of the disk, hidden files included.
fn names_in(directory: &std::path::Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}
