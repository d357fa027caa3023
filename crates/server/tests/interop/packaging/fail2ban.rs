//! `fail2ban-regex` on lines that the server wrote: who guesses is found, nobody else is, and no name makes up an address.

use std::collections::BTreeSet;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::json;
use sftpgo_testkit::{SshClient, TestKey, connect_from};
use tokio::runtime::Runtime;

use super::packaged;
use crate::support::{PASSWORD, Server, USER};

/// All of this network is this machine.
const fn source(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 0, last)
}

/// Whom a name would like to have banned.
const VICTIM: &str = "198.51.100.99";

struct Log {
    server: Server,
}

impl Log {
    async fn client(&self, last: u8) -> SshClient {
        let to = SocketAddr::from(([127, 0, 0, 1], self.server.port()));
        let stream = connect_from(IpAddr::V4(source(last)), to).await;
        SshClient::over(stream, None).await.unwrap()
    }

    /// Waits until there are that many lines of failed logins; a client hears of its failure before the log does.
    fn lines(&self, failures: usize) -> Vec<String> {
        let begun = Instant::now();
        while self.server.logged(r#""sender":"connection_failed""#) < failures {
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "lines are missing"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        self.server.log_lines()
    }

    /// The addresses that a filter finds in these lines.
    fn found(&self, filter: &str, lines: &[String]) -> BTreeSet<String> {
        let file = self.server.work().join("sftpgo.log");
        fs::write(&file, lines.join("\n") + "\n").unwrap();
        let run = self
            .server
            .client("fail2ban-regex")
            .args(["--out", "<ip>"])
            .arg(&file)
            .arg(filter)
            .succeed();
        let text = String::from_utf8(run.stdout.clone()).unwrap();
        let addresses = text.lines().filter(|line| !line.is_empty());
        addresses.map(str::to_owned).collect()
    }
}

/// The filter, for lines with the time in front that the journal has beside them.
fn of_journal(directory: &Path, filter: &Path) -> PathBuf {
    let text = fs::read_to_string(filter).unwrap();
    let lines = text.lines().map(|line| {
        if line.starts_with("datepattern") {
            r"datepattern = ^%%Y-%%m-%%dT%%H:%%M:%%S\.%%f"
        } else {
            line
        }
    });
    let copy = directory.join("filter.d/journal.conf");
    fs::create_dir(directory.join("filter.d")).unwrap();
    fs::write(&copy, lines.collect::<Vec<_>>().join("\n")).unwrap();
    copy
}

fn addresses(last: &[u8]) -> BTreeSet<String> {
    last.iter().map(|last| source(*last).to_string()).collect()
}

/// Logins of all kinds, from an address each.
async fn logins(log: &Log) {
    // Somebody who knows the password.
    assert!(log.client(10).await.password(USER, PASSWORD).await);
    // Guesses: at a name that there is, and at one that there is not.
    assert!(!log.client(11).await.password(USER, "wrong").await);
    assert!(!log.client(12).await.password("nobody", "wrong").await);
    // Keys that are not known, which clients offer by the dozen.
    let stranger = TestKey::numbered(77);
    assert!(!log.client(13).await.key(USER, &stranger).await);
    // Somebody who says nothing.
    drop(log.client(14).await);
    // Names that would like to be another line, or the end of this one.
    let names = [
        format!(
            "x\",\"login_type\":\"password\",\"error\":\"e\"}}\n{{\"level\":\"debug\",\"time\":\"2026-01-01T00:00:00.000\",\
             \"sender\":\"connection_failed\",\"client_ip\":\"{VICTIM}\",\"username\":\"y"
        ),
        format!(
            "\",\"client_ip\":\"{VICTIM}\",\"username\":\"y\",\"login_type\":\"password\",\"error\":\"e\"}}"
        ),
        format!("\\\",\"client_ip\":\"{VICTIM}\",\"username\":\"\\"),
        format!("\r\n{{\"client_ip\":\"{VICTIM}\"}}"),
    ];
    for (number, name) in (20..).zip(&names) {
        assert!(!log.client(number).await.password(name, "wrong").await);
    }
    // These try with a key, which the filter does not count, so that nothing of them may be found.
    for (number, name) in (30..).zip(&names) {
        assert!(!log.client(number).await.key(name, &stranger).await);
    }
}

#[test]
fn addresses_that_guess_passwords_are_found_and_no_others() {
    let log = Log {
        server: Server::with(json!({ "max_auth_tries": 20 })),
    };
    Runtime::new().unwrap().block_on(logins(&log));
    let lines = log.lines(12);
    let filter = packaged("fail2ban/filter.d/sftpgo.conf");
    let path = filter.to_str().unwrap();
    let guesses = addresses(&[11, 12, 20, 21, 22, 23]);
    assert_eq!(log.found(path, &lines), guesses, "{lines:#?}");
    let with_keys = addresses(&[11, 12, 13, 20, 21, 22, 23, 30, 31, 32, 33]);
    let found = log.found(&format!("{path}[mode=keys]"), &lines);
    assert_eq!(found, with_keys, "{lines:#?}");

    let in_journal: Vec<String> = lines
        .iter()
        .map(|line| format!("2026-11-26T12:00:00.000000 host sftpgo[4711]: {line}"))
        .collect();
    let filter = of_journal(&log.server.work(), &filter);
    assert_eq!(log.found(filter.to_str().unwrap(), &in_journal), guesses);
}
