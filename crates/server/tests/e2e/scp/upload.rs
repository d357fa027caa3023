//! `scp -t`: what the server answers, record by record, and what is on the disk then.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};

use sftpgo_testkit::{Account, TestServer};

use super::{Scene, names_in, put_file};

#[tokio::test]
async fn a_single_file_is_answered_as_in_the_transcript() {
    let scene = Scene::plain().await;
    fs::create_dir(scene.disk("d")).unwrap();
    let mut scp = scene.scp("-t /d/").await;
    assert_eq!(scp.take(1).await, b"\0");
    scp.send(&b"C0644 5 f\n"[..]);
    assert_eq!(scp.take(1).await, b"\0");
    scp.send(&b"hello\0"[..]);
    assert_eq!(scp.take(1).await, b"\0");
    scp.ends_with(0).await;
    assert_eq!(fs::read(scene.disk("d/f")).unwrap(), b"hello");
}

#[tokio::test]
async fn a_directory_is_answered_as_in_the_transcript_without_the_spurious_byte() {
    let scene = Scene::plain().await;
    let mut scp = scene.sink("-r -t /").await;
    scp.agreed("D0755 0 dir\n").await;
    scp.agreed("C0644 5 f\n").await;
    scp.agreed("hello\0").await;
    scp.agreed("E\n").await;
    scp.ends_with(0).await;
    assert_eq!(fs::read(scene.disk("dir/f")).unwrap(), b"hello");
}

#[tokio::test]
async fn a_refused_upload_is_told_and_the_exit_status_is_sent() {
    let scene = Scene::with(Account::new("alice").permit("/", "list,download")).await;
    let mut scp = scene.sink("-t /").await;
    let refused = scp.refused("C0644 5 f\n").await;
    assert_eq!(refused, ("scp: /f: Permission Denied".to_owned(), false));
    scp.ends_with(1).await;
}

#[tokio::test]
async fn several_sources_are_stored_and_one_that_fails_does_not_stop_the_others() {
    let scene = Scene::with(Account::new("alice").permit("/", "list,upload")).await;
    fs::write(scene.disk("there"), b"old").unwrap();
    let mut scp = scene.sink("-d -t /").await;
    put_file(&mut scp, "first", b"1").await.unwrap();
    put_file(&mut scp, "there", b"2").await.unwrap_err();
    // The client could not read one of its own files; nothing answers that.
    scp.send(&b"\x01scp: local: Permission denied\n"[..]);
    put_file(&mut scp, "third", b"3").await.unwrap();
    scp.ends_with(1).await;
    assert_eq!(names_in(&scene.home()), ["first", "there", "third"]);
    assert_eq!(fs::read(scene.disk("there")).unwrap(), b"old");
}

#[tokio::test]
async fn everything_may_arrive_in_one_packet_or_byte_by_byte() {
    let scene = Scene::plain().await;
    let stream = b"T1 0 1 0\nD0755 0 dir\nC0644 5 f\nhello\0C0644 0 empty\n\0E\nC0600 1 g\nx\0";
    for (step, target) in [(stream.len(), "one"), (1, "many"), (7, "some")] {
        fs::create_dir(scene.disk(target)).unwrap();
        let mut scp = scene.scp(format!("-rpt {target}")).await;
        for piece in stream.chunks(step) {
            scp.send(piece);
        }
        scp.eof();
        // The start, T, D, two files with two each, E, and the last file.
        assert_eq!(scp.rest().await, (vec![0; 10], Some(0)), "{target}");
        assert_eq!(names_in(&scene.disk(target)), ["dir", "g"]);
        assert_eq!(
            fs::read(scene.disk(target).join("dir/f")).unwrap(),
            b"hello"
        );
        assert_eq!(names_in(&scene.disk(target).join("dir")), ["empty", "f"]);
    }
}

#[tokio::test]
async fn the_target_decides_the_name() {
    let scene = Scene::plain().await;
    fs::create_dir(scene.disk("dir")).unwrap();
    symlink("dir", scene.disk("link")).unwrap();
    for (target, stored) in [
        ("new", "new"),
        ("dir", "dir/f"),
        ("dir/", "dir/f"),
        ("/dir/.", "dir/f"),
        ("dir/other", "dir/other"),
        ("link", "dir/f"),
        ("link/second", "dir/second"),
        (".", "f"),
        ("/", "f"),
        ("", "f"),
        ("~", "f"),
        ("~/dir/home", "dir/home"),
        ("..", "f"),
        ("d*", "dir/f"),
        ("'*'", "*"),
    ] {
        let quoted = if target.is_empty() { "''" } else { target };
        let mut scp = scene.sink(format!("-t {quoted}")).await;
        put_file(&mut scp, "f", target.as_bytes()).await.unwrap();
        scp.ends_with(0).await;
        let content = fs::read(scene.disk(stored)).unwrap();
        assert_eq!(content, target.as_bytes(), "{target} to {stored}");
        fs::remove_file(scene.disk(stored)).unwrap();
    }
    assert_eq!(names_in(&scene.home()), ["dir", "link"]);
}

#[tokio::test]
async fn parents_are_not_made() {
    let scene = Scene::plain().await;
    for target in ["/none/f", "/none/", "none/deeper/f"] {
        let error = scene.put(target, b"x").await.unwrap_err();
        assert!(error.ends_with(": No Such File"), "{error}");
    }
    let mut scp = scene.sink("-r -t /none/deeper").await;
    let (error, fatal) = scp.refused("D0755 0 dir\n").await;
    assert!(error.ends_with(": No Such File") && !fatal, "{error}");
    scp.ends_with(1).await;
    assert!(names_in(&scene.home()).is_empty());
}

#[tokio::test]
async fn a_directory_takes_the_name_of_a_target_that_is_missing() {
    let scene = Scene::plain().await;
    for target in ["named", "with-slash/"] {
        for into in [
            target.trim_end_matches('/').to_owned(),
            format!("{target}/dir"),
        ] {
            let mut scp = scene.sink(format!("-r -t {target}")).await;
            scp.agreed("D0755 0 dir\n").await;
            put_file(&mut scp, "f", b"x").await.unwrap();
            scp.agreed("E\n").await;
            scp.ends_with(0).await;
            assert_eq!(
                fs::read(scene.disk(&into).join("f")).unwrap(),
                b"x",
                "{into}"
            );
        }
    }
}

#[tokio::test]
async fn a_directory_that_is_there_is_used_and_a_file_is_not() {
    let scene = Scene::plain().await;
    fs::create_dir(scene.disk("real")).unwrap();
    symlink("real", scene.disk("dir")).unwrap();
    fs::write(scene.disk("file"), b"").unwrap();
    let mut scp = scene.sink("-r -t /").await;
    scp.agreed("D0755 0 dir\n").await;
    put_file(&mut scp, "f", b"x").await.unwrap();
    scp.agreed("E\n").await;
    let (error, fatal) = scp.refused("D0755 0 file\n").await;
    assert_eq!(
        (error.as_str(), fatal),
        ("scp: /file: Failure: already exists", false)
    );
    put_file(&mut scp, "behind", b"").await.unwrap();
    scp.ends_with(1).await;
    assert_eq!(fs::read(scene.disk("real/f")).unwrap(), b"x");
    assert!(scene.disk("behind").exists());
}

#[tokio::test]
async fn a_file_cannot_take_the_place_of_a_directory() {
    let scene = Scene::plain().await;
    fs::create_dir_all(scene.disk("dir/f")).unwrap();
    let mut scp = scene.sink("-t dir").await;
    let (error, fatal) = scp.refused("C0644 1 f\n").await;
    assert_eq!(
        (error.as_str(), fatal),
        ("scp: /dir/f: Failure: is a directory", false)
    );
    scp.ends_with(1).await;
    assert!(scene.disk("dir/f").is_dir());
}

#[tokio::test]
async fn a_target_that_must_be_a_directory_is_refused_if_it_is_none() {
    let scene = Scene::plain().await;
    fs::write(scene.disk("file"), b"").unwrap();
    for target in ["file", "none"] {
        let mut scp = scene.scp(format!("-d -t {target}")).await;
        let (error, fatal) = scp.refused(&b""[..]).await;
        assert!(error.contains("Not a directory") && fatal, "{error}");
        scp.ends_with(1).await;
    }
}

#[tokio::test]
async fn directories_need_the_flag() {
    let scene = Scene::plain().await;
    let mut scp = scene.sink("-t /").await;
    let (error, fatal) = scp.refused("D0755 0 dir\n").await;
    assert!(error.contains("without -r") && fatal);
    scp.ends_with(1).await;
    assert!(names_in(&scene.home()).is_empty());
}

#[tokio::test]
async fn modes_count_with_the_flag_and_times_whenever_they_are_sent() {
    let scene = Scene::plain().await;
    for (flags, file_mode, dir_mode) in [("-rt", 0o644, 0o755), ("-rpt", 0o751, 0o711)] {
        let mut scp = scene.sink(format!("{flags} /")).await;
        scp.agreed("T1000000000 0 1100000000 0\n").await;
        scp.agreed("D0711 0 dir\n").await;
        scp.agreed("T1200000000 0 1300000000 0\n").await;
        put_file(&mut scp, "plain", b"x").await.unwrap();
        scp.agreed("C4751 1 f\n").await;
        scp.agreed("x\0").await;
        scp.agreed("E\n").await;
        scp.ends_with(0).await;
        let of = |path: &str| fs::metadata(scene.disk(path)).unwrap();
        assert_eq!(of("dir").mode() & 0o7777, dir_mode, "{flags}");
        assert_eq!(
            (of("dir").mtime(), of("dir").atime()),
            (1_000_000_000, 1_100_000_000)
        );
        assert_eq!(of("dir/plain").mtime(), 1_200_000_000);
        assert_eq!(of("dir/plain").atime(), 1_300_000_000);
        assert_eq!(of("dir/f").mode() & 0o7777, file_mode, "{flags}");
        // Times belong to the next record only.
        assert!(of("dir/f").mtime() > 1_300_000_000);
        fs::remove_dir_all(scene.disk("dir")).unwrap();
    }
}

#[tokio::test]
async fn what_the_account_may_not_set_is_left_out() {
    let account = Account::new("alice").permit("/", "list,upload,create_dirs");
    let scene = Scene::with(account).await;
    let mut scp = scene.sink("-rpt /").await;
    scp.agreed("T1000000000 0 1000000000 0\n").await;
    scp.agreed("D0700 0 dir\n").await;
    scp.agreed("T1000000000 0 1000000000 0\n").await;
    scp.agreed("C0600 1 f\n").await;
    scp.agreed("x\0").await;
    scp.agreed("E\n").await;
    scp.ends_with(0).await;
    for (path, mode) in [("dir", 0o755), ("dir/f", 0o644)] {
        let found = fs::metadata(scene.disk(path)).unwrap();
        assert_eq!(found.mode() & 0o7777, mode);
        assert!(found.mtime() > 1_000_000_000);
    }
}

#[tokio::test]
async fn an_old_file_stays_until_an_atomic_upload_ends() {
    for (mode, after_failure) in [(0, &b"ne"[..]), (1, b"old"), (2, b"ne")] {
        let scene = Scene::of(super::builder().upload_mode(mode), Account::new("alice")).await;
        fs::write(scene.disk("f"), b"old").unwrap();
        let mut scp = scene.sink("-t f").await;
        scp.agreed("C0644 3 f\n").await;
        scp.send(&b"ne"[..]);
        sftpgo_testkit::until("two bytes of the upload", async || {
            let connections = scene.server.core().registry().connections();
            let transfers = connections.iter().flat_map(|c| c.transfers());
            transfers.map(|transfer| transfer.bytes()).sum::<u64>() == 2
        })
        .await;
        if mode > 0 {
            assert_eq!(fs::read(scene.disk("f")).unwrap(), b"old", "mode {mode}");
        }
        // The channel ends in the middle of the file.
        scp.eof();
        assert_eq!(scp.rest().await.1, Some(1));
        super::ending::until_failed_uploads(&scene.server, 1).await;
        assert_eq!(
            fs::read(scene.disk("f")).unwrap(),
            after_failure,
            "mode {mode}"
        );
        assert_eq!(names_in(&scene.home()), ["f"], "mode {mode}");
        scene.put("f", b"new").await.unwrap();
        assert_eq!(fs::read(scene.disk("f")).unwrap(), b"new");
        assert_eq!(names_in(&scene.home()), ["f"], "mode {mode}");
    }
}

#[tokio::test]
async fn a_file_that_the_client_cannot_read_to_its_end_is_given_up() {
    let scene = Scene::of(super::builder().upload_mode(1), Account::new("alice")).await;
    fs::write(scene.disk("f"), b"old").unwrap();
    let mut scp = scene.sink("-t /").await;
    scp.agreed("C0644 5 f\n").await;
    // OpenSSH fills up with zeros and says so.
    let (error, fatal) = scp
        .refused(&b"he\0\0\0\x01scp: f: Input/output error\n"[..])
        .await;
    assert!(error.contains("aborted") && !fatal, "{error}");
    put_file(&mut scp, "g", b"next").await.unwrap();
    scp.ends_with(1).await;
    assert_eq!(fs::read(scene.disk("f")).unwrap(), b"old");
    assert_eq!(fs::read(scene.disk("g")).unwrap(), b"next");
}

#[tokio::test]
async fn the_quota_counts_and_a_file_that_does_not_fit_is_refused() {
    for mode in 0..3 {
        let builder = super::builder().upload_mode(mode);
        let scene = Scene::of(builder, Account::new("alice").quota(2, 10_000)).await;
        let server: &TestServer = &scene.server;
        scene.put("a", &[b'a'; 6_000]).await.unwrap();
        // Over what is there it is no new file.
        scene.put("a", &[b'a'; 7_000]).await.unwrap();
        let mut scp = scene.sink("-t /").await;
        // Refused before anything of it is sent.
        let (error, fatal) = scp.refused("C0644 9223372036854775807 b\n").await;
        assert!(error.contains("quota exceeded") && !fatal, "{error}");
        // The client and the server still agree on where the next record begins.
        put_file(&mut scp, "a", &[b'a'; 100]).await.unwrap();
        scp.ends_with(1).await;
        super::ending::until_counted(server, "alice").await;
        assert_eq!(server.quota("alice").await, server.usage("alice"));
        assert!(server.usage("alice").bytes <= 10_000);
        scene.put("b", &[b'b'; 100]).await.unwrap();
        let error = scene.put("c", b"").await.unwrap_err();
        assert!(error.contains("quota exceeded"), "{error}");
        super::ending::until_counted(server, "alice").await;
        assert_eq!(server.quota("alice").await.files, 2);
    }
}

#[tokio::test]
async fn what_fits_no_more_in_the_middle_of_a_file_is_told_at_its_end() {
    for mode in 0..3 {
        let builder = super::builder().upload_mode(mode);
        let scene = Scene::of(builder, Account::new("alice").quota(0, 1_000_000)).await;
        let content = vec![b'x'; 900_000];
        // Alone each of them would fit.
        let mut first = scene.sink("-t /").await;
        first.agreed("C0644 900000 first\n").await;
        let mut second = scene.sink("-t /").await;
        second.agreed("C0644 900000 second\n").await;
        first.send(content.clone());
        first.agreed(&b"\0"[..]).await;
        first.ends_with(0).await;
        second.send(content.clone());
        let (error, fatal) = second.refused(&b"\0"[..]).await;
        assert!(error.contains("quota exceeded") && !fatal, "{error}");
        // The client and the server still agree on where the next record begins.
        put_file(&mut second, "third", b"x").await.unwrap();
        second.ends_with(1).await;
        super::ending::until_counted(&scene.server, "alice").await;
        assert!(scene.server.usage("alice").bytes <= 1_000_000);
        assert_eq!(fs::read(scene.disk("third")).unwrap(), b"x");
    }
}

#[tokio::test]
async fn a_client_that_does_not_wait_for_the_last_answer_has_stored_its_file() {
    for flags in ["-t", "-p -t"] {
        let scene = Scene::of(super::builder().upload_mode(1), Account::new("alice")).await;
        let mut scp = scene.sink(format!("{flags} /")).await;
        scp.agreed("T1000000000 0 1000000000 0\n").await;
        scp.agreed("C0644 5 f\n").await;
        scp.send(&b"hello\0"[..]);
        scp.close();
        let completed = &scene.server.core().metrics().uploads.completed;
        sftpgo_testkit::until("the end of the upload", async || completed.value() == 1).await;
        assert_eq!(fs::read(scene.disk("f")).unwrap(), b"hello");
        assert_eq!(
            fs::metadata(scene.disk("f")).unwrap().mtime(),
            1_000_000_000
        );
    }
}
