//! Pages of listings, which the emulator does not have.

use sftpgo_storage::Storage as _;
use sftpgo_storage::backend::object::ObjectEngine;

use super::{BUCKET, at, fake, open};

#[tokio::test]
async fn a_hundred_thousand_names_are_a_hundred_requests_to_google() {
    let fake = fake().await;
    fake.fill(BUCKET, "home/many/", 100_000);
    fake.put_pattern(BUCKET, "home/other", 1);
    let storage = open(
        fake.address(),
        BUCKET,
        ObjectEngine::default(),
        |settings| {
            settings.objects.prefix = "home/".to_owned();
        },
    )
    .await;
    let mut listing = storage.list(&at("many")).await.unwrap();
    let mut names = 0;
    loop {
        let page = listing.next_page(500).await.unwrap();
        if page.is_empty() {
            break;
        }
        for entry in page {
            assert_eq!(entry.name, format!("{names:06}").into_bytes());
            names += 1;
        }
    }
    assert_eq!(names, 100_000);
    assert_eq!(fake.requests().count("objects.list"), 100);
    assert_eq!(fake.requests().total(), 100);
    let asked = fake.requests().last();
    assert!(
        asked
            .iter()
            .all(|seen| seen.query.contains("maxResults=1000&fields="))
    );

    // Both kinds of entries, and none of them asked for by itself.
    let mut listing = storage.list(&at("")).await.unwrap();
    let page = listing.next_page(10).await.unwrap();
    let names: Vec<_> = page.iter().map(|entry| entry.name.as_slice()).collect();
    assert_eq!(names, [b"many".as_slice(), b"other"]);
    assert!(page[0].metadata.is_dir());
    assert_eq!(fake.requests().total(), 101);
}
