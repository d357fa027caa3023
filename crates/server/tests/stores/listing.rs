//! What a listing costs at the store.

use std::collections::{BTreeMap, BTreeSet};

use sftpgo_testkit::{FileClient as _, s3_filesystem, until};
use sftpgo_teststore::{FakeS3, Keys};

use super::*;

#[tokio::test]
async fn a_hundred_thousand_names_over_sftp_are_a_hundred_requests_and_no_other() {
    let fake = FakeS3::start().await;
    fake.make_bucket("bucket");
    fake.fill("bucket", "homes/one/many/", 100_000);
    let keys = Keys {
        id: "id",
        secret: "secret",
    };
    let server = TestServer::start().await;
    let filesystem = s3_filesystem(&fake.endpoint(), keys, "bucket");
    let account = Account::new("alice").with("filesystem", filesystem);
    server.add(account).await;
    let mut client = server.sftp("alice").await;
    // Beside the login it is looked at whether the bucket is there, and what a crash has left in it.
    until("the looks at the bucket", async || {
        let requests = fake.requests();
        let looks = ["HeadBucket", "ListMultipartUploads"].map(|look| requests.count(look));
        looks == [1, 1] && requests.running() == 0
    })
    .await;
    fake.requests().clear();
    let entries = client.list(b"/many").await.unwrap();
    let counts = fake.requests().counts();
    assert_eq!(counts, BTreeMap::from([("ListObjectsV2", 100)]));
    let names: BTreeSet<_> = entries.iter().map(|entry| &entry.name).collect();
    assert_eq!((entries.len(), names.len()), (100_000, 100_000));
}
