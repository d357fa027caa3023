//! Permission laundering: a symbolic link in an open directory opens nothing in a closed one.
//!
//! `/open` allows everything, `/closed` nothing, `/half` everything but what a test names. Links are made on the disk, as
//! another program or an administrator would.

use std::os::unix::fs::symlink;
use std::path::PathBuf;

use sftpgo_testkit::{Account, FileClient as _, Refusal, Refused, Sftp, TestServer};
use sftpgo_wire::sftp::{Attrs, Extension, OpenFlags};

use super::{CREATE, REPLACE};

/// A home with links of every kind out of `/open`; `half` are the permissions of `/half`.
async fn scene(half: &str) -> (TestServer, Sftp, PathBuf) {
    let server = TestServer::start().await;
    let account = Account::new("alice")
        .permit("/closed", "")
        .permit("/half", half);
    server.add(account).await;
    let sftp = server.sftp("alice").await;
    let home = server.home("alice");
    for name in ["open", "closed/sub", "half"] {
        std::fs::create_dir_all(home.join(name)).unwrap();
    }
    for name in ["closed/file", "closed/sub/file", "half/file"] {
        std::fs::write(home.join(name), b"secret").unwrap();
    }
    std::fs::write(home.join("open/own"), b"own").unwrap();
    let links = [
        ("../closed/file", "open/file"),
        ("../closed", "open/dir"),
        ("../closed/sub", "open/sub"),
        ("file", "open/chain"),
        ("dir/sub/../file", "open/winding"),
        ("../half/file", "open/half-file"),
        ("../half", "open/half-dir"),
        ("../closed/new", "open/dangling"),
    ];
    for (text, link) in links {
        symlink(text, home.join(link)).unwrap();
    }
    // An absolute link of the server's own administrator.
    symlink(home.join("closed/file"), home.join("open/absolute")).unwrap();
    (server, sftp, home)
}

const SECRETS: [&[u8]; 6] = [
    b"/open/file",
    b"/open/dir/file",
    b"/open/sub/file",
    b"/open/chain",
    b"/open/winding",
    b"/open/absolute",
];

fn kind<T>(answer: Result<T, Refused>) -> Option<Refusal> {
    answer.err().map(|refused| refused.kind)
}

const DENIED: Option<Refusal> = Some(Refusal::Denied);

fn mode(permissions: u32) -> Attrs {
    Attrs {
        permissions: Some(permissions),
        ..Attrs::EMPTY
    }
}

/// Everything below the closed directory.
fn closed(home: &std::path::Path) -> Vec<String> {
    let mut names = super::names_in(&home.join("closed"));
    names.extend(super::names_in(&home.join("closed/sub")));
    for file in ["closed/file", "closed/sub/file"] {
        names.push(String::from_utf8(std::fs::read(home.join(file)).unwrap()).unwrap());
    }
    names
}

#[tokio::test]
async fn a_link_into_a_closed_directory_shows_nothing_of_it() {
    let (_server, mut sftp, _home) = scene("*").await;
    for path in SECRETS {
        let shown = String::from_utf8_lossy(path);
        assert_eq!(kind(sftp.stat(path).await), DENIED, "{shown}");
        assert_eq!(kind(sftp.get(path).await), DENIED, "{shown}");
        let both = OpenFlags(OpenFlags::READ.0 | OpenFlags::WRITE.0);
        assert_eq!(kind(sftp.open_file(path, both).await), DENIED, "{shown}");
    }
    for path in [&b"/open/dir"[..], b"/open/sub", b"/open/dir/sub"] {
        assert_eq!(kind(sftp.list(path).await), DENIED);
    }
    for path in [&b"/open/dir/file"[..], b"/open/sub/file"] {
        assert_eq!(kind(sftp.lstat(path).await), DENIED);
        assert_eq!(kind(sftp.readlink(path).await), DENIED);
        let path = bytes::Bytes::copy_from_slice(path);
        let space = Extension::Statvfs { path };
        assert_eq!(kind(sftp.extended_value(&space).await), DENIED);
    }
    // What is not there is not told apart from what is.
    assert_eq!(kind(sftp.stat(b"/open/dir/none").await), DENIED);
    assert_eq!(kind(sftp.get(b"/open/dir/none").await), DENIED);
}

#[tokio::test]
async fn a_link_into_a_closed_directory_changes_nothing_in_it() {
    let (_server, mut sftp, home) = scene("*").await;
    let before = closed(&home);
    for path in SECRETS {
        let shown = String::from_utf8_lossy(path);
        for flags in [REPLACE, CREATE, OpenFlags::WRITE, OpenFlags::APPEND] {
            let opened = sftp.open_file(path, flags).await;
            assert_eq!(kind(opened), DENIED, "{shown} {flags:?}");
        }
        let size = Attrs {
            size: Some(0),
            ..Attrs::EMPTY
        };
        let times = Attrs {
            times: Some((1, 1)),
            ..Attrs::EMPTY
        };
        for attrs in [size, times, mode(0o777)] {
            assert_eq!(kind(sftp.setstat(path, &attrs).await), DENIED, "{shown}");
        }
    }
    assert_eq!(kind(sftp.put(b"/open/dangling", b"x").await), DENIED);
    for path in [&b"/open/dir/new"[..], b"/open/sub/new"] {
        assert_eq!(kind(sftp.put(path, b"x").await), DENIED);
        assert_eq!(kind(sftp.mkdir(path).await), DENIED);
        assert_eq!(kind(sftp.symlink(b"/open/own", path).await), DENIED);
        assert_eq!(kind(sftp.rename(b"/open/own", path).await), DENIED);
        assert_eq!(kind(sftp.plain_rename(b"/open/own", path).await), DENIED);
    }
    for path in [&b"/open/dir/file"[..], b"/open/sub/file"] {
        assert_eq!(kind(sftp.remove(path).await), DENIED);
        assert_eq!(kind(sftp.rename(path, b"/open/mine").await), DENIED);
    }
    assert_eq!(kind(sftp.rmdir(b"/open/dir/sub").await), DENIED);
    assert_eq!(closed(&home), before);
    assert_eq!(sftp.get(b"/open/own").await.unwrap(), b"own");
}

#[tokio::test]
async fn links_made_by_the_client_open_no_more_than_links_on_the_disk() {
    let (_server, mut sftp, home) = scene("*").await;
    let before = closed(&home);
    let texts: [&[u8]; 4] = [b"/closed", b"../closed", b"/open/dir", b"sub/.."];
    for text in texts {
        // Making the link may be refused; following it must be.
        if sftp.symlink(text, b"/open/made").await.is_ok() {
            assert!(sftp.get(b"/open/made/file").await.is_err());
            assert!(sftp.list(b"/open/made").await.is_err());
            assert!(sftp.put(b"/open/made/new", b"x").await.is_err());
            sftp.remove(b"/open/made").await.unwrap();
        }
    }
    assert_eq!(closed(&home), before);
}

#[tokio::test]
async fn a_link_itself_is_an_entry_of_its_own_directory() {
    let (_server, mut sftp, home) = scene("*").await;
    let before = closed(&home);
    assert_eq!(sftp.lstat(b"/open/file").await.unwrap().size, Some(14));
    assert_eq!(
        sftp.readlink(b"/open/file").await.unwrap(),
        b"../closed/file"
    );
    sftp.rename(b"/open/file", b"/open/moved").await.unwrap();
    sftp.remove(b"/open/moved").await.unwrap();
    sftp.remove(b"/open/dir").await.unwrap();
    assert_eq!(closed(&home), before);
}

#[tokio::test]
async fn a_handle_reached_by_a_link_changes_no_more_than_its_real_directory_allows() {
    let (_server, mut sftp, home) = scene("list,download,upload,overwrite").await;
    let file = home.join("half/file");
    let before = std::fs::metadata(&file).unwrap();
    for flags in [OpenFlags::READ, OpenFlags::WRITE] {
        let handle = sftp.open_file(b"/open/half-file", flags).await.unwrap();
        let times = Attrs {
            times: Some((1, 1)),
            ..Attrs::EMPTY
        };
        assert_eq!(kind(sftp.fsetstat(&handle, &mode(0o777)).await), DENIED);
        assert_eq!(kind(sftp.fsetstat(&handle, &times).await), DENIED);
        sftp.close(&handle).await.unwrap();
    }
    use std::os::unix::fs::MetadataExt as _;
    let after = std::fs::metadata(&file).unwrap();
    assert_eq!(
        (after.mode(), after.mtime()),
        (before.mode(), before.mtime())
    );
}

#[tokio::test]
async fn a_file_that_may_only_be_written_is_not_read_back_by_a_link() {
    let (_server, mut sftp, _home) = scene("list,upload,overwrite").await;
    assert_eq!(kind(sftp.get(b"/open/half-file").await), DENIED);
    let both = OpenFlags(OpenFlags::READ.0 | OpenFlags::WRITE.0);
    if let Ok(handle) = sftp.open_file(b"/open/half-file", both).await {
        assert_eq!(kind(sftp.read(&handle, 0, 100).await), DENIED);
    }
}

#[tokio::test]
async fn a_rename_through_a_link_replaces_nothing_that_may_not_be_overwritten() {
    let (_server, mut sftp, home) = scene("list,upload,rename").await;
    assert!(
        sftp.rename(b"/open/own", b"/open/half-dir/file")
            .await
            .is_err()
    );
    assert_eq!(std::fs::read(home.join("half/file")).unwrap(), b"secret");
    // Where nothing is replaced it may.
    sftp.rename(b"/open/own", b"/open/half-dir/new")
        .await
        .unwrap();
    assert_eq!(std::fs::read(home.join("half/new")).unwrap(), b"own");
}

#[tokio::test]
async fn a_name_that_is_filtered_is_filtered_behind_a_link_too() {
    let server = TestServer::start().await;
    let filter = serde_json::json!({
        "file_extensions": [{ "path": "/filtered", "denied_extensions": [".key"] }]
    });
    server
        .add(Account::new("alice").with("filters", filter))
        .await;
    let mut sftp = server.sftp("alice").await;
    let home = server.home("alice");
    std::fs::create_dir(home.join("filtered")).unwrap();
    std::fs::write(home.join("filtered/a.key"), b"secret").unwrap();
    symlink("filtered", home.join("dir")).unwrap();
    symlink("filtered/a.key", home.join("link")).unwrap();
    for path in [&b"/dir/a.key"[..], b"/link"] {
        assert_eq!(kind(sftp.get(path).await), DENIED);
        assert_eq!(kind(sftp.put(path, b"x").await), DENIED);
    }
    assert_eq!(kind(sftp.put(b"/dir/new.key", b"x").await), DENIED);
    assert_eq!(kind(sftp.remove(b"/dir/a.key").await), DENIED);
    assert_eq!(kind(sftp.rename(b"/dir/a.key", b"/mine").await), DENIED);
    sftp.put(b"/own", b"own").await.unwrap();
    assert_eq!(kind(sftp.rename(b"/own", b"/dir/b.key").await), DENIED);
    assert_eq!(
        std::fs::read(home.join("filtered/a.key")).unwrap(),
        b"secret"
    );
}

/// A hard link is a file, not a way to one: what it opens it would open for ever.
#[tokio::test]
async fn no_hard_link_is_made_out_of_a_closed_directory_or_into_one() {
    let (_server, mut sftp, home) = scene("list,upload,overwrite").await;
    let before = closed(&home);
    let link = |from: &[u8], to: &[u8]| Extension::Hardlink {
        from: bytes::Bytes::copy_from_slice(from),
        to: bytes::Bytes::copy_from_slice(to),
    };
    let sources = SECRETS.into_iter().chain([
        &b"/closed/file"[..],
        b"/closed/sub/../file",
        b"/open/dir/sub/file",
        b"/open/half-dir/file",
        b"/half/file",
        b"/open/half-file",
    ]);
    for from in sources {
        let shown = String::from_utf8_lossy(from);
        for to in [&b"/open/mine"[..], b"/mine", b"/half/mine"] {
            let answer = sftp.extended(&link(from, to)).await;
            assert_eq!(kind(answer), DENIED, "{shown}");
        }
    }
    for to in [
        &b"/closed/new"[..],
        b"/open/dir/new",
        b"/open/sub/new",
        b"/open/dir/sub/new",
    ] {
        let answer = sftp.extended(&link(b"/open/own", to)).await;
        assert_eq!(kind(answer), DENIED);
    }
    assert_eq!(closed(&home), before);
    assert_eq!(super::names_in(&home.join("half")), ["file"]);
}

#[tokio::test]
async fn a_hard_link_by_way_of_links_allows_no_more_than_the_real_directories_do() {
    let (_server, mut sftp, home) = scene("list,download,upload").await;
    let link = |from: &'static [u8], to: &'static [u8]| Extension::Hardlink {
        from: bytes::Bytes::from_static(from),
        to: bytes::Bytes::from_static(to),
    };
    // What may only be read stays what it is, by whatever way it is named.
    for from in [&b"/half/file"[..], b"/open/half-dir/file"] {
        for to in [&b"/open/mine"[..], b"/mine"] {
            assert_eq!(kind(sftp.extended(&link(from, to)).await), DENIED);
        }
        sftp.extended(&link(from, b"/half/second")).await.unwrap();
        std::fs::remove_file(home.join("half/second")).unwrap();
    }
    symlink("../open", home.join("half/out")).unwrap();
    let out = link(b"/half/file", b"/half/out/mine");
    assert_eq!(kind(sftp.extended(&out).await), DENIED);
    // And what is open may be named where less is allowed.
    sftp.extended(&link(b"/open/own", b"/open/half-dir/own"))
        .await
        .unwrap();
    assert_eq!(std::fs::read(home.join("half/own")).unwrap(), b"own");
}

/// What is closed where it is would be open elsewhere.
#[tokio::test]
async fn a_directory_with_rules_of_its_own_is_not_moved_away_from_them() {
    let server = TestServer::start().await;
    let filters = serde_json::json!({
        "file_extensions": [{ "path": "/deep/filtered", "denied_extensions": [".key"] }]
    });
    let account = Account::new("alice")
        .permit("/closed", "")
        .permit("/above/some/closed", "")
        .permit("/deep/readable", "list")
        .with("filters", filters);
    server.add(account).await;
    let mut sftp = server.sftp("alice").await;
    let home = server.home("alice");
    for name in [
        "closed",
        "above/some/closed",
        "deep/readable",
        "deep/filtered",
        "closed2",
        "above/other",
    ] {
        std::fs::create_dir_all(home.join(name)).unwrap();
        std::fs::write(home.join(name).join("a.key"), b"secret").unwrap();
    }
    symlink("above", home.join("link")).unwrap();
    symlink("closed", home.join("to-closed")).unwrap();
    let stay: [&[u8]; 8] = [
        b"/closed",
        b"/above/some/closed",
        b"/above/some",
        b"/above",
        b"/link/some/closed",
        b"/link/some",
        b"/deep",
        b"/deep/filtered",
    ];
    for from in stay {
        let shown = String::from_utf8_lossy(from);
        assert_eq!(
            kind(sftp.plain_rename(from, b"/mine").await),
            DENIED,
            "{shown}"
        );
        assert_eq!(kind(sftp.rename(from, b"/mine").await), DENIED, "{shown}");
    }
    // Whose name begins alike, what is beside, and a link itself may go.
    for (from, to) in [
        (&b"/closed2"[..], &b"/moved"[..]),
        (b"/above/other", b"/moved-too"),
        (b"/link", b"/link2"),
        (b"/to-closed", b"/to-closed2"),
        (b"/moved/a.key", b"/a.key"),
    ] {
        let shown = String::from_utf8_lossy(from);
        assert_eq!(kind(sftp.rename(from, to).await), None, "{shown}");
    }
    assert_eq!(kind(sftp.get(b"/to-closed2/a.key").await), DENIED);
}

/// What is in a directory is judged by the filter of the place that it was moved to.
#[tokio::test]
async fn a_directory_is_moved_between_places_with_the_same_filter_only() {
    let server = TestServer::start().await;
    let filter = |path: &str| serde_json::json!({ "path": path, "denied_extensions": [".key"] });
    let filters = serde_json::json!({ "file_extensions": [filter("/filtered"), filter("/alike")] });
    server
        .add(Account::new("alice").with("filters", filters))
        .await;
    let mut sftp = server.sftp("alice").await;
    let home = server.home("alice");
    for name in ["filtered/sub", "filtered/own", "alike", "sub"] {
        std::fs::create_dir_all(home.join(name)).unwrap();
        std::fs::write(home.join(name).join("a.key"), b"secret").unwrap();
        std::fs::write(home.join(name).join("a.txt"), b"text").unwrap();
    }
    symlink("filtered", home.join("link")).unwrap();
    for (from, to) in [
        (&b"/filtered/sub"[..], &b"/mine"[..]),
        (b"/link/sub", b"/mine"),
        (b"/sub", b"/filtered/in"),
        (b"/sub", b"/link/in"),
        (b"/filtered/sub/a.key", b"/a.txt"),
    ] {
        let shown = String::from_utf8_lossy(from);
        assert_eq!(kind(sftp.rename(from, to).await), DENIED, "{shown}");
        assert_eq!(kind(sftp.plain_rename(from, to).await), DENIED, "{shown}");
    }
    for (from, to) in [
        (&b"/filtered/sub"[..], &b"/filtered/other"[..]),
        (b"/filtered/other", b"/alike/other"),
        (b"/filtered/own/a.txt", b"/b.txt"),
        (b"/b.txt", b"/link/b.txt"),
        (b"/sub", b"/moved"),
    ] {
        let shown = String::from_utf8_lossy(from);
        assert_eq!(kind(sftp.rename(from, to).await), None, "{shown}");
    }
}

/// A move is no way to what may be neither copied nor removed where it is.
#[tokio::test]
async fn nothing_is_moved_to_where_more_is_allowed() {
    let account = Account::new("alice")
        .permit("/shown", "list")
        .permit("/read", "list,download,rename")
        .permit("/drop", "list,upload,rename")
        .permit(
            "/work",
            "list,download,upload,overwrite,delete,create_dirs,rename",
        );
    let server = TestServer::start().await;
    server.add(account).await;
    let mut sftp = server.sftp("alice").await;
    let home = server.home("alice");
    for name in ["shown", "read", "drop", "work"] {
        std::fs::create_dir_all(home.join(name).join("sub")).unwrap();
        std::fs::write(home.join(name).join("file"), b"secret").unwrap();
        std::fs::write(home.join(name).join("sub/file"), b"secret").unwrap();
        symlink("..", home.join(name).join("out")).unwrap();
        symlink(name, home.join(format!("to-{name}"))).unwrap();
    }
    for name in ["shown", "read", "drop"] {
        for what in ["file", "sub", "sub/file"] {
            for from in [format!("/{name}/{what}"), format!("/to-{name}/{what}")] {
                let from = from.as_bytes();
                let out = format!("/{name}/out/mine");
                for to in [&b"/mine"[..], b"/work/mine", out.as_bytes()] {
                    let shown = format!("{} {}", from.escape_ascii(), to.escape_ascii());
                    assert_eq!(kind(sftp.rename(from, to).await), DENIED, "{shown}");
                    assert_eq!(kind(sftp.plain_rename(from, to).await), DENIED, "{shown}");
                }
            }
        }
    }
    // Where nothing is gained, or what may be copied and removed, it goes.
    for (from, to) in [
        (&b"/drop/file"[..], &b"/drop/other"[..]),
        (b"/drop/sub", b"/drop/other-sub"),
        (b"/work/file", b"/mine"),
        (b"/work/sub", b"/mine-too"),
        (b"/mine", b"/drop/mine"),
        (b"/mine-too", b"/read/mine-too"),
    ] {
        let shown = String::from_utf8_lossy(from);
        assert_eq!(kind(sftp.rename(from, to).await), None, "{shown}");
    }
}

/// Rules hold for names, whatever comes to have them.
#[tokio::test]
async fn nothing_is_moved_under_rules_that_name_a_place_below_it() {
    let server = TestServer::start().await;
    let account = Account::new("alice")
        .permit("/", "list,rename,upload,create_dirs")
        .permit("/target/open", "*");
    server.add(account).await;
    let mut sftp = server.sftp("alice").await;
    let home = server.home("alice");
    std::fs::create_dir_all(home.join("source/open")).unwrap();
    std::fs::write(home.join("source/open/file"), b"secret").unwrap();
    assert_eq!(kind(sftp.rename(b"/source", b"/target").await), DENIED);
    std::fs::create_dir(home.join("target")).unwrap();
    let inner = sftp.rename(b"/source/open", b"/target/open").await;
    assert_eq!(kind(inner), DENIED);
    assert_eq!(kind(sftp.rename(b"/source", b"/other").await), None);
}

/// Resolution stays inside; what follows links without us would not.
#[tokio::test]
async fn a_link_is_not_moved_to_where_its_text_leads_out() {
    let (_server, mut sftp, home) = scene("*").await;
    std::fs::create_dir_all(home.join("a/b/c")).unwrap();
    symlink("../..", home.join("a/b/up")).unwrap();
    symlink("c", home.join("a/b/down")).unwrap();
    let made = sftp.symlink(b"../../open/own", b"/a/b/link").await;
    assert_eq!(kind(made), None);
    for to in [&b"/link"[..], b"/a/link", b"/a/b/up/link"] {
        let shown = String::from_utf8_lossy(to);
        assert_eq!(kind(sftp.rename(b"/a/b/link", to).await), DENIED, "{shown}");
        let plain = sftp.plain_rename(b"/a/b/link", to).await;
        assert_eq!(kind(plain), DENIED, "{shown}");
    }
    let made = sftp.symlink(b"../../x", b"/a/b/up/new").await;
    assert_eq!(kind(made), DENIED);
    sftp.rename(b"/a/b/link", b"/a/b/down/deeper")
        .await
        .unwrap();
    sftp.rename(b"/a/b/c/deeper", b"/a/b/back").await.unwrap();
    assert_eq!(sftp.get(b"/a/b/back").await.unwrap(), b"own");
    // What a directory takes along is neither followed nor shown where it leads out, and shown where it does not.
    sftp.mkdir(b"/a/b/dir").await.unwrap();
    let made = sftp.symlink(b"../../../open/own", b"/a/b/dir/link").await;
    assert_eq!(kind(made), None);
    symlink("a/b/dir", home.join("near")).unwrap();
    let text = sftp.readlink(b"/near/link").await.unwrap();
    assert_eq!(text, b"../../../open/own");
    sftp.rename(b"/a/b/dir", b"/dir").await.unwrap();
    assert_eq!(kind(sftp.readlink(b"/dir/link").await), DENIED);
    assert_eq!(kind(sftp.get(b"/dir/link").await), DENIED);
    // One that the administrator has made may lead where it likes.
    symlink("/etc", home.join("a/b/absolute")).unwrap();
    sftp.rename(b"/a/b/absolute", b"/absolute").await.unwrap();
}
