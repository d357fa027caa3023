//! A disk that fails for a while: what was acknowledged is kept, and nobody has to restart the server.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use sftpgo_model::UnixMillis;

use super::device::Disk;
use super::{Place, until};
use crate::conformance::samples::{everybody, user};
use crate::error::DataErrorKind;
use crate::provider::{DataProvider as _, UserStore as _};

#[tokio::test]
async fn after_a_failure_of_the_disk_the_provider_works_again_by_itself() {
    let (place, disk) = (Place::new(), Arc::new(Disk::default()));
    let provider = disk.open(&place.path).await.unwrap();
    let alice = provider.add_user(&user("alice")).await.unwrap();

    disk.fails.store(true, Ordering::Relaxed);
    let error = provider.add_user(&user("bob")).await.unwrap_err();
    assert_eq!(error.kind(), DataErrorKind::Unavailable);
    let error = provider.check().await.unwrap_err();
    assert_eq!(error.kind(), DataErrorKind::Unavailable);
    let note = provider.set_last_login("alice", UnixMillis(1)).await;
    assert_eq!(note.unwrap_err().kind(), DataErrorKind::Unavailable);

    disk.fails.store(false, Ordering::Relaxed);
    until(async || provider.check().await.is_ok()).await;
    assert_eq!(
        provider.user_by_name("alice").await.unwrap(),
        Some(alice.clone())
    );
    let bob = provider.add_user(&user("bob")).await.unwrap();
    assert!(bob.id > alice.id);
    provider.close().await;

    let provider = place.open().await.unwrap();
    let users = provider.users(&everybody()).await.unwrap();
    assert_eq!(users, [alice, bob]);
    provider.close().await;
}

#[tokio::test]
async fn a_provider_closes_while_its_disk_fails() {
    let (place, disk) = (Place::new(), Arc::new(Disk::default()));
    let provider = disk.open(&place.path).await.unwrap();
    let alice = provider.add_user(&user("alice")).await.unwrap();
    disk.fails.store(true, Ordering::Relaxed);
    provider.add_user(&user("bob")).await.unwrap_err();
    provider.close().await;

    let provider = place.open().await.unwrap();
    assert_eq!(provider.user_by_name("alice").await.unwrap(), Some(alice));
    provider.close().await;
}
