//! A store that takes the parts of an upload in their order only, and makes one object of two.

use std::time::Duration;

use sftpgo_storage::backend::object::fake::{Call, FakeStore, Fault};
use sftpgo_storage::backend::object::{Attributes, ObjectErrorKind};
use sftpgo_storage::{OpenExisting, Storage as _, StorageErrorKind, StorageResult, WriteOptions};

use super::{CONTINUE, OPTIONS, Subject, at, chunk, pattern, subject, with};

const EXCLUSIVE: WriteOptions = WriteOptions {
    existing: OpenExisting::Refuse,
    ..OPTIONS
};
const CALLS: [Call; 7] = [
    Call::Head,
    Call::Put,
    Call::CreateUpload,
    Call::PutNext,
    Call::Append,
    Call::AbortUpload,
    Call::Delete,
];

fn in_order() -> Subject {
    with(FakeStore::default().in_order(), |_| {})
}

/// Sends bytes from `from` on, in small pieces.
async fn send(
    subject: &Subject,
    options: &WriteOptions,
    from: usize,
    to: usize,
) -> StorageResult<()> {
    let upload = subject.storage.open_write(&at("file"), options).await?;
    let bytes = pattern(to).split_off(from);
    for (index, piece) in bytes.chunks(7).enumerate() {
        upload
            .write_at(vec![chunk(from + index * 7, piece)])
            .await?;
    }
    upload.finish().await?;
    Ok(())
}

/// Waits until nothing hidden is left either.
async fn settle(subject: &Subject) {
    subject.settle().await;
    for _ in 0..1000 {
        if subject.store.keys().iter().all(|key| key == "file") {
            return;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(subject.store.keys(), ["file"], "something was left behind");
}

#[tokio::test]
async fn parts_follow_each_other_where_the_store_takes_them_in_order() {
    for (len, parts) in [(10, 0), (11, 2), (95, 10), (100, 10), (101, 11)] {
        let subject = in_order();
        send(&subject, &OPTIONS, 0, len).await.unwrap();
        assert_eq!(subject.store.bytes("file").unwrap(), pattern(len));
        assert_eq!(subject.store.made(Call::PutNext), parts, "{len}");
        assert_eq!(subject.store.made(Call::PutPart), 0);
        assert_eq!(subject.store.made(Call::CompleteUpload), 0);
        assert_eq!(subject.store.open_uploads(), 0);
        let parts = subject.counters.uploads.bytes.value();
        assert_eq!(parts, len as u64);
    }
}

#[tokio::test]
async fn parts_do_not_grow_where_there_may_be_any_number_of_them() {
    let subject = in_order();
    let upload = subject.open("file", &OPTIONS).await;
    let bytes = pattern(60_000);
    upload.write_at(vec![chunk(0, &bytes)]).await.unwrap();
    upload.finish().await.unwrap();
    assert_eq!(subject.store.made(Call::PutNext), 6000);
    assert_eq!(subject.store.bytes("file").unwrap(), bytes);
}

#[tokio::test(start_paused = true)]
async fn parts_that_break_off_or_whose_answers_get_lost_go_on_where_the_store_is() {
    for fault in [Fault::AnswerLost, Fault::Truncated, Fault::Silence] {
        for after in 0..10 {
            let subject = in_order();
            let faults = std::iter::repeat_n(None, after).chain([Some(fault)]);
            subject.store.fail(Call::PutNext, faults);
            send(&subject, &EXCLUSIVE, 0, 95).await.unwrap();
            assert_eq!(subject.store.bytes("file").unwrap(), pattern(95));
            assert_eq!(subject.store.made(Call::PutNext), 11);
            subject.settle().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_is_continued_by_what_is_put_behind_it() {
    for len in [45, 50, 60, 145] {
        let subject = in_order();
        let mut attributes = Attributes {
            content_type: Some("text/plain".to_owned()),
            storage_class: Some("COLD".to_owned()),
            ..Attributes::default()
        };
        attributes
            .metadata
            .insert("key".to_owned(), "value".to_owned());
        subject
            .store
            .insert("file", pattern(40), attributes.clone());
        for fault in [Call::Append, Call::PutNext, Call::Put] {
            subject.store.fail(fault, [Some(Fault::AnswerLost)]);
        }
        send(&subject, &CONTINUE, 40, len).await.unwrap();
        assert_eq!(subject.store.bytes("file").unwrap(), pattern(len));
        assert_eq!(subject.store.attributes("file").unwrap(), attributes);
        assert_eq!(subject.store.made(Call::Get), 0);
        assert_eq!(subject.names("").await, ["file"]);
        settle(&subject).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_replaced_meanwhile_gets_nothing_put_behind_it() {
    let subject = in_order();
    subject
        .store
        .insert("file", pattern(40), Attributes::default());
    let upload = subject.open("file", &CONTINUE).await;
    upload.write_at(vec![chunk(40, b"more")]).await.unwrap();
    subject.store.insert("file", "other", Attributes::default());
    let refused = upload.finish().await.unwrap_err();
    assert_eq!(refused.kind(), StorageErrorKind::Unavailable);
    assert_eq!(subject.store.bytes("file").unwrap(), "other");
    settle(&subject).await;
}

#[tokio::test(start_paused = true)]
async fn a_failure_at_any_call_in_order_leaves_the_old_object_or_the_new_one() {
    let denied = Fault::Refused(ObjectErrorKind::PermissionDenied);
    for call in CALLS {
        for (options, from, to) in [
            (OPTIONS, 0, 5),
            (OPTIONS, 0, 95),
            (CONTINUE, 40, 45),
            (CONTINUE, 40, 95),
        ] {
            for after in 0..12 {
                let subject = in_order();
                subject
                    .store
                    .insert("file", pattern(40), Attributes::default());
                let faults = std::iter::repeat_n(None, after).chain([Some(denied)]);
                subject.store.fail(call, faults);
                let done = send(&subject, &options, from, to).await;
                let now = subject.store.bytes("file").unwrap();
                if done.is_ok() {
                    assert_eq!(now, pattern(to));
                } else {
                    assert!(now == pattern(40) || now == pattern(to));
                }
                settle(&subject).await;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_exclusive_upload_knows_its_own_object_when_the_answer_got_lost() {
    for (subject, len) in [
        (subject(), 5),
        (in_order(), 5),
        (in_order(), 95),
        (subject(), 0),
    ] {
        for call in [Call::Put, Call::PutNext] {
            subject.store.fail(call, [Some(Fault::AnswerLost)]);
        }
        send(&subject, &EXCLUSIVE, 0, len).await.unwrap();
        assert_eq!(subject.store.bytes("file").unwrap(), pattern(len));
    }
}

#[tokio::test(start_paused = true)]
async fn an_exclusive_upload_does_not_take_somebody_elses_object_for_its_own() {
    for len in [5, 95] {
        let subject = in_order();
        let passing = Fault::Refused(ObjectErrorKind::Unavailable);
        for call in [Call::Put, Call::PutNext] {
            subject.store.fail(call, [Some(passing)]);
        }
        let others = async {
            // While the first attempt has failed and the second one waits.
            tokio::time::sleep(Duration::from_millis(50)).await;
            let other = vec![b'x'; len];
            subject.store.insert("file", other, Attributes::default());
        };
        let (sent, ()) = tokio::join!(send(&subject, &EXCLUSIVE, 0, len), others);
        assert_eq!(sent.unwrap_err().kind(), StorageErrorKind::AlreadyExists);
        assert_eq!(subject.store.bytes("file").unwrap(), vec![b'x'; len]);
    }
}
