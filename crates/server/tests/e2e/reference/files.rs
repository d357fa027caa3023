//! The reference's own tests of plain SFTP (TestBasicSFTPHandling to TestHomeSpecialChars), each in its order of steps.

use std::fs;
use std::os::unix::fs::symlink;
use std::time::{SystemTime, UNIX_EPOCH};

use sftpgo_testkit::{Account, FileClient as _, Refusal, Sftp, TestServer, Usage};
use sftpgo_wire::sftp::Attrs;

use crate::requests::Ask;

use Refusal::{Denied, Failed, NotFound};

async fn session() -> (TestServer, Sftp) {
    let server = TestServer::start().await;
    server.add(Account::new("alice")).await;
    let sftp = server.sftp("alice").await;
    (server, sftp)
}

/// Plays requests in their order; `None` is done.
async fn play(sftp: &mut Sftp, steps: &[(Ask<'_>, Option<Refusal>)]) {
    for (ask, expected) in steps {
        assert_eq!(ask.refusal(sftp).await, *expected, "{ask:?}");
    }
}

/// TestBasicSFTPHandling.
#[tokio::test]
async fn a_file_is_stored_counted_read_and_removed() {
    let (server, mut sftp) = session().await;
    let content: Vec<u8> = (0..65_535_u32).map(|number| (number % 251) as u8).collect();
    let missing = sftp.put(b"/missing/file", &content).await;
    assert_eq!(missing.unwrap_err().kind, NotFound);
    sftp.put(b"/file", &content).await.unwrap();
    assert!(sftp.get(b"/file").await.unwrap() == content);
    let used = Usage {
        files: 1,
        bytes: 65_535,
    };
    assert_eq!(server.quota("alice").await, used);
    sftp.remove(b"/file").await.unwrap();
    assert_eq!(sftp.lstat(b"/file").await.unwrap_err().kind, NotFound);
    assert_eq!(server.quota("alice").await, Usage::default());
}

/// TestDirCommands.
#[tokio::test]
async fn directories_are_made_moved_and_removed() {
    let (server, mut sftp) = session().await;
    assert!(server.home("alice").is_dir(), "made at the login");
    let steps = [
        (Ask::MkDir(b"/one"), None),
        (Ask::Rename(b"/one", b"/two"), None),
        (Ask::PosixRename(b"/two", b"/three"), None),
        (Ask::Remove(b"/three"), Some(Failed)),
        (Ask::RmDir(b"/three"), None),
        (Ask::MkDir(b"/missing/dir"), Some(NotFound)),
        (Ask::List(b"/missing"), Some(NotFound)),
        (Ask::RmDir(b"/missing"), Some(NotFound)),
        (Ask::Remove(b"/missing"), Some(NotFound)),
        (Ask::Rename(b"/missing", b"/one"), Some(NotFound)),
        (Ask::MkDir(b"/one"), None),
        (Ask::MkDir(b"/one"), Some(Failed)),
    ];
    play(&mut sftp, &steps).await;
}

/// TestRemove.
#[tokio::test]
async fn files_and_directories_are_removed_each_by_its_request_and_once() {
    let (_server, mut sftp) = session().await;
    let steps = [
        (Ask::MkDir(b"/dir"), None),
        (Ask::MkDir(b"/dir/below"), None),
        (Ask::Put(b"/dir/file"), None),
        (Ask::RmDir(b"/dir"), Some(Failed)),
        (Ask::Remove(b"/dir"), Some(Failed)),
        (Ask::RmDir(b"/dir/file"), Some(Failed)),
        (Ask::Remove(b"/dir/file"), None),
        (Ask::Remove(b"/dir/file"), Some(NotFound)),
        (Ask::RmDir(b"/dir/below"), None),
        (Ask::RmDir(b"/dir"), None),
        (Ask::RmDir(b"/dir"), Some(NotFound)),
    ];
    play(&mut sftp, &steps).await;
}

/// TestLink. Departure: READLINK works here, and so do hard links.
#[tokio::test]
async fn links_are_made_once_and_removed_without_their_targets() {
    let (_server, mut sftp) = session().await;
    let steps = [
        (Ask::Put(b"/file"), None),
        (Ask::Symlink(b"/file", b"/link"), None),
        (Ask::ReadLink(b"/link"), None),
        (Ask::Symlink(b"/file", b"/link"), Some(Failed)),
        (Ask::Get(b"/link"), None),
        (Ask::Remove(b"/link"), None),
        (Ask::Get(b"/file"), None),
        (Ask::Remove(b"/file"), None),
    ];
    play(&mut sftp, &steps).await;
}

/// TestStat and TestStatChownChmod. Departure: a size that is set is no longer ignored.
#[tokio::test]
async fn modes_owners_and_sizes_are_set_and_shown() {
    let (_server, mut sftp) = session().await;
    sftp.put(b"/file", &[b'c'; 65_535]).await.unwrap();
    assert_eq!(sftp.lstat(b"/file").await.unwrap().size, Some(65_535));
    for mode in [0o666, 0o444, 0o600] {
        assert_eq!(Ask::Mode(b"/file", mode).refusal(&mut sftp).await, None);
        let shown = sftp.lstat(b"/file").await.unwrap().permissions.unwrap();
        assert_eq!(shown & 0o7777, mode);
    }
    assert_eq!(Ask::Owner(b"/file").refusal(&mut sftp).await, None);
    assert!(sftp.readlink(b"/file").await.is_err());
    assert_eq!(Ask::Size(b"/file", 100).refusal(&mut sftp).await, None);
    assert_eq!(sftp.lstat(b"/file").await.unwrap().size, Some(100));
    let steps = [
        (Ask::Mode(b"/none", 0o600), Some(NotFound)),
        (Ask::Owner(b"/none"), Some(NotFound)),
        (Ask::Size(b"/none", 0), Some(NotFound)),
    ];
    play(&mut sftp, &steps).await;
}

/// TestChtimes: the times of now, so that they are not told from those of the making by chance.
#[tokio::test]
async fn times_of_files_and_directories_are_set_to_the_second() {
    let (_server, mut sftp) = session().await;
    sftp.put(b"/file", b"content").await.unwrap();
    sftp.mkdir(b"/dir").await.unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let now = u32::try_from(now.as_secs()).unwrap();
    for (path, times) in [
        (&b"/file"[..], (now - 7, now - 5)),
        (b"/dir", (now + 3, now + 9)),
    ] {
        let attrs = Attrs {
            times: Some(times),
            ..Attrs::EMPTY
        };
        sftp.setstat(path, &attrs).await.unwrap();
        assert_eq!(sftp.lstat(path).await.unwrap().times, Some(times));
    }
    assert_eq!(
        Ask::Times(b"/none").refusal(&mut sftp).await,
        Some(NotFound)
    );
}

/// TestEscapeHomeDir.
#[tokio::test]
async fn a_link_to_another_directory_beside_the_home_is_no_way_into_it() {
    let (server, mut sftp) = session().await;
    let other = server.home("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("file"), b"secret").unwrap();
    symlink(&other, server.home("alice").join("link")).unwrap();
    let steps = [
        (Ask::List(b"/link"), Some(Denied)),
        (Ask::Get(b"/link/file"), Some(Denied)),
        (Ask::Put(b"/link/file"), Some(Denied)),
        (Ask::Put(b"/link/new"), Some(Denied)),
        (Ask::Mode(b"/link", 0o777), Some(Denied)),
        (Ask::Mode(b"/link/file", 0o777), Some(Denied)),
        (Ask::Put(b"../../file"), None),
        (Ask::Stat(b"/file"), None),
    ];
    play(&mut sftp, &steps).await;
    assert_eq!(fs::read(other.join("file")).unwrap(), b"secret");
    assert_eq!(fs::read_dir(&other).unwrap().count(), 1);
}

/// TestUploadResume.
#[tokio::test]
async fn an_upload_that_is_continued_is_the_whole_file() {
    let (server, mut sftp) = session().await;
    let content: Vec<u8> = (0..200_000_u32)
        .map(|number| (number % 253) as u8)
        .collect();
    for part in [1, 65_536, 199_999] {
        sftp.put(b"/file", &content[..part]).await.unwrap();
        sftp.append(b"/file", &content[part..]).await.unwrap();
        assert!(sftp.get(b"/file").await.unwrap() == content, "{part}");
        assert_eq!(server.quota("alice").await.bytes, 200_000);
    }
}

/// Departure: the reference leaves out a size, too (6.9), and says that all went well.
#[tokio::test]
async fn with_setstat_mode_one_nothing_but_a_size_is_applied() {
    let server = TestServer::builder()
        .set("sftpd.setstat_mode", 1)
        .start()
        .await;
    server.add(Account::new("alice")).await;
    let mut sftp = server.sftp("alice").await;
    sftp.put(b"/file", b"content").await.unwrap();
    let before = sftp.lstat(b"/file").await.unwrap();
    let all = Attrs {
        size: Some(4),
        permissions: Some(0o600),
        times: Some((1, 1)),
        owner: Some((1, 1)),
    };
    sftp.setstat(b"/file", &all).await.unwrap();
    let handle = sftp.open_file(b"/file", crate::requests::WRITE).await;
    let handle = handle.unwrap();
    sftp.fsetstat(&handle, &all).await.unwrap();
    sftp.close(&handle).await.unwrap();
    let after = sftp.lstat(b"/file").await.unwrap();
    assert_eq!(after.size, Some(4));
    assert_eq!(
        (after.permissions, after.owner),
        (before.permissions, before.owner)
    );
    assert!(after.times >= before.times);
}
