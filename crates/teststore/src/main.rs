//! The fake S3 as a program of its own, for measurements: its memory is not that of whoever is measured.
//!
//! `fake-s3 BUCKET [KEY=BYTES ...]` makes the bucket, with objects of as many bytes of the pattern, prints its URL, and
//! serves until its input ends. Then it prints what it was asked and what it holds.

use std::io;
use std::process::ExitCode;

use sftpgo_teststore::FakeS3;

#[tokio::main]
async fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(bucket) = arguments.next() else {
        return usage();
    };
    let fake = FakeS3::start().await;
    fake.make_bucket(&bucket);
    for argument in arguments {
        let object = argument.rsplit_once('=');
        let object = object.and_then(|(key, size)| Some((key, size.parse().ok()?)));
        let Some((key, size)) = object else {
            return usage();
        };
        fake.put_pattern(&bucket, key, size);
    }
    println!("{}", fake.endpoint());

    // Whatever ends the input is its end.
    let _ = tokio::task::spawn_blocking(|| io::copy(&mut io::stdin(), &mut io::sink())).await;
    let requests = fake.requests();
    for (operation, count) in requests.counts() {
        println!(
            "{operation}: {count}, {} at once",
            requests.most_at_once(operation)
        );
    }
    println!("received: {} bytes", requests.bytes_received());
    println!("sent: {} bytes", requests.bytes_sent());
    for key in fake.keys(&bucket) {
        if let Some(found) = fake.object(&bucket, &key) {
            println!(
                "{key:?}: {} bytes, crc32 {:08x}, {} parts",
                found.size, found.crc32, found.parts
            );
        }
    }
    println!("unfinished uploads: {}", fake.uploads(&bucket).len());
    ExitCode::SUCCESS
}

fn usage() -> ExitCode {
    eprintln!("usage: fake-s3 BUCKET [KEY=BYTES ...]");
    ExitCode::from(2)
}
