//! Extension filters: `.no` is denied everywhere.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::json;
use sftpgo_testkit::Account;

use super::{OPERATIONS, assert_table, movables, played};

/// The columns: a filtered file; a filtered name that is free; a filtered directory; a link with a filtered name to a file
/// that is not; a link to a filtered file; a link to a directory, and a filtered file in it; a file; a directory.
const PLACES: [&str; 8] = [
    "file.no",
    "free.no",
    "dir.no",
    "link.no",
    "to-file",
    "to-dir/file.no",
    "file",
    "dir",
];

fn furnish(home: &Path, operation: &str) {
    let row = home.join(operation);
    for name in ["dir.no", "dir", "real-dir"] {
        fs::create_dir_all(row.join(name)).unwrap();
    }
    for name in [
        "file.no",
        "hidden.no",
        "file",
        "free-target",
        "real-dir/file.no",
    ] {
        fs::write(row.join(name), b"content").unwrap();
    }
    for (text, link) in [
        ("free-target", "link.no"),
        ("hidden.no", "to-file"),
        ("real-dir", "to-dir"),
    ] {
        symlink(text, row.join(link)).unwrap();
    }
    movables(home, operation, PLACES.len());
}

#[tokio::test]
async fn every_operation_asks_the_extension_filters_or_does_not() {
    let server = super::server().await;
    let filters = json!({ "file_extensions": [{ "path": "/", "denied_extensions": [".NO"] }] });
    server
        .add(Account::new("alice").with("filters", filters))
        .await;
    let mut sftp = server.sftp("alice").await;
    for operation in OPERATIONS {
        furnish(&server.home("alice"), operation);
    }
    let places = |directory: &str| PLACES.map(|name| format!("{directory}/{name}")).to_vec();
    let table = played(&mut sftp, places).await;
    //          file.no free.no dir.no link.no to-file to-dir/file.no file dir
    assert_table(
        &table,
        "
        stat       . N . . . . . .
        lstat      . N . . . . . .
        list       F N . F F F F .
        statvfs    . N . . . . . .
        readlink   B N B . . B B B
        get        D D D D D D . F
        put        D D D D D D . U
        create     D D D D D D . U
        write      D D D D D D . U
        replace    D D D D D D . U
        append     D D D D D D . U
        both       D D D D D D . U
        truncate   D D D D D D . F
        mode       . N . . . . . .
        owner      . N . . . . . .
        times      . N . . . . . .
        remove     D N F D . D . F
        mkdir      F . F F F F F F
        rmdir      F N . F F F F .
        link-at    F . F F F F F F
        link-to    . . . . . . . .
        move-from  D N . . . D . .
        move-to    D D D D . D . F
        posix-from D N . . . D . .
        posix-to   D D D D . D . F
        dir-to     F . . F F D F .
        digest     D D D D D D . F
        link-times . N . . . . . .
        hard-from  D D D D D D . F
        hard-to    D D D D F D F F
        copy-from  D D D D D D . F
        copy-to    D D D D D D . U
        digest-1   D D D D D D . F
        fsetstat   D D D D D D . F
        scp-get    D D F D D D . F
        scp-tree   D D . D D D . .
        scp-put    D D . D D D . .
        scp-dir    F . . F F F F .
        hash       D D D D D D . F
        df         . N . . . . . .
        ",
    );
    // Not one of the filtered files was changed, and no link to one has opened it.
    for operation in OPERATIONS {
        let row = server.home("alice").join(operation);
        for name in ["file.no", "hidden.no", "real-dir/file.no"] {
            assert_eq!(
                fs::read(row.join(name)).unwrap(),
                b"content",
                "{operation}: {name}"
            );
        }
    }
}
