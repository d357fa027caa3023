//! What is on the disk, and when.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use sftpgo_model::UnixMillis;

use super::device::Disk;
use super::{Place, until};
use crate::conformance::samples::{change, user};
use crate::provider::{DataProvider as _, QuotaDelta, QuotaStore as _, UserStore as _};

fn syncs(disk: &Disk) -> u64 {
    disk.syncs.load(Ordering::Relaxed)
}

#[tokio::test]
async fn an_account_is_on_the_disk_before_the_caller_hears_of_it() {
    let (place, disk) = (Place::new(), Arc::new(Disk::default()));
    let provider = disk.open(&place.path).await.unwrap();
    for number in 0..3 {
        let before = syncs(&disk);
        let name = format!("user{number}");
        let added = provider.add_user(&user(&name)).await.unwrap();
        assert!(syncs(&disk) > before);
        let before = syncs(&disk);
        provider.update_user(&added).await.unwrap();
        assert!(syncs(&disk) > before);
        let before = syncs(&disk);
        provider.delete_user(added.id).await.unwrap();
        assert!(syncs(&disk) > before);
    }
    provider.close().await;
}

#[tokio::test]
async fn logins_and_counters_do_not_wait_for_the_disk() {
    let (place, disk) = (Place::new(), Arc::new(Disk::default()));
    let provider = disk.open(&place.path).await.unwrap();
    provider.add_user(&user("alice")).await.unwrap();
    let before = syncs(&disk);
    let one = QuotaDelta { files: 1, bytes: 7 };
    for number in 0..500 {
        let at = UnixMillis(number);
        provider.set_last_login("alice", at).await.unwrap();
        assert!(
            provider
                .reserve_quota(&change("alice", one, at))
                .await
                .unwrap()
        );
    }
    let written = syncs(&disk) - before;
    // A few a second, however long that took.
    assert!(written < 500, "{written}");
    provider.close().await;
}

#[tokio::test]
async fn a_change_of_nothing_writes_nothing() {
    let (place, disk) = (Place::new(), Arc::new(Disk::default()));
    let provider = disk.open(&place.path).await.unwrap();
    let before = syncs(&disk);
    let at = UnixMillis(1);
    provider.set_last_login("nobody", at).await.unwrap();
    provider.set_quota("nobody", 1, 1, at).await.unwrap();
    provider.check().await.unwrap();
    assert!(provider.delete_user(7).await.is_err());
    assert_eq!(syncs(&disk), before);
    provider.close().await;
}

#[tokio::test]
async fn what_waits_reaches_the_disk_unasked() {
    let (place, disk) = (Place::new(), Arc::new(Disk::default()));
    let provider = disk.open(&place.path).await.unwrap();
    provider.add_user(&user("alice")).await.unwrap();
    let before = syncs(&disk);
    provider
        .set_last_login("alice", UnixMillis(77))
        .await
        .unwrap();
    // The second one makes it so.
    until(async || syncs(&disk) >= before + 2).await;
    // As after a power cut: the file as it is, and nothing of the process.
    let copy = Place::new();
    std::fs::copy(&place.path, &copy.path).unwrap();
    let reader = copy.open().await.unwrap();
    let record = reader.user_by_name("alice").await.unwrap().unwrap();
    assert_eq!(record.last_login, 77);
    reader.close().await;
    provider.close().await;
}

/// Which would read all of it.
#[tokio::test]
async fn a_file_that_was_not_closed_is_opened_without_a_repair() {
    let place = Place::new();
    let provider = place.open().await.unwrap();
    provider.add_user(&user("alice")).await.unwrap();
    let copy = Place::new();
    std::fs::copy(&place.path, &copy.path).unwrap();
    let mut builder = redb::Builder::new();
    builder.set_repair_callback(redb::RepairSession::abort);
    builder.open(&copy.path).unwrap();
    provider.close().await;
}

#[tokio::test]
async fn closing_saves_what_waits() {
    let place = Place::new();
    let provider = place.open().await.unwrap();
    provider.add_user(&user("alice")).await.unwrap();
    let delta = QuotaDelta { files: 3, bytes: 9 };
    let at = UnixMillis(5);
    provider
        .add_quota(&change("alice", delta, at))
        .await
        .unwrap();
    provider.close().await;
    let provider = place.open().await.unwrap();
    let usage = provider.quota("alice").await.unwrap().unwrap();
    assert_eq!((usage.files, usage.bytes, usage.updated), (3, 9, at));
    provider.close().await;
}
