//! `check-file`: digests of files and their blocks.

use aws_lc_rs::digest::{SHA256, SHA384, SHA512, digest};
use bytes::Bytes;
use serde_json::json;
use sftpgo_testkit::{Account, Answer, Refusal, Sftp};
use sftpgo_wire::sftp::extension::{CheckFileReply, CheckFileTarget};
use sftpgo_wire::sftp::{Extension, OpenFlags};

use super::{Lab, READ, REPLACE, WRITE, refused};

/// Offset, length and size of blocks.
type Parts = (u64, u64, u32);

const WHOLE: Parts = (0, 0, 0);

async fn check(
    sftp: &mut Sftp,
    target: CheckFileTarget,
    algorithms: &'static str,
    (offset, len, block_size): Parts,
) -> Answer<CheckFileReply> {
    let request = Extension::CheckFile {
        target,
        algorithms: Bytes::from_static(algorithms.as_bytes()),
        offset,
        len,
        block_size,
    };
    let body = sftp.extended_value(&request).await?;
    Ok(CheckFileReply::decode(body).unwrap())
}

fn path(path: &'static str) -> CheckFileTarget {
    CheckFileTarget::Path(Bytes::from_static(path.as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    digest(&SHA256, bytes).as_ref().to_vec()
}

#[tokio::test]
async fn it_is_announced_with_the_digests_there_are() {
    let lab = Lab::new().await;
    let mut extensions = lab.sftp.extensions().iter();
    let (_, algorithms) = extensions.find(|(name, _)| name == "check-file").unwrap();
    assert_eq!(algorithms, "md5,sha1,sha256,sha384,sha512");
}

#[tokio::test]
async fn the_first_digest_that_is_known_is_taken() {
    let mut lab = Lab::new().await;
    lab.write_disk("file", b"abc");
    let md5 = "900150983cd24fb0d6963f7d28e17f72";
    let sha1 = "a9993e364706816aba3e25717850c26c9cd0d89d";
    let sha = |algorithm| hex(digest(algorithm, b"abc").as_ref());
    let rows = [
        ("md5", "md5", md5.to_owned()),
        ("sha1,md5", "sha1", sha1.to_owned()),
        ("crc32,,sha256,sha1", "sha256", sha(&SHA256)),
        ("sha384", "sha384", sha(&SHA384)),
        ("sha224,sha512", "sha512", sha(&SHA512)),
    ];
    for (asked, name, expected) in rows {
        let reply = check(&mut lab.sftp, path("/file"), asked, WHOLE).await;
        let reply = reply.unwrap();
        assert_eq!(reply.algorithm, name);
        assert_eq!(hex(&reply.digests), expected);
    }
    for unknown in ["", "crc32", "SHA256", "sha2560", "md5 "] {
        let answer = check(&mut lab.sftp, path("/file"), unknown, WHOLE).await;
        refused(answer, Refusal::Unsupported);
    }
}

#[tokio::test]
async fn parts_and_blocks_have_digests_of_their_own() {
    let mut lab = Lab::new().await;
    let content: Vec<u8> = (0..3_000_000_u32).map(|n| (n / 253) as u8).collect();
    lab.write_disk("file", &content);
    let handle = lab.sftp.open_file(b"/file", READ).await.unwrap();
    let rows: [(Parts, usize, usize, usize); 9] = [
        (WHOLE, 0, 3_000_000, usize::MAX),
        ((1, 0, 0), 1, 3_000_000, usize::MAX),
        ((1_000, 1_234_567, 0), 1_000, 1_235_567, usize::MAX),
        ((2_999_999, 1, 0), 2_999_999, 3_000_000, usize::MAX),
        // A length beyond the end is one up to the end.
        ((100, u64::MAX, 0), 100, 3_000_000, usize::MAX),
        ((0, 0, 1 << 20), 0, 3_000_000, 1 << 20),
        ((0, 0, 1_000_000), 0, 3_000_000, 1_000_000),
        ((7, 1_000, 256), 7, 1_007, 256),
        ((0, 0, u32::MAX), 0, 3_000_000, usize::MAX),
    ];
    for (parts, from, to, block) in rows {
        let block = block.min(content.len());
        let blocks = content[from..to].chunks(block).flat_map(sha256);
        let expected: Vec<u8> = blocks.collect();
        for target in [path("/file"), CheckFileTarget::Handle(handle.clone())] {
            let reply = check(&mut lab.sftp, target, "sha256", parts).await.unwrap();
            assert_eq!(reply.digests, expected, "{parts:?}");
        }
    }
}

#[tokio::test]
async fn the_digest_of_nothing_is_that_of_the_standard() {
    let mut lab = Lab::new().await;
    lab.write_disk("empty", b"");
    lab.write_disk("file", b"abc");
    let nothing = sha256(b"");
    let reply = check(&mut lab.sftp, path("/empty"), "sha256", WHOLE).await;
    assert_eq!(reply.unwrap().digests, nothing);
    let reply = check(&mut lab.sftp, path("/file"), "sha256", (3, 0, 0)).await;
    assert_eq!(reply.unwrap().digests, nothing);
    // Of no block there is none.
    let reply = check(&mut lab.sftp, path("/empty"), "sha256", (0, 0, 256)).await;
    assert!(reply.unwrap().digests.is_empty());
}

#[tokio::test]
async fn what_makes_no_sense_or_does_not_fit_into_an_answer_is_refused() {
    let mut lab = Lab::new().await;
    lab.make_dir("dir");
    lab.write_disk("file", &vec![b'x'; 3_000_000]);
    let sftp = &mut lab.sftp;
    let rows: [Parts; 6] = [
        (0, 0, 1),
        (0, 0, 255),
        (3_000_001, 0, 0),
        (u64::MAX, u64::MAX, 0),
        // 11,719 blocks of 32 bytes.
        (0, 0, 256),
        (0, u64::MAX, 300),
    ];
    for parts in rows {
        let answer = check(sftp, path("/file"), "sha256", parts).await;
        assert_eq!(answer.unwrap_err().kind, Refusal::BadMessage, "{parts:?}");
    }
    // Nearly as many as fit.
    let reply = check(sftp, path("/file"), "sha256", (0, 8_000 * 256, 256)).await;
    assert_eq!(reply.unwrap().digests.len(), 8_000 * 32);
    let reply = check(sftp, path("/file"), "md5", (0, 0, 256)).await;
    assert_eq!(reply.unwrap().digests.len(), 11_719 * 16);
    refused(
        check(sftp, path("/none"), "md5", WHOLE).await,
        Refusal::NotFound,
    );
    refused(
        check(sftp, path("/dir"), "md5", WHOLE).await,
        Refusal::Failed,
    );
    let none = CheckFileTarget::Handle(Bytes::from_static(b"none"));
    refused(check(sftp, none, "md5", WHOLE).await, Refusal::Failed);
    let directory = CheckFileTarget::Handle(sftp.opendir(b"/").await.unwrap());
    refused(check(sftp, directory, "md5", WHOLE).await, Refusal::Failed);
}

/// `list` is enough for the digest of a whole file, as for hash commands; a digest of a byte is the byte.
#[tokio::test]
async fn the_digest_of_a_part_needs_download() {
    let filters = json!({ "file_extensions": [{ "path": "/", "denied_extensions": [".no"] }] });
    let account = Account::new("alice")
        .with("filters", filters)
        .permit("/listed", "list")
        .permit("/closed", "download");
    let mut lab = Lab::with(account).await;
    for dir in ["listed", "closed", "dir"] {
        lab.make_dir(dir);
        lab.write_disk(&format!("{dir}/file"), b"secret");
        lab.write_disk(&format!("{dir}/file.no"), b"secret");
    }
    let sftp = &mut lab.sftp;
    let reply = check(sftp, path("/listed/file"), "sha256", WHOLE).await;
    assert_eq!(reply.unwrap().digests, sha256(b"secret"));
    for parts in [(1, 0, 0), (0, 1, 0), (0, 6, 0), (0, 0, 256)] {
        let answer = check(sftp, path("/listed/file"), "sha256", parts).await;
        refused(answer, Refusal::Denied);
        check(sftp, path("/dir/file"), "sha256", parts)
            .await
            .unwrap();
    }
    for target in ["/closed/file", "/dir/file.no", "/listed/file.no"] {
        for parts in [WHOLE, (0, 1, 0)] {
            let answer = check(sftp, path(target), "sha256", parts).await;
            refused(answer, Refusal::Denied);
        }
    }
}

#[tokio::test]
async fn a_handle_must_be_one_that_can_be_read() {
    let mut lab = Lab::with(Account::new("alice").permit("/blind", "upload,overwrite")).await;
    lab.make_dir("blind");
    lab.write_disk("blind/file", b"secret");
    let sftp = &mut lab.sftp;
    let both = sftp.open_file(b"/new", READ | REPLACE).await.unwrap();
    sftp.write(&both, 0, b"abc").await.unwrap();
    let target = CheckFileTarget::Handle(both);
    let reply = check(sftp, target, "sha256", WHOLE).await;
    assert_eq!(reply.unwrap().digests, sha256(b"abc"));
    let writing = sftp.open_file(b"/other", REPLACE).await.unwrap();
    let blind = sftp.open_file(b"/blind/file", READ | WRITE).await.unwrap();
    for handle in [writing, blind] {
        let target = CheckFileTarget::Handle(handle);
        refused(check(sftp, target, "sha256", WHOLE).await, Refusal::Denied);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_shows_no_digest_of_a_closed_directory() {
    let mut lab = Lab::with(Account::new("alice").permit("/closed", "")).await;
    lab.make_dir("closed");
    lab.write_disk("closed/file", b"secret");
    std::os::unix::fs::symlink("closed/file", lab.disk("link")).unwrap();
    std::os::unix::fs::symlink("closed", lab.disk("dir")).unwrap();
    for name in ["/link", "/dir/file", "/closed/file"] {
        for parts in [WHOLE, (0, 1, 0)] {
            let answer = check(&mut lab.sftp, path(name), "md5", parts).await;
            refused(answer, Refusal::Denied);
        }
    }
}

#[tokio::test]
async fn digests_take_their_turn_behind_what_was_written() {
    let mut lab = Lab::new().await;
    let sftp = &mut lab.sftp;
    let flags = READ | REPLACE | OpenFlags::CREATE;
    let handle = sftp.open_file(b"/file", flags).await.unwrap();
    let mut ids = Vec::new();
    for round in 0..50_u8 {
        let block = [round; 2_000];
        sftp.send(|out, id| {
            sftpgo_wire::sftp::client::write(out, id, &handle, 0, &block);
        });
        let request = Extension::CheckFile {
            target: CheckFileTarget::Handle(handle.clone()),
            algorithms: Bytes::from_static(b"sha256"),
            offset: 0,
            len: 0,
            block_size: 0,
        };
        ids.push(sftp.send(|out, id| {
            sftpgo_wire::sftp::client::extended(out, id, &request);
        }));
    }
    for (round, id) in (0..50_u8).zip(ids) {
        match sftp.reply_to(id).await {
            sftpgo_wire::sftp::Reply::Extended { body, .. } => {
                let reply = CheckFileReply::decode(body).unwrap();
                assert_eq!(reply.digests, sha256(&[round; 2_000]));
            }
            other => panic!("{other:?}"),
        }
    }
}
