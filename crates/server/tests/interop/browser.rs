//! Chromium uses the web admin: `web/tests/browser.cjs`, driven by playwright-core, with axe-core as the inspector.
//!
//! `SFTPGO_SCREENSHOTS` names a directory for pictures of the pages (`docs/web-admin.md` says how those of the
//! documentation are made).

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sftpgo_core::defender::HostEvent;
use sftpgo_testkit::{Account, FileClient as _, Sftp, TestServer};
use sftpgo_wire::sftp::OpenFlags;
use sftpgo_wire::sftp::client::write;
use tempfile::TempDir;

use super::support::Run;

/// For four looks at every page, with an inspection each; machines of CI are slow.
const SECONDS: u64 = 600;

/// Uploads at the pace that the account allows, until somebody ends the connection.
async fn upload(server: &TestServer, username: &str, path: &[u8]) {
    let mut sftp: Sftp = server.sftp_as("OpenSSH_9.2p1", username).await;
    let flags = OpenFlags(OpenFlags::WRITE.0 | OpenFlags::CREATE.0 | OpenFlags::TRUNCATE.0);
    let Ok(handle) = sftp.open_file(path, flags).await else {
        return;
    };
    let mut offset = 0;
    loop {
        sftp.send(|out, id| write(out, id, &handle, offset, &[b'x'; 16_384]));
        offset += 16_384;
        if sftp.reply().await.is_none() {
            return;
        }
    }
}

/// Again and again: every look of the browser ends one.
async fn keep_uploading(server: &TestServer) -> ! {
    loop {
        upload(server, "maria", b"/footage/harbour-2026-11-25.mov").await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn prepared() -> TestServer {
    let server = TestServer::builder()
        .driver("sqlite")
        .set("defender.enabled", true)
        .start()
        .await;
    let far = |name: &str| Account::new(name).with("home_dir", format!("/srv/sftpgo/{name}"));
    let accounts = [
        Account::new("maria")
            .with("upload_bandwidth", 256)
            .quota(50, 40_000_000),
        Account::new("billing-export")
            .permit("/", "list,download,upload,rename")
            .permit("/in", "list,upload")
            .quota(10, 5_000_000),
        far("restored"),
        far("archive")
            .permit("/", "list,download")
            .with("max_sessions", 2),
        far("contractor-jun").with("expiration_date", 1_767_225_600_000_i64),
        far("old-partner").with("status", 0),
        far("studio-berlin")
            .with("download_bandwidth", 2048)
            .quota(0, 250_000_000_000),
    ];
    for account in accounts {
        server.add(account).await;
    }
    std::fs::create_dir_all(server.home("maria").join("footage")).unwrap();
    let mut sftp = server.sftp("billing-export").await;
    for month in 1..=9 {
        let path = format!("/2026-{month:02}.csv");
        sftp.put(path.as_bytes(), &[b'x'; 410_000]).await.unwrap();
    }
    let defender = server.core().defender().unwrap();
    for address in [
        "198.51.100.17",
        "203.0.113.5",
        "203.0.113.80",
        "192.0.2.44",
        "2001:db8:7::1",
    ] {
        for _ in 0..100 {
            defender.report(address.parse().unwrap(), HostEvent::WrongCredential);
        }
    }
    server
}

/// Where `scripts/test` has put the packages of `web/tests/package-lock.json`.
fn packages() -> PathBuf {
    let default = || root().join("target/browser-test/node_modules");
    std::env::var_os("SFTPGO_TEST_NODE_MODULES").map_or_else(default, PathBuf::from)
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn browser(http: SocketAddr, home: &Path) -> Run {
    let pictures = std::env::var_os("SFTPGO_SCREENSHOTS");
    let run = Run::new("node", home, home)
        .arg(root().join("web/tests/browser.cjs"))
        .env("NODE_PATH", packages())
        .env("BASE_URL", format!("http://{http}"))
        .env("CHROMIUM", "/usr/bin/chromium")
        .env("UPLOADER", "maria")
        .deadline(SECONDS);
    match pictures {
        Some(directory) => run.env("SCREENSHOTS", directory),
        None => run,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_manages_users_ends_an_upload_and_restores_a_backup() {
    let server = prepared().await;
    let home = TempDir::new().unwrap();
    let run = browser(server.http_address(), home.path());
    let browsing = tokio::task::spawn_blocking(move || run.succeed());
    tokio::select! {
        done = browsing => {
            done.unwrap().says("ok: without scripts");
        }
        never = keep_uploading(&server) => never,
    }
}
