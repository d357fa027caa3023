//! Directories as `ls` shows them, and the free space.

use std::collections::HashSet;

use super::sftp;
use crate::support::Server;
use crate::support::files::{
    assert_each_once, many_files, named_files, random_file, set_mode, set_mtime, utf8_names,
};

/// The lines of the last command, without the echo of the commands.
fn lines(text: &str) -> Vec<&str> {
    text.lines()
        .filter(|line| !line.starts_with("sftp> "))
        .collect()
}

#[test]
fn each_of_ten_thousand_names_is_listed_once() {
    let server = Server::start();
    let names = many_files(&server.home().join("many"), 10_000);
    let short = sftp(&server, "cd many\nls -1\n").succeed().text();
    assert_each_once(lines(&short), &names);
    let long = sftp(&server, "cd many\nls -la\n").succeed().text();
    let listed = lines(&long)
        .into_iter()
        .filter_map(|line| line.split_whitespace().last());
    // Some servers list the directory itself and its parent.
    assert_each_once(listed.filter(|name| !matches!(*name, "." | "..")), &names);
}

#[test]
fn a_long_listing_shows_kind_mode_size_and_date() {
    let server = Server::start();
    let home = server.home();
    let file = home.join("some file");
    random_file(&file, 12_345);
    set_mode(&file, 0o604);
    set_mtime(&file, 1_234_567_890);
    std::fs::create_dir(home.join("directory")).unwrap();
    std::os::unix::fs::symlink("some file", home.join("link")).unwrap();
    let said = sftp(&server, "ls -ln\n").succeed().text();
    let line = |name: &str| {
        let found = lines(&said).into_iter().find(|line| line.ends_with(name));
        found
            .unwrap_or_else(|| panic!("{name} not in {said}"))
            .to_owned()
    };
    assert!(line("some file").starts_with("-rw----r--"), "{said}");
    assert!(line("some file").contains(" 12345 "), "{said}");
    assert!(line("some file").contains("Feb 13  2009"), "{said}");
    assert!(line("directory").starts_with("drwxr-xr-x"), "{said}");
    assert!(line("link").starts_with('l'), "{said}");
}

#[test]
fn names_are_shown_as_they_are() {
    let server = Server::start();
    named_files(&server.home(), &utf8_names());
    let said = sftp(&server, "ls -1a\n").succeed().text();
    let listed: HashSet<&str> = lines(&said).into_iter().collect();
    for name in utf8_names() {
        let name = str::from_utf8(name).unwrap();
        assert!(listed.contains(name), "{name:?} not in {said}");
    }
}

#[test]
fn the_free_space_is_shown() {
    let server = Server::start();
    let said = sftp(&server, "df\ndf -i /\n").succeed().text();
    let numbers: Vec<u64> = lines(&said)
        .into_iter()
        .filter_map(|line| line.split_whitespace().next()?.parse().ok())
        .collect();
    assert_eq!(numbers.len(), 2, "{said}");
    assert!(numbers[0] > 0, "{said}");
}

#[test]
fn a_path_is_made_absolute_below_the_home() {
    let server = Server::start();
    std::fs::create_dir_all(server.home().join("a/b")).unwrap();
    let said = sftp(&server, "pwd\ncd a/b\npwd\ncd ../../../..\npwd\n")
        .succeed()
        .text();
    let shown = ["/", "/a/b", "/"].map(|path| format!("Remote working directory: {path}"));
    assert_eq!(lines(&said), shown);
}
