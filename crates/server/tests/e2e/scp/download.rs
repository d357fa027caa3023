//! `scp -f`: what the server sends, record by record.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::time::{Duration, SystemTime};

use serde_json::json;
use sftpgo_testkit::Account;

use super::{Scene, get_file};

fn set_times(path: &std::path::Path, seconds: u64) {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    let file = fs::File::open(path).unwrap();
    file.set_modified(time).unwrap();
}

#[tokio::test]
async fn a_file_with_its_times_is_sent_as_in_the_transcript() {
    let scene = Scene::plain().await;
    fs::write(scene.disk("f"), b"hello").unwrap();
    set_times(&scene.disk("f"), 1_582_100_000);
    let mut scp = scene.source("-p -f /f").await;
    assert_eq!(scp.line().await, b"T1582100000 0 1582100000 0\n");
    scp.send(&b"\0"[..]);
    assert_eq!(scp.line().await, b"C0644 5 f\n");
    scp.send(&b"\0"[..]);
    assert_eq!(scp.take(6).await, b"hello\0");
    scp.send(&b"\0"[..]);
    scp.ends_with(0).await;
}

#[tokio::test]
async fn a_directory_is_sent_with_what_is_in_it() {
    let scene = Scene::plain().await;
    fs::create_dir_all(scene.disk("dir/sub")).unwrap();
    fs::write(scene.disk("dir/sub/f"), b"x").unwrap();
    for (path, name) in [
        ("/dir", "dir"),
        ("dir/", "dir"),
        ("dir/sub/..", "dir"),
        ("/", "alice"),
    ] {
        let mut scp = scene.source(format!("-r -f {path}")).await;
        let mut expected = vec![format!("D0755 0 {name}\n")];
        if path == "/" {
            expected.push("D0755 0 dir\n".to_owned());
        }
        expected.push("D0755 0 sub\n".to_owned());
        let depth = expected.len();
        for line in &expected {
            assert_eq!(
                &String::from_utf8(scp.line().await).unwrap(),
                line,
                "{path}"
            );
            scp.send(&b"\0"[..]);
        }
        assert_eq!(
            get_file(&mut scp).await.unwrap(),
            ("0644 1 f".to_owned(), b"x".to_vec())
        );
        for _ in 0..depth {
            assert_eq!(scp.line().await, b"E\n");
            scp.send(&b"\0"[..]);
        }
        scp.ends_with(0).await;
    }
}

#[tokio::test]
async fn files_of_many_sizes_arrive_whole() {
    let scene = Scene::plain().await;
    let block = 256 * 1024;
    for size in [0, 1, block - 1, block, block + 1, 3 * block, 5_000_001] {
        let content: Vec<u8> = (0..size)
            .map(|at: usize| at.wrapping_mul(31).to_le_bytes()[0])
            .collect();
        fs::write(scene.disk("f"), &content).unwrap();
        assert!(scene.get("f").await.unwrap() == content, "{size}");
        scene.put("g", &content).await.unwrap();
        assert!(fs::read(scene.disk("g")).unwrap() == content, "{size}");
    }
}

#[tokio::test]
async fn what_cannot_be_sent_is_told_and_the_rest_is_sent() {
    let scene = Scene::plain().await;
    fs::create_dir(scene.disk("dir")).unwrap();
    fs::write(scene.disk("f"), b"x").unwrap();
    let mut scp = scene.source("-f none dir 'a\nb' f").await;
    assert_eq!(scp.line().await, b"\x01scp: /none: No Such File\n");
    assert_eq!(scp.line().await, b"\x01scp: /dir: not a regular file\n");
    let line = scp.line().await;
    assert!(line.starts_with(b"\x01scp: /a\\nb: a name with a line break"));
    assert_eq!(get_file(&mut scp).await.unwrap().1, b"x");
    scp.ends_with(1).await;
}

#[tokio::test]
async fn a_client_that_declines_something_gets_the_rest() {
    let scene = Scene::plain().await;
    fs::create_dir(scene.disk("dir")).unwrap();
    fs::write(scene.disk("dir/inside"), b"x").unwrap();
    fs::write(scene.disk("f"), b"x").unwrap();
    let mut scp = scene.source("-r -f dir f f").await;
    assert_eq!(scp.line().await, b"D0755 0 dir\n");
    scp.send(&b"\x01scp: dir: Not a directory\n"[..]);
    assert_eq!(scp.line().await, b"C0644 1 f\n");
    scp.send(&b"\x01scp: f: Permission denied\n"[..]);
    assert_eq!(get_file(&mut scp).await.unwrap().1, b"x");
    scp.ends_with(1).await;
    assert_eq!(scene.server.core().metrics().downloads.completed.value(), 1);
    assert_eq!(scene.server.core().metrics().downloads.failed.value(), 1);
}

#[tokio::test]
async fn a_client_that_gives_up_is_not_sent_anything_more() {
    let scene = Scene::plain().await;
    fs::write(scene.disk("f"), b"x").unwrap();
    for at_once in [true, false] {
        let mut scp = scene.scp("-f f f").await;
        if !at_once {
            scp.send(&b"\0"[..]);
            assert_eq!(scp.line().await, b"C0644 1 f\n");
        }
        scp.send(&b"\x02scp: no room\n"[..]);
        assert_eq!(scp.rest().await, (Vec::new(), Some(1)));
    }
}

#[tokio::test]
async fn modes_are_announced_with_the_first_digit_of_the_reference() {
    let scene = Scene::plain().await;
    fs::write(scene.disk("f"), b"").unwrap();
    for (mode, text) in [
        (0o640, "C0640"),
        (0o4600, "C2600"),
        (0o1755, "C1755"),
        (0, "C0644"),
    ] {
        fs::set_permissions(scene.disk("f"), fs::Permissions::from_mode(mode)).unwrap();
        let mut scp = scene.source("-f f").await;
        let line = String::from_utf8(scp.line().await).unwrap();
        // A server without privileges cannot open what nobody may read.
        if mode != 0 || line.starts_with('C') {
            assert_eq!(line, format!("{text} 0 f\n"));
        }
        scp.send(&b"\x02enough\n"[..]);
        scp.rest().await;
    }
}

#[tokio::test]
async fn links_are_followed_and_what_leads_out_or_round_is_told() {
    let scene = Scene::plain().await;
    let secret = scene.home().parent().unwrap().join("secret");
    fs::write(&secret, b"secret").unwrap();
    fs::create_dir_all(scene.disk("dir/sub")).unwrap();
    fs::write(scene.disk("target"), b"linked").unwrap();
    symlink("../target", scene.disk("dir/file")).unwrap();
    symlink("..", scene.disk("dir/sub/round")).unwrap();
    symlink(&secret, scene.disk("dir/outside")).unwrap();
    symlink("nothing", scene.disk("dir/dangling")).unwrap();
    let mut scp = scene.source("-r -f dir").await;
    let mut seen = Vec::new();
    let mut depth = 0;
    loop {
        let line = String::from_utf8(scp.line().await).unwrap();
        seen.push(line.clone());
        match line.as_bytes()[0] {
            b'D' => depth += 1,
            b'E' => depth -= 1,
            b'C' => {
                scp.send(&b"\0"[..]);
                assert_eq!(scp.take(7).await, b"linked\0");
            }
            _ => continue,
        }
        scp.send(&b"\0"[..]);
        if depth == 0 {
            break;
        }
    }
    scp.ends_with(1).await;
    seen.sort();
    assert_eq!(
        seen,
        [
            "\x01scp: /dir/dangling: No Such File\n",
            "\x01scp: /dir/outside: Permission Denied\n",
            "\x01scp: /dir/sub/round: a link leads back to a directory above it\n",
            "C0644 6 file\n",
            "D0755 0 dir\n",
            "D0755 0 sub\n",
            "E\n",
            "E\n",
        ]
    );
}

#[tokio::test]
async fn devices_pipes_and_sockets_are_left_out() {
    let scene = Scene::plain().await;
    fs::create_dir(scene.disk("dir")).unwrap();
    std::os::unix::net::UnixListener::bind(scene.disk("dir/socket")).unwrap();
    let mut scp = scene.source("-r -f dir").await;
    assert_eq!(scp.line().await, b"D0755 0 dir\n");
    scp.send(&b"\0"[..]);
    assert_eq!(scp.line().await, b"E\n");
    scp.send(&b"\0"[..]);
    scp.ends_with(0).await;
    // By its own name it is refused, and never opened.
    let error = scene.get("dir/socket").await.unwrap_err();
    assert!(error.contains("Permission Denied"), "{error}");
}

#[tokio::test]
async fn a_file_that_becomes_shorter_is_filled_up_and_told() {
    let scene = Scene::plain().await;
    // More than can be on its way: the server still reads when the file is cut.
    let size = 64 << 20;
    fs::File::create(scene.disk("f"))
        .unwrap()
        .set_len(size)
        .unwrap();
    let mut scp = scene.source("-f f").await;
    let line = scp.line().await;
    assert_eq!(line, format!("C0644 {size} f\n").into_bytes());
    fs::File::create(scene.disk("f"))
        .unwrap()
        .set_len(1000)
        .unwrap();
    scp.send(&b"\0"[..]);
    let content = scp.take(usize::try_from(size).unwrap()).await;
    assert!(content.iter().all(|byte| *byte == 0));
    let error = scp.line().await;
    assert_eq!(
        error,
        b"\x01scp: /f: Failure: the file became shorter while it was sent\n"
    );
    scp.send(&b"\0"[..]);
    scp.ends_with(1).await;
    assert_eq!(scene.server.core().metrics().downloads.failed.value(), 1);
}

#[tokio::test]
async fn a_file_that_grows_is_sent_as_long_as_it_was() {
    let scene = Scene::plain().await;
    fs::write(scene.disk("f"), b"short").unwrap();
    let mut scp = scene.source("-f f").await;
    assert_eq!(scp.line().await, b"C0644 5 f\n");
    fs::write(scene.disk("f"), b"shorter than this").unwrap();
    scp.send(&b"\0"[..]);
    assert_eq!(scp.take(6).await, b"short\0");
    scp.send(&b"\0"[..]);
    scp.ends_with(0).await;
}

#[tokio::test]
async fn virtual_folders_go_both_ways_under_their_virtual_names() {
    let server = super::builder().start().await;
    let mapped = server.home("mapped");
    fs::create_dir(&mapped).unwrap();
    let folders = json!([{ "virtual_path": "/deep/shared", "mapped_path": mapped }]);
    server
        .add(Account::new("alice").with("virtual_folders", folders))
        .await;
    let ssh = server.login("alice").await;
    let scene = Scene { server, ssh };

    let mut scp = scene.sink("-r -t /deep").await;
    // The place of the folder is there, though nobody can make it.
    scp.agreed("D0755 0 shared\n").await;
    scp.agreed("D0755 0 sub\n").await;
    super::put_file(&mut scp, "f", b"x").await.unwrap();
    scp.agreed("E\n").await;
    scp.agreed("E\n").await;
    scp.ends_with(0).await;
    assert_eq!(fs::read(mapped.join("sub/f")).unwrap(), b"x");

    let mut scp = scene.source("-r -f /deep").await;
    for line in ["D0755 0 deep\n", "D0755 0 shared\n", "D0755 0 sub\n"] {
        assert_eq!(scp.line().await, line.as_bytes());
        scp.send(&b"\0"[..]);
    }
    assert_eq!(get_file(&mut scp).await.unwrap().1, b"x");
    for _ in 0..3 {
        assert_eq!(scp.line().await, b"E\n");
        scp.send(&b"\0"[..]);
    }
    scp.ends_with(0).await;
}

#[tokio::test]
async fn sizes_over_four_gigabytes_are_announced_and_taken() {
    const SIZE: u64 = (4 << 30) + 123_456;
    let scene = Scene::of(super::builder().upload_mode(1), Account::new("alice")).await;
    fs::File::create(scene.disk("large"))
        .unwrap()
        .set_len(SIZE)
        .unwrap();
    let mut scp = scene.source("-f large").await;
    assert_eq!(
        scp.line().await,
        format!("C0644 {SIZE} large\n").into_bytes()
    );
    scp.send(&b"\0"[..]);
    // What comes is the file, for as long as anybody wants to look.
    assert!(scp.take(1 << 20).await.iter().all(|byte| *byte == 0));
    drop(scp);
    let mut scp = scene.sink("-t /").await;
    scp.agreed(format!("C0644 {SIZE} f\n")).await;
    // More is expected than these bytes, which the low half of the size would be.
    scp.send(vec![0; 123_456]);
    let (error, fatal) = {
        scp.eof();
        let (answer, _) = scp.rest().await;
        (
            String::from_utf8_lossy(&answer).into_owned(),
            answer.first() == Some(&2),
        )
    };
    assert!(
        error.contains("the input ends within a file") && fatal,
        "{error}"
    );
    super::ending::until_failed_uploads(&scene.server, 1).await;
    assert_eq!(super::names_in(&scene.home()), ["large"]);
}
