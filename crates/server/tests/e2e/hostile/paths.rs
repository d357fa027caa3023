//! Paths of every ugly kind through every request that takes one.

use bytes::Bytes;
use sftpgo_testkit::{FileClient as _, Refusal, Refused, Sftp};
use sftpgo_wire::sftp::{Attrs, Extension, OpenFlags};

use super::{CREATE, alice, names_in};

/// What each request that takes a path says to it.
async fn ask_all(sftp: &mut Sftp, path: &[u8]) -> Vec<Option<Refusal>> {
    let owned = Bytes::copy_from_slice(path);
    let kind = |error: Refused| error.kind;
    vec![
        sftp.lstat(path).await.err().map(kind),
        sftp.stat_attrs(path).await.err().map(kind),
        sftp.setstat(path, &Attrs::EMPTY).await.err().map(kind),
        sftp.opendir(path).await.err().map(kind),
        sftp.open_file(path, OpenFlags::READ).await.err().map(kind),
        sftp.open_file(path, CREATE).await.err().map(kind),
        sftp.mkdir(path).await.err().map(kind),
        sftp.rmdir(path).await.err().map(kind),
        sftp.remove(path).await.err().map(kind),
        sftp.readlink(path).await.err().map(kind),
        sftp.plain_rename(path, b"/to").await.err().map(kind),
        sftp.plain_rename(b"/from", path).await.err().map(kind),
        sftp.symlink(b"/target", path).await.err().map(kind),
        sftp.extended_value(&Extension::Statvfs { path: owned })
            .await
            .err()
            .map(kind),
    ]
}

#[tokio::test]
async fn what_is_no_path_is_a_bad_message_to_every_request() {
    let (server, mut sftp) = alice().await;
    let long_name = [b"/", &[b'n'; 300][..]].concat();
    let bad: [Vec<u8>; 6] = [
        b"/a\0b".to_vec(),
        b"\0".to_vec(),
        long_name.clone(),
        [b"/dir", &long_name[..], b"/x"].concat(),
        b"/d".repeat(10_000),
        [b"/", &b"long-enough/".repeat(400)[..]].concat(),
    ];
    for path in bad {
        let answers = ask_all(&mut sftp, &path).await;
        let shown = String::from_utf8_lossy(&path[..path.len().min(40)]).into_owned();
        assert_eq!(
            answers,
            vec![Some(Refusal::BadMessage); answers.len()],
            "{shown:?}"
        );
        assert!(sftp.realpath(&path).await.is_err(), "{shown:?}");
    }
    assert!(names_in(&server.home("alice")).is_empty());
}

#[tokio::test]
async fn a_path_of_ten_thousand_steps_that_leads_home_is_home() {
    let (_server, mut sftp) = alice().await;
    assert_eq!(sftp.realpath(&b"/.".repeat(10_000)).await.unwrap(), b"/");
    let there_and_back = b"/d/..".repeat(5_000);
    assert_eq!(sftp.realpath(&there_and_back).await.unwrap(), b"/");
    assert_eq!(sftp.realpath(&b"../".repeat(10_000)).await.unwrap(), b"/");
}

/// Two hundred ways to write a path that climbs to `etc/passwd` or to a file beside the home.
fn climbing() -> Vec<Vec<u8>> {
    let ups: [&[u8]; 10] = [
        b"..",
        b"../..",
        b"../../../../../../../..",
        b"./../.",
        b"dir/../..",
        b"dir/./../../.",
        b"..//..",
        b".././/../.",
        b"none/../..",
        b"file/../..",
    ];
    let heads: [&[u8]; 5] = [b"", b"/", b"//", b"/./", b"./"];
    let tails: [&[u8]; 4] = [
        b"/etc/passwd",
        b"//secret",
        b"/./secret/.",
        b"/homes/secret",
    ];
    let mut paths = Vec::new();
    for up in ups {
        for head in heads {
            for tail in tails {
                paths.push([head, up, tail].concat());
            }
        }
    }
    assert_eq!(paths.len(), 200);
    paths
}

#[tokio::test]
async fn no_spelling_climbs_out_of_the_home() {
    let (server, mut sftp) = alice().await;
    let beside = server.home("alice").parent().unwrap().join("secret");
    std::fs::write(&beside, b"secret").unwrap();
    std::fs::write(server.home("alice").join("secret"), b"own").unwrap();
    sftp.create_dir(b"/dir").await.unwrap();
    sftp.put(b"/file", b"").await.unwrap();
    for path in climbing() {
        let shown = String::from_utf8_lossy(&path).into_owned();
        let real = sftp.realpath(&path).await.unwrap();
        let names = real.split(|byte| *byte == b'/');
        assert!(
            real.starts_with(b"/") && names.clone().all(|name| name != b".."),
            "{shown}"
        );
        // A spelling means what its canonical form means, to every request that only looks.
        let canonical = sftp.get(&real).await;
        assert_eq!(sftp.get(&path).await, canonical, "{shown}");
        let expected: &[u8] = if real == b"/secret" { b"own" } else { b"" };
        assert_eq!(canonical.unwrap_or_default(), expected, "{shown}");
        assert_eq!(sftp.lstat(&path).await, sftp.lstat(&real).await, "{shown}");
        // And to those that change: inside or not at all.
        let _ = sftp.put(&path, b"own").await;
        let _ = sftp.mkdir(&path).await;
        let _ = sftp.symlink(&path, b"/link").await;
        assert_ne!(sftp.get(b"/link").await.unwrap_or_default(), b"secret");
        let _ = sftp.remove(b"/link").await;
    }
    assert_eq!(std::fs::read(&beside).unwrap(), b"secret");
    assert_eq!(
        names_in(server.home("alice").parent().unwrap()),
        ["alice", "secret"]
    );
}

#[tokio::test]
async fn other_systems_ways_to_climb_are_names_like_any_other() {
    let (server, mut sftp) = alice().await;
    let names: [&[u8]; 12] = [
        b"..\\..\\secret",
        b"%2e%2e%2fsecret",
        b"..%00",
        b"...",
        b"....",
        b"..;",
        b".. ",
        b" ..",
        b"..\xc0\xaf..",
        b"\xe2\x80\xa5",
        b"C:",
        b"~root",
    ];
    for name in names {
        let path = [b"/", name].concat();
        sftp.put(&path, b"own").await.unwrap();
        assert_eq!(sftp.get(name).await.unwrap(), b"own", "{name:?}");
        sftp.remove(&path).await.unwrap();
    }
    assert_eq!(names_in(server.home("alice").parent().unwrap()), ["alice"]);
}

#[tokio::test]
async fn names_of_any_bytes_work_with_every_request() {
    let (_server, mut sftp) = alice().await;
    let names: [&[u8]; 6] = [
        b"\xff\xfe",
        b"\xed\xa0\x80",
        b"line\nbreak\r\x1b[31m",
        b"\x01\x02\x7f",
        b"-rf *",
        &[0x80; 255],
    ];
    for name in names {
        let path = [b"/", name].concat();
        sftp.put(&path, b"own").await.unwrap();
        let listed = sftp.list(b"/").await.unwrap();
        assert_eq!(listed.len(), 1);
        assert_eq!(listed[0].name, name);
        sftp.rename(&path, b"/plain").await.unwrap();
        sftp.rename(b"/plain", &path).await.unwrap();
        sftp.symlink(&path, b"/link").await.unwrap();
        assert_eq!(sftp.get(b"/link").await.unwrap(), b"own");
        sftp.remove(b"/link").await.unwrap();
        sftp.remove(&path).await.unwrap();
    }
}

#[tokio::test]
async fn the_root_cannot_be_moved_removed_or_replaced() {
    let (server, mut sftp) = alice().await;
    sftp.create_dir(b"/dir").await.unwrap();
    for root in [&b"/"[..], b"", b".", b"/..", b"/dir/.."] {
        assert!(sftp.remove(root).await.is_err());
        assert!(sftp.rmdir(root).await.is_err());
        assert!(sftp.mkdir(root).await.is_err());
        assert!(sftp.rename(root, b"/other").await.is_err());
        assert!(sftp.rename(b"/dir", root).await.is_err());
        assert!(sftp.symlink(b"/dir", root).await.is_err());
        assert!(sftp.open_file(root, CREATE).await.is_err());
    }
    // Nor a directory moved into itself.
    assert!(sftp.rename(b"/dir", b"/dir/below").await.is_err());
    assert_eq!(names_in(&server.home("alice")), ["dir"]);
}
