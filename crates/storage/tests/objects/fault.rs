//! Stores that fail: calls are repeated, waits end, and what is there is the old object or the new one.

use sftpgo_storage::backend::object::fake::{Call, Fault};
use sftpgo_storage::backend::object::{Attributes, ObjectErrorKind};
use sftpgo_storage::{Links, Storage as _, StorageErrorKind, StorageResult};

use super::{OPTIONS, Subject, at, chunk, pattern, subject};

const CALLS: [Call; 7] = [
    Call::Head,
    Call::Put,
    Call::CreateUpload,
    Call::PutPart,
    Call::CompleteUpload,
    Call::List,
    Call::AbortUpload,
];

async fn upload(subject: &Subject, len: usize) -> StorageResult<()> {
    let upload = subject.storage.open_write(&at("file"), &OPTIONS).await?;
    for (index, piece) in pattern(len).chunks(7).enumerate() {
        upload.write_at(vec![chunk(index * 7, piece)]).await?;
    }
    upload.finish().await?;
    Ok(())
}

/// The old object or the new one, and in the end no upload.
async fn check(subject: &Subject, done: &StorageResult<()>, len: usize) {
    let now = subject.store.bytes("file").unwrap();
    if done.is_ok() {
        assert_eq!(now, pattern(len));
    } else {
        assert!(now == "old" || now == pattern(len));
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_may_work_in_a_moment_is_made_again() {
    for kind in [
        ObjectErrorKind::Throttled,
        ObjectErrorKind::Unavailable,
        ObjectErrorKind::TimedOut,
    ] {
        for len in [5, 95] {
            let subject = subject();
            subject.store.insert("file", "old", Attributes::default());
            for call in CALLS {
                subject
                    .store
                    .fail(call, vec![Some(Fault::Refused(kind)); 2]);
            }
            let done = upload(&subject, len).await;
            done.as_ref().unwrap();
            check(&subject, &done, len).await;
            assert_eq!(subject.store.open_uploads(), 0);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_at_any_call_leaves_the_old_object_or_the_new_one() {
    let internal = Fault::Refused(ObjectErrorKind::Internal);
    let denied = Fault::Refused(ObjectErrorKind::PermissionDenied);
    for fault in [internal, denied] {
        for call in CALLS {
            for len in [5, 95] {
                for after in 0..12 {
                    let subject = subject();
                    subject.store.insert("file", "old", Attributes::default());
                    let faults = std::iter::repeat_n(None, after).chain([Some(fault)]);
                    subject.store.fail(call, faults);
                    let done = upload(&subject, len).await;
                    check(&subject, &done, len).await;
                    subject.settle().await;
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_got_lost_is_not_a_failure() {
    for call in CALLS {
        if call == Call::CreateUpload {
            continue;
        }
        for len in [5, 95] {
            let subject = subject();
            subject.store.insert("file", "old", Attributes::default());
            subject.store.fail(call, [Some(Fault::AnswerLost)]);
            let done = upload(&subject, len).await;
            done.as_ref().unwrap();
            check(&subject, &done, len).await;
            subject.settle().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_answer_is_unavailable_in_the_end() {
    let subject = subject();
    subject.store.insert("file", "old", Attributes::default());
    for call in [Call::Head, Call::List, Call::Get] {
        subject.store.fail(call, vec![Some(Fault::Silence); 100]);
    }
    let begun = tokio::time::Instant::now();
    let unavailable = |kind| assert_eq!(kind, StorageErrorKind::Unavailable);
    let target = at("file");
    let found = subject.storage.stat(&target, Links::Follow).await;
    unavailable(found.unwrap_err().kind());
    unavailable(subject.storage.list(&at("")).await.err().unwrap().kind());
    unavailable(subject.storage.open_read(&target).await.unwrap_err().kind());
    unavailable(subject.storage.usage().await.unwrap_err().kind());
    // Half a minute each.
    assert!(begun.elapsed().as_secs() <= 4 * 31);
}

#[tokio::test]
async fn wrong_credentials_are_told_at_once() {
    let subject = subject();
    let denied = Fault::Refused(ObjectErrorKind::PermissionDenied);
    subject.store.fail(Call::Head, [Some(denied)]);
    let found = subject.storage.stat(&at("file"), Links::Follow).await;
    assert_eq!(
        found.unwrap_err().kind(),
        StorageErrorKind::PermissionDenied
    );
    assert_eq!(subject.store.made(Call::Head), 1);
}

#[tokio::test]
async fn an_upload_that_the_store_refuses_at_the_end_is_a_failed_one() {
    let subject = subject();
    let denied = Fault::Refused(ObjectErrorKind::PermissionDenied);
    for (call, len) in [(Call::Put, 5), (Call::CompleteUpload, 95)] {
        subject.store.fail(call, [Some(denied)]);
        let done = upload(&subject, len).await;
        assert_eq!(done.unwrap_err().kind(), StorageErrorKind::PermissionDenied);
        assert!(subject.store.keys().is_empty());
        subject.settle().await;
    }
    assert_eq!(subject.counters.uploads.failed.value(), 2);
    assert_eq!(subject.counters.uploads.completed.value(), 0);
}
