//! The corpus of spellings through SFTP: what is decided about a spelling is what is decided about its canonical path, for
//! directories that are closed, names that are filtered, and virtual folders.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;
use sftpgo_testkit::corpus::{Meaning, Spelling, spellings};
use sftpgo_testkit::{Account, FileClient as _, Refusal, Sftp, TestServer};

use super::super::requests::{APPEND, Ask, BOTH, CREATE, REPLACE, WRITE};

const SECRET: &[u8] = b"the secret";

/// `/closed` allows nothing, `/filtered` no `.txt`, `/deep/folder` lies elsewhere; each holds `secret.txt`.
async fn scene() -> (TestServer, Sftp, Vec<PathBuf>) {
    let server = TestServer::start().await;
    let mapped = server.home("mapped");
    let filters = json!({
        "file_extensions": [{ "path": "/filtered", "denied_extensions": [".txt"] }]
    });
    let folders = json!([{ "virtual_path": "/deep/folder", "mapped_path": mapped }]);
    let account = Account::new("alice")
        .permit("/closed", "")
        .with("filters", filters)
        .with("virtual_folders", folders);
    server.add(account).await;
    let home = server.home("alice");
    let holders = vec![home.join("closed"), home.join("filtered"), mapped];
    for holder in &holders {
        fs::create_dir_all(holder).unwrap();
        fs::write(holder.join("secret.txt"), SECRET).unwrap();
    }
    fs::create_dir(home.join("open")).unwrap();
    fs::write(home.join("open/own"), b"own").unwrap();
    let sftp = server.sftp("alice").await;
    (server, sftp, holders)
}

fn is_untouched(holder: &Path, after: &str) {
    let secret = fs::read(holder.join("secret.txt")).unwrap_or_default();
    assert_eq!(secret, SECRET, "{after}");
    assert_eq!(super::names_in(holder), ["secret.txt"], "{after}");
}

/// What only looks.
fn looking(path: &[u8]) -> [Ask<'_>; 8] {
    [
        Ask::RealPath(path),
        Ask::Stat(path),
        Ask::Lstat(path),
        Ask::List(path),
        Ask::Get(path),
        Ask::ReadLink(path),
        Ask::Statvfs(path),
        Ask::Digest(path),
    ]
}

/// What would read the file, replace it or take it away.
fn using(path: &[u8]) -> [Ask<'_>; 16] {
    [
        Ask::Get(path),
        Ask::Put(path),
        Ask::Open(path, WRITE),
        Ask::Open(path, CREATE),
        Ask::Open(path, REPLACE),
        Ask::Open(path, APPEND),
        Ask::Open(path, BOTH),
        Ask::Size(path, 0),
        Ask::Remove(path),
        Ask::Rename(path, b"/open/taken"),
        Ask::PosixRename(b"/open/own", path),
        Ask::Digest(path),
        Ask::HardLink(path, b"/open/taken"),
        Ask::HardLink(b"/open/own", path),
        Ask::Copy(path, b"/open/taken"),
        Ask::Copy(b"/open/own", path),
    ]
}

/// What acts on the entry, whatever its name ends with.
fn handling(path: &[u8]) -> [Ask<'_>; 8] {
    [
        Ask::Stat(path),
        Ask::Lstat(path),
        Ask::Mode(path, 0o777),
        Ask::Times(path),
        Ask::MkDir(path),
        Ask::RmDir(path),
        Ask::Symlink(b"/open/own", path),
        Ask::ReadLink(path),
    ]
}

fn spelled(path: &str, meaning: Meaning) -> impl Iterator<Item = Spelling> {
    let all = spellings(path).into_iter();
    all.filter(move |spelling| spelling.meaning == meaning)
}

async fn all_denied(sftp: &mut Sftp, asked: &[Ask<'_>], shown: &str) {
    for ask in asked {
        let refusal = ask.refusal(sftp).await;
        assert_eq!(refusal, Some(Refusal::Denied), "{shown}: {ask:?}");
    }
}

#[tokio::test]
async fn every_spelling_of_a_closed_path_is_closed() {
    let (_server, mut sftp, holders) = scene().await;
    for spelling in spelled("/closed/secret.txt", Meaning::Same) {
        let (path, shown) = (&spelling.raw[..], spelling.shown());
        all_denied(&mut sftp, &using(path), &shown).await;
        all_denied(&mut sftp, &handling(path), &shown).await;
        let directory = [path, b"/.."].concat();
        let refusal = Ask::List(&directory).refusal(&mut sftp).await;
        assert_eq!(refusal, Some(Refusal::Denied), "{shown}");
    }
    is_untouched(&holders[0], "all spellings");
}

#[tokio::test]
async fn every_spelling_of_a_filtered_name_is_filtered() {
    let (_server, mut sftp, holders) = scene().await;
    for spelling in spelled("/filtered/secret.txt", Meaning::Same) {
        let shown = spelling.shown();
        all_denied(&mut sftp, &using(&spelling.raw), &shown).await;
        assert!(sftp.stat_attrs(&spelling.raw).await.is_ok(), "{shown}");
    }
    is_untouched(&holders[1], "all spellings");
}

#[tokio::test]
async fn every_spelling_of_a_virtual_folder_is_the_folder() {
    let (_server, mut sftp, holders) = scene().await;
    for spelling in spelled("/deep/folder/secret.txt", Meaning::Same) {
        assert_eq!(sftp.get(&spelling.raw).await.unwrap(), SECRET);
    }
    for spelling in spelled("/deep/folder", Meaning::Same) {
        let (path, shown) = (&spelling.raw[..], spelling.shown());
        let fixed = [
            Ask::MkDir(path),
            Ask::RmDir(path),
            Ask::Rename(path, b"/open/taken"),
            Ask::PosixRename(b"/open/own", path),
            Ask::Symlink(b"/open/own", path),
        ];
        all_denied(&mut sftp, &fixed, &shown).await;
        let listed = sftp.list(path).await.unwrap();
        assert_eq!(listed.len(), 1, "{shown}");
    }
    is_untouched(&holders[2], "all spellings");
}

#[tokio::test]
async fn what_other_systems_take_for_a_path_is_another_one() {
    let (_server, mut sftp, holders) = scene().await;
    for path in [
        "/closed/secret.txt",
        "/filtered/secret.txt",
        "/deep/folder/secret.txt",
    ] {
        for spelling in spelled(path, Meaning::Other) {
            let (raw, canonical) = (&spelling.raw[..], spelling.canonical());
            let shown = spelling.shown();
            for (asked, other) in looking(raw).into_iter().zip(looking(&canonical)) {
                let answer = asked.of(&mut sftp).await;
                assert_eq!(answer, other.of(&mut sftp).await, "{shown}: {asked:?}");
                let said = answer.unwrap_or_default();
                assert!(!said.ends_with(SECRET), "{shown}: {asked:?}");
            }
            // Stored under one name, it is found under the other.
            if sftp.put(raw, b"own").await.is_ok() {
                assert_eq!(sftp.get(&canonical).await.unwrap(), b"own", "{shown}");
                sftp.remove(&canonical).await.unwrap();
                assert!(sftp.get(raw).await.is_err(), "{shown}");
            } else {
                assert!(sftp.put(&canonical, b"own").await.is_err(), "{shown}");
            }
        }
        for holder in &holders {
            is_untouched(holder, path);
        }
    }
}

#[tokio::test]
async fn what_is_no_path_is_refused_before_anything_is_looked_at() {
    let (_server, mut sftp, holders) = scene().await;
    for path in ["/closed/secret.txt", "/deep/folder/secret.txt"] {
        for spelling in spelled(path, Meaning::Nothing) {
            let raw = &spelling.raw[..];
            for ask in using(raw).iter().chain(&handling(raw)) {
                let refusal = ask.refusal(&mut sftp).await;
                let shown = spelling.shown();
                assert_eq!(refusal, Some(Refusal::BadMessage), "{shown}");
            }
        }
    }
    is_untouched(&holders[0], "what is no path");
}
