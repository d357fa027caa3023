//! The tables of worked examples: every row of D.1 and of D.2 that SFTP can show, in their order. A row that this server
//! answers otherwise says so, and has a row in SEMANTICS.md.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::json;
use sftpgo_testkit::{Account, FileClient as _, Refusal, Sftp, TestServer};

use crate::requests::{APPEND, Ask, READ, WRITE};

/// What is expected.
#[derive(Debug, Clone, Copy)]
enum Said {
    Done,
    Path(&'static str),
    No(Refusal),
}

use Refusal::{Denied, Failed, NotFound, Unsupported};
use Said::{Done, No, Path};

/// A home that has one thing of each kind, and beside it a directory that no client may reach.
async fn furnished(account: Account) -> (TestServer, Sftp) {
    let server = TestServer::start().await;
    server.add(account).await;
    let sftp = server.sftp("alice").await;
    let home = server.home("alice");
    let outside = home.join("../outside");
    for directory in ["full/below", "dir", "empty", "closed"] {
        fs::create_dir_all(home.join(directory)).unwrap();
    }
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("file"), b"secret").unwrap();
    for name in ["file", "other", "third", "replaced"] {
        fs::write(home.join(name), b"12345").unwrap();
    }
    let links = [
        ("file", "link"),
        ("dir", "link-to-dir"),
        ("none", "dangling"),
        ("../outside/none", "dangling-out"),
        ("../outside", "out"),
        ("../outside/file", "out-file"),
    ];
    for (text, link) in links {
        symlink(text, home.join(link)).unwrap();
    }
    (server, sftp)
}

async fn check(sftp: &mut Sftp, rows: &[(Ask<'static>, Said)]) {
    for (ask, expected) in rows {
        let answer = ask.of(sftp).await;
        match (expected, answer) {
            (Done, Ok(_)) => {}
            (Path(path), Ok(said)) => assert_eq!(&said, path.as_bytes(), "{ask:?}"),
            (No(kind), Err(refused)) => assert_eq!(refused.kind, *kind, "{ask:?}: {refused:?}"),
            (expected, answer) => panic!("{ask:?}: expected {expected:?}, got {answer:?}"),
        }
    }
}

/// D.1, all but the rows about handles and about extensions, which `sftp` has.
#[tokio::test]
async fn every_worked_example_is_answered_as_the_reference_does_or_the_document_says() {
    let (server, mut sftp) = furnished(Account::new("alice")).await;
    let rows = [
        (Ask::RealPath(b"."), Path("/")),
        (Ask::RealPath(b""), Path("/")),
        (Ask::RealPath(b"../.."), Path("/")),
        (Ask::RealPath(b"/no/such/./x/.."), Path("/no/such")),
        (Ask::List(b"/none"), No(NotFound)),
        (Ask::List(b"/file"), No(Failed)),
        (Ask::Stat(b"/link"), Done),
        (Ask::Stat(b"/dangling"), No(NotFound)),
        // Departure: NO_SUCH_FILE there, because LSTAT followed.
        (Ask::Lstat(b"/dangling"), Done),
        (Ask::Remove(b"/dangling"), Done),
        (Ask::Remove(b"/dangling-out"), Done),
        // Departure: FAILURE there, and the link stayed for ever.
        (Ask::Remove(b"/out-file"), Done),
        (Ask::Remove(b"/dir"), No(Failed)),
        (Ask::RmDir(b"/file"), No(Failed)),
        (Ask::RmDir(b"/link-to-dir"), No(Failed)),
        (Ask::RmDir(b"/full"), No(Failed)),
        (Ask::RmDir(b"/"), No(Denied)),
        (Ask::MkDir(b"/dir"), No(Failed)),
        (Ask::MkDir(b"/none/dir"), No(NotFound)),
        (Ask::MkDir(b"/"), No(Failed)),
        (Ask::Rename(b"/none", b"/new"), No(NotFound)),
        (Ask::PosixRename(b"/none", b"/new"), No(NotFound)),
        (Ask::Rename(b"/other", b"/replaced"), Done),
        (Ask::PosixRename(b"/third", b"/replaced"), Done),
        (Ask::Rename(b"/replaced", b"/dir"), No(Failed)),
        (Ask::PosixRename(b"/replaced", b"/dir"), No(Failed)),
        (Ask::Put(b"/dir"), No(Unsupported)),
        (Ask::Put(b"/none/file"), No(NotFound)),
        (Ask::Get(b"/none"), No(NotFound)),
        (
            Ask::Open(b"/file", sftpgo_wire::sftp::OpenFlags(0)),
            No(Failed),
        ),
        // Departure: OP_UNSUPPORTED there for both.
        (Ask::ReadLink(b"/link"), Path("file")),
        (Ask::Statvfs(b"/"), Done),
        // Departure: OK without any effect there; and the mode alone of the two that follow.
        (Ask::Size(b"/file", 3), Done),
        (Ask::ModeAndTimes(b"/file"), Done),
        // Departure: FAILURE there for whatever leads outside.
        (Ask::Stat(b"/out"), No(Denied)),
        (Ask::List(b"/out"), No(Denied)),
        (Ask::Get(b"/out/file"), No(Denied)),
        (Ask::Put(b"/out/new"), No(Denied)),
        (Ask::Get(b"/file/x"), No(Failed)),
        (Ask::Stat(b"/file/x"), No(Failed)),
        (Ask::Put(b"/file/x"), No(Failed)),
    ];
    check(&mut sftp, &rows).await;
    // What the two that were done have left behind.
    let file = sftp.stat(b"/file").await.unwrap();
    assert_eq!(
        (file.size, file.mode, file.modified),
        (3, Some(0o640), Some(1_100_000_000))
    );
    assert_eq!(sftp.get(b"/replaced").await.unwrap(), b"12345");
    let outside = fs::read(server.home("alice").join("../outside/file")).unwrap();
    assert_eq!(outside, b"secret");
}

/// D.2. Logins have their own order, which only the log shows.
#[tokio::test]
async fn the_check_that_fires_first_is_the_one_of_the_reference() {
    let filters = json!({ "file_extensions": [{ "path": "/", "denied_extensions": [".no"] }] });
    let account = Account::new("alice")
        .permit("/closed", "")
        .quota(1, 0)
        .with("filters", filters);
    let (server, mut sftp) = furnished(account).await;
    let home = server.home("alice");
    fs::create_dir(home.join("dir.no")).unwrap();
    fs::write(home.join("closed/file.no"), b"secret").unwrap();
    sftp.put(b"/the-only-one", b"x").await.unwrap();
    let rows = [
        // No `download`, and filtered.
        (Ask::Get(b"/closed/file.no"), No(Denied)),
        // Filtered, and over quota; the third line shows that it is over quota.
        (Ask::Put(b"/new.no"), No(Denied)),
        (Ask::Put(b"/closed/new"), No(Denied)),
        (Ask::Put(b"/new"), No(Failed)),
        // Not there, and nothing may be removed.
        (Ask::Remove(b"/closed/none"), No(Denied)),
        // A directory is no file before its name counts.
        (Ask::Remove(b"/dir.no"), No(Failed)),
        (Ask::Rename(b"/", b"/closed/x"), No(Denied)),
        (Ask::List(b"/closed/none"), No(Denied)),
        (Ask::List(b"/closed/none/deeper"), No(Denied)),
    ];
    check(&mut sftp, &rows).await;
    assert_eq!(
        sftp.get(b"/closed/file.no").await.unwrap_err().message,
        "Permission Denied",
        "the permission, not the name"
    );
}

/// The rows of D.1 about handles: an append below the end, and a handle that nobody has.
#[tokio::test]
async fn worked_examples_of_handles() {
    let (server, mut sftp) = furnished(Account::new("alice")).await;
    assert_eq!(sftp.close(b"no handle").await.unwrap_err().kind, Failed);
    // Departure: FAILURE at the WRITE and at the CLOSE there. Here an append is an append.
    let handle = sftp.open_file(b"/file", APPEND).await.unwrap();
    sftp.write(&handle, 0, b"67").await.unwrap();
    sftp.close(&handle).await.unwrap();
    let home = server.home("alice");
    assert_eq!(fs::read(home.join("file")).unwrap(), b"1234567");
    for flags in [READ, WRITE] {
        let handle = sftp.open_file(b"/file", flags).await.unwrap();
        sftp.close(&handle).await.unwrap();
        assert_eq!(sftp.close(&handle).await.unwrap_err().kind, Failed);
    }
}
