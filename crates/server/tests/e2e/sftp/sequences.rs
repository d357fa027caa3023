//! Whole conversations of well-known clients, packet by packet in their order: what is sent before an answer is read, which
//! refusals a client counts on, and which of them would end its work. `interop` has the clients themselves, as far as they can
//! be had.

use bytes::{Bytes, BytesMut};
use sftpgo_testkit::{Account, FileClient as _, Refusal, Sftp, TestServer, quoted};
use sftpgo_wire::sftp::{Attrs, Extension, FrameDecoder, OpenFlags, Reply, client};

use super::super::hostile::peer::{Message, Peer};
use super::{Lab, READ, REPLACE, WRITE, mode, refused, size, times};

fn content(len: u32) -> Vec<u8> {
    (0..len).map(|n| (n / 251) as u8).collect()
}

/// An OPEN with attributes, as most clients send it.
async fn open_with(sftp: &mut Sftp, path: &[u8], flags: OpenFlags, attrs: &Attrs) -> Bytes {
    let reply = sftp
        .call(|out, id| client::open(out, id, path, flags, attrs))
        .await;
    match reply {
        Reply::Handle { handle, .. } => handle,
        other => panic!("{other:?}"),
    }
}

/// Uploads with so many WRITEs of so many bytes unanswered; the answers come in order.
async fn write_ahead(sftp: &mut Sftp, handle: &[u8], data: &[u8], piece: usize, ahead: usize) {
    let mut waiting = std::collections::VecDeque::new();
    for (number, part) in (0_u64..).zip(data.chunks(piece)) {
        let at = number * piece as u64;
        waiting.push_back(sftp.send(|out, id| client::write(out, id, handle, at, part)));
        if waiting.len() >= ahead {
            sftp.status_of(waiting.pop_front().unwrap()).await.unwrap();
        }
    }
    for id in waiting {
        sftp.status_of(id).await.unwrap();
    }
}

/// Downloads with so many READs of so many bytes unanswered, up to the first answer that says EOF.
async fn read_ahead(sftp: &mut Sftp, handle: &[u8], piece: u32, ahead: usize) -> Vec<u8> {
    let mut got = Vec::new();
    let mut waiting = std::collections::VecDeque::new();
    let mut asked = 0_u64;
    let mut ended = false;
    while !ended || !waiting.is_empty() {
        while !ended && waiting.len() < ahead {
            let at = asked;
            waiting.push_back(sftp.send(|out, id| client::read(out, id, handle, at, piece)));
            asked += u64::from(piece);
        }
        match sftp.reply_to(waiting.pop_front().unwrap()).await {
            Reply::Data { data, .. } => got.extend_from_slice(&data.to_bytes()),
            Reply::Status { .. } => ended = true,
            other => panic!("{other:?}"),
        }
    }
    got
}

// --- OpenSSH: sftp, and scp since version 9

/// What both do first: they ask for limits and take requests as large as they may be.
async fn openssh_begins(sftp: &mut Sftp) -> usize {
    let limits = sftp.extended_value(&Extension::Limits).await.unwrap();
    let limits = sftpgo_wire::sftp::extension::LimitsReply::decode(limits).unwrap();
    assert_eq!(sftp.realpath(b".").await.unwrap(), b"/");
    // Up to 9.1 a packet of more than 256 KiB failed there.
    assert!(limits.max_packet_length <= 262_144);
    assert_eq!(limits.max_read_length, limits.max_write_length);
    usize::try_from(limits.max_write_length).unwrap()
}

#[tokio::test]
async fn openssh_sftp_puts_and_gets_a_file_with_its_times() {
    let server = TestServer::builder().upload_mode(1).start().await;
    let mut lab = Lab::on(server, Account::new("alice")).await;
    let data = content(2_000_000);
    let sftp = &mut lab.sftp;
    let piece = openssh_begins(sftp).await;
    // `put -p`: is the target a directory? Then 64 requests at a time, times before the CLOSE.
    refused(sftp.stat_attrs(b"/file").await, Refusal::NotFound);
    let attrs = mode(0o100_644);
    let handle = open_with(sftp, b"/file", REPLACE, &attrs).await;
    write_ahead(sftp, &handle, &data, piece, 64).await;
    let kept = Attrs {
        permissions: Some(0o640),
        ..times(1_000_000_000, 1_100_000_000)
    };
    sftp.fsetstat(&handle, &kept).await.unwrap();
    let fsync = Extension::Fsync {
        handle: handle.clone(),
    };
    sftp.extended(&fsync).await.unwrap();
    sftp.close(&handle).await.unwrap();
    // `get -p`
    let before = sftp.stat_attrs(b"/file").await.unwrap();
    assert_eq!((before.size, before.times), (Some(2_000_000), kept.times));
    assert_eq!(before.permissions, Some(0o100_640));
    let handle = sftp.open_file(b"/file", READ).await.unwrap();
    assert!(read_ahead(sftp, &handle, piece as u32, 64).await == data);
    sftp.close(&handle).await.unwrap();
    // `ls -l`, `rename`, `rm`, `mkdir`, `rmdir`
    let directory = sftp.opendir(b"/").await.unwrap();
    assert_eq!(sftp.readdir(&directory).await.unwrap().unwrap().len(), 1);
    assert!(sftp.readdir(&directory).await.unwrap().is_none());
    sftp.close(&directory).await.unwrap();
    let rename = Extension::PosixRename {
        from: Bytes::from_static(b"/file"),
        to: Bytes::from_static(b"/other"),
    };
    sftp.extended(&rename).await.unwrap();
    sftp.remove(b"/other").await.unwrap();
    sftp.mkdir(b"/dir").await.unwrap();
    sftp.rmdir(b"/dir").await.unwrap();
}

/// `scp -pr tree server:~/`: `~` first of all; a directory is made whether it is there or not, and gets its attributes last.
#[tokio::test]
async fn openssh_scp_sends_a_tree_over_sftp() {
    let mut lab = Lab::new().await;
    let sftp = &mut lab.sftp;
    let piece = openssh_begins(sftp).await;
    let tilde = Extension::ExpandPath {
        path: Bytes::from_static(b"~/"),
    };
    let reply = sftp.call(|out, id| client::extended(out, id, &tilde)).await;
    assert!(matches!(&reply, Reply::Name { entries, .. } if entries[0].filename == "/"));
    let root = sftp.stat_attrs(b"/").await.unwrap();
    assert_eq!(root.permissions.unwrap() & 0o170_000, 0o040_000);
    for round in 0..2 {
        refused_or_made(sftp, round).await;
        let is_dir = sftp.stat_attrs(b"/tree").await.unwrap();
        assert_eq!(is_dir.permissions.unwrap() & 0o170_000, 0o040_000);
        let data = content(100_000);
        let handle = open_with(sftp, b"/tree/file", REPLACE, &mode(0o100_600)).await;
        write_ahead(sftp, &handle, &data, piece, 64).await;
        let old = times(1_000_000_000, 1_100_000_000);
        sftp.fsetstat(&handle, &old).await.unwrap();
        sftp.close(&handle).await.unwrap();
        let kept = Attrs {
            permissions: Some(0o750),
            ..old
        };
        sftp.setstat(b"/tree", &kept).await.unwrap();
        let tree = sftp.stat_attrs(b"/tree").await.unwrap();
        assert_eq!((tree.permissions, tree.times), (Some(0o040_750), old.times));
    }
}

/// The first time the directory is made, and the second time that fails, after which the client looks whether it is one.
async fn refused_or_made(sftp: &mut Sftp, round: u32) {
    let attrs = mode(0o755);
    let reply = sftp
        .call(|out, id| client::mkdir(out, id, b"/tree", &attrs))
        .await;
    let Reply::Status { code, .. } = reply else {
        panic!("{reply:?}");
    };
    assert_eq!(code == sftpgo_wire::sftp::StatusCode::Ok, round == 0);
}

// --- WinSCP

/// Its SYMLINK has the draft's order, its `hardlink@openssh.com` OpenSSH's, on the same connection.
#[tokio::test]
async fn winscp_hard_links_have_the_order_of_openssh_and_links_that_of_the_draft() {
    let lab = Lab::new().await;
    lab.write_disk("file", b"content");
    let mut winscp = lab.server.sftp_as("WinSCP_release_6.5.3", "alice").await;
    let link = Extension::Hardlink {
        from: Bytes::from_static(b"/file"),
        to: Bytes::from_static(b"/second"),
    };
    winscp.extended(&link).await.unwrap();
    winscp.symlink(b"/link", b"file").await.unwrap();
    assert_eq!(winscp.readlink(b"/link").await.unwrap(), b"file");
    assert_eq!(winscp.get(b"/second").await.unwrap(), b"content");
    let names = winscp.list(b"/").await.unwrap();
    assert_eq!(names.len(), 3);
}

// --- rclone

/// It asks for a shell, then for each hash of nothing and of a file, and for the space; what is refused it does without.
#[tokio::test]
async fn rclone_probes_for_a_shell_and_hashes_and_falls_back() {
    let server = TestServer::start().await;
    server.add(Account::new("alice")).await;
    let ssh = std::sync::Arc::new(server.login("alice").await);
    let mut sftp = Sftp::open(std::sync::Arc::clone(&ssh)).await.unwrap();
    assert_eq!(sftp.realpath(b".").await.unwrap(), b"/");
    assert_eq!(ssh.exec(b"echo ${ShellId}%ComSpec%", b"").await, None);
    let probes = [
        ("md5sum", Some("d41d8cd98f00b204e9800998ecf8427e  -\n")),
        ("md5 -r", None),
        ("rclone md5sum", None),
        (
            "sha1sum",
            Some("da39a3ee5e6b4b0d3255bfef95601890afd80709  -\n"),
        ),
        ("sha256sum", None),
        ("b3sum", None),
        ("xxhsum -H2", None),
    ];
    for (command, expected) in probes {
        let ran = ssh.exec(command.as_bytes(), b"").await;
        let answer = ran.as_ref().map(sftpgo_testkit::Ran::text);
        assert_eq!(answer.as_deref(), expected, "{command}");
    }
    // A transfer: to a name beside, then a rename, the size and the time, and the hash.
    let name = b"a 'file'";
    let path = [b"/", &name[..]].concat();
    refused(sftp.stat_attrs(&path).await, Refusal::NotFound);
    let partial = [&path[..], b".partial"].concat();
    let handle = sftp.open_file(&partial, REPLACE).await.unwrap();
    let data = content(300_000);
    write_ahead(&mut sftp, &handle, &data, 32_768, 64).await;
    sftp.close(&handle).await.unwrap();
    let rename = Extension::PosixRename {
        from: partial.into(),
        to: path.clone().into(),
    };
    sftp.extended(&rename).await.unwrap();
    let old = times(1_100_000_000, 1_100_000_000);
    sftp.setstat(&path, &old).await.unwrap();
    let attrs = sftp.stat_attrs(&path).await.unwrap();
    assert_eq!((attrs.size, attrs.times), (Some(300_000), old.times));
    let command = [b"sha1sum ", &quoted(&path)[..]].concat();
    let hashed = ssh.exec(&command, b"").await.unwrap();
    let of_input = ssh.exec(b"sha1sum", &data).await.unwrap().text();
    assert_eq!(hashed.text(), of_input.replace('-', "/a 'file'"));
    // `rclone about`: the fourth column, in KiB.
    let space = ssh.exec(b"df -k /", b"").await.unwrap().text();
    let available = space.lines().nth(1).unwrap().split_whitespace().nth(3);
    assert!(available.unwrap().parse::<u64>().unwrap() > 0, "{space}");
    // A directory that is not empty is not removed.
    sftp.mkdir(b"/dir").await.unwrap();
    sftp.put(b"/dir/file", b"").await.unwrap();
    refused(sftp.rmdir(b"/dir").await, Refusal::Failed);
}

// --- lftp

/// It asks for version 6, has 16 requests on the way and gives up if too many answers come out of order; a file goes beside its
/// target and is renamed over it.
#[tokio::test]
async fn lftp_negotiates_down_and_gets_its_answers_in_order() {
    let lab = Lab::new().await;
    let data = content(1_500_000);
    lab.write_disk("file", &data);
    let mut sftp = Sftp::open_raw(std::sync::Arc::clone(lab.sftp.ssh()))
        .await
        .unwrap();
    sftp.send_with(|out| client::init(out, 6));
    let reply = sftp.reply().await.unwrap();
    assert!(matches!(reply, Reply::Version { version: 3, .. }));
    assert_eq!(sftp.realpath(b".").await.unwrap(), b"/");
    let handle = sftp.open_file(b"/file", READ).await.unwrap();
    assert_eq!(sftp.fstat(&handle).await.unwrap().size, Some(1_500_000));
    let mut next = 0;
    let mut got = Vec::new();
    let mut sent = std::collections::VecDeque::new();
    while got.len() < data.len() {
        while sent.len() < 16 {
            let at = next;
            sent.push_back(sftp.send(|out, id| client::read(out, id, &handle, at, 32_768)));
            next += 32_768;
        }
        match sftp.reply().await.unwrap() {
            Reply::Data { id, data } => {
                assert_eq!(Some(id), sent.pop_front(), "out of order");
                got.extend_from_slice(&data.to_bytes());
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(got == data);
    // What it asked for beyond the end.
    for id in sent {
        assert_eq!(sftp.reply().await.unwrap().id(), Some(id));
    }
    sftp.close(&handle).await.unwrap();
    let beside = open_with(&mut sftp, b"/.in.file.", REPLACE, &mode(0o644)).await;
    write_ahead(&mut sftp, &beside, b"new", 32_768, 16).await;
    sftp.fsetstat(&beside, &times(1_000_000_000, 1_100_000_000))
        .await
        .unwrap();
    sftp.close(&beside).await.unwrap();
    sftp.plain_rename(b"/.in.file.", b"/file").await.unwrap();
    assert_eq!(lab.read_disk("file"), b"new");
}

// --- phpseclib

/// It writes without CLOSE's answer, then changes modes and times by path, and looks. Its channel has a window of 2^31 - 1 and
/// takes 16 KiB a message.
#[tokio::test]
async fn phpseclib_stores_a_file_and_touches_it_by_path() {
    let lab = Lab::new().await;
    let data = content(400_000);
    lab.write_disk("old", &data);
    let mut php = lab.server.sftp_as("phpseclib_3.0", "alice").await;
    refused(php.stat_attrs(b"/dir").await, Refusal::NotFound);
    php.mkdir(b"/dir").await.unwrap();
    php.setstat(b"/dir", &mode(0o750)).await.unwrap();
    let handle = php.open_file(b"/dir/file", WRITE | REPLACE).await.unwrap();
    // Its queue: 1,024 requests of 4 KiB.
    let pieces = (0_u64..).zip(data.chunks(4_096 - 32));
    let mut ids = Vec::new();
    for (number, piece) in pieces {
        let at = number * (4_096 - 32);
        ids.push(php.send(|out, id| client::write(out, id, &handle, at, piece)));
    }
    ids.push(php.send(|out, id| client::close(out, id, &handle)));
    let old = times(1_000_000_000, 1_100_000_000);
    ids.push(php.send(|out, id| client::setstat(out, id, b"/dir/file", &old)));
    for id in ids {
        php.status_of(id).await.unwrap();
    }
    let attrs = php.stat_attrs(b"/dir/file").await.unwrap();
    assert_eq!((attrs.size, attrs.times), (Some(400_000), old.times));
    assert!(lab.read_disk("dir/file") == data);
    // `delete` of a tree: REMOVE fails, and it looks what is in it.
    refused(php.remove(b"/dir").await, Refusal::Failed);
    php.remove(b"/dir/file").await.unwrap();
    php.rmdir(b"/dir").await.unwrap();

    let mut peer = Peer::login(lab.server.ssh_address(), "alice").await;
    let open = Message::new(90).string(b"session").u32(0);
    peer.send(&open.u32(0x7fff_ffff).u32(0x4000)).await;
    let opened = peer.next(91).await.unwrap();
    let channel = u32::from_be_bytes(opened[5..9].try_into().unwrap());
    assert!(peer.subsystem(channel, "sftp").await);
    let mut out = BytesMut::new();
    client::init(&mut out, 3);
    client::open(&mut out, 1, b"/old", READ, &Attrs::EMPTY);
    peer.data(channel, &out).await;
    let mut decoder = FrameDecoder::new();
    let mut got = 0;
    while got < data.len() {
        let message = peer.next(94).await.unwrap();
        assert!(message.len() - 9 <= 0x4000);
        decoder.push(message[9..].to_vec().into());
        while let Some(frame) = decoder.next_frame().unwrap() {
            match Reply::decode(frame).unwrap() {
                Reply::Handle { handle, .. } => {
                    let mut out = BytesMut::new();
                    for number in 0..10_u32 {
                        let at = u64::from(number) * 40_000;
                        client::read(&mut out, number, &handle, at, 40_000);
                    }
                    peer.data(channel, &out).await;
                }
                Reply::Data { data, .. } => got += data.len(),
                Reply::Version { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }
}

// --- reports that other servers had (ProFTPD #1581)

#[tokio::test]
async fn a_file_is_cut_to_nothing_by_path_and_by_handle() {
    for upload_mode in 0..3 {
        let server = TestServer::builder().upload_mode(upload_mode).start().await;
        let mut lab = Lab::on(server, Account::new("alice")).await;
        lab.sftp.put(b"/path", &content(100_000)).await.unwrap();
        lab.sftp.put(b"/handle", &content(100_000)).await.unwrap();
        lab.sftp.setstat(b"/path", &size(0)).await.unwrap();
        assert_eq!(lab.read_disk("path"), b"");
        let handle = lab.sftp.open_file(b"/handle", WRITE).await.unwrap();
        lab.sftp.fsetstat(&handle, &size(0)).await.unwrap();
        assert_eq!(lab.sftp.fstat(&handle).await.unwrap().size, Some(0));
        lab.sftp.close(&handle).await.unwrap();
        assert_eq!(lab.read_disk("handle"), b"");
        let usage = lab.server.quota("alice").await;
        assert_eq!((usage.files, usage.bytes), (2, 0));
    }
}
