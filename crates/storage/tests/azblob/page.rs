//! Listings: a call for a thousand names, whatever Azure makes of pages.

use futures_util::StreamExt as _;
use sftpgo_storage::{Links, Storage as _};
use sftpgo_teststore::{Action, Answer, Rule};

use super::{at, folder, list, names, subject, write};

#[tokio::test]
async fn a_thousand_names_are_one_call() {
    let subject = subject().await;
    let (azurite, container) = (&subject.azurite, &subject.container);
    let puts = futures_util::stream::iter(0..1100).map(|number| async move {
        let name = format!("dir/{number:04}");
        azurite.put(container, &name, "x").await;
    });
    puts.buffer_unordered(16).collect::<Vec<()>>().await;
    subject.proxy.requests().clear();
    let entries = list(&subject.storage, "dir").await.unwrap();
    assert_eq!(entries.len(), 1100);
    assert!(entries.is_sorted_by_key(|entry| entry.name.clone()));
    assert_eq!(
        subject.proxy.requests().counts(),
        [("List Blobs", 2)].into()
    );
    let stat = subject
        .storage
        .stat(&at("dir/0007"), Links::Follow)
        .await
        .unwrap();
    assert_eq!(entries.get(7).unwrap().metadata.id, stat.id);
}

#[tokio::test]
async fn a_page_without_anything_does_not_end_a_listing() {
    let subject = subject().await;
    folder(&subject.storage, "dir").await;
    subject.proxy.requests().clear();
    write(&subject.storage, "dir/file", b"x").await.unwrap();
    // What is behind that is still to come.
    let empty = "<?xml version=\"1.0\"?><EnumerationResults><Blobs/><NextMarker>a</NextMarker></EnumerationResults>";
    let answers = subject.proxy.place(
        Rule::new(Action::Answer(Answer::new(200).body(empty)))
            .on("List Blobs")
            .times(1),
    );
    let there = subject.storage.stat(&at("dir"), Links::Follow).await;
    assert!(there.unwrap().is_dir());
    assert_eq!(answers.applied(), 1);
    let asked = subject.proxy.requests().of("List Blobs");
    assert!(asked.iter().any(|seen| seen.query.contains("marker=a&")));
}

#[tokio::test]
async fn a_listing_that_breaks_off_is_asked_for_again() {
    let subject = subject().await;
    for name in ["a", "b", "c"] {
        write(&subject.storage, name, b"x").await.unwrap();
    }
    subject
        .proxy
        .place(Rule::new(Action::Truncate(300)).on("List Blobs").times(2));
    assert_eq!(names(&subject.storage, "").await, ["a", "b", "c"]);
}
