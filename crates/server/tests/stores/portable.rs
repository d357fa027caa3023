//! `sftpgo portable` with a bucket instead of a directory.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use sftpgo_core::model::FilesystemConfig;
use sftpgo_core::model::filesystem::Kind;
use sftpgo_testkit::{Bucket, FileClient as _, Sftp, SshClient, StoreKind};

use super::content;

/// Ends when it is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The flags for the settings of an account.
fn flags(bucket: &Bucket) -> Vec<String> {
    let json = bucket.filesystem_by(bucket.emulator().address());
    let mut config: FilesystemConfig = serde_json::from_value(json.clone()).unwrap();
    let back_end = config.provider.back_end().unwrap();
    let mut flags = vec![format!("--fs-provider={}", config.provider.number())];
    for field in back_end.fields {
        let secret = json.pointer(&format!("/{}/{}", back_end.object, field.name));
        let secret = secret.and_then(|value| value.as_str());
        let value = match field.secret(&mut config) {
            Some(_) => secret.unwrap_or_default().to_owned(),
            None => field.shown(&mut config),
        };
        // Portable servers take the credentials of their surroundings unless they are told not to.
        if matches!(field.kind, Kind::Switch(_)) && value.is_empty() {
            flags.push(format!("--{}=0", field.flag));
        } else if !value.is_empty() && value != "0" {
            flags.push(format!("--{}={value}", field.flag));
        }
    }
    flags
}

/// What stands behind `name` in the lines that come.
fn value(lines: &mut impl Iterator<Item = String>, name: &str) -> String {
    let found = lines.find_map(|line| line.trim().strip_prefix(name).map(str::to_owned));
    found.unwrap_or_else(|| panic!("no {name}"))
}

#[tokio::test]
async fn a_bucket_is_shared_by_flags_alone() {
    for kind in StoreKind::ALL {
        let bucket = Bucket::new(*kind).await;
        let directory = tempfile::tempdir().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_sftpgo"))
            .args([
                "portable",
                "-S=false",
                "--bind-address=127.0.0.1",
                "-g",
                "*",
            ])
            .args(flags(&bucket))
            .current_dir(directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let _running = Running(child);
        let mut lines = output.lines().map_while(Result::ok);
        let command = value(&mut lines, "Connect");
        let port: u16 = command.split_whitespace().nth(2).unwrap().parse().unwrap();
        let password = value(&mut lines, "Password");
        value(&mut lines, "Ctrl-C");

        let mut client = SshClient::connect(([127, 0, 0, 1], port).into(), None).await;
        assert!(client.password("user", password.trim()).await);
        let mut sftp = Sftp::open(Arc::new(client)).await.unwrap();
        let bytes = content(100_000);
        sftp.create_dir(b"/dir").await.unwrap();
        sftp.put(b"/dir/file", &bytes).await.unwrap();
        assert_eq!(sftp.get(b"/dir/file").await.unwrap(), bytes, "{kind:?}");
        assert_eq!(sftp.list(b"/dir").await.unwrap().len(), 1);
        let left = std::fs::read_dir(directory.path()).unwrap();
        assert_eq!(left.count(), 0, "{kind:?}: nothing lies on the disk");
    }
}
