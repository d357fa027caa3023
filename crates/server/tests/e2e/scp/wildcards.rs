//! Wildcards, which elsewhere the shell of the server expands.

use std::fs;
use std::os::unix::fs::symlink;

use sftpgo_testkit::Account;

use super::{Scene, get_file};

/// The names that a download of `arguments` gives, and its exit status.
async fn sent(scene: &Scene, arguments: &str) -> (Vec<String>, Option<u32>) {
    let mut scp = scene.source(format!("-f {arguments}")).await;
    let mut names = Vec::new();
    loop {
        match get_file(&mut scp).await {
            Ok((record, _)) => names.push(record.splitn(3, ' ').nth(2).unwrap().to_owned()),
            // The end.
            Err(text) if text.is_empty() => return (names, scp.rest().await.1),
            Err(_) => {}
        }
    }
}

#[tokio::test]
async fn what_matches_is_sent_in_order() {
    let scene = Scene::plain().await;
    for name in ["b.txt", "a.txt", "c.dat", ".hidden.txt", "größe.txt"] {
        fs::write(scene.disk(name), name).unwrap();
    }
    for directory in ["one", "two", "three"] {
        fs::create_dir(scene.disk(directory)).unwrap();
        fs::write(scene.disk(directory).join(format!("in-{directory}")), b"").unwrap();
    }
    fs::write(scene.disk("one/same"), b"").unwrap();
    fs::write(scene.disk("three/same"), b"").unwrap();
    let names = |list: &[&str]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
    for (arguments, expected) in [
        ("*.txt", names(&["a.txt", "b.txt", "größe.txt"])),
        ("/*.txt", names(&["a.txt", "b.txt", "größe.txt"])),
        ("?.txt [c]*", names(&["a.txt", "b.txt", "c.dat"])),
        (".*.txt", names(&[".hidden.txt"])),
        ("'gr??e.txt'", Vec::new()),
        ("gr??e.txt", names(&["größe.txt"])),
        ("*/in-*", names(&["in-one", "in-three", "in-two"])),
        ("*/same", names(&["same", "same"])),
        ("t*/../a.txt", names(&["a.txt", "a.txt"])),
        ("one/*", names(&["in-one", "same"])),
    ] {
        let (found, status) = sent(&scene, arguments).await;
        assert_eq!(found, expected, "{arguments}");
        assert_eq!(status, Some(u32::from(expected.is_empty())), "{arguments}");
    }
}

#[tokio::test]
async fn a_pattern_that_matches_nothing_is_a_name() {
    let scene = Scene::plain().await;
    let mut scp = scene.source("-f none*").await;
    assert_eq!(scp.line().await, b"\x01scp: /none*: No Such File\n");
    scp.ends_with(1).await;
    // And quoted it is nothing else, whatever there is beside.
    for name in ["star*", "star-fish", "a[b]c", "abc", "back\\slash"] {
        fs::write(scene.disk(name), name).unwrap();
    }
    for (arguments, name) in [
        (r"star\*", "star*"),
        ("'star*'", "star*"),
        (r#""a[b]c""#, "a[b]c"),
        (r"a\[b\]c", "a[b]c"),
        (r"back\\slash", "back\\slash"),
        ("'back\\slash'", "back\\slash"),
    ] {
        let mut scp = scene.source(format!("-f {arguments}")).await;
        assert_eq!(
            get_file(&mut scp).await.unwrap().1,
            name.as_bytes(),
            "{arguments}"
        );
        scp.ends_with(0).await;
    }
}

#[tokio::test]
async fn directories_that_may_not_be_looked_into_match_nothing() {
    let account = Account::new("alice")
        .permit("/closed", "upload")
        .permit("/down", "download");
    let scene = Scene::with(account).await;
    for directory in ["closed", "down", "open"] {
        fs::create_dir(scene.disk(directory)).unwrap();
        fs::write(scene.disk(directory).join("f"), b"x").unwrap();
    }
    symlink("closed", scene.disk("link")).unwrap();
    symlink("/etc", scene.disk("etc")).unwrap();
    let (found, _) = sent(&scene, "/*/*").await;
    assert_eq!(found, ["f", "f"], "of /down and /open");
    for pattern in ["/closed/*", "/link/*", "/etc/pass*"] {
        let mut scp = scene.source(format!("-f {pattern}")).await;
        let line = String::from_utf8(scp.line().await).unwrap();
        assert!(line.starts_with('\u{1}'), "{line}");
        scp.ends_with(1).await;
    }
}

#[tokio::test]
async fn patterns_that_would_match_without_end_are_cut_off() {
    let scene = Scene::plain().await;
    for name in ["one", "two", "three", "four"] {
        symlink(".", scene.disk(name)).unwrap();
    }
    let pattern = ["*"; 200].join("/");
    let mut scp = scene.source(format!("-r -f {pattern}")).await;
    let line = String::from_utf8(scp.line().await).unwrap();
    assert!(line.ends_with("too many files match\n"), "{line}");
    scp.ends_with(1).await;
}
