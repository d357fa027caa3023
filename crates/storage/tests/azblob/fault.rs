//! What goes wrong between here and Azure: the old file or the new one is there, and never a part.

use sftpgo_storage::{OpenExisting, RenameMode, Storage as _, StorageErrorKind, WriteOptions};
use sftpgo_teststore::{Action, Answer, Rule};

use super::{CONTINUE, MIB, OPTIONS, Subject, at, fill, folder, pattern, read, subject, write};

const UPLOAD: [&str; 4] = [
    "Get Blob Properties",
    "Put Blob",
    "Put Block",
    "Put Block List",
];

fn passing() -> Vec<Action> {
    vec![
        Action::Cut,
        Action::CutUpload(1),
        Action::LoseAnswer,
        Action::Answer(Answer::azure(500, "InternalError")),
        Action::Answer(Answer::azure(503, "ServerBusy")),
        Action::Answer(Answer::azure(500, "OperationTimedOut")),
        Action::Answer(Answer::new(502)),
    ]
}

/// What is at the store, whoever asks.
async fn there(subject: &Subject) -> Option<Vec<u8>> {
    Some(subject.content("file").await?.to_vec())
}

#[tokio::test]
async fn a_call_that_may_work_in_a_moment_is_made_again() {
    for action in passing() {
        let subject = subject().await;
        for (len, seed) in [(10, 1), (2 * MIB + 1, 2)] {
            for operation in UPLOAD {
                subject
                    .proxy
                    .place(Rule::new(action.clone()).on(operation).times(2));
            }
            let bytes = pattern(len, seed);
            write(&subject.storage, "file", &bytes).await.unwrap();
            assert_eq!(there(&subject).await.unwrap(), bytes, "{action:?}");
            subject.proxy.take_away_rules();
        }
    }
}

#[tokio::test]
async fn a_failure_at_any_call_leaves_the_old_file_or_the_new_one() {
    let mut actions = passing();
    actions.push(Action::Answer(Answer::azure(403, "AuthorizationFailure")));
    actions.push(Action::Answer(Answer::azure(409, "AccountIsDisabled")));
    for action in actions {
        let subject = subject().await;
        for operation in UPLOAD {
            for len in [10, 2 * MIB + 1] {
                for after in [0, 1] {
                    subject.proxy.take_away_rules();
                    write(&subject.storage, "file", b"old").await.unwrap();
                    subject
                        .proxy
                        .place(Rule::new(action.clone()).on(operation).after(after));
                    let bytes = pattern(len, 9);
                    let done = write(&subject.storage, "file", &bytes).await;
                    let now = there(&subject).await.unwrap();
                    assert!(now == b"old" || now == bytes, "{action:?} {operation}");
                    if done.is_ok() {
                        assert_eq!(now, bytes, "{action:?} {operation}");
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn a_download_that_breaks_off_goes_on_and_has_every_byte() {
    let subject = subject().await;
    let bytes = pattern(3 * MIB, 0);
    write(&subject.storage, "file", &bytes).await.unwrap();
    for action in [
        Action::Truncate(0),
        Action::Truncate(1000),
        Action::LoseAnswer,
        Action::Cut,
        Action::Answer(Answer::azure(503, "ServerBusy")),
    ] {
        let placed = subject
            .proxy
            .place(Rule::new(action.clone()).on("Get Blob").times(2));
        assert_eq!(read(&subject.storage, "file").await.unwrap(), bytes);
        assert_eq!(placed.applied(), 2, "{action:?}");
    }
}

#[tokio::test]
async fn a_file_that_is_continued_stays_what_it_was_wherever_that_fails() {
    for operation in [
        "Put Block From URL",
        "Put Block",
        "Put Block List",
        "Get Blob",
    ] {
        let subject = subject().await;
        let bytes = pattern(2 * MIB, 0);
        write(&subject.storage, "file", &bytes).await.unwrap();
        let broken = Answer::azure(500, "InternalError");
        subject
            .proxy
            .place(Rule::new(Action::Answer(broken)).on(operation));
        let upload = subject
            .storage
            .open_write(&at("file"), &CONTINUE)
            .await
            .unwrap();
        let filled = fill(upload.as_ref(), bytes.len(), b"tail").await;
        let failed = match filled {
            Ok(()) => upload.finish().await.err(),
            Err(error) => {
                upload.abort().await.unwrap();
                Some(error)
            }
        };
        let failed = failed.unwrap();
        assert_eq!(failed.kind(), StorageErrorKind::Unavailable, "{operation}");
        assert_eq!(there(&subject).await.unwrap(), bytes, "{operation}");
    }
}

#[tokio::test]
async fn a_store_that_copies_nothing_has_the_bytes_brought_to_it() {
    for (status, code) in [
        (501, "NotImplemented"),
        (403, "CannotVerifyCopySource"),
        (409, "InvalidBlobType"),
    ] {
        let subject = subject().await;
        let refuse = Answer::azure(status, code);
        for operation in ["Copy Blob", "Put Block From URL"] {
            subject
                .proxy
                .place(Rule::new(Action::Answer(refuse.clone())).on(operation));
        }
        folder(&subject.storage, "moved").await;
        for (name, len) in [("empty", 0), ("small", 10), ("large", 9 * MIB)] {
            let bytes = pattern(len, 5);
            write(&subject.storage, name, &bytes).await.unwrap();
            let moved = format!("moved/{name}");
            let (from, to) = (at(name), at(&moved));
            let renamed = subject.storage.rename(&from, &to, RenameMode::NoReplace);
            renamed.await.unwrap();
            assert_eq!(read(&subject.storage, &moved).await.unwrap(), bytes);
        }
    }
}

#[tokio::test]
async fn a_rename_whose_answers_get_lost_ends_well() {
    let subject = subject().await;
    write(&subject.storage, "file", b"text").await.unwrap();
    for operation in ["Copy Blob", "Delete Blob"] {
        subject
            .proxy
            .place(Rule::new(Action::LoseAnswer).on(operation).times(1));
    }
    subject
        .storage
        .rename(&at("file"), &at("moved"), RenameMode::NoReplace)
        .await
        .unwrap();
    assert_eq!(there(&subject).await, None);
    assert_eq!(subject.content("moved").await.unwrap(), "text");
}

#[tokio::test]
async fn a_time_is_set_also_if_the_answer_gets_lost() {
    use sftpgo_storage::{FileTime, Links, SetAttributes};
    let subject = subject().await;
    write(&subject.storage, "file", b"text").await.unwrap();
    subject.proxy.place(
        Rule::new(Action::LoseAnswer)
            .on("Set Blob Metadata")
            .times(1),
    );
    let time = FileTime {
        seconds: 5,
        nanos: 0,
    };
    let changes = SetAttributes {
        times: Some((time, time)),
        ..SetAttributes::default()
    };
    let file = at("file");
    let set = subject
        .storage
        .set_attributes(&file, &changes, Links::Follow);
    set.await.unwrap();
    let stat = subject
        .storage
        .stat(&at("file"), Links::Follow)
        .await
        .unwrap();
    assert_eq!(stat.modified, time);
}

#[tokio::test]
async fn an_exclusive_upload_whose_answer_gets_lost_is_known_by_its_blocks() {
    let subject = subject().await;
    let exclusive = WriteOptions {
        existing: OpenExisting::Refuse,
        ..OPTIONS
    };
    let lost = subject
        .proxy
        .place(Rule::new(Action::LoseAnswer).on("Put Block List").times(1));
    let bytes = pattern(2 * MIB, 0);
    let (file, other) = (at("file"), at("other"));
    let upload = subject.storage.open_write(&file, &exclusive).await.unwrap();
    fill(upload.as_ref(), 0, &bytes).await.unwrap();
    upload.finish().await.unwrap();
    assert_eq!(lost.applied(), 1);
    assert_eq!(there(&subject).await.unwrap(), bytes);
    // One that somebody else has made meanwhile is not.
    let upload = subject
        .storage
        .open_write(&other, &exclusive)
        .await
        .unwrap();
    fill(upload.as_ref(), 0, &bytes).await.unwrap();
    subject.other("other", &[]).await;
    let failed = upload.finish().await.unwrap_err();
    assert_eq!(failed.kind(), StorageErrorKind::AlreadyExists);
    assert_eq!(subject.content("other").await.unwrap(), "");
}

#[tokio::test]
async fn an_archived_blob_is_refused_with_the_reason() {
    let subject = subject().await;
    write(&subject.storage, "file", b"text").await.unwrap();
    let archived = Answer::azure(409, "BlobArchived");
    subject
        .proxy
        .place(Rule::new(Action::Answer(archived)).on("Get Blob"));
    let failed = read(&subject.storage, "file").await.unwrap_err();
    assert_eq!(failed.kind(), StorageErrorKind::PermissionDenied);
    let mut text = failed.to_string();
    let mut source = std::error::Error::source(&failed);
    while let Some(cause) = source {
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    assert!(text.contains("archived"), "{text}");
}

#[tokio::test]
async fn metadata_that_cannot_be_sent_again_is_never_lost() {
    use sftpgo_storage::{FileTime, Links, SetAttributes};
    let subject = subject().await;
    write(&subject.storage, "file", b"text").await.unwrap();
    // Another program's, and not what Azure's documentation allows.
    let odd = Answer::new(200)
        .header("etag", "\"odd\"")
        .header("content-length", "4")
        .header("x-ms-meta-name", "\u{e9}");
    let placed = subject
        .proxy
        .place(Rule::new(Action::Answer(odd)).on("Get Blob Properties"));
    let time = FileTime {
        seconds: 5,
        nanos: 0,
    };
    let changes = SetAttributes {
        times: Some((time, time)),
        ..SetAttributes::default()
    };
    let file = at("file");
    let set = subject
        .storage
        .set_attributes(&file, &changes, Links::Follow);
    let refused = set.await.unwrap_err();
    assert_eq!(refused.kind(), StorageErrorKind::Unsupported);
    assert!(placed.applied() > 0);
    assert_eq!(subject.proxy.requests().count("Set Blob Metadata"), 0);
}
