//! Packets that no well-behaved client sends, and as many of them as no test client sends by accident.

use std::sync::Arc;

use bytes::{BufMut as _, BytesMut};
use sftpgo_testkit::{FileClient as _, Sftp, until, within};
use sftpgo_wire::sftp::{Reply, StatusCode, client, packet};

use super::{Lab, READ, REPLACE};

/// A session on which INIT was not sent yet.
async fn raw(lab: &Lab) -> Sftp {
    Sftp::open_raw(Arc::clone(lab.sftp.ssh())).await.unwrap()
}

async fn still_serves(lab: &mut Lab) {
    assert_eq!(lab.sftp.realpath(b".").await.unwrap(), b"/");
}

#[tokio::test]
async fn every_version_is_answered_with_three() {
    let mut lab = Lab::new().await;
    for version in [0, 3, 6, u32::MAX] {
        let mut session = raw(&lab).await;
        session.send_with(|out| client::init(out, version));
        assert!(matches!(
            session.reply().await,
            Some(Reply::Version { version: 3, .. })
        ));
    }
    still_serves(&mut lab).await;
}

#[tokio::test]
async fn a_packet_of_an_unknown_type_ends_at_most_its_channel() {
    let mut lab = Lab::new().await;
    for type_byte in [0, 21, 99, 201, 255] {
        let mut session = raw(&lab).await;
        session.send_with(|out| client::init(out, 3));
        session.reply().await.unwrap();
        session.send_with(|out| client::raw(out, type_byte, &[0, 0, 0, 7, 1, 2, 3]));
        match session.reply().await {
            Some(Reply::Status { id: 7, code, .. }) => assert_ne!(code, StatusCode::Ok),
            Some(other) => panic!("{other:?}"),
            None => {}
        }
    }
    still_serves(&mut lab).await;
}

#[tokio::test]
async fn a_packet_that_is_cut_short_or_far_too_long_ends_its_channel_only() {
    let mut lab = Lab::new().await;
    let mut cut = BytesMut::new();
    client::raw(&mut cut, packet::OPEN, &[0, 0, 0, 1, 0, 0, 0, 200, b'/']);
    let mut empty = BytesMut::new();
    empty.put_u32(0);
    let mut huge = BytesMut::new();
    huge.put_u32(u32::MAX);
    huge.put_u8(packet::WRITE);
    for bytes in [cut, empty, huge] {
        let mut session = raw(&lab).await;
        session.send_with(|out| client::init(out, 3));
        session.reply().await.unwrap();
        session.send_bytes(bytes);
        session.send_eof();
        let (replies, _) = session.finish().await;
        let granted = replies.iter().any(|reply| {
            matches!(
                reply,
                Reply::Status {
                    code: StatusCode::Ok,
                    ..
                }
            )
        });
        assert!(!granted, "{replies:?}");
    }
    still_serves(&mut lab).await;
}

#[tokio::test]
async fn a_packet_may_come_in_single_bytes() {
    let lab = Lab::new().await;
    let mut session = raw(&lab).await;
    let mut bytes = BytesMut::new();
    client::init(&mut bytes, 3);
    client::realpath(&mut bytes, 1, b"/x/..");
    for byte in bytes {
        session.send_bytes(vec![byte]);
    }
    assert!(matches!(session.reply().await, Some(Reply::Version { .. })));
    assert!(matches!(
        session.reply().await,
        Some(Reply::Name { id: 1, .. })
    ));
}

#[tokio::test]
async fn the_end_of_input_ends_the_session_with_status_zero() {
    let mut lab = Lab::new().await;
    let read = lab.sftp.send(|out, id| client::realpath(out, id, b"."));
    lab.sftp.send_eof();
    let (replies, status) = lab.sftp.finish().await;
    assert_eq!(replies.len(), 1);
    assert_eq!((replies[0].id(), status), (Some(read), Some(0)));
}

/// The deadlock of pipelining clients: the server must go on reading while nobody takes its answers, up to its bounds, and
/// must answer everything when somebody does.
#[tokio::test]
async fn a_client_that_asks_for_everything_before_it_reads_gets_everything() {
    let mut lab = Lab::new().await;
    let content = vec![b'x'; 8 << 20];
    lab.write_disk("file", &content);
    let handle = lab.sftp.open_file(b"/file", READ).await.unwrap();
    let mut ids = Vec::new();
    for block in 0..2048_u64 {
        let offset = block * 32_768 % (8 << 20);
        ids.push(
            lab.sftp
                .send(|out, id| client::read(out, id, &handle, offset, 32_768)),
        );
    }
    let mut total = 0;
    for expected in ids {
        match lab.sftp.reply().await.unwrap() {
            Reply::Data { id, data } => {
                assert_eq!(id, expected);
                total += data.len();
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(total, 64 << 20);
}

#[tokio::test]
async fn several_sessions_on_one_connection_work_and_end_by_themselves() {
    let mut lab = Lab::new().await;
    let mut second = Sftp::open(Arc::clone(lab.sftp.ssh())).await.unwrap();
    assert_eq!(lab.server.core().registry().connections().len(), 2);
    second.put(b"/second", b"content").await.unwrap();
    second.send_eof();
    second.finish().await;
    until("the end of one session", async || {
        lab.server.core().registry().connections().len() == 1
    })
    .await;
    assert_eq!(lab.sftp.get(b"/second").await.unwrap(), b"content");
}

#[tokio::test]
async fn there_is_an_end_to_channels_too() {
    let mut lab = Lab::new().await;
    let ssh = Arc::clone(lab.sftp.ssh());
    let mut sessions = Vec::new();
    while let Some(session) = Sftp::open(Arc::clone(&ssh)).await {
        sessions.push(session);
        assert!(sessions.len() < 1000, "no limit");
    }
    still_serves(&mut lab).await;
}

#[tokio::test]
async fn only_the_sftp_subsystem_is_there() {
    let lab = Lab::new().await;
    assert!(lab.sftp.ssh().subsystem("netconf").await.is_none());
    assert!(lab.sftp.ssh().subsystem("").await.is_none());
    assert!(lab.sftp.ssh().subsystem("sftp").await.is_some());
}

#[tokio::test]
async fn a_client_that_leaves_in_the_middle_of_everything_costs_nothing() {
    let lab = Lab::new().await;
    lab.write_disk("file", &vec![b'x'; 1 << 20]);
    for _ in 0..10 {
        let mut client = lab.server.sftp("alice").await;
        let reading = client.open_file(b"/file", READ).await.unwrap();
        let writing = client.open_file(b"/new", REPLACE).await.unwrap();
        let block = vec![b'y'; 32_768];
        for number in 0..50_u64 {
            client.send(|out, id| client::read(out, id, &reading, number * 20_000, 32_768));
            client.send(|out, id| client::write(out, id, &writing, number * 32_768, &block));
        }
        client.ssh().vanish();
    }
    let registry = lab.server.core().registry();
    until("the end of all sessions but one", async || {
        registry.connections().len() == 1
    })
    .await;
    within("the counters", async {
        while lab.server.quota("alice").await.bytes != lab.server.usage("alice").bytes - (1 << 20) {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    })
    .await;
}
