//! What well-known clients send, packet by packet, each with the name of the client that is known for it. What other files
//! of this folder show already is not repeated here.

use bytes::BytesMut;
use serde_json::json;
use sftpgo_testkit::{Account, FileClient as _, Refusal, Sftp, TestServer};
use sftpgo_wire::sftp::extension::StatvfsReply;
use sftpgo_wire::sftp::{Attrs, Extension, FrameDecoder, Name, OpenFlags, Reply, client};

use super::super::hostile::peer::{Message, Peer};
use super::{Lab, READ, REPLACE, WRITE, mode, refused, size, times};

/// Numbers that look random and are the same every time.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % end
    }
}

async fn in_every_mode(mut test: impl AsyncFnMut(Lab)) {
    for upload_mode in 0..3 {
        let server = TestServer::builder().upload_mode(upload_mode).start().await;
        test(Lab::on(server, Account::new("alice")).await).await;
    }
}

fn content(len: u32) -> Vec<u8> {
    (0..len).map(|n| (n / 251) as u8).collect()
}

async fn all_granted(sftp: &mut Sftp, ids: &[u32]) {
    for id in ids {
        sftp.status_of(*id).await.unwrap();
    }
}

// --- FileZilla

#[tokio::test]
async fn filezilla_four_listing_requests_at_once_give_each_entry_once() {
    let mut lab = Lab::new().await;
    for number in 0..550 {
        lab.write_disk(&format!("file{number}"), b"");
    }
    let handle = lab.sftp.opendir(b"/").await.unwrap();
    let mut seen: Vec<Name> = Vec::new();
    'listing: loop {
        let ids = [(); 4].map(|()| lab.sftp.send(|out, id| client::readdir(out, id, &handle)));
        let mut ended = false;
        for id in ids {
            match lab.sftp.reply_to(id).await {
                Reply::Name { entries, .. } if !ended => seen.extend(entries),
                Reply::Status { .. } => ended = true,
                other => panic!("{other:?}"),
            }
        }
        if ended {
            break 'listing;
        }
    }
    let mut names: Vec<_> = seen.iter().map(|name| name.filename.clone()).collect();
    names.sort();
    names.dedup();
    assert_eq!((names.len(), seen.len()), (550, 550));
}

// --- WinSCP

#[tokio::test]
async fn winscp_renames_and_sets_times_before_the_answer_to_its_close() {
    in_every_mode(async |mut lab| {
        let sftp = &mut lab.sftp;
        sftp.put(b"/file", b"the old one, which is longer")
            .await
            .unwrap();
        let handle = sftp.open_file(b"/file.filepart", REPLACE).await.unwrap();
        let mut ids = vec![
            sftp.send(|out, id| client::write(out, id, &handle, 0, b"content")),
            sftp.send(|out, id| client::close(out, id, &handle)),
            sftp.send(|out, id| client::remove(out, id, b"/file")),
            sftp.send(|out, id| client::rename(out, id, b"/file.filepart", b"/file")),
        ];
        let old = Attrs {
            permissions: Some(0o640),
            ..times(1_000_000_000, 1_100_000_000)
        };
        ids.push(sftp.send(|out, id| client::setstat(out, id, b"/file", &old)));
        let stat = sftp.send(|out, id| client::stat(out, id, b"/file"));
        all_granted(sftp, &ids).await;
        let Reply::Attrs { attrs, .. } = sftp.reply_to(stat).await else {
            panic!("no attributes");
        };
        assert_eq!((attrs.size, attrs.times), (Some(7), old.times));
        assert_eq!(attrs.permissions.unwrap() & 0o777, 0o640);
    })
    .await;
}

/// It looks at `..` if a listing had no entry at all, to see whether the directory is there.
#[tokio::test]
async fn winscp_an_empty_directory_is_empty_and_has_a_parent() {
    let mut lab = Lab::new().await;
    lab.make_dir("dir");
    for path in [&b"/dir"[..], b"/dir/."] {
        let handle = lab.sftp.opendir(path).await.unwrap();
        assert!(lab.sftp.readdir(&handle).await.unwrap().is_none());
        assert!(lab.sftp.readdir(&handle).await.unwrap().is_none());
    }
    for path in [&b"/dir/.."[..], b"/.."] {
        lab.sftp.lstat(path).await.unwrap();
    }
}

// --- paramiko

#[tokio::test]
async fn paramiko_finds_the_size_on_the_open_handle_and_right_after_the_close() {
    in_every_mode(async |mut lab| {
        let sftp = &mut lab.sftp;
        let handle = sftp.open_file(b"/file", REPLACE).await.unwrap();
        let block = vec![b'x'; 32_768];
        for number in 0..20_u64 {
            sftp.send(|out, id| client::write(out, id, &handle, number * 32_768, &block));
        }
        let open = sftp.fstat(&handle).await.unwrap();
        assert_eq!(open.size, Some(655_360));
        let close = sftp.send(|out, id| client::close(out, id, &handle));
        let stat = sftp.send(|out, id| client::stat(out, id, b"/file"));
        all_granted(sftp, &[close]).await;
        let Reply::Attrs { attrs, .. } = sftp.reply_to(stat).await else {
            panic!("no attributes");
        };
        assert_eq!(attrs.size, Some(655_360));
    })
    .await;
}

#[tokio::test]
async fn paramiko_asks_for_the_whole_file_before_it_reads() {
    let mut lab = Lab::new().await;
    let content = content(4_000_000);
    lab.write_disk("file", &content);
    let handle = lab.sftp.open_file(b"/file", READ).await.unwrap();
    let mut out = BytesMut::new();
    for number in 0..40_000_u32 {
        client::read(&mut out, number, &handle, u64::from(number) * 100, 100);
    }
    lab.sftp.send_bytes(out);
    let mut got = Vec::new();
    for number in 0..40_000 {
        match lab.sftp.reply().await.unwrap() {
            Reply::Data { id, data } => {
                assert_eq!(id, number);
                got.extend_from_slice(&data.to_bytes());
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(got == content);
}

/// A client that finds no size takes it for none, and transfers nothing.
#[cfg(unix)]
#[tokio::test]
async fn paramiko_finds_a_size_in_every_answer_with_attributes() {
    let mut lab = Lab::new().await;
    lab.make_dir("dir");
    lab.write_disk("file", b"content");
    std::os::unix::fs::symlink("file", lab.disk("link")).unwrap();
    let sftp = &mut lab.sftp;
    for path in [&b"/"[..], b"/dir", b"/file", b"/link"] {
        assert!(sftp.lstat(path).await.unwrap().size.is_some());
        assert!(sftp.stat_attrs(path).await.unwrap().size.is_some());
    }
    let handle = sftp.opendir(b"/").await.unwrap();
    assert!(sftp.fstat(&handle).await.unwrap().size.is_some());
    let names = sftp.readdir(&handle).await.unwrap().unwrap();
    assert_eq!(names.len(), 3);
    assert!(names.iter().all(|name| name.attrs.size.is_some()));
}

// --- sshfs

#[tokio::test]
async fn sshfs_gets_no_listing_answer_over_64_kib() {
    let mut lab = Lab::new().await;
    for number in 0..300 {
        lab.write_disk(&format!("{number:0250}"), b"");
    }
    let handle = lab.sftp.opendir(b"/").await.unwrap();
    let mut total = 0;
    while let Some(names) = lab.sftp.readdir(&handle).await.unwrap() {
        // Two strings with their lengths, and all attributes of version 3.
        let bytes: usize = names
            .iter()
            .map(|name| name.filename.len() + name.longname.len() + 8 + 32)
            .sum();
        assert!(bytes <= 65_536 && names.len() <= 100, "{bytes}");
        total += names.len();
    }
    assert_eq!(total, 300);
}

#[tokio::test]
async fn sshfs_small_writes_at_random_places_end_where_they_belong() {
    in_every_mode(async |mut lab| {
        let mut expected = vec![0; 100_000];
        let mut random = Random(1);
        let sftp = &mut lab.sftp;
        let handle = sftp.open_file(b"/file", READ | REPLACE).await.unwrap();
        sftp.fsetstat(&handle, &size(100_000)).await.unwrap();
        let mut ids = Vec::new();
        for round in 0..3_000_u32 {
            let len = 1 + random.below(300) as usize;
            let at = random.below(100_000 - len as u64);
            let data = vec![round as u8; len];
            expected[at as usize..at as usize + len].copy_from_slice(&data);
            ids.push(sftp.send(|out, id| client::write(out, id, &handle, at, &data)));
            if round % 100 == 0 {
                // Read back in between, as its cache does.
                let end = (at as usize + 1_000).min(100_000);
                let got = sftp.read(&handle, at, (end as u64 - at) as u32).await;
                assert_eq!(got.unwrap().unwrap(), expected[at as usize..end]);
            }
        }
        all_granted(sftp, &ids).await;
        sftp.close(&handle).await.unwrap();
        assert!(lab.read_disk("file") == expected);
    })
    .await;
}

// --- Cyberduck, Transmit, ForkLift

#[tokio::test]
async fn cyberduck_uploads_beside_and_renames_over_what_is_there() {
    in_every_mode(async |mut lab| {
        let sftp = &mut lab.sftp;
        sftp.put(b"/file", b"old").await.unwrap();
        sftp.put(b"/file-temporary", b"new").await.unwrap();
        sftp.plain_rename(b"/file-temporary", b"/file")
            .await
            .unwrap();
        assert_eq!(sftp.get(b"/file").await.unwrap(), b"new");
        refused(sftp.lstat(b"/file-temporary").await, Refusal::NotFound);
    })
    .await;
}

#[tokio::test]
async fn cyberduck_an_upload_over_a_longer_file_leaves_nothing_of_it() {
    in_every_mode(async |mut lab| {
        lab.sftp.put(b"/file", &vec![b'o'; 100_000]).await.unwrap();
        lab.sftp.put(b"/file", b"new").await.unwrap();
        assert_eq!(lab.read_disk("file"), b"new");
        lab.sftp.put(b"/file", b"").await.unwrap();
        assert_eq!(lab.read_disk("file"), b"");
    })
    .await;
}

// --- libssh2, curl, PHP

#[tokio::test]
async fn libssh2_reads_of_thirty_thousand_bytes_make_the_whole_file() {
    let mut lab = Lab::new().await;
    let content = content(1_000_001);
    lab.write_disk("file", &content);
    let handle = lab.sftp.open_file(b"/file", READ).await.unwrap();
    let mut ids = Vec::new();
    for number in 0..40_u64 {
        let at = number * 30_000;
        ids.push(
            lab.sftp
                .send(|out, id| client::read(out, id, &handle, at, 30_000)),
        );
    }
    let mut got = Vec::new();
    for id in ids {
        match lab.sftp.reply_to(id).await {
            // Short at the end only: it takes a short answer for a hole to be asked for again.
            Reply::Data { data, .. } => {
                assert!(data.len() == 30_000 || got.len() == 990_000);
                got.extend_from_slice(&data.to_bytes());
            }
            Reply::Status { .. } => assert_eq!(got.len(), content.len()),
            other => panic!("{other:?}"),
        }
    }
    assert!(got == content);
}

// --- node ssh2, SSH.NET, phpseclib

#[tokio::test]
async fn node_ssh2_chunks_out_of_order_make_the_file_and_attributes_follow() {
    in_every_mode(async |mut lab| {
        let content = content(2_000_000);
        let mut chunks: Vec<_> = (0_u64..).zip(content.chunks(32_768)).collect();
        let mut random = Random(7);
        for index in (1..chunks.len()).rev() {
            chunks.swap(index, random.below(index as u64 + 1) as usize);
        }
        let sftp = &mut lab.sftp;
        let handle = sftp.open_file(b"/file", REPLACE).await.unwrap();
        let mut ids = Vec::new();
        for (number, chunk) in chunks {
            ids.push(sftp.send(|out, id| client::write(out, id, &handle, number * 32_768, chunk)));
        }
        ids.push(sftp.send(|out, id| client::fsetstat(out, id, &handle, &mode(0o600))));
        ids.push(sftp.send(|out, id| client::close(out, id, &handle)));
        let old = times(1_000_000_000, 1_100_000_000);
        ids.push(sftp.send(|out, id| client::setstat(out, id, b"/file", &old)));
        all_granted(sftp, &ids).await;
        let attrs = sftp.stat_attrs(b"/file").await.unwrap();
        assert_eq!(attrs.permissions.unwrap() & 0o777, 0o600);
        assert_eq!(attrs.times, old.times);
        assert!(lab.read_disk("file") == content);
    })
    .await;
}

#[tokio::test]
async fn ssh2_sftp_client_uploads_to_a_folder_that_may_only_be_written() {
    let mut lab = Lab::with(Account::new("alice").permit("/drop", "upload")).await;
    lab.make_dir("drop");
    let sftp = &mut lab.sftp;
    // It looks first, and goes on when it may not.
    refused(sftp.stat_attrs(b"/drop/file").await, Refusal::Denied);
    sftp.put(b"/drop/file", b"content").await.unwrap();
    refused(sftp.stat_attrs(b"/drop/file").await, Refusal::Denied);
    refused(sftp.put(b"/drop/file", b"other").await, Refusal::Denied);
    assert_eq!(lab.read_disk("drop/file"), b"content");
}

// --- MINA, CoreFTP, mainframes

#[tokio::test]
async fn mina_no_message_is_longer_than_it_allows_and_none_comes_without_a_window() {
    let lab = Lab::new().await;
    lab.write_disk("file", &vec![b'x'; 600_000]);
    let window = 100_000;
    let mut peer = Peer::login(lab.server.ssh_address(), "alice").await;
    // It allows 32,768 bytes a message, as most clients do.
    let channel = peer.open(0, window).await;
    assert!(peer.subsystem(channel, "sftp").await);
    let mut out = BytesMut::new();
    client::init(&mut out, 3);
    client::open(&mut out, 1, b"/file", READ, &Attrs::EMPTY);
    peer.data(channel, &out).await;
    let mut decoder = FrameDecoder::new();
    let mut left = window as usize;
    let mut replies = 0;
    let mut bytes = 0;
    while replies < 5 {
        let message = peer.next(94).await.unwrap();
        let data = &message[9..];
        assert!(data.len() <= 32_768 && data.len() <= left, "{}", data.len());
        left -= data.len();
        decoder.push(data.to_vec().into());
        while let Some(frame) = decoder.next_frame().unwrap() {
            replies += 1;
            match Reply::decode(frame).unwrap() {
                Reply::Handle { handle, .. } => {
                    let mut out = BytesMut::new();
                    for number in 0..3_u32 {
                        let at = u64::from(number) * 255 * 1024;
                        client::read(&mut out, number, &handle, at, 255 * 1024);
                    }
                    peer.data(channel, &out).await;
                }
                Reply::Data { data, .. } => bytes += data.len(),
                Reply::Version { .. } => {}
                other => panic!("{other:?}"),
            }
        }
        if left < 30_000 {
            // It opens the window a little at a time.
            let more = Message::new(93).u32(channel).u32(50_000);
            peer.send(&more).await;
            left += 50_000;
        }
    }
    assert_eq!(bytes, 600_000);
}

#[tokio::test]
async fn coreftp_a_packet_a_little_over_the_limit_is_taken() {
    let mut lab = Lab::new().await;
    let handle = lab.sftp.open_file(b"/file", REPLACE).await.unwrap();
    // Type, id, handle, offset and length come to 33 bytes: 28 more than announced in all.
    let data = vec![b'x'; 262_144 + 28 - 33];
    lab.sftp.write(&handle, 0, &data).await.unwrap();
    lab.sftp.close(&handle).await.unwrap();
    assert_eq!(lab.read_disk("file").len(), data.len());
}

#[tokio::test]
async fn a_write_of_no_bytes_is_granted_and_changes_nothing() {
    in_every_mode(async |mut lab| {
        let sftp = &mut lab.sftp;
        let handle = sftp.open_file(b"/file", REPLACE).await.unwrap();
        for at in [0, 5, 1 << 40] {
            sftp.write(&handle, at, b"").await.unwrap();
        }
        sftp.write(&handle, 0, b"abc").await.unwrap();
        sftp.write(&handle, 1, b"").await.unwrap();
        sftp.close(&handle).await.unwrap();
        let handle = sftp.open_file(b"/empty", REPLACE).await.unwrap();
        sftp.write(&handle, 0, b"").await.unwrap();
        sftp.close(&handle).await.unwrap();
        assert_eq!(lab.read_disk("file"), b"abc");
        assert_eq!(lab.read_disk("empty"), b"");
    })
    .await;
}

#[tokio::test]
async fn init_may_come_again_in_a_session() {
    let mut lab = Lab::new().await;
    lab.write_disk("file", b"content");
    let handle = lab.sftp.open_file(b"/file", READ).await.unwrap();
    for version in [3, 6] {
        lab.sftp.send_with(|out| client::init(out, version));
        let reply = lab.sftp.reply().await.unwrap();
        assert!(matches!(reply, Reply::Version { version: 3, .. }));
    }
    // What was open is open still.
    let got = lab.sftp.read(&handle, 0, 100).await.unwrap().unwrap();
    assert_eq!(got, b"content"[..]);
}

// --- reports that other servers had (ProFTPD)

#[tokio::test]
async fn attributes_in_an_open_are_ignored() {
    let mut lab = Lab::new().await;
    lab.write_disk("file", b"content");
    let before = lab.sftp.stat_attrs(b"/file").await.unwrap();
    let attrs = Attrs {
        size: Some(0),
        owner: Some((12, 34)),
        permissions: Some(0o100_000),
        times: Some((1, 1)),
    };
    let open = |path: &'static [u8], flags: OpenFlags| {
        move |out: &mut BytesMut, id: u32| client::open(out, id, path, flags, &attrs)
    };
    for flags in [READ, WRITE] {
        let reply = lab.sftp.call(open(b"/file", flags)).await;
        let Reply::Handle { handle, .. } = reply else {
            panic!("{reply:?}");
        };
        lab.sftp.close(&handle).await.unwrap();
        let after = lab.sftp.stat_attrs(b"/file").await.unwrap();
        assert_eq!(
            (after.size, after.permissions),
            (before.size, before.permissions)
        );
        assert_eq!(after.owner, before.owner);
        assert_ne!(after.times.unwrap().1, 1);
    }
    let reply = lab.sftp.call(open(b"/new", REPLACE)).await;
    let Reply::Handle { handle, .. } = reply else {
        panic!("{reply:?}");
    };
    lab.sftp.close(&handle).await.unwrap();
    let made = lab.sftp.stat_attrs(b"/new").await.unwrap();
    assert_eq!(made.permissions.unwrap() & 0o777, 0o644);
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_to_a_directory_can_be_read() {
    let mut lab = Lab::new().await;
    lab.make_dir("dir/sub");
    lab.sftp.symlink(b"sub", b"/dir/link").await.unwrap();
    assert_eq!(lab.sftp.readlink(b"/dir/link").await.unwrap(), b"sub");
    assert_eq!(lab.sftp.readlink(b"/dir/./link/.").await.unwrap(), b"sub");
    // What is no link has no text.
    assert!(lab.sftp.readlink(b"/dir/sub").await.is_err());
    assert!(lab.sftp.readlink(b"/").await.is_err());
}

#[cfg(unix)]
#[tokio::test]
async fn space_is_asked_for_by_paths_inside_the_root() {
    let server = TestServer::start().await;
    let mapped = server.home("mapped");
    std::fs::create_dir(&mapped).unwrap();
    let folders = json!([{ "virtual_path": "/deep/vdir", "mapped_path": mapped }]);
    let account = Account::new("alice").with("virtual_folders", folders);
    let mut lab = Lab::on(server, account).await;
    std::os::unix::fs::symlink("/", lab.disk("out")).unwrap();
    let space = |path: &'static [u8]| Extension::Statvfs {
        path: bytes::Bytes::from_static(path),
    };
    for path in [
        &b"/"[..],
        b"",
        b"../../..",
        b"/deep",
        b"/deep/vdir",
        b"/x/../deep",
    ] {
        let body = lab.sftp.extended_value(&space(path)).await.unwrap();
        assert!(StatvfsReply::decode(body).unwrap().blocks > 0);
    }
    refused(
        lab.sftp.extended_value(&space(b"/out")).await,
        Refusal::Denied,
    );
    refused(
        lab.sftp.extended_value(&space(b"/etc")).await,
        Refusal::NotFound,
    );
}

#[tokio::test]
async fn a_filtered_name_keeps_a_file_from_being_cut_by_setstat() {
    let filters = json!({ "file_extensions": [{ "path": "/", "denied_extensions": [".no"] }] });
    let mut lab = Lab::with(Account::new("alice").with("filters", filters)).await;
    lab.write_disk("file.no", b"content");
    refused(
        lab.sftp.setstat(b"/file.no", &size(0)).await,
        Refusal::Denied,
    );
    let both = Attrs {
        size: Some(0),
        ..mode(0o600)
    };
    refused(lab.sftp.setstat(b"/file.no", &both).await, Refusal::Denied);
    assert_eq!(lab.read_disk("file.no"), b"content");
    let attrs = lab.sftp.stat_attrs(b"/file.no").await.unwrap();
    assert_eq!(attrs.permissions.unwrap() & 0o777, 0o644);
}
