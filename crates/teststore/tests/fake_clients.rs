//! Clients that others wrote take the fake for an S3.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::{Path, PathBuf};
use std::process::Output;

use sftpgo_teststore::{FakeS3, Keys, Pattern, Settings, installed, within};
use tempfile::TempDir;
use tokio::process::Command;

const KEYS: Keys = Keys {
    id: "id",
    secret: "secret",
};
/// Ten parts of 5 MiB, nearly.
const SIZE: u64 = 50_000_000;

async fn start() -> FakeS3 {
    let fake = FakeS3::with(Settings {
        keys: Some(KEYS),
        ..Settings::default()
    });
    let fake = fake.await;
    fake.make_bucket("bucket");
    fake.put_pattern("bucket", "pattern", SIZE);
    fake
}

/// A client in a directory of its own, without the settings of whoever runs the tests.
fn client(program: PathBuf, home: &TempDir) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home.path())
        .env("LC_ALL", "C.UTF-8")
        .current_dir(home.path())
        .kill_on_drop(true);
    command
}

async fn succeed(mut command: Command) -> Output {
    let output = within("the end of the client", command.output())
        .await
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {text}");
    output
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn boto3_takes_the_fake_for_an_s3() {
    let (fake, home) = (start().await, TempDir::new().unwrap());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts/boto3_client.py");
    let mut python = client(installed("venv/bin/python"), &home);
    python
        .args(["-B".as_ref(), script.as_os_str()])
        .env("ENDPOINT", fake.endpoint())
        .env("KEY_ID", KEYS.id)
        .env("KEY_SECRET", KEYS.secret);
    let output = succeed(python).await;
    assert_eq!(output.stdout, b"done\n");
    let large = fake.object("bucket", "large").unwrap();
    let content = (0..=255).collect::<Vec<u8>>().repeat(4 * 1024 * 16);
    assert_eq!((large.parts, large.crc32), (4, crc32fast::hash(&content)));
    assert_eq!(fake.keys("bucket"), ["large", "pattern"]);
    assert!(fake.uploads("bucket").is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rclone_takes_the_fake_for_an_s3() {
    let (fake, home) = (start().await, TempDir::new().unwrap());
    let rclone = |arguments: &[&str]| {
        let mut rclone = client(installed("venv/bin/rclone"), &home);
        rclone
            .args(arguments)
            .env("RCLONE_CONFIG", home.path().join("rclone.conf"))
            .env("RCLONE_CONFIG_FAKE_TYPE", "s3")
            .env("RCLONE_CONFIG_FAKE_PROVIDER", "Other")
            .env("RCLONE_CONFIG_FAKE_ENDPOINT", fake.endpoint())
            .env("RCLONE_CONFIG_FAKE_ACCESS_KEY_ID", KEYS.id)
            .env("RCLONE_CONFIG_FAKE_SECRET_ACCESS_KEY", KEYS.secret)
            .env("RCLONE_CONFIG_FAKE_REGION", "us-east-1")
            .env("RCLONE_RETRIES", "1")
            .env("RCLONE_LOW_LEVEL_RETRIES", "1");
        succeed(rclone)
    };
    rclone(&["copyto", "fake:bucket/pattern", "file"]).await;
    let file = std::fs::read(home.path().join("file")).unwrap();
    assert!(
        file == Pattern::bytes(0, SIZE),
        "the download is another file"
    );
    rclone(&[
        "copyto",
        "file",
        "fake:bucket/up/again",
        "--s3-upload-cutoff=5M",
    ])
    .await;
    let found = fake.object("bucket", "up/again").unwrap();
    assert_eq!((found.size, found.crc32), (SIZE, Pattern::crc32(SIZE)));
    assert!(found.parts > 1);
    for version in ["1", "2"] {
        let list = ["lsf", "fake:bucket", "--s3-list-version", version];
        let output = rclone(&list).await;
        assert_eq!(output.stdout, b"pattern\nup/\n", "{version}");
    }
}
