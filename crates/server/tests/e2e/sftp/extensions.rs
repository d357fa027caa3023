//! Extensions, announced and not.

use bytes::Bytes;
use sftpgo_testkit::{Account, Answer, FileClient as _, Refusal, Refused};
use sftpgo_wire::sftp::extension::{
    LimitsReply, SpaceAvailableReply, StatvfsReply, UsersGroupsReply,
};
use sftpgo_wire::sftp::{Extension, MAX_READ_WRITE, Reply, StatusCode, client};

use super::{Lab, REPLACE, refused};

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
    for name in ["hardlink", "lsetstat", "expand-path", "users-groups-by-id"] {
        assert!(names.contains(&format!("{name}@openssh.com")), "{names:?}");
    }
    for name in [
        "home-directory",
        "space-available",
        "copy-data",
        "check-file",
    ] {
        assert!(names.contains(&name.to_owned()), "{names:?}");
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
    let unknown = [Extension::Unknown {
        name: Bytes::from_static(b"no-such@example.com"),
    }];
    for request in unknown {
        refused(lab.sftp.extended(&request).await, Refusal::Unsupported);
    }
    assert_eq!(lab.sftp.realpath(b".").await.unwrap(), b"/");
}

/// What REALPATH, expand-path and home-directory answer.
async fn named(lab: &mut Lab, request: Extension) -> Answer<Vec<u8>> {
    let reply = lab
        .sftp
        .call(|out, id| client::extended(out, id, &request))
        .await;
    match reply {
        Reply::Name { entries, .. } => Ok(entries[0].filename.to_vec()),
        Reply::Status { code, message, .. } => {
            assert_eq!(code, StatusCode::NoSuchFile);
            let message = String::from_utf8_lossy(&message).into_owned();
            let kind = Refusal::NotFound;
            Err(Refused { kind, message })
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_tilde_is_the_home_and_nobody_else_has_one() {
    let mut lab = Lab::new().await;
    lab.server.add(Account::new("bob")).await;
    let rows: [(&[u8], &[u8]); 10] = [
        (b"~", b"/"),
        (b"~/", b"/"),
        (b"~/dir/../file", b"/file"),
        (b"~/../../etc", b"/etc"),
        (b"~alice", b"/"),
        (b"~alice/dir/file", b"/dir/file"),
        (b"~alice/../../x", b"/x"),
        (b"dir/./~", b"/dir/~"),
        (b"/~bob", b"/~bob"),
        (b"", b"/"),
    ];
    for (path, expected) in rows {
        let path = Bytes::from_static(path);
        let answer = named(&mut lab, Extension::ExpandPath { path }).await;
        assert_eq!(answer.unwrap(), expected);
    }
    for path in [&b"~bob"[..], b"~bob/x", b"~root", b"~alic", b"~alice2"] {
        let path = Bytes::from_static(path);
        let answer = named(&mut lab, Extension::ExpandPath { path }).await;
        assert!(answer.is_err());
    }
}

#[tokio::test]
async fn the_home_directory_of_the_account_is_the_root() {
    let mut lab = Lab::new().await;
    lab.server.add(Account::new("bob")).await;
    for username in [&b""[..], b"alice"] {
        let username = Bytes::from_static(username);
        let answer = named(&mut lab, Extension::HomeDirectory { username }).await;
        assert_eq!(answer.unwrap(), b"/");
    }
    for username in [&b"bob"[..], b"root", b"nobody"] {
        let username = Bytes::from_static(username);
        let answer = named(&mut lab, Extension::HomeDirectory { username }).await;
        assert!(answer.is_err());
    }
}

#[tokio::test]
async fn only_the_own_number_has_a_name() {
    let account = Account::new("alice").with("uid", 1234).with("gid", 99);
    let mut lab = Lab::with(account).await;
    let request = Extension::UsersGroupsById {
        uids: vec![0, 1234, 65534, 1234],
        gids: vec![1234, 99],
    };
    let body = lab.sftp.extended_value(&request).await.unwrap();
    let reply = UsersGroupsReply::decode(body).unwrap();
    assert_eq!(reply.users, ["", "alice", "", ""]);
    assert_eq!(reply.groups, ["", "alice"]);
    // As many as a request may name: an answer that fits into a packet.
    let request = Extension::UsersGroupsById {
        uids: vec![1234; 4096],
        gids: vec![99; 4096],
    };
    let body = lab.sftp.extended_value(&request).await.unwrap();
    assert_eq!(UsersGroupsReply::decode(body).unwrap().users.len(), 4096);
}

#[tokio::test]
async fn space_available_is_what_the_quota_leaves_in_bytes() {
    let mut lab = Lab::with(Account::new("alice").quota(0, 1_000_000)).await;
    lab.sftp.put(b"/file", &vec![b'x'; 600_000]).await.unwrap();
    let path = Bytes::from_static(b"/file");
    let request = Extension::SpaceAvailable { path };
    let body = lab.sftp.extended_value(&request).await.unwrap();
    let space = SpaceAvailableReply::decode(body).unwrap();
    assert!(space.bytes_available_to_user <= 1_000_000);
    assert!(space.unused_bytes_available_to_user <= 400_000);
    assert!(space.unused_bytes_available_to_user > 300_000);
    assert!(space.bytes_per_allocation_unit > 0);
    let path = Bytes::from_static(b"/none");
    let missing = Extension::SpaceAvailable { path };
    refused(lab.sftp.extended_value(&missing).await, Refusal::NotFound);
}
