//! Virtual folders: each row has one at `v`, and one at `gone` whose directory does not exist.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::json;
use sftpgo_testkit::{Account, FileClient as _, Kind, Refusal, TestServer};

use super::super::requests::Ask;
use super::{OPERATIONS, assert_table, movables, played};

/// The columns: the folder; in it a file, a free name, a directory, a link that leads out of it, and one that does not; the
/// folder whose directory is missing, and a name in it; the directory above both.
const PLACES: [&str; 9] = [
    "/v",
    "/v/file",
    "/v/free",
    "/v/dir",
    "/v/out",
    "/v/in",
    "/gone",
    "/gone/file",
    "",
];

#[tokio::test]
async fn every_operation_knows_virtual_folders() {
    let server = super::server().await;
    let mut folders = Vec::new();
    for operation in OPERATIONS {
        let mapped = server.home(&format!("mapped-{operation}"));
        fs::create_dir_all(mapped.join("dir")).unwrap();
        for name in ["file", "target"] {
            fs::write(mapped.join(name), b"content").unwrap();
        }
        symlink("target", mapped.join("in")).unwrap();
        symlink("../alice/outside", mapped.join("out")).unwrap();
        folders.push(json!({ "virtual_path": format!("/{operation}/v"), "mapped_path": mapped }));
        let gone = server.home(&format!("gone-{operation}"));
        folders.push(json!({ "virtual_path": format!("/{operation}/gone"), "mapped_path": gone }));
    }
    server
        .add(Account::new("alice").with("virtual_folders", folders))
        .await;
    let mut sftp = server.sftp("alice").await;
    let home = server.home("alice");
    fs::write(home.join("outside"), b"outside").unwrap();
    for operation in OPERATIONS {
        movables(&home, operation, PLACES.len());
        // What the folder hides.
        fs::create_dir(home.join(operation).join("v")).unwrap();
        fs::write(home.join(operation).join("v/file"), b"hidden").unwrap();
    }
    let places = |directory: &str| PLACES.map(|name| format!("{directory}{name}")).to_vec();
    let table = played(&mut sftp, places).await;
    //          v file free dir out in gone gone/file above
    assert_table(
        &table,
        "
        stat       . . N . D . N N .
        lstat      . . N . . . N N .
        list       . F N . D F N N .
        statvfs    . . N . D . N N .
        readlink   B B N B D . N N B
        get        F . N F D . N N F
        put        U . . U D . N N U
        create     U . . U D . N N U
        write      U . N U D . N N U
        replace    U . . U D . N N U
        append     U . . U D . N N U
        both       U . N U D . N N U
        truncate   F . N F D . N N F
        mode       . . N . D . N N .
        owner      . . N . D . N N .
        times      . . N . D . N N .
        remove     F . N F . . N N F
        mkdir      D F . F F F D N F
        rmdir      D F N . F F D N D
        link-at    D F . F F F D N D
        link-to    D D D D D D D D .
        move-from  D F F F F F D F D
        move-to    D F F F F F D F D
        posix-from D F F F F F D F D
        posix-to   D F F F F F D F D
        dir-to     D F F F F F D F D
        digest     F . N F D . N N F
        link-times . . N . . . N N .
        hard-from  D F F F F F D F D
        hard-to    D F F F F F D F D
        copy-from  F . N F D . N N F
        copy-to    U . . U D . N N U
        digest-1   F . N F D . N N F
        fsetstat   F . N F D . N N F
        scp-get    F . N F D . N N F
        scp-tree   . . N . D . N N .
        scp-put    . . . . D . N N .
        scp-dir    . F . . D F N N .
        hash       F . N F D . N N F
        df         . . N . D . N N .
        ",
    );
    for operation in OPERATIONS {
        let hidden = home.join(operation).join("v/file");
        assert_eq!(fs::read(hidden).unwrap(), b"hidden", "{operation}");
        assert!(server.home(&format!("mapped-{operation}")).is_dir());
    }
    assert_eq!(fs::read(home.join("outside")).unwrap(), b"outside");
}

/// Reference 6.7, except for the attributes: those of the directory, where the reference shows size 0 and a date in 2042.
#[tokio::test]
async fn folders_come_first_in_a_listing_with_the_attributes_of_their_directories() {
    let server = TestServer::start().await;
    let mapped = server.home("mapped");
    fs::create_dir(&mapped).unwrap();
    fs::set_permissions(&mapped, std::os::unix::fs::PermissionsExt::from_mode(0o711)).unwrap();
    let folders = json!([
        { "virtual_path": "/dir/folder", "mapped_path": mapped },
        { "virtual_path": "/dir/gone", "mapped_path": server.home("gone") },
        { "virtual_path": "/other/below/folder", "mapped_path": server.home("third") },
    ]);
    server
        .add(Account::new("alice").with("virtual_folders", folders))
        .await;
    let mut sftp = server.sftp("alice").await;
    let home = server.home("alice");
    fs::write(home.join("dir/a-file"), b"content").unwrap();
    // Something of the same name is not shown, and not reached.
    fs::create_dir(home.join("dir/folder")).unwrap();
    fs::write(home.join("dir/folder/hidden"), b"hidden").unwrap();
    fs::write(home.join("dir/gone"), b"hidden").unwrap();

    let entries = sftp.list(b"/dir").await.unwrap();
    let names: Vec<_> = entries.iter().map(|entry| &entry.name[..]).collect();
    assert_eq!(names, [&b"folder"[..], b"gone", b"a-file"]);
    let folder = entries[0].stat;
    assert_eq!((folder.kind, folder.mode), (Kind::Directory, Some(0o711)));
    assert_eq!(folder, sftp.stat(b"/dir/folder").await.unwrap());
    assert_eq!(entries[1].stat.kind, Kind::Directory);
    assert!(sftp.list(b"/dir/folder").await.unwrap().is_empty());
    for path in [&b"/dir/gone"[..], b"/dir/folder/hidden"] {
        let refusal = Ask::Get(path).refusal(&mut sftp).await;
        assert_eq!(refusal, Some(Refusal::NotFound));
    }
    // Directories that lead to a folder are made in the home (3.5), and are listed like others.
    let above = sftp.list(b"/other").await.unwrap();
    assert_eq!(above.len(), 1);
    assert!(home.join("other/below").is_dir());
    assert!(!home.join("other/below/folder").exists());
}

/// Somebody has put a link where directories that lead to a folder are made at the login.
#[tokio::test]
async fn the_way_to_a_folder_is_made_inside_the_home_only() {
    let server = TestServer::start().await;
    let (home, outside) = (server.home("alice"), server.home("outside"));
    let folders = json!([
        { "virtual_path": "/link/deep/folder", "mapped_path": server.home("one") },
        { "virtual_path": "/dangling/folder", "mapped_path": server.home("two") },
        { "virtual_path": "/inside/deep/folder", "mapped_path": server.home("three") },
    ]);
    for directory in [&home.join("real"), &outside] {
        fs::create_dir_all(directory).unwrap();
    }
    symlink("../outside", home.join("link")).unwrap();
    symlink("../outside/new", home.join("dangling")).unwrap();
    symlink("real", home.join("inside")).unwrap();
    server
        .add(Account::new("alice").with("virtual_folders", folders))
        .await;
    let mut sftp = server.sftp("alice").await;
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
    assert!(home.join("real/deep").is_dir());
    // The account works all the same.
    sftp.put(b"/file", b"content").await.unwrap();
}

/// Within a folder things are moved, linked and removed as in the home, and its quota is that of the account.
#[tokio::test]
async fn within_a_folder_everything_works_and_is_counted() {
    let server = TestServer::start().await;
    let mapped = server.home("mapped");
    fs::create_dir(&mapped).unwrap();
    let folders = json!([{ "virtual_path": "/v dir/\u{e9} %", "mapped_path": mapped }]);
    server
        .add(Account::new("alice").with("virtual_folders", folders))
        .await;
    let mut sftp = server.sftp("alice").await;
    let at = |name: &str| format!("/v dir/\u{e9} %/{name}").into_bytes();
    let done = [
        Ask::MkDir(&at("dir")),
        Ask::Put(&at("dir/file")),
        Ask::Rename(&at("dir/file"), &at("moved")),
        Ask::Symlink(&at("moved"), &at("dir/absolute")),
        Ask::Symlink(b"../moved", &at("dir/relative")),
        Ask::Get(&at("dir/absolute")),
        Ask::Get(&at("dir/relative")),
        Ask::Size(&at("dir/relative"), 5),
        Ask::PosixRename(&at("dir"), &at("other")),
    ];
    for ask in done {
        assert_eq!(ask.refusal(&mut sftp).await, None, "{ask:?}");
    }
    assert_eq!(fs::read(mapped.join("moved")).unwrap(), b"x\0\0\0\0");
    assert_eq!(
        sftp.readlink(&at("other/absolute")).await.unwrap(),
        b"../moved"
    );
    let used = server.quota("alice").await;
    assert_eq!((used.files, used.bytes), (1, 5));
    sftp.remove(&at("moved")).await.unwrap();
    assert_eq!(server.quota("alice").await.files, 0);
    // The names of the virtual path alone are no way out of it.
    assert_eq!(
        sftp.get(&at("../../own")).await.unwrap_err().kind,
        Refusal::NotFound
    );
    sftp.put(&at("../../own"), b"own").await.unwrap();
    assert_eq!(fs::read(server.home("alice").join("own")).unwrap(), b"own");
}
