//! Links that lead to closed and filtered places, in the home and in a virtual folder: what is asked of the named path is
//! asked of the real one, by its virtual path.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::json;
use sftpgo_testkit::Account;

use super::{OPERATIONS, assert_table, movables, played};

/// The columns: a link to a file in a closed directory, one to a free name in it; in the directory by a link a file, a free
/// name and a directory; in a directory where `.no` is filtered, by a link, a file, a free name and a directory that end so,
/// and a link whose own name does; at last the link to the closed directory, which some rows take away.
const PLACES: [&str; 10] = [
    "to-file",
    "to-free",
    "to-dir/file",
    "to-dir/free",
    "to-dir/below",
    "to-filtered/file.no",
    "to-filtered/free.no",
    "to-filtered/dir.no",
    "to-filtered/link.no",
    "to-dir",
];

/// Makes `closed`, `filtered` and the links to them in one row's directory.
fn furnish(row: &Path) {
    for name in ["closed/below", "filtered/dir.no"] {
        fs::create_dir_all(row.join(name)).unwrap();
    }
    for name in ["closed/file", "filtered/file.no", "filtered/plain"] {
        fs::write(row.join(name), b"content").unwrap();
    }
    let links = [
        ("closed/file", "to-file"),
        ("closed/free", "to-free"),
        ("closed", "to-dir"),
        ("filtered", "to-filtered"),
        ("plain", "filtered/link.no"),
    ];
    for (text, link) in links {
        symlink(text, row.join(link)).unwrap();
    }
}

/// The permissions and filters of every row, in `base`.
fn account(base: &str) -> Account {
    let mut account = Account::new("alice");
    let mut filters = Vec::new();
    for operation in OPERATIONS {
        account = account.permit(&format!("{base}/{operation}/closed"), "");
        filters.push(json!({
            "path": format!("{base}/{operation}/filtered"),
            "denied_extensions": [".no"],
        }));
    }
    account.with("filters", json!({ "file_extensions": filters }))
}

fn is_untouched(base: &Path) {
    for operation in OPERATIONS {
        let row = base.join(operation);
        for name in ["closed/file", "filtered/file.no"] {
            assert_eq!(
                fs::read(row.join(name)).unwrap(),
                b"content",
                "{operation}: {name}"
            );
        }
        assert_eq!(
            fs::read_dir(row.join("closed")).unwrap().count(),
            2,
            "{operation}"
        );
    }
}

/// Where links lead, directories with filtered names are like files: the guard of a storage knows names only. And a link
/// whose real name is filtered leads to what is not: what counts is where the way ends.
const EXPECTED: &str = "
    stat       D D D D D . N . . .
    lstat      . . D D D . N . . .
    list       D D D D D F N . F D
    statvfs    D D D D D . N . . .
    readlink   . . D D D B N B . .
    get        D D D D D D D D . F
    put        D D D D D D D D . U
    create     D D D D D D D D . U
    write      D D D D D D D D . U
    replace    D D D D D D D D . U
    append     D D D D D D D D . U
    both       D D D D D D D D . U
    truncate   D D D D D D D D . F
    mode       D D D D D . N . . .
    owner      D D D D D . N . . .
    times      D D D D D . N . . .
    remove     . . D D D D D D D .
    mkdir      F F D D D F . F F F
    rmdir      F F D D D F N . F F
    link-at    F F D D D F . F F F
    link-to    . . . . . . . . . .
    move-from  . . D D D D D D D .
    move-to    . . D D D D D D D .
    posix-from . . D D D D D D D .
    posix-to   . . D D D D D D D .
    dir-to     F F D D D D D D D F
    digest     D D D D D D D D . D
    link-times . . D D D . N . . .
    hard-from  D D D D D D D D D D
    hard-to    F F D D D D D D D F
    copy-from  D D D D D D D D . F
    copy-to    D D D D D D D D . U
    digest-1   D D D D D D D D . D
    fsetstat   D D D D D D D D . F
    scp-get    D D D D D D D F . D
    scp-tree   D D D D D D D . . D
    scp-put    D D D D D D D . . D
    scp-dir    D D D D D F . . F D
    hash       D D D D D D D D . D
    df         D D D D D . N . . .
";

#[tokio::test]
async fn every_operation_asks_where_a_link_leads() {
    let server = super::server().await;
    server.add(account("")).await;
    let mut sftp = server.sftp("alice").await;
    let home = server.home("alice");
    for operation in OPERATIONS {
        furnish(&home.join(operation));
        movables(&home, operation, PLACES.len());
    }
    let places = |directory: &str| PLACES.map(|name| format!("{directory}/{name}")).to_vec();
    assert_table(&played(&mut sftp, places).await, EXPECTED);
    is_untouched(&home);
}

/// The same in a virtual folder: what a link in it leads to is judged by its virtual path, not by that in the home.
#[tokio::test]
async fn every_operation_asks_where_a_link_in_a_virtual_folder_leads() {
    let server = super::server().await;
    let mapped = server.home("mapped");
    fs::create_dir(&mapped).unwrap();
    let folders = json!([{ "virtual_path": "/v", "mapped_path": mapped }]);
    server
        .add(account("/v").with("virtual_folders", folders))
        .await;
    let mut sftp = server.sftp("alice").await;
    for operation in OPERATIONS {
        furnish(&mapped.join(operation));
        movables(&mapped, operation, PLACES.len());
    }
    let places = |directory: &str| PLACES.map(|name| format!("/v{directory}/{name}")).to_vec();
    let table = super::played_in(&mut sftp, "/v", places).await;
    assert_table(&table, EXPECTED);
    is_untouched(&mapped);
}
