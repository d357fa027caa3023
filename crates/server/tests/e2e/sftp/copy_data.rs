//! `copy-data`: copies between two open handles.

use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use sftpgo_testkit::{Account, Answer, FileClient as _, Refusal, Sftp, TestServer, until};
use sftpgo_wire::sftp::{Extension, OpenFlags, Reply, StatusCode, client};

use super::{Lab, READ, REPLACE, WRITE, refused};

const BOTH: OpenFlags = OpenFlags(READ.0 | REPLACE.0);

/// `len` 0 is up to the end.
fn request(
    (source, from): (&Bytes, u64),
    len: u64,
    (target, to): (&Bytes, u64),
) -> impl FnOnce(&mut BytesMut, u32) {
    let request = Extension::CopyData {
        read_handle: source.clone(),
        read_offset: from,
        len,
        write_handle: target.clone(),
        write_offset: to,
    };
    move |out, id| client::extended(out, id, &request)
}

async fn copy(
    sftp: &mut Sftp,
    source: (&Bytes, u64),
    len: u64,
    target: (&Bytes, u64),
) -> Answer<()> {
    let id = sftp.send(request(source, len, target));
    done(sftp, id).await
}

async fn done(sftp: &mut Sftp, id: u32) -> Answer<()> {
    sftp.status_of(id).await
}

#[tokio::test]
async fn any_part_of_a_file_is_copied_to_any_place_of_another() {
    for upload_mode in 0..3 {
        let server = TestServer::builder().upload_mode(upload_mode).start().await;
        let mut lab = Lab::on(server, Account::new("alice")).await;
        let content: Vec<u8> = (0..1_000_000_u32).map(|n| (n / 251) as u8).collect();
        lab.write_disk("from", &content);
        let source = lab.sftp.open_file(b"/from", READ).await.unwrap();
        let whole = lab.sftp.open_file(b"/whole", REPLACE).await.unwrap();
        copy(&mut lab.sftp, (&source, 0), 0, (&whole, 0))
            .await
            .unwrap();
        lab.sftp.close(&whole).await.unwrap();
        assert_eq!(lab.read_disk("whole"), content);
        let part = lab.sftp.open_file(b"/part", REPLACE).await.unwrap();
        let sftp = &mut lab.sftp;
        copy(sftp, (&source, 100), 300_000, (&part, 7))
            .await
            .unwrap();
        copy(sftp, (&source, 999_990), 0, (&part, 0)).await.unwrap();
        // Exactly up to the end is no end.
        copy(sftp, (&source, 999_999), 1, (&part, 300_007))
            .await
            .unwrap();
        sftp.close(&part).await.unwrap();
        let mut expected = vec![0; 300_007];
        expected[7..].copy_from_slice(&content[100..300_100]);
        expected[..10].copy_from_slice(&content[999_990..]);
        expected.push(content[999_999]);
        assert_eq!(lab.read_disk("part"), expected);
        assert_eq!(
            lab.sftp.read(&source, 0, 3).await.unwrap().unwrap(),
            content[..3]
        );
        lab.sftp.close(&source).await.unwrap();
    }
}

#[tokio::test]
async fn a_copy_of_more_than_there_is_ends_with_eof() {
    let mut lab = Lab::new().await;
    lab.write_disk("from", b"0123456789");
    let source = lab.sftp.open_file(b"/from", READ).await.unwrap();
    let target = lab.sftp.open_file(b"/to", REPLACE).await.unwrap();
    let sftp = &mut lab.sftp;
    refused(
        copy(sftp, (&source, 8), 100, (&target, 0)).await,
        Refusal::Eof,
    );
    refused(
        copy(sftp, (&source, 10), 1, (&target, 2)).await,
        Refusal::Eof,
    );
    refused(
        copy(sftp, (&source, u64::MAX), 1, (&target, 2)).await,
        Refusal::Eof,
    );
    // What may be empty is no failure.
    copy(sftp, (&source, 10), 0, (&target, 2)).await.unwrap();
    copy(sftp, (&source, u64::MAX), 0, (&target, 2))
        .await
        .unwrap();
    refused(
        copy(sftp, (&source, 0), 0, (&target, u64::MAX)).await,
        Refusal::BadMessage,
    );
    sftp.close(&target).await.unwrap();
    assert_eq!(lab.read_disk("to"), b"89");
}

#[tokio::test]
async fn a_copy_to_a_file_opened_for_appending_goes_to_its_end() {
    let mut lab = Lab::new().await;
    lab.write_disk("from", b"345");
    lab.write_disk("to", b"012");
    let source = lab.sftp.open_file(b"/from", READ).await.unwrap();
    let target = lab
        .sftp
        .open_file(b"/to", WRITE | OpenFlags::APPEND)
        .await
        .unwrap();
    copy(&mut lab.sftp, (&source, 0), 0, (&target, 0))
        .await
        .unwrap();
    lab.sftp.close(&target).await.unwrap();
    assert_eq!(lab.read_disk("to"), b"012345");
}

/// It would meet its own bytes, and grow until the disk is full.
#[cfg(unix)]
#[tokio::test]
async fn a_file_is_not_copied_onto_itself_by_whatever_name() {
    for upload_mode in 0..3 {
        let server = TestServer::builder().upload_mode(upload_mode).start().await;
        let mut lab = Lab::on(server, Account::new("alice")).await;
        lab.write_disk("file", b"0123456789");
        std::fs::hard_link(lab.disk("file"), lab.disk("hard")).unwrap();
        std::os::unix::fs::symlink("file", lab.disk("soft")).unwrap();
        let sftp = &mut lab.sftp;
        let both = sftp.open_file(b"/file", READ | WRITE).await.unwrap();
        refused(
            copy(sftp, (&both, 0), 0, (&both, 10)).await,
            Refusal::Failed,
        );
        let source = sftp.open_file(b"/file", READ).await.unwrap();
        for name in [&b"/file"[..], b"/hard", b"/soft"] {
            for flags in [WRITE, WRITE | OpenFlags::APPEND] {
                let target = sftp.open_file(name, flags).await.unwrap();
                refused(
                    copy(sftp, (&source, 0), 0, (&target, 10)).await,
                    Refusal::Failed,
                );
                // Not even where the parts are apart, as OpenSSH's server has it.
                refused(
                    copy(sftp, (&source, 0), 1, (&target, 20)).await,
                    Refusal::Failed,
                );
                refused(
                    copy(sftp, (&both, 0), 0, (&target, 10)).await,
                    Refusal::Failed,
                );
                // No transfer has failed by that.
                sftp.close(&target).await.unwrap();
            }
        }
        assert_eq!(lab.read_disk("file"), b"0123456789");
        // In place it is cut by opening it, in the other modes only replaced in the end.
        let target = lab.sftp.open_file(b"/file", REPLACE).await.unwrap();
        let answer = copy(&mut lab.sftp, (&source, 0), 0, (&target, 0)).await;
        refused(answer, Refusal::Failed);
    }
}

#[tokio::test]
async fn a_copy_needs_one_handle_to_read_and_one_to_write() {
    let mut lab = Lab::with(Account::new("alice").permit("/blind", "upload,overwrite")).await;
    lab.make_dir("blind");
    lab.write_disk("blind/file", b"secret");
    lab.write_disk("file", b"content");
    let sftp = &mut lab.sftp;
    let reading = sftp.open_file(b"/file", READ).await.unwrap();
    let second = sftp.open_file(b"/blind/file", READ | WRITE).await.unwrap();
    let writing = sftp.open_file(b"/to", REPLACE).await.unwrap();
    let only = sftp.open_file(b"/only", REPLACE).await.unwrap();
    let directory = sftp.opendir(b"/").await.unwrap();
    let none = Bytes::from_static(b"none");
    sftp.write(&only, 0, b"x").await.unwrap();
    refused(
        copy(sftp, (&second, 0), 0, (&writing, 0)).await,
        Refusal::Denied,
    );
    refused(
        copy(sftp, (&only, 0), 0, (&writing, 0)).await,
        Refusal::Denied,
    );
    refused(
        copy(sftp, (&writing, 0), 0, (&reading, 0)).await,
        Refusal::Failed,
    );
    refused(
        copy(sftp, (&directory, 0), 0, (&writing, 0)).await,
        Refusal::Failed,
    );
    refused(
        copy(sftp, (&reading, 0), 0, (&directory, 0)).await,
        Refusal::Failed,
    );
    refused(
        copy(sftp, (&none, 0), 0, (&writing, 0)).await,
        Refusal::Failed,
    );
    refused(
        copy(sftp, (&reading, 0), 0, (&none, 0)).await,
        Refusal::Failed,
    );
    copy(sftp, (&reading, 0), 0, (&writing, 0)).await.unwrap();
    sftp.close(&writing).await.unwrap();
    assert_eq!(lab.read_disk("to"), b"content");
}

#[tokio::test]
async fn a_copy_takes_its_turn_in_the_queues_of_both_handles() {
    let mut lab = Lab::new().await;
    let sftp = &mut lab.sftp;
    let source = sftp.open_file(b"/from", BOTH).await.unwrap();
    let target = sftp.open_file(b"/to", BOTH).await.unwrap();
    let mut ids = Vec::new();
    // Nothing waits for an answer.
    for round in 0..100_u64 {
        let block = [round as u8; 3_000];
        ids.push(sftp.send(|out, id| client::write(out, id, &source, 0, &block)));
        ids.push(sftp.send(request((&source, 0), 3_000, (&target, 3_000 * round))));
    }
    ids.push(sftp.send(request((&target, 0), 0, (&source, 1_000))));
    ids.push(sftp.send(|out, id| client::close(out, id, &target)));
    ids.push(sftp.send(|out, id| client::close(out, id, &source)));
    for id in ids {
        done(sftp, id).await.unwrap();
    }
    let expected: Vec<u8> = (0..100_u8).flat_map(|round| [round; 3_000]).collect();
    assert_eq!(lab.read_disk("to"), expected);
    assert_eq!(lab.read_disk("from")[1_000..], expected);
}

#[tokio::test]
async fn a_close_ahead_of_a_copy_fails_it_and_nothing_else() {
    let mut lab = Lab::new().await;
    lab.write_disk("from", b"content");
    for closed_first in [true, false] {
        let sftp = &mut lab.sftp;
        let source = sftp.open_file(b"/from", READ).await.unwrap();
        let target = sftp.open_file(b"/to", BOTH).await.unwrap();
        let closed = if closed_first { &source } else { &target };
        // Late enough for all of it to be queued.
        let block = vec![0; 200_000];
        let late = sftp.send(|out, id| client::write(out, id, &target, 0, &block));
        let close = sftp.send(|out, id| client::close(out, id, closed));
        let copies: Vec<_> = (0..20)
            .map(|_| sftp.send(request((&source, 0), 0, (&target, 0))))
            .collect();
        let open = if closed_first { &target } else { &source };
        let read = sftp.send(|out, id| client::read(out, id, open, 0, 7));
        let end = sftp.send(|out, id| client::close(out, id, open));
        for id in [late, close, end] {
            done(sftp, id).await.unwrap();
        }
        for id in copies {
            refused(done(sftp, id).await, Refusal::Failed);
        }
        assert!(matches!(sftp.reply_to(read).await, Reply::Data { .. }));
    }
}

/// Whatever order handles are named and closed in, every request has an answer.
#[tokio::test]
async fn copies_in_a_tangle_of_handles_all_end() {
    let mut lab = Lab::new().await;
    let sftp = &mut lab.sftp;
    let mut handles = Vec::new();
    for number in 0..8 {
        let path = format!("/file{number}").into_bytes();
        handles.push(sftp.open_file(&path, BOTH).await.unwrap());
    }
    let mut ids = Vec::new();
    let mut next = 1_u64;
    let mut random = |below: u64| {
        next = next.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (next >> 33) % below
    };
    for _ in 0..5_000 {
        let [from, to] = [random(8), random(8)].map(|index| handles[index as usize].clone());
        ids.push(match random(20) {
            0..12 => sftp.send(request(
                (&from, random(50)),
                1 + random(50),
                (&to, random(50)),
            )),
            12..17 => sftp.send(|out, id| client::write(out, id, &to, 9, b"0123456789")),
            _ => sftp.send(|out, id| client::read(out, id, &from, 0, 100)),
        });
    }
    for handle in &handles {
        ids.push(sftp.send(|out, id| client::close(out, id, handle)));
        ids.push(sftp.send(request((handle, 0), 0, (&handles[0], 0))));
    }
    for id in &ids {
        assert_eq!(sftp.reply().await.unwrap().id(), Some(*id));
    }
    assert_eq!(sftp.realpath(b".").await.unwrap(), b"/");
}

#[tokio::test]
async fn a_copy_counts_and_must_fit_into_the_quota() {
    for upload_mode in 0..3 {
        let server = TestServer::builder().upload_mode(upload_mode).start().await;
        let account = Account::new("alice").quota(0, 1_500_000);
        let mut lab = Lab::on(server, account).await;
        lab.sftp.put(b"/from", &vec![b'x'; 600_000]).await.unwrap();
        let sftp = &mut lab.sftp;
        let source = sftp.open_file(b"/from", READ).await.unwrap();
        let target = sftp.open_file(b"/to", REPLACE).await.unwrap();
        copy(sftp, (&source, 0), 0, (&target, 0)).await.unwrap();
        sftp.close(&target).await.unwrap();
        assert_eq!(lab.server.quota("alice").await.bytes, 1_200_000);
        let sftp = &mut lab.sftp;
        let target = sftp.open_file(b"/more", REPLACE).await.unwrap();
        refused(
            copy(sftp, (&source, 0), 0, (&target, 0)).await,
            Refusal::Failed,
        );
        refused(sftp.close(&target).await, Refusal::Failed);
        let (counted, real) = (lab.server.quota("alice").await, lab.server.usage("alice"));
        assert_eq!(counted, real);
        assert!(real.bytes <= 1_500_000);
    }
}

#[tokio::test]
async fn a_copy_keeps_to_the_bandwidth_and_is_not_idle_meanwhile() {
    for limit in ["upload_bandwidth", "download_bandwidth"] {
        let server = TestServer::builder()
            .idle_timeout(Duration::from_millis(200))
            .start()
            .await;
        // 800 KB at 800 KB a second.
        let mut lab = Lab::on(server, Account::new("alice").with(limit, 800)).await;
        lab.write_disk("from", &vec![b'x'; 800_000]);
        let source = lab.sftp.open_file(b"/from", READ).await.unwrap();
        let target = lab.sftp.open_file(b"/to", REPLACE).await.unwrap();
        let start = Instant::now();
        copy(&mut lab.sftp, (&source, 0), 0, (&target, 0))
            .await
            .unwrap();
        assert!(start.elapsed() >= Duration::from_millis(990), "{limit}");
        lab.sftp.close(&target).await.unwrap();
        assert_eq!(lab.read_disk("to").len(), 800_000);
    }
}

#[tokio::test]
async fn other_handles_and_channels_go_on_while_a_copy_takes_its_time() {
    let mut lab = Lab::with(Account::new("alice").with("upload_bandwidth", 1)).await;
    lab.write_disk("from", &vec![b'x'; 1_000_000]);
    let sftp = &mut lab.sftp;
    let source = sftp.open_file(b"/from", READ).await.unwrap();
    let target = sftp.open_file(b"/to", REPLACE).await.unwrap();
    let other = sftp.open_file(b"/other", REPLACE).await.unwrap();
    sftp.send(request((&source, 0), 0, (&target, 0)));
    // Its answer has to wait for that of the copy.
    sftp.send(|out, id| client::write(out, id, &other, 0, b"x"));
    let written = lab.disk("other");
    until("the write behind the copy", async || {
        std::fs::metadata(&written).unwrap().len() == 1
    })
    .await;
    let mut second = Sftp::open(std::sync::Arc::clone(lab.sftp.ssh()))
        .await
        .unwrap();
    assert_eq!(second.get(b"/from").await.unwrap().len(), 1_000_000);
    // And when the client goes away, so does the copy.
    lab.sftp.ssh().vanish();
    let core = lab.server.core();
    until("the end of the session", async || {
        core.registry().connections().is_empty() && core.metrics().uploads.failed.value() == 2
    })
    .await;
    assert!(lab.read_disk("to").len() < 1_000_000);
}

#[tokio::test]
async fn a_copy_without_an_end_is_given_up_with_the_client() {
    let mut lab = Lab::new().await;
    let file = std::fs::File::create(lab.disk("from")).unwrap();
    // Takes no room on the disk, and for ever to copy.
    file.set_len(1 << 42).unwrap();
    let source = lab.sftp.open_file(b"/from", READ).await.unwrap();
    let target = lab.sftp.open_file(b"/to", REPLACE).await.unwrap();
    lab.sftp.send(request((&source, 0), 0, (&target, 0)));
    let copied = lab.disk("to");
    until("the first bytes", async || {
        std::fs::metadata(&copied).unwrap().len() > 0
    })
    .await;
    let mut second = Sftp::open(std::sync::Arc::clone(lab.sftp.ssh()))
        .await
        .unwrap();
    assert_eq!(second.realpath(b".").await.unwrap(), b"/");
    lab.sftp.ssh().vanish();
    let core = lab.server.core();
    until("the end of the session", async || {
        core.registry().connections().is_empty() && core.metrics().uploads.failed.value() == 1
    })
    .await;
    let len = std::fs::metadata(&copied).unwrap().len();
    tokio::task::yield_now().await;
    assert_eq!(std::fs::metadata(&copied).unwrap().len(), len);
}

#[tokio::test]
async fn the_answer_to_a_copy_is_a_status() {
    let mut lab = Lab::new().await;
    lab.write_disk("from", b"");
    let source = lab.sftp.open_file(b"/from", READ).await.unwrap();
    let target = lab.sftp.open_file(b"/to", REPLACE).await.unwrap();
    let reply = lab.sftp.call(request((&source, 0), 0, (&target, 0))).await;
    let ok = StatusCode::Ok;
    assert!(matches!(reply, Reply::Status { code, .. } if code == ok));
}
