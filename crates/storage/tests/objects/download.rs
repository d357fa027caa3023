//! Reading.

use std::sync::Arc;

use proptest::prelude::*;
use sftpgo_storage::backend::object::fake::{Call, FakeStore, Fault};
use sftpgo_storage::backend::object::{
    Attributes, Budget, ObjectEngine, ObjectErrorKind, ObjectSettings, ObjectStorage, Patience,
};
use sftpgo_storage::{ReadHandle, Storage as _, StorageErrorKind};

use super::{at, pattern, subject, with};

const LEN: usize = 3 << 20;

async fn read_all(file: &dyn ReadHandle, step: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let before = bytes.len();
        bytes = file.read_at(before as u64, step, bytes).await.unwrap();
        if bytes.len() == before {
            return bytes;
        }
    }
}

#[tokio::test]
async fn a_file_that_is_read_in_order_is_fetched_in_few_long_ranges() {
    let subject = subject();
    subject
        .store
        .insert("file", pattern(LEN), Attributes::default());
    let file = subject.storage.open_read(&at("file")).await.unwrap();
    assert!(read_all(&*file, 32 << 10).await == pattern(LEN));
    // 256 KiB, then twice as much each time.
    assert!(subject.store.made(Call::Get) <= 5);
    drop(file);
    assert_eq!(subject.counters.downloads.bytes.value(), LEN as u64);
    assert_eq!(subject.counters.downloads.completed.value(), 1);
}

#[tokio::test]
async fn a_random_read_fetches_what_it_asks_for() {
    let subject = with(FakeStore::default(), |_| {});
    let bytes = pattern(20 << 20);
    subject
        .store
        .insert("file", bytes.clone(), Attributes::default());
    let file = subject.storage.open_read(&at("file")).await.unwrap();
    for offset in [15 << 20, 6 << 20, 11 << 20, 19 << 20] {
        let read = file.read_at(offset as u64, 100, Vec::new()).await.unwrap();
        assert!(read == bytes[offset..offset + 100]);
    }
    assert_eq!(subject.counters.downloads.bytes.value(), 400);
}

#[tokio::test]
async fn without_memory_to_read_ahead_everything_is_read_all_the_same() {
    let store = Arc::new(FakeStore::default());
    store.insert("file", pattern(LEN), Attributes::default());
    let reads = Budget::new(1);
    let engine = ObjectEngine::new(Budget::new(1), reads.clone(), Patience::default());
    let storage = ObjectStorage::new(
        store.clone(),
        ObjectSettings::default(),
        engine,
        Arc::default(),
    );
    let one = storage.open_read(&at("file")).await.unwrap();
    let other = storage.open_read(&at("file")).await.unwrap();
    let head = one.read_at(0, 1000, Vec::new()).await.unwrap();
    assert_eq!(reads.free(), 0);
    assert!(read_all(&*other, 255 << 10).await == pattern(LEN));
    assert!(head == pattern(1000));
    drop(one);
    drop(other);
    assert_eq!(reads.free(), 64 << 10);
}

#[tokio::test]
async fn another_version_is_never_mixed_in() {
    let subject = subject();
    subject
        .store
        .insert("file", pattern(LEN), Attributes::default());
    let file = subject.storage.open_read(&at("file")).await.unwrap();
    file.read_at(0, 10, Vec::new()).await.unwrap();
    subject
        .store
        .insert("file", vec![b'x'; LEN], Attributes::default());
    let read = file.read_at(2 << 20, 10, Vec::new()).await;
    assert_eq!(read.unwrap_err().kind(), StorageErrorKind::Unavailable);
    drop(file);
    assert_eq!(subject.counters.downloads.failed.value(), 1);
}

#[tokio::test(start_paused = true)]
async fn bytes_that_break_off_are_asked_for_again() {
    let subject = subject();
    subject
        .store
        .insert("file", pattern(1000), Attributes::default());
    let refused = Fault::Refused(ObjectErrorKind::Throttled);
    let faults = [Fault::Truncated, Fault::AnswerLost, Fault::Silence, refused];
    subject.store.fail(Call::Get, faults.map(Some));
    let file = subject.storage.open_read(&at("file")).await.unwrap();
    assert!(read_all(&*file, 100).await == pattern(1000));
}

#[tokio::test(start_paused = true)]
async fn a_range_that_could_not_be_had_can_be_asked_for_again() {
    let subject = subject();
    subject
        .store
        .insert("file", pattern(1000), Attributes::default());
    subject
        .store
        .fail(Call::Get, [Some(Fault::Refused(ObjectErrorKind::Internal))]);
    let file = subject.storage.open_read(&at("file")).await.unwrap();
    assert!(file.read_at(0, 100, Vec::new()).await.is_err());
    assert!(file.read_at(0, 100, Vec::new()).await.unwrap() == pattern(100));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is read in whatever order, by requests at the same time, is what is there.
    #[test]
    fn reads_in_any_order_give_the_bytes(
        reads in prop::collection::vec((0_usize..LEN, 1_usize..300_000), 1..20),
        together in 1_usize..5,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let bytes = pattern(LEN);
            let subject = subject();
            subject.store.insert("file", bytes.clone(), Attributes::default());
            let file = subject.storage.open_read(&at("file")).await.unwrap();
            for group in reads.chunks(together) {
                let group = group.iter().map(|(offset, len)| {
                    let (file, bytes) = (&file, &bytes);
                    async move {
                        let mut tried = Vec::new();
                        let read = match file.try_read_at(*offset as u64, *len, &mut tried) {
                            Some(read) => { read.unwrap(); tried }
                            None => file.read_at(*offset as u64, *len, Vec::new()).await.unwrap(),
                        };
                        assert!(read == bytes[*offset..LEN.min(offset + len)]);
                    }
                });
                futures_util::future::join_all(group).await;
            }
        });
    }
}
