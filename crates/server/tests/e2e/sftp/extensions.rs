//! Extensions, announced and not.

use bytes::Bytes;
use sftpgo_testkit::{Account, FileClient as _, Refusal};
use sftpgo_wire::sftp::extension::{LimitsReply, StatvfsReply};
use sftpgo_wire::sftp::{Extension, MAX_READ_WRITE};

use super::{Lab, READ, REPLACE, refused};

/// Departure: the reference announces `posix-rename@openssh.com` only.
#[tokio::test]
async fn what_is_announced_works() {
    let mut lab = Lab::new().await;
    let names: Vec<String> = lab
        .sftp
        .extensions()
        .iter()
        .map(|(name, _)| String::from_utf8(name.to_vec()).unwrap())
        .collect();
    for name in ["posix-rename", "statvfs", "fstatvfs", "fsync", "limits"] {
        assert!(names.contains(&format!("{name}@openssh.com")), "{names:?}");
    }

    lab.sftp.put(b"/from", b"").await.unwrap();
    lab.sftp.rename(b"/from", b"/to").await.unwrap();
    let handle = lab.sftp.open_file(b"/file", REPLACE).await.unwrap();
    lab.sftp
        .extended(&Extension::Fsync {
            handle: handle.clone(),
        })
        .await
        .unwrap();
    let request = Extension::Fstatvfs { handle };
    let body = lab.sftp.extended_value(&request).await.unwrap();
    assert!(StatvfsReply::decode(body).unwrap().blocks > 0);
    let body = lab.sftp.extended_value(&Extension::Limits).await.unwrap();
    let limits = LimitsReply::decode(body).unwrap();
    assert_eq!(limits.max_read_length, MAX_READ_WRITE as u64);
    assert!(limits.max_open_handles > 0);
}

#[tokio::test]
async fn free_space_is_what_the_quota_leaves() {
    let mut lab = Lab::with(Account::new("alice").quota(10, 1_000_000)).await;
    lab.sftp.put(b"/file", &vec![b'x'; 600_000]).await.unwrap();
    let request = Extension::Statvfs {
        path: Bytes::from_static(b"/"),
    };
    let body = lab.sftp.extended_value(&request).await.unwrap();
    let space = StatvfsReply::decode(body).unwrap();
    let bytes = |blocks: u64| blocks * space.frsize;
    assert!(bytes(space.blocks) <= 1_000_000);
    assert!(bytes(space.bavail) <= 400_000);
    assert_eq!(space.favail, 9);
    let missing = Extension::Statvfs {
        path: Bytes::from_static(b"/none"),
    };
    refused(lab.sftp.extended_value(&missing).await, Refusal::NotFound);
}

#[tokio::test]
async fn what_is_not_known_is_unsupported_and_the_session_goes_on() {
    let mut lab = Lab::new().await;
    lab.write_disk("file", b"");
    let handle = lab.sftp.open_file(b"/file", READ).await.unwrap();
    let unknown = [
        Extension::Unknown {
            name: Bytes::from_static(b"no-such@example.com"),
        },
        Extension::HomeDirectory {
            username: Bytes::from_static(b"alice"),
        },
        Extension::CopyData {
            read_handle: handle.clone(),
            read_offset: 0,
            len: 0,
            write_handle: handle,
            write_offset: 0,
        },
    ];
    for request in unknown {
        refused(lab.sftp.extended(&request).await, Refusal::Unsupported);
    }
    assert_eq!(lab.sftp.realpath(b".").await.unwrap(), b"/");
}
