//! `curl`, and so libssh2: small requests, and commands between transfers.

use std::fs;

use super::support::files::{
    SIZES, assert_each_once, assert_same, beginning, many_files, mode, random_file,
};
use super::support::{PASSWORD, Run, Server};

fn curl<'a>(server: &Server, arguments: impl IntoIterator<Item = &'a str>) -> Run {
    let key = server.key();
    let public = key.with_extension("pub");
    server
        .client("curl")
        .args(["-q", "-sS", "-u", "alice:", "--key"])
        .arg(key)
        .arg("--pubkey")
        .arg(public)
        .args(arguments)
}

fn url(server: &Server, path: &str) -> String {
    format!("sftp://127.0.0.1:{}/{path}", server.port())
}

#[test]
fn files_of_every_size_come_back_unchanged() {
    let server = Server::start();
    for size in SIZES {
        let sent = server.local_file("up", size);
        let url = url(&server, &format!("stored-{size}"));
        curl(&server, ["-T", "up", &url]).succeed();
        assert_same(&sent, &server.home().join(format!("stored-{size}")));
        curl(&server, ["-o", "down", &url]).succeed();
        assert_same(&sent, &server.work().join("down"));
    }
}

#[test]
fn a_large_file_moves_both_ways() {
    let server = Server::start();
    let sent = server.local_file("up", 64 << 20);
    let url = url(&server, "stored");
    curl(&server, ["-T", "up", &url]).succeed();
    curl(&server, ["-o", "down", &url]).succeed();
    assert_same(&sent, &server.home().join("stored"));
    assert_same(&sent, &server.work().join("down"));
}

#[test]
fn interrupted_transfers_go_on_where_they_stopped() {
    let server = Server::start();
    let sent = server.local_file("up", 3_000_001);
    let (stored, down) = (server.home().join("stored"), server.work().join("down"));
    let url = url(&server, "stored");
    beginning(&sent, &stored, 1_234_567);
    curl(&server, ["-C", "-", "-T", "up", &url]).succeed();
    assert_same(&sent, &stored);
    beginning(&sent, &down, 2_000_000);
    curl(&server, ["-C", "-", "-o", "down", &url]).succeed();
    assert_same(&sent, &down);
    // The last 1000 bytes.
    let range = curl(&server, ["-r", "-1000", &url]).succeed();
    assert_eq!(range.stdout, fs::read(&sent).unwrap()[2_999_001..]);
    // Added to the end of what is there.
    random_file(&server.work().join("more"), 5000);
    curl(&server, ["--append", "-T", "more", &url]).succeed();
    assert_eq!(fs::metadata(&stored).unwrap().len(), 3_005_001);
}

#[test]
fn names_may_have_spaces_and_any_letters() {
    let server = Server::start();
    let sent = server.local_file("up", 1000);
    let url = url(&server, "made/for%20it/k%C3%A4se%20%E6%97%A5.bin");
    curl(&server, ["--ftp-create-dirs", "-T", "up", &url]).succeed();
    assert_same(
        &sent,
        &server.home().join("made/for it/k\u{e4}se \u{65e5}.bin"),
    );
    curl(&server, ["-o", "down", &url]).succeed();
    assert_same(&sent, &server.work().join("down"));
}

#[test]
fn each_of_ten_thousand_names_is_listed_once() {
    let server = Server::start();
    let names = many_files(&server.home().join("many"), 10_000);
    let said = curl(&server, ["-l", &url(&server, "many/")])
        .succeed()
        .text();
    assert_each_once(
        said.lines().filter(|name| !matches!(*name, "." | "..")),
        &names,
    );
    let long = curl(&server, [&*url(&server, "many/")]).succeed().text();
    let listed = long
        .lines()
        .filter_map(|line| line.split_whitespace().last());
    assert_each_once(listed.filter(|name| !matches!(*name, "." | "..")), &names);
}

#[test]
fn commands_between_transfers_work() {
    let server = Server::start();
    let home = server.home();
    fs::write(home.join("file"), "content").unwrap();
    fs::write(home.join("replaced"), "stale").unwrap();
    let commands = [
        "mkdir /d",
        "rename /file /d/moved",
        "chmod 600 /d/moved",
        "symlink /d/moved /link",
        "rename /d/moved /replaced",
        "rm /link",
        "mkdir /d/e",
        "rmdir /d/e",
        "statvfs /",
        "pwd",
    ];
    let quoted = commands.iter().flat_map(|command| ["-Q", command]);
    let said = curl(&server, quoted)
        // What a command answers counts as a header.
        .args(["-D", "-", "-l", &url(&server, "")])
        .succeed();
    said.says("f_bsize").says("replaced");
    assert_eq!(fs::read(home.join("replaced")).unwrap(), b"content");
    assert_eq!(mode(&home.join("replaced")), 0o600);
    assert!(!home.join("link").exists() && home.join("d").is_dir());
}

#[test]
fn refusals_have_the_exit_status_of_their_kind() {
    let server = Server::start();
    server.local_file("up", 10);
    let reader_home = server.reader_home();
    fs::write(reader_home.join("file"), "content").unwrap();
    let code = |arguments: &[&str]| curl(&server, arguments.iter().copied()).fail().code();
    let (missing, file) = (url(&server, "nothing"), url(&server, "file"));
    assert_eq!(code(&["-o", "down", &missing]), Some(78), "no such file");
    assert_eq!(
        code(&["-Q", "rm /nothing", &url(&server, "")]),
        Some(21),
        "failed command"
    );
    assert_eq!(
        code(&["-u", "reader:", "-T", "up", &file]),
        Some(9),
        "access denied"
    );
    let fetched = curl(&server, ["-u", "reader:", &*file]).succeed();
    assert_eq!(fetched.stdout, b"content");
}

#[test]
fn a_password_logs_in_and_a_wrong_one_does_not() {
    let server = Server::start();
    fs::write(server.home().join("file"), "content").unwrap();
    let file = url(&server, "file");
    let login = |password: &str| {
        let user = format!("alice:{password}");
        server
            .client("curl")
            .args(["-q", "-sS", "-u", &user, &file])
    };
    assert_eq!(login("wrong").fail().code(), Some(67));
    assert_eq!(login(PASSWORD).succeed().stdout, b"content");
    let wrong = server.wrong_key();
    let public = wrong.with_extension("pub");
    let stranger = curl(&server, [&*file])
        .arg("--key")
        .arg(wrong)
        .arg("--pubkey")
        .arg(public);
    assert_eq!(stranger.fail().code(), Some(67));
}
