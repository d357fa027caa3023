//! Permissions of directories below the root (TestSubDirs*, TestPermsSubDirs*, TestRootDirCommands, TestUserPerms): `/`
//! and `/sub` have permissions of their own, and each request asks one of them.

use std::fs;

use sftpgo_testkit::{Account, Refusal, Sftp, TestServer};

use crate::requests::Ask;

/// A home with the same things in `/` and in `/sub`: a file, another one, and a directory.
async fn home(root: &str, sub: &str) -> (TestServer, Sftp) {
    let server = TestServer::start().await;
    let account = Account::new("alice").permit("/", root).permit("/sub", sub);
    server.add(account).await;
    let sftp = server.sftp("alice").await;
    for directory in ["", "sub"] {
        let directory = server.home("alice").join(directory);
        fs::create_dir_all(directory.join("dir")).unwrap();
        fs::write(directory.join("file"), b"content").unwrap();
        fs::write(directory.join("other"), b"content").unwrap();
    }
    (server, sftp)
}

async fn denied(sftp: &mut Sftp, asked: &[Ask<'_>]) {
    for ask in asked {
        assert_eq!(ask.refusal(sftp).await, Some(Refusal::Denied), "{ask:?}");
    }
}

async fn done(sftp: &mut Sftp, asked: &[Ask<'_>]) {
    for ask in asked {
        if let Err(refused) = ask.of(sftp).await {
            panic!("{ask:?}: {refused:?}");
        }
    }
}

/// TestSubDirsUploads.
#[tokio::test]
async fn what_a_directory_does_not_allow_the_root_may_allow() {
    let (_server, mut sftp) = home("*", "list,download,chtimes").await;
    denied(
        &mut sftp,
        &[
            Ask::Put(b"/sub/new"),
            Ask::Symlink(b"/file", b"/sub/link"),
            Ask::Rename(b"/file", b"/sub/moved"),
            Ask::PosixRename(b"/file", b"/sub/moved"),
            Ask::Remove(b"/sub/file"),
            Ask::RmDir(b"/sub/dir"),
        ],
    )
    .await;
    done(
        &mut sftp,
        &[
            Ask::Put(b"/new"),
            Ask::Symlink(b"/file", b"/link"),
            Ask::Remove(b"/link"),
            Ask::Rename(b"/new", b"/moved"),
            Ask::Remove(b"/moved"),
        ],
    )
    .await;
}

/// TestSubDirsOverwrite.
#[tokio::test]
async fn where_only_overwrite_is_allowed_nothing_new_appears() {
    let (_server, mut sftp) = home("*", "overwrite,list").await;
    denied(&mut sftp, &[Ask::Put(b"/sub/new")]).await;
    done(
        &mut sftp,
        &[Ask::Put(b"/sub/file"), Ask::Stat(b"/sub/file")],
    )
    .await;
}

/// TestSubDirsDownloads.
#[tokio::test]
async fn a_place_to_drop_files_gives_none_back() {
    let (_server, mut sftp) = home("*", "chmod,upload,list").await;
    done(
        &mut sftp,
        &[Ask::Put(b"/sub/new"), Ask::Mode(b"/sub/new", 0o600)],
    )
    .await;
    denied(
        &mut sftp,
        &[
            Ask::Get(b"/sub/new"),
            Ask::Put(b"/sub/new"),
            Ask::Size(b"/sub/new", 0),
            Ask::Times(b"/sub/new"),
            Ask::Owner(b"/sub/new"),
            Ask::Rename(b"/sub/new", b"/sub/moved"),
            Ask::Symlink(b"/sub/new", b"/sub/link"),
            Ask::Remove(b"/sub/new"),
            Ask::MkDir(b"/sub/made"),
        ],
    )
    .await;
}

/// TestPermsSubDirsSetstat.
#[tokio::test]
async fn a_directory_is_changed_by_leave_of_its_parent_and_a_file_by_leave_of_its_directory() {
    let (_server, mut sftp) = home("list,upload,create_dirs", "*").await;
    denied(&mut sftp, &[Ask::Times(b"/sub"), Ask::Mode(b"/sub", 0o700)]).await;
    done(
        &mut sftp,
        &[Ask::Times(b"/sub/file"), Ask::Mode(b"/sub/file", 0o600)],
    )
    .await;
    // A file of the root by leave of the root, and a directory below by leave of the one it is in.
    denied(&mut sftp, &[Ask::Times(b"/file")]).await;
    done(&mut sftp, &[Ask::Times(b"/sub/dir")]).await;
}

/// Reference 3.3: permissions may be set for a path that is a file. Its attributes follow them; everything else follows
/// its directory.
#[tokio::test]
async fn permissions_of_a_file_of_its_own_count_for_its_attributes_only() {
    let server = TestServer::start().await;
    let account = Account::new("alice")
        .permit("/fixed", "list")
        .permit("/dir", "list")
        .permit("/mine", "*");
    server
        .add(account.permit("/", "list,download,upload,chmod"))
        .await;
    let mut sftp = server.sftp("alice").await;
    let home = server.home("alice");
    fs::write(home.join("fixed"), b"content").unwrap();
    fs::write(home.join("mine"), b"content").unwrap();
    fs::create_dir(home.join("dir")).unwrap();
    denied(
        &mut sftp,
        &[
            Ask::Mode(b"/fixed", 0o600),
            Ask::Times(b"/fixed"),
            Ask::Remove(b"/mine"),
            Ask::Put(b"/mine"),
            Ask::Times(b"/dir"),
        ],
    )
    .await;
    done(
        &mut sftp,
        &[
            Ask::Times(b"/mine"),
            Ask::Owner(b"/mine"),
            Ask::Get(b"/fixed"),
            // A directory is an entry of its parent, whatever it allows inside.
            Ask::Mode(b"/dir", 0o750),
        ],
    )
    .await;
}

/// TestPermsSubDirsCommands.
#[tokio::test]
async fn a_directory_that_allows_little_inside_is_itself_an_entry_of_its_parent() {
    let (server, mut sftp) = home("*", "download,upload").await;
    done(
        &mut sftp,
        &[Ask::Times(b"/sub"), Ask::Stat(b"/sub"), Ask::Lstat(b"/sub")],
    )
    .await;
    denied(
        &mut sftp,
        &[
            Ask::List(b"/sub"),
            Ask::Stat(b"/sub/file"),
            Ask::MkDir(b"/sub/made"),
            Ask::RmDir(b"/sub/dir"),
            Ask::Rename(b"/file", b"/sub/moved"),
            Ask::Symlink(b"/file", b"/sub/link"),
        ],
    )
    .await;
    // Departure: there it might be moved as well, and lose its permissions by that.
    denied(&mut sftp, &[Ask::Rename(b"/sub", b"/gone")]).await;
    for name in ["sub/file", "sub/other"] {
        fs::remove_file(server.home("alice").join(name)).unwrap();
    }
    fs::remove_dir(server.home("alice").join("sub/dir")).unwrap();
    done(&mut sftp, &[Ask::RmDir(b"/sub")]).await;
}

/// TestRootDirCommands.
#[tokio::test]
async fn the_root_is_neither_moved_nor_linked_nor_removed() {
    let (_server, mut sftp) = home("*", "*").await;
    denied(
        &mut sftp,
        &[
            Ask::Rename(b"/", b"/moved"),
            Ask::PosixRename(b"/", b"/moved"),
            Ask::Rename(b"/file", b"/"),
            Ask::Symlink(b"/", b"/link"),
            Ask::Symlink(b"/file", b"/"),
            Ask::RmDir(b"/"),
        ],
    )
    .await;
}

/// TestUserPerms: the lookup table of 3.3 and its equivalences, asked by listing.
#[tokio::test]
async fn every_spelling_of_a_directory_has_the_permissions_of_the_nearest_that_is_named() {
    let server = TestServer::start().await;
    let account = Account::new("alice")
        .permit("/p", "")
        .permit("/p/2", "list")
        .permit("/p/3/4", "");
    server.add(account).await;
    let mut sftp = server.sftp("alice").await;
    for directory in ["p/1", "p/2/deep/er", "p/3/4/5", "p34", "p 2"] {
        fs::create_dir_all(server.home("alice").join(directory)).unwrap();
    }
    let rows: [(&[u8], bool); 21] = [
        (b"", true),
        (b".", true),
        (b"../", true),
        (b"/", true),
        (b"/p/..", true),
        (b"/p", false),
        (b"p", false),
        (b"//p/", false),
        (b"p/1", false),
        (b"/p/1", false),
        (b"p/2", true),
        (b"/p/2", true),
        (b"/p/1/../2/./", true),
        (b"/p/2/deep/er", true),
        (b"p/3", false),
        (b"p/3/4", false),
        (b"p/3/4/../4", false),
        (b"/p/3/4/5", false),
        (b"/p/2/../3/4/5", false),
        (b"/p34", true),
        (b"/p 2", true),
    ];
    for (path, allowed) in rows {
        let expected = (!allowed).then_some(Refusal::Denied);
        let shown = path.escape_ascii();
        assert_eq!(
            Ask::List(path).refusal(&mut sftp).await,
            expected,
            "{shown}"
        );
    }
}
